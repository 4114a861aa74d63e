//! Greeting, capabilities, TLS, log-in.

use std::collections::BTreeMap;

use postern_bridge::{Security, ServerLogin};
use postern_imap::{
    Command, Event, Limits, Response, Session,
    quirks::Quirk,
    response::{Capabilities, Code, StatusKind},
    session::Output,
};
use postern_sasl::Credentials;

use super::{Enabled, ImapClient, PATIENCE};
use crate::{
    Host, MailError, Secret, Transport, authenticate::mechanism, connection::Connection,
    host::within,
};

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
            own_prefix: None,
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
            self.authenticate(host, Credentials::new(&login.username, password.expose())).await?;
        }
        self.capabilities(host).await?;
        if self.connection.session.quirks().has(Quirk::WantsId) {
            let id = [("name", "Postern"), ("version", env!("CARGO_PKG_VERSION"))];
            self.run(host, Command::id(&id)?, "say who it is").await?;
        }
        self.enable(host).await
    }

    /// Turns on what lets the server tell what has changed.
    async fn enable<H: Host<Transport = T>>(&mut self, host: &H) -> Result<(), MailError> {
        let offered = self.capabilities(host).await?;
        self.enabled.condstore = offered.has("CONDSTORE");
        if !(offered.has("QRESYNC") && offered.has("ENABLE")) {
            return Ok(());
        }
        let enable = vec![Command::enable(&["QRESYNC"])];
        let answer = self.run_all(host, enable, "tell what has changed").await?;
        for response in answer.responses {
            let Response::Enabled(extensions) = response else { continue };
            let qresync = extensions.iter().any(|name| name.eq_ignore_ascii_case("QRESYNC"));
            self.enabled.qresync |= qresync;
            self.enabled.condstore |= qresync;
        }
        Ok(())
    }

    /// Waits for the server's first words; true if it needs no log-in.
    async fn greeting<H: Host<Transport = T>>(&mut self, host: &H) -> Result<bool, MailError> {
        loop {
            match self.connection.next_event(host, PATIENCE, "a greeting").await? {
                Event::Greeting(status) if status.kind == StatusKind::Bye => {
                    return Err(MailError::Unavailable(status.text));
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
        Ok(())
    }

    async fn authenticate<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        credentials: Credentials,
    ) -> Result<(), MailError> {
        let offered = self.capabilities(host).await?;
        let command = match mechanism(host, offered.mechanisms(), &credentials) {
            Some(mechanism) => Command::authenticate(mechanism),
            None if offered.has("LOGINDISABLED") => {
                return Err(MailError::Unsupported("a log-in with a password here"));
            }
            None => Command::login(&credentials)?,
        };
        let answer = self.run_all(host, vec![command], "log in").await?;
        let refusal = answer.ends.into_iter().find(|status| status.kind != StatusKind::Ok);
        match refusal {
            None => Ok(()),
            Some(status) if status.code == Some(Code::Unavailable) => {
                Err(MailError::Unavailable(status.text))
            }
            Some(status) => Err(MailError::Login(status.text)),
        }
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
