//! A submission server that one is logged in to.

use postern_bridge::{Security, ServerLogin};
use postern_sasl::Mechanism;
use postern_smtp::{Command, Event, Extensions, Output, Reply, Request, Session};

use super::limits::{PATIENCE, PATIENCE_FOR_GOODBYE};
use crate::host::within;
use crate::{
    Host, MailError, Secret, authenticate,
    connection::{self, Connection},
    error::{self, LOG_IN},
};

/// A browser has no name of its own to give (RFC 5321 section 4.1.4).
const HELLO_NAME: &str = "[127.0.0.1]";

/// RFC 5321 section 4.2.3.
const HANGING_UP: u16 = 421;

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
    pub(super) connection: Connection<H::Transport, Session>,
    /// False if the server asks for no log-in.
    pub(super) logged_in: bool,
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
        let connection = Connection::new(transport, Session::new());
        let mut server = Self { host, connection, logged_in: false };
        match server.introduce(login, password).await {
            Ok(()) => Ok(server),
            Err(error) => {
                server.connection.close(host).await;
                Err(error)
            }
        }
    }

    /// Gives a command and waits for its event.
    pub(super) async fn ask(
        &mut self,
        command: Command,
        what: &'static str,
    ) -> Result<Event, MailError> {
        let input = |error: postern_smtp::CommandError| MailError::Input(error.to_string());
        self.connection.session.start(command).map_err(input)?;
        self.next(what).await
    }

    /// Says goodbye; nothing depends on the answer.
    pub(super) async fn quit(mut self) {
        if self.connection.session.start(Command::Quit).is_ok() {
            let patience = PATIENCE_FOR_GOODBYE;
            let _ = self.connection.next_event(self.host, patience, "a goodbye").await;
        }
        self.connection.close(self.host).await;
    }

    pub(super) async fn next(&mut self, what: &'static str) -> Result<Event, MailError> {
        match self.connection.next_event(self.host, PATIENCE, what).await? {
            Event::Failed(error) => Err(MailError::Protocol(error.to_string())),
            event => Ok(event),
        }
    }

    async fn introduce(&mut self, login: &ServerLogin, password: &Secret) -> Result<(), MailError> {
        match self.next("its greeting").await? {
            Event::Greeting(_) => {}
            other => return Err(unexpected(&other, "talk")),
        }
        let mut extensions = self.hello().await?;
        if login.endpoint.security == Security::StartTls {
            self.upgrade(&extensions).await?;
            extensions = self.hello().await?;
        }
        self.log_in(&extensions, login, password).await
    }

    async fn hello(&mut self) -> Result<Extensions, MailError> {
        let hello =
            Command::hello(HELLO_NAME).map_err(|error| MailError::Input(error.to_string()))?;
        match self.ask(hello, "what it offers").await? {
            Event::Hello(extensions) => Ok(extensions),
            other => Err(unexpected(&other, "talk")),
        }
    }

    async fn upgrade(&mut self, extensions: &Extensions) -> Result<(), MailError> {
        if !extensions.starttls {
            return Err(MailError::Unsupported("STARTTLS"));
        }
        match self.ask(Command::StartTls, "the start of TLS").await? {
            Event::StartTls => {}
            other => return Err(unexpected(&other, "start TLS")),
        }
        self.connection.upgrade_tls(self.host, PATIENCE).await?;
        self.connection.session.tls_established();
        Ok(())
    }

    async fn log_in(
        &mut self,
        extensions: &Extensions,
        login: &ServerLogin,
        password: &Secret,
    ) -> Result<(), MailError> {
        if extensions.auth.is_empty() {
            return Ok(());
        }
        let (offered, security) = (&extensions.auth, login.endpoint.security);
        let credentials = authenticate::credentials(&login.username, password);
        let mechanism = authenticate::mechanism(self.host, offered, &credentials)
            .ok_or_else(|| authenticate::no_way(password))?;
        let other = authenticate::other_way(&mechanism, offered, &credentials, security);
        let (mechanism, other) = self.host.detours().in_order(login, password, mechanism, other);
        let done = match (self.try_log_in(mechanism).await, other) {
            (Err(first @ MailError::Login(_)), Some(other)) => {
                match self.try_log_in(other).await {
                    Ok(()) => {
                        self.host.detours().note(login, password);
                        Ok(())
                    }
                    Err(
                        own @ (MailError::Login(_)
                        | MailError::TimedOut(_)
                        | MailError::Unavailable(_)),
                    ) => Err(own),
                    // One that hangs up on the second try has told all with the first.
                    Err(_) => Err(first),
                }
            }
            (done, _) => done,
        };
        self.logged_in = done.is_ok();
        done.map_err(|error| authenticate::refused(self.host, login, password, error))
    }

    async fn try_log_in(&mut self, mechanism: Mechanism) -> Result<(), MailError> {
        match self.ask(Command::Auth(mechanism), "the log-in").await? {
            Event::LoggedIn => Ok(()),
            Event::Refused { request: Request::LogIn, reply } if reply.is_permanent() => {
                Err(MailError::Login(words(&reply)))
            }
            // That says nothing of the password.
            Event::Refused { request: Request::LogIn, reply } if reply.code != HANGING_UP => {
                Err(MailError::Unavailable(words(&reply)))
            }
            // Nor is it certain that it does not: more tries may lock the account.
            Event::Refused { reply, .. } => {
                Err(MailError::Refused { what: LOG_IN, text: words(&reply) })
            }
            other => Err(unexpected(&other, LOG_IN)),
        }
    }
}

/// The error for an event that is not the one hoped for; `what` as in [`MailError::Refused`].
pub(super) fn unexpected(event: &Event, what: &'static str) -> MailError {
    match event {
        Event::Refused { reply, .. } if reply.is_permanent() => {
            MailError::Refused { what, text: words(reply) }
        }
        Event::Refused { reply, .. } => MailError::Unavailable(words(reply)),
        _ => MailError::Protocol("an answer to another question".into()),
    }
}

/// The server's words, or its code if it has none.
pub(super) fn words(reply: &Reply) -> String {
    let text = reply.text();
    if text.is_empty() { reply.code.to_string() } else { error::words(&text) }
}
