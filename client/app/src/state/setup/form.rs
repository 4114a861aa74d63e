//! What is in the form: typed, or else found, or else guessed.

use postern_bridge::{
    AccountDraft, Candidate, Discovery, Endpoint, Extent, Fingerprint, Identity, Proof, Protocol,
    Retention, Security, ServerLogin, Service, Source, TlsEnd,
};

use super::{
    Devices, Field, Keeping, Server, Stranger, recommend,
    server::{Wrong, guess, incoming_port, outgoing_port},
};
use crate::{address, text};

/// What is in the form.
///
/// `Debug` leaves the password out.
#[derive(Clone, Default, Eq, PartialEq)]
pub(crate) struct Form {
    /// The person's name.
    pub(crate) name: String,
    /// The mail address.
    pub(crate) address: String,
    /// The password.
    pub(crate) password: String,
    /// What it is.
    pub(crate) proof: Proof,
    /// The answer to the first question.
    pub(crate) devices: Option<Devices>,
    /// The answer to the second question.
    pub(crate) keeping: Option<Keeping>,
    /// The protocol as chosen; `None` while it follows what was found.
    pub(crate) chosen: Option<Protocol>,
    /// The incoming server.
    pub(crate) incoming: Server,
    /// The outgoing server; it has no user name of its own unless one was typed or found.
    pub(crate) outgoing: Server,
    /// What a POP3 account does with mail on the server.
    pub(crate) retention: Retention,
    /// How much of each message a POP3 account downloads.
    pub(crate) extent: Extent,
    /// Who makes the secure connections, as chosen; `None` while it is as usual.
    pub(crate) tls_end: Option<TlsEnd>,
    /// The certificates that the person trusts, each for one host and port.
    trusted: Vec<(String, u16, Fingerprint)>,
    /// What was found out about the address.
    found: Discovery,
    /// Hosts beyond the address's domain that the person lets have the password.
    accepted: Vec<String>,
}

impl Form {
    /// Takes over what was typed as the address. What was found is about another one from then on;
    /// and what was typed about servers, if it is of another domain.
    pub(crate) fn set_address(&mut self, address: String) {
        if address.trim() != self.address.trim() {
            self.adopt(Discovery::default());
        }
        if address::domain(&address) != address::domain(&self.address) {
            self.forget_servers();
        }
        self.address = address;
    }

    /// Takes over what was found out about the address, in place of what was typed before: the
    /// person is shown what was found, and nothing else may get the password.
    pub(crate) fn take_found(&mut self, found: Discovery) {
        self.forget_servers();
        self.adopt(found);
        self.chosen = self.chosen.filter(|chosen| self.offers(*chosen));
    }

    fn forget_servers(&mut self) {
        (self.incoming, self.outgoing) = (Server::default(), Server::default());
    }

    fn adopt(&mut self, found: Discovery) {
        self.found = found;
        self.accepted.clear();
    }

    /// Takes over an answer to the questions and follows the recommendation, as far as it is offered.
    pub(crate) fn answer(&mut self, devices: Option<Devices>, keeping: Option<Keeping>) {
        (self.devices, self.keeping) = (devices, keeping);
        if let Some((protocol, _)) = recommend(devices, keeping)
            && self.offers(protocol)
        {
            self.chosen = Some(protocol);
        }
    }

    /// The protocol: chosen, or what was found, or else IMAP.
    pub(crate) fn protocol(&self) -> Protocol {
        let only_pop3 = self.only() == Some(Protocol::Pop3);
        let usual = if only_pop3 { Protocol::Pop3 } else { Protocol::Imap };
        self.chosen.unwrap_or(usual)
    }

    /// The only protocol that was found, if it was one alone.
    pub(crate) fn only(&self) -> Option<Protocol> {
        let found = |protocol| self.found.best(service(protocol)).is_some();
        match (found(Protocol::Imap), found(Protocol::Pop3)) {
            (true, false) => Some(Protocol::Imap),
            (false, true) => Some(Protocol::Pop3),
            _ => None,
        }
    }

    /// Whether nothing speaks against a protocol.
    fn offers(&self, protocol: Protocol) -> bool {
        self.only().is_none_or(|only| only == protocol)
    }

