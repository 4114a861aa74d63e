//! One server's fields.

use postern_bridge::{Candidate, Protocol, Security};

use super::Field;
use crate::{address, text};

/// A server's fields. What the person has not typed follows what was found, or else the address and
/// the choices.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Server {
    /// The host as typed; `None` while it is found or guessed.
    pub(crate) host: Option<String>,
    /// The port as typed; `None` while it is found or the standard one.
    pub(crate) port: Option<String>,
    /// How the connection is protected, as chosen; `None` while it is found or by TLS.
    pub(crate) security: Option<Security>,
    /// The user name as typed; `None` while it is found or the address.
    pub(crate) username: Option<String>,
}

impl Server {
    /// How the connection is protected: chosen or found.
    pub(super) fn security(&self, found: Option<&Candidate>) -> Security {
        let found = || found.map(|found| found.protection.into());
        self.security.or_else(found).unwrap_or_default()
    }

    /// The host: typed, found or guessed.
    pub(super) fn host(&self, found: Option<&Candidate>, guess: impl FnOnce() -> String) -> String {
        let found = || found.map(|found| found.host.clone());
        self.host.clone().or_else(found).unwrap_or_else(guess)
    }

    /// The port: typed, found with the same protection, or the standard one.
    pub(super) fn port(&self, found: Option<&Candidate>, standard: fn(Security) -> u16) -> String {
        let security = self.security(found);
        let found = found.filter(|found| security == found.protection.into());
        let port = || found.map_or_else(|| standard(security), |found| found.port).to_string();
        self.port.clone().unwrap_or_else(port)
    }
}

/// The standard port (RFC 8314, RFC 9051, RFC 1939, RFC 6409).
pub(super) fn incoming_port(protocol: Protocol, security: Security) -> u16 {
    match (protocol, security) {
        (Protocol::Imap, Security::Tls) => 993,
        (Protocol::Imap, Security::StartTls | Security::Plain) => 143,
        (Protocol::Pop3, Security::Tls) => 995,
        (Protocol::Pop3, Security::StartTls | Security::Plain) => 110,
    }
}

/// The standard submission port (RFC 8314, RFC 6409).
pub(super) fn outgoing_port(security: Security) -> u16 {
    match security {
        Security::Tls => 465,
        Security::StartTls | Security::Plain => 587,
    }
}

/// Where a server usually is.
pub(super) fn guess(service: &str, address: &str) -> String {
    let domain = address::domain(address);
    if domain.is_empty() { domain } else { format!("{service}.{domain}") }
}

/// What is wrong with a server's fields.
pub(super) enum Wrong {
    Host,
    Port,
}

impl Wrong {
    /// The field to blame, and what to do.
    pub(super) fn of(self, host: Field, port: Field) -> (Field, &'static str) {
        match self {
            Self::Host => (host, text::setup::HOST_WRONG),
            Self::Port => (port, text::setup::PORT_WRONG),
        }
    }
}
