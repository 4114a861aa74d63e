//! A POP3 server that one is logged in to.

use std::time::Duration;

use postern_bridge::{Proof, Security, ServerLogin, TlsSession};
use postern_pop3::{
    Capabilities, Command, Event, Expire, Output, Request, Response, ResponseCode, Session,
};

use super::limits::{LIST_PATIENCE, MAX_MESSAGE, PATIENCE, TOO_SOON};
use crate::{
    Host, MailError, Secret, authenticate,
    connection::{self, Connection},
    error::{Closed, words},
    host::within,
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
    /// What the server offers.
    pub(super) offers: Capabilities,
    /// Whether it has said so, or was tried.
    is_known: bool,
    /// The largest message that it may hand out, in bytes.
    pub(super) largest: u64,
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
        let offers = Capabilities::default();
        let mut server = Self { host, connection, offers, is_known: false, largest: MAX_MESSAGE };
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
        let known = self.learn_offers().await?;
        if self.offers.utf8 {
            // Else it would hand out what is in UTF-8 in another form, or not at all.
            self.ask(Command::Utf8, "UTF-8").await?;
        }
        self.log_in(known, login, password).await?;
        if known {
            // What it says now is about this user (RFC 2449 section 5).
            let before = self.offers.clone();
            if !self.learn_offers().await? {
                self.offers = before;
            }
        }
        self.is_known = known;
        self.connection.session.set_pipelining(self.offers.pipelining);
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
        self.next_within(PATIENCE, what).await
    }

    /// Waits for the next event for as long as `patience`.
    pub(super) async fn next_within(
        &mut self,
        patience: Duration,
        what: &'static str,
    ) -> Result<Event, MailError> {
        match self.connection.next_event(self.host, patience, what).await? {
            Event::Failed(error) => Err(MailError::Protocol(error.to_string())),
            event => Ok(event),
        }
    }

    /// Whether headers can be had alone. A server that does not say what it offers is tried once, with
    /// this message.
    pub(super) async fn can_top(&mut self, message: u32) -> Result<bool, MailError> {
        if self.is_known {
            return Ok(self.offers.top);
        }
        self.start(Command::Top { message, lines: 0 })?;
        self.offers.top = self.content("a header", |_| ()).await?;
        self.is_known = true;
        Ok(self.offers.top)
    }

    /// Receives the message, or the header, whose turn it is; false if the server does not hand it out.
    pub(super) async fn content(
        &mut self,
        what: &'static str,
        mut take: impl FnMut(&[u8]),
    ) -> Result<bool, MailError> {
        let mut left = self.largest;
        loop {
            match self.next(what).await? {
                Event::Content { bytes, .. } => {
                    let rest = left.checked_sub(bytes.len() as u64);
                    left = rest.ok_or_else(|| too_large(self.largest))?;
                    take(&bytes);
                }
                Event::ContentEnd { .. } => return Ok(true),
                Event::Refused { request: Request::Top(_) | Request::Retr(_), .. } => {
                    return Ok(false);
                }
                other => return Err(unexpected(&other, "hand out a message")),
            }
        }
    }

    /// After how many days the server deletes messages by itself, as it says.
    pub(super) fn expires(&self) -> Option<u32> {
        match self.offers.expire {
            Some(Expire::Days(days)) => Some(days),
            Some(Expire::Never) | None => None,
        }
    }

    /// Whether QUIT has it delete what it has handed out in the session.
    pub(super) fn deletes_by_itself(&self) -> bool {
        self.expires() == Some(0)
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

    /// Asks what the server offers; false if it is of before RFC 2449 and does not know the question.
    async fn learn_offers(&mut self) -> Result<bool, MailError> {
        match self.ask(Command::Capa, "what it offers").await? {
            Event::Capabilities(offers) => {
                self.offers = offers;
                Ok(true)
            }
            Event::Refused { request: Request::Capa, .. } => Ok(false),
            other => Err(unexpected(&other, "say what it offers")),
        }
    }

    /// Logs in. Over a connection that anybody can listen to, a way that does not show the password
    /// comes first.
    async fn log_in(
        &mut self,
        offers_known: bool,
        login: &ServerLogin,
        password: &Secret,
    ) -> Result<(), MailError> {
        let security = login.endpoint.security;
        let credentials = authenticate::credentials(&login.username, password);
        let mechanism = authenticate::mechanism(self.host, &self.offers.sasl, &credentials);
        if mechanism.is_none() && password.proof() == Proof::Token {
            return Err(authenticate::no_way(password));
        }
        let is = |name: &str| mechanism.as_ref().is_some_and(|own| own.name() == name);
        let hides = mechanism.as_ref().is_some_and(|own| authenticate::is_scram(own.name()));
        let older = (is("PLAIN") || hides) && self.offers.user && security != Security::Plain;
        let other = mechanism
            .as_ref()
            .and_then(|first| {
                authenticate::other_way(first, &self.offers.sasl, &credentials, security)
            })
            .map(Command::Auth)
            .or_else(|| older.then(|| Command::UserPass(credentials.clone())));
        let apop = self.connection.session.apop(&credentials);
        let only_apop = offers_known && !self.offers.user && mechanism.is_none();
        let shown = match mechanism {
            Some(mechanism) => Command::Auth(mechanism),
            None => Command::UserPass(credentials),
        };
        let response = match apop {
            Some(apop) if only_apop => self.try_log_in(apop).await?,
            // A greeting may have a timestamp though the server keeps no password for it.
            Some(apop) if security == Security::Plain && !hides => {
                match self.try_log_in(apop).await? {
                    Some(Response { code: None, .. }) => self.try_log_in(shown).await?,
                    response => response,
                }
            }
            _ => {
                let (shown, other) = self.host.detours().in_order(login, password, shown, other);
                let first = self.try_log_in(shown).await;
                let first = first.inspect_err(|_| self.host.detours().forget(login, password))?;
                match (first, other) {
                    (Some(response), Some(other)) if may_be_the_way(&response, hides) => {
                        let again = self.try_other(other, response).await?;
                        if again.is_none() {
                            self.host.detours().note(login, password);
                        }
                        again
                    }
                    (response, _) => response,
                }
            }
        };
        match response {
            None => Ok(()),
            Some(response) => {
                let error = log_in_refused(response, &self.offers);
                Err(authenticate::refused(self.host, login, password, error))
            }
        }
    }

    /// Logs in another way where the first was refused with `response`. With a wrong password that is one
    /// more try, and there is no third.
    async fn try_other(
        &mut self,
        other: Command,
        response: Response,
    ) -> Result<Option<Response>, MailError> {
        match self.try_log_in(other).await {
            // That says nothing of the password.
            Err(error @ MailError::TimedOut(_)) => Err(error),
            // One that hangs up on the second try has told all with the first, as has one that can't be
            // asked again: a line break in a password ends PASS.
            again => Ok(again.unwrap_or(Some(response))),
        }
    }

    /// Logs in one way; the answer, if it was refused.
    async fn try_log_in(&mut self, command: Command) -> Result<Option<Response>, MailError> {
        self.start(command)?;
        match self.next_within(LIST_PATIENCE, "the log-in").await? {
            Event::LoggedIn => Ok(None),
            Event::Refused { request: Request::LogIn, response } => Ok(Some(response)),
            other => Err(unexpected(&other, "log in")),
        }
    }
}