    /// The incoming server that was found.
    pub(crate) fn found_incoming(&self) -> Option<&Candidate> {
        self.found.best(service(self.protocol()))
    }

    /// The outgoing server that was found.
    pub(crate) fn found_outgoing(&self) -> Option<&Candidate> {
        self.found.best(Service::Submission)
    }

    /// The hosts that would get the password, though they are not under the address's domain and
    /// the person has neither typed nor accepted them.
    pub(crate) fn strangers(&self) -> Vec<Stranger> {
        let incoming = self.found_incoming().filter(|_| self.incoming.host.is_none());
        let outgoing = self.found_outgoing().filter(|_| self.outgoing.host.is_none());
        let domain = address::domain(&self.address);
        let strangers = Stranger::among([incoming, outgoing].into_iter().flatten(), &domain);
        strangers.into_iter().filter(|stranger| !self.accepted.contains(&stranger.host)).collect()
    }

    /// Lets these hosts have the password.
    pub(crate) fn accept(&mut self, strangers: &[Stranger]) {
        self.accepted.extend(strangers.iter().map(|stranger| stranger.host.clone()));
    }

    /// Who makes the secure connections; the proxy if it makes one of them.
    pub(crate) fn tls_end(&self) -> TlsEnd {
        let incoming = self.tls_end_for(self.found_incoming(), &self.incoming_host());
        let outgoing = self.tls_end_for(self.found_outgoing(), &self.outgoing_host());
        if incoming == TlsEnd::Proxy { incoming } else { outgoing }
    }

    /// Who makes the secure connection with one server. For one of the proxy's own, whose
    /// certificate nobody else need know, it is the proxy.
    fn tls_end_for(&self, found: Option<&Candidate>, host: &str) -> TlsEnd {
        let own = found.is_some_and(|found| {
            found.source == Source::Proxy && found.host.eq_ignore_ascii_case(host.trim())
        });
        let usual = if own { TlsEnd::Proxy } else { TlsEnd::Browser };
        self.tls_end.unwrap_or(usual)
    }

    /// Trusts a certificate for a host and port.
    pub(crate) fn trust(&mut self, host: &str, port: u16, fingerprint: Fingerprint) {
        self.trusted.push((host.to_owned(), port, fingerprint));
    }

