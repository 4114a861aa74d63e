//! Greeting, capabilities, TLS, log-in.

use std::collections::{BTreeMap, BTreeSet};

use postern_bridge::{Proof, Security, ServerLogin};
use postern_imap::{
    Command, Event, Limits, Response, Session,
    mailbox_name::Spelling,
    quirks::Quirk,
    response::{Capabilities, StatusKind},
    session::Output,
};

use super::{
    Enabled, ImapClient, PATIENCE,
    lookout::Lookout,
    overheard::{Alerts, Defects},
    refusal::{goodbye, log_in_refusal},
};
use crate::{
    Host, MailError, Secret, Transport, authenticate, connection::Connection, host::within,
};

/// A server whose answer takes as long as this, in milliseconds, is worth compressing for; a nearer
/// one would only be slowed down.
const FAR: i64 = 10;

impl<T: Transport> ImapClient<T> {
    /// Connects and logs in. With [`Security::StartTls`] the upgrade is required: the password never
    /// crosses an unprotected connection, unless the person chose [`Security::Plain`].
    ///
    /// # Errors
    ///
    /// If the server can't be reached, is no IMAP server, can't be talked to safely, or refuses the
    /// log-in.
    pub async fn connect<H: Host<Transport = T>>(
        host: &H,
        login: &ServerLogin,
        password: &Secret,
    ) -> Result<Self, MailError> {
        let connecting = host.connect(&login.endpoint);
        let transport =
            within(host, PATIENCE, connecting).await.ok_or(MailError::TimedOut("connecting"))??;
        let session = match login.endpoint.security {
            Security::StartTls => Session::requiring_tls(Limits::default()),
            _ => Session::new(Limits::default()),
        };
        let connection = Connection::new(transport, session);
        let mut client = Self {
            connection,
            enabled: Enabled::default(),
            selected: None,
            news: None,
            heard: 0,
            counted: 0,
            nameless: BTreeMap::new(),
            asked_previews: BTreeSet::new(),
            own_prefix: None,
            introduced: false,
            half_said: false,
            watches_all: false,
            overflows: 0,
            told_of_others: false,
            lookout: Lookout::default(),
            counted_to: Vec::new(),
            alerts: Alerts::default(),
            defects: Defects::default(),
            ended: BTreeMap::new(),
        };
        match client.log_in(host, login, password).await {
            Ok(()) => Ok(client),
            Err(error) => {
                client.connection.close(host).await;
                Err(error)
            }
        }
    }