/// Whether a log-in may have been refused for the way it was made, rather than for its password: servers of
/// before RFC 5034 refuse an AUTH that has its response with it, and do not say why; others offer a way
/// that `hides` the password also to users of whom they keep nothing to check it with.
fn may_be_the_way(response: &Response, hides: bool) -> bool {
    match response.code {
        None => true,
        Some(ResponseCode::Auth) => hides,
        _ => false,
    }
}

/// Whether the credentials are wrong, or the server can't let anybody in now.
fn log_in_refused(response: Response, offers: &Capabilities) -> MailError {
    match &response.code {
        Some(ResponseCode::LoginDelay) => {
            let delay = offers.login_delay;
            MailError::Closed(Closed::TooSoon { wait: delay.unwrap_or(TOO_SOON), delay })
        }
        Some(ResponseCode::Auth) => MailError::Login(words(&response.text)),
        // A server that says so for wrong credentials means something else here.
        None | Some(ResponseCode::Other(_)) if !offers.auth_resp_code => {
            MailError::Login(words(&response.text))
        }
        _ => refused(response, "let you in"),
    }
}

/// The error for a refusal; `what` as in [`MailError::Refused`].
fn refused(response: Response, what: &'static str) -> MailError {
    let text = words(&response.text);
    match response.code {
        Some(ResponseCode::InUse) => MailError::Closed(Closed::InUse(text)),
        Some(ResponseCode::SystemTemporary) => MailError::Closed(Closed::Temporary(text)),
        Some(ResponseCode::SystemPermanent) => MailError::Closed(Closed::Permanent(text)),
        _ => MailError::Refused { what, text },
    }
}

/// The error for a message of more than `limit` bytes.
pub(super) fn too_large(limit: u64) -> MailError {
    MailError::Protocol(format!("a message of more than {limit} bytes"))
}

/// The error for an event that is not the one hoped for; `what` as in [`MailError::Refused`].
pub(super) fn unexpected(event: &Event, what: &'static str) -> MailError {
    match event {
        Event::Refused { response, .. } => refused(response.clone(), what),
        _ => MailError::Protocol("an answer to another question".into()),
    }
}
