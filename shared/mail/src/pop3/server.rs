//! A POP3 server that one is logged in to.

use postern_bridge::{Security, ServerLogin, TlsSession};
use postern_pop3::{
    Capabilities, Command, Event, Output, Request, Response, ResponseCode, Session,
};
use postern_sasl::Credentials;

use super::limits::PATIENCE;
use crate::host::within;
use crate::{
    Host, MailError, Secret,
    authenticate::mechanism,
    connection::{self, Connection},
};

impl connection::Session for Session {
    type Event = Event;

    fn handle_input(&mut self, input: &[u8]) {
        Self::handle_input(self, input);
    }

    fn poll_output(&mut self) -> Option<connection::Output<Event>> {
        Self::poll_output(self).map(|output| match output {
            Output::Send(bytes) => connection::Output::Send(bytes),
            Output::Event(event) => connection::Output::Event(event),
        })
    }
}

/// A connection after the log-in.
pub(super) struct Server<'host, H: Host> {
    host: &'host H,
    connection: Connection<H::Transport, Session>,
}

impl<'host, H: Host> Server<'host, H> {
    /// Connects, upgrades to TLS if that is how the server is to be reached, and logs in.
    pub(super) async fn open(
        host: &'host H,
        login: &ServerLogin,
        password: &Secret,
    ) -> Result<Self, MailError> {
        let connecting = host.connect(&login.endpoint);
        let transport =
            within(host, PATIENCE, connecting).await.ok_or(MailError::TimedOut("connecting"))??;
        let mut server = Self { host, connection: Connection::new(transport, Session::new()) };
        match server.introduce(login, password).await {
            Ok(()) => Ok(server),
            Err(error) => {
                server.close().await;
                Err(error)
            }
        }
    }

    async fn introduce(&mut self, login: &ServerLogin, password: &Secret) -> Result<(), MailError> {
        match self.next("its greeting").await? {
            Event::Greeting(_) => {}
            other => return Err(unexpected(&other, "talk")),
        }
        if login.endpoint.security == Security::StartTls {
            self.upgrade().await?;
        }
        let capabilities = self.capabilities().await?;
        self.log_in(&capabilities, &login.username, password).await?;
        self.connection.session.set_pipelining(capabilities.pipelining);
        Ok(())
    }

    /// Gives a command and waits for the next event.
    pub(super) async fn ask(
        &mut self,
        command: Command,
        what: &'static str,
    ) -> Result<Event, MailError> {
        self.start(command)?;
        self.next(what).await
    }

    /// Gives a command whose answer is awaited later.
    pub(super) fn start(&mut self, command: Command) -> Result<(), MailError> {
        self.connection.session.start(command).map_err(|error| MailError::Input(error.to_string()))
    }

    /// Waits for the next event.
    pub(super) async fn next(&mut self, what: &'static str) -> Result<Event, MailError> {
        match self.connection.next_event(self.host, PATIENCE, what).await? {
            Event::Failed(error) => Err(MailError::Protocol(error.to_string())),
            event => Ok(event),
        }
    }

    /// What protects the connection.
    pub(super) fn tls(&self) -> Option<TlsSession> {
        self.connection.tls()
    }

    pub(super) async fn close(self) {
        self.connection.close(self.host).await;
    }

    async fn upgrade(&mut self) -> Result<(), MailError> {
        match self.ask(Command::Stls, "the start of TLS").await? {
            Event::StartTls => {}
            Event::Refused { request: Request::Stls, .. } => {
                return Err(MailError::Unsupported("STARTTLS"));
            }
            other => return Err(unexpected(&other, "start TLS")),
        }
        self.connection.upgrade_tls(self.host, PATIENCE).await?;
        self.connection.session.tls_established();
        Ok(())
    }

    /// What the server offers; servers of before RFC 2449 do not know the question.
    async fn capabilities(&mut self) -> Result<Capabilities, MailError> {
        match self.ask(Command::Capa, "what it offers").await? {
            Event::Capabilities(capabilities) => Ok(capabilities),
            Event::Refused { request: Request::Capa, .. } => Ok(Capabilities::default()),
            other => Err(unexpected(&other, "say what it offers")),
        }
    }

    async fn log_in(
        &mut self,
        capabilities: &Capabilities,
        username: &str,
        password: &Secret,
    ) -> Result<(), MailError> {
        let credentials = Credentials::new(username, password.expose());
        let command = match mechanism(self.host, &capabilities.sasl, &credentials) {
            Some(mechanism) => Command::Auth(mechanism),
            None => Command::UserPass(credentials),
        };
        match self.ask(command, "the log-in").await? {
            Event::LoggedIn => Ok(()),
            Event::Refused { request: Request::LogIn, response } => Err(log_in_refused(response)),
            other => Err(unexpected(&other, "log in")),
        }
    }
}

/// Whether the credentials are wrong, or the server can't let anybody in now (RFC 3206).
fn log_in_refused(response: Response) -> MailError {
    let text = response.text;
    match response.code {
        Some(ResponseCode::InUse) => {
            MailError::Refused { what: "open the mailbox, which is open elsewhere", text }
        }
        Some(ResponseCode::LoginDelay) => {
            MailError::Refused { what: "let you log in again so soon", text }
        }
        Some(ResponseCode::SystemTemporary | ResponseCode::SystemPermanent) => {
            MailError::Refused { what: "open the mailbox", text }
        }
        Some(ResponseCode::Auth | ResponseCode::Other(_)) | None => MailError::Login(text),
    }
}

/// The error for an event that is not the one hoped for; `what` as in [`MailError::Refused`].
pub(super) fn unexpected(event: &Event, what: &'static str) -> MailError {
    match event {
        Event::Refused { response, .. } => MailError::Refused { what, text: response.text.clone() },
        _ => MailError::Protocol("an answer to another question".into()),
    }
}