    fn endpoint(
        &self,
        host: &str,
        port: &str,
        security: Security,
        tls_end: TlsEnd,
    ) -> Result<Endpoint, Wrong> {
        let host = host.trim().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c == '/') {
            return Err(Wrong::Host);
        }
        let port = port.trim().parse().ok().filter(|port| *port > 0).ok_or(Wrong::Port)?;
        let trusted = self
            .trusted
            .iter()
            .rfind(|(of_host, of_port, _)| of_host.eq_ignore_ascii_case(host) && *of_port == port);
        Ok(Endpoint {
            host: host.to_owned(),
            port,
            security,
            tls_end,
            trusted: trusted.map(|(.., fingerprint)| *fingerprint),
        })
    }

    /// How the incoming connection is protected.
    pub(crate) fn incoming_security(&self) -> Security {
        self.incoming.security(self.found_incoming())
    }

    /// How the outgoing connection is protected.
    pub(crate) fn outgoing_security(&self) -> Security {
        self.outgoing.security(self.found_outgoing())
    }

    /// The incoming host: typed, found or guessed.
    pub(crate) fn incoming_host(&self) -> String {
        let usual = match self.protocol() {
            Protocol::Imap => "imap",
            Protocol::Pop3 => "pop",
        };
        self.incoming.host(self.found_incoming(), || guess(usual, &self.address))
    }

    /// The outgoing host: typed, found or guessed.
    pub(crate) fn outgoing_host(&self) -> String {
        self.outgoing.host(self.found_outgoing(), || guess("smtp", &self.address))
    }

    /// The incoming port: typed, found or standard.
    pub(crate) fn incoming_port(&self) -> String {
        self.incoming.port(
            self.found_incoming(),
            match self.protocol() {
                Protocol::Imap => |security| incoming_port(Protocol::Imap, security),
                Protocol::Pop3 => |security| incoming_port(Protocol::Pop3, security),
            },
        )
    }

    /// The outgoing port: typed, found or standard.
    pub(crate) fn outgoing_port(&self) -> String {
        self.outgoing.port(self.found_outgoing(), outgoing_port)
    }

    /// The user name: typed, found or the address.
    pub(crate) fn username(&self) -> String {
        let address = self.address.trim();
        let found = || self.found_incoming().map(|found| found.username_for(address));
        self.incoming.username.clone().or_else(found).unwrap_or_else(|| address.to_owned())
    }

    /// The user name for sending: typed here or for receiving, found, or that for receiving.
    pub(crate) fn outgoing_username(&self) -> String {
        let typed = self.outgoing.username.clone().or_else(|| self.incoming.username.clone());
        let found = || self.found_outgoing().map(|found| found.username_for(self.address.trim()));
        typed.or_else(found).unwrap_or_else(|| self.username())
    }

    /// Whether a password would travel unprotected.
    pub(crate) fn is_unprotected(&self) -> bool {
        [self.incoming_security(), self.outgoing_security()].contains(&Security::Plain)
    }

    /// Whether a server that was found is known to take no passwords.
    pub(crate) fn is_refused_passwords(&self) -> bool {
        let found = [self.found_incoming(), self.found_outgoing()];
        found.into_iter().flatten().any(Candidate::refuses_passwords)
    }

    /// The address whose servers are to be looked for.
    ///
    /// # Errors
    ///
    /// The first field that has to be mended, and what to do.
    pub(crate) fn person(&self) -> Result<&str, (Field, &'static str)> {
        let address = self.address.trim();
        if !address::is_address(address) {
            return Err((Field::Address, text::setup::ADDRESS_WRONG));
        }
        if self.password.is_empty() {
            return Err((Field::Password, text::setup::PASSWORD_MISSING));
        }
        Ok(address)
    }

    /// The settings to test or to add.
    ///
    /// # Errors
    ///
    /// The first field that has to be mended, and what to do.
    pub(crate) fn draft(&self) -> Result<AccountDraft, (Field, &'static str)> {
        let address = self.person()?;
        let host = self.incoming_host();
        let tls_end = self.tls_end_for(self.found_incoming(), &host);
        let incoming = self
            .endpoint(&host, &self.incoming_port(), self.incoming_security(), tls_end)
            .map_err(|wrong| wrong.of(Field::IncomingHost, Field::IncomingPort))?;
        let username = self.username().trim().to_owned();
        if username.is_empty() {
            return Err((Field::Username, text::setup::USERNAME_MISSING));
        }
        let host = self.outgoing_host();
        let tls_end = self.tls_end_for(self.found_outgoing(), &host);
        let outgoing = self
            .endpoint(&host, &self.outgoing_port(), self.outgoing_security(), tls_end)
            .map_err(|wrong| wrong.of(Field::OutgoingHost, Field::OutgoingPort))?;
        Ok(AccountDraft {
            identity: Identity { name: self.name.trim().into(), address: address.into() },
            protocol: self.protocol(),
            incoming: ServerLogin { endpoint: incoming, username },
            outgoing: ServerLogin {
                endpoint: outgoing,
                username: self.outgoing_username().trim().to_owned(),
            },
            password: match self.proof {
                Proof::Password => self.password.clone(),
                // It was pasted, perhaps with a line break.
                Proof::Token => self.password.trim().to_owned(),
            },
            proof: self.proof,
            retention: match self.protocol() {
                Protocol::Imap => Retention::Keep,
                Protocol::Pop3 => self.retention,
            },
            extent: match self.protocol() {
                Protocol::Imap => Extent::Whole,
                Protocol::Pop3 => self.extent,
            },
        })
    }
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Form")
            .field("address", &self.address)
            .field("incoming", &self.incoming)
            .field("outgoing", &self.outgoing)
            .field("found", &self.found)
            .finish_non_exhaustive()
    }
}

fn service(protocol: Protocol) -> Service {
    match protocol {
        Protocol::Imap => Service::Imap,
        Protocol::Pop3 => Service::Pop3,
    }
}

#[cfg(test)]
mod tests;