    async fn log_in<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        login: &ServerLogin,
        password: &Secret,
    ) -> Result<(), MailError> {
        let already = self.greeting(host).await?;
        if login.endpoint.security == Security::StartTls {
            self.start_tls(host).await?;
        }
        if !already {
            self.authenticate(host, login, password).await?;
        }
        self.agree(host).await
    }

    /// Says who we are, turns on what lets the server tell what has changed and speak UTF-8, and has
    /// the connection compressed if the server is far away, where it offers that.
    ///
    /// IMAP4rev2 is not enabled where the server speaks IMAP4rev1 as well: all that a client could gain
    /// is names in UTF-8, which UTF8=ACCEPT brings; what it has taken in is used without.
    async fn agree<H: Host<Transport = T>>(&mut self, host: &H) -> Result<(), MailError> {
        let offered = self.capabilities(host).await?;
        self.enabled.condstore = offered.has("CONDSTORE");
        if offered.is_rev2_only() {
            self.enabled.spelling = Spelling::Utf8;
        }
        let mut commands = Vec::new();
        if offered.has("ID") || self.has_quirk(Quirk::WantsId) {
            commands.push(self.introduction()?);
        }
        let speaks_utf8 = offered.has("UTF8=ACCEPT") || offered.has("UTF8=ONLY");
        let wanted = [(offered.has("QRESYNC"), "QRESYNC"), (speaks_utf8, "UTF8=ACCEPT")];
        let wanted: Vec<_> =
            wanted.into_iter().filter_map(|(has, own)| has.then_some(own)).collect();
        if offered.has("ENABLE") && !wanted.is_empty() {
            commands.push(Command::enable(&wanted));
        }
        let compresses = offered.has("COMPRESS=DEFLATE");
        if commands.is_empty() && compresses {
            commands.push(Command::noop());
        }
        let asked = host.now();
        let answer = self.run_all(host, commands, "agree on extensions").await?;
        for response in answer.responses {
            let Response::Enabled(extensions) = response else { continue };
            let qresync = extensions.iter().any(|name| name.eq_ignore_ascii_case("QRESYNC"));
            self.enabled.qresync |= qresync;
            self.enabled.condstore |= qresync;
            if Spelling::agreed(&extensions) == Spelling::Utf8 {
                self.enabled.spelling = Spelling::Utf8;
                self.enabled.utf8_append = true;
            }
        }
        if compresses && host.now() - asked >= FAR {
            // One that refuses is talked to as before.
            self.run_all(host, vec![Command::compress()], "compress the connection").await?;
        }
        Ok(())
    }

    /// Whether the server wants to know who we are before it opens a mailbox, and was not told.
    pub(super) fn must_introduce(&self) -> bool {
        !self.introduced && self.has_quirk(Quirk::WantsId)
    }

    /// Tells the server who we are. One that does not want to know is talked to as before.
    pub(super) async fn introduce<H: Host<Transport = T>>(
        &mut self,
        host: &H,
    ) -> Result<(), MailError> {
        let command = self.introduction()?;
        self.run_all(host, vec![command], "hear who asks").await.map(drop)
    }

    fn introduction(&mut self) -> Result<Command, MailError> {
        self.introduced = true;
        Ok(Command::id(&[("name", "Postern"), ("version", env!("CARGO_PKG_VERSION"))])?)
    }

    /// Whether the server was found to do something otherwise than the standard says.
    pub(super) fn has_quirk(&self, quirk: Quirk) -> bool {
        self.connection.session.quirks().has(quirk)
    }

    /// Waits for the server's first words; true if it needs no log-in.
    async fn greeting<H: Host<Transport = T>>(&mut self, host: &H) -> Result<bool, MailError> {
        loop {
            let event = self.connection.next_event(host, PATIENCE, "a greeting").await?;
            self.overhear(&event);
            match event {
                Event::Greeting(status) if status.kind == StatusKind::Bye => {
                    return Err(goodbye(&status.text));
                }
                Event::Greeting(status) => return Ok(status.kind == StatusKind::PreAuth),
                Event::Fatal(error) => return Err(MailError::Protocol(error.to_string())),
                _ => {}
            }
        }
    }

    async fn start_tls<H: Host<Transport = T>>(&mut self, host: &H) -> Result<(), MailError> {
        if !self.capabilities(host).await?.has("STARTTLS") {
            return Err(MailError::Unsupported("a secure connection on this port (STARTTLS)"));
        }
        self.run(host, Command::start_tls(), "secure the connection").await?;
        // Whatever stood behind the go-ahead is already known here.
        while let Some(output) = self.connection.session.poll_output() {
            if let Output::Event(Event::Fatal(error)) = output {
                return Err(MailError::Protocol(error.to_string()));
            }
        }
        self.connection.upgrade_tls(host, PATIENCE).await?;
        self.connection.session.tls_started();
        // Until now anybody could have said it in the server's place.
        (self.alerts, self.defects) = (Alerts::default(), Defects::default());
        (self.overflows, self.told_of_others) = (0, false);
        Ok(())
    }

    async fn authenticate<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        login: &ServerLogin,
        password: &Secret,
    ) -> Result<(), MailError> {
        let offered = self.capabilities(host).await?;
        let credentials = authenticate::credentials(&login.username, password);
        let security = login.endpoint.security;
        let mechanism = authenticate::mechanism(host, offered.mechanisms(), &credentials);
        let other = mechanism.as_ref().and_then(|first| {
            authenticate::other_way(first, offered.mechanisms(), &credentials, security)
        });
        let command = match mechanism {
            Some(mechanism) => Command::authenticate(mechanism),
            None if password.proof() == Proof::Token => return Err(authenticate::no_way(password)),
            None if offered.has("LOGINDISABLED") => {
                return Err(MailError::Unsupported("a log-in with a password here"));
            }
            None => Command::login(&credentials)?,
        };
        let other = other.map(Command::authenticate);
        let (command, other) = host.detours().in_order(login, password, command, other);
        let first = self.try_log_in(host, command).await;
        let mut refusal = first.inspect_err(|_| host.detours().forget(login, password))?;
        if matches!(refusal, Some(MailError::Login(_)))
            && let Some(other) = other
        {
            refusal = match self.try_log_in(host, other).await {
                // That says nothing of the password.
                Err(error @ (MailError::TooManyConnections(_) | MailError::TimedOut(_))) => {
                    return Err(error);
                }
                // One that hangs up has said why before.
                again => again.unwrap_or(refusal),
            };
            if refusal.is_none() {
                host.detours().note(login, password);
            }
        }
        refusal.map_or(Ok(()), |error| Err(authenticate::refused(host, login, password, error)))
    }

    /// Logs in one way; why not, if it was refused.
    async fn try_log_in<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        command: Command,
    ) -> Result<Option<MailError>, MailError> {
        let answer = self.run_all(host, vec![command], "log in").await?;
        Ok(answer.ends.iter().find_map(|end| log_in_refusal(end, &answer.responses)))
    }

    /// What the server can do; asked for if it is not known.
    pub(super) async fn capabilities<H: Host<Transport = T>>(
        &mut self,
        host: &H,
    ) -> Result<Capabilities, MailError> {
        if self.connection.session.capabilities().is_none() {
            self.run(host, Command::capability(), "say what it can do").await?;
        }
        Ok(self.connection.session.capabilities().cloned().unwrap_or_default())
    }
}
