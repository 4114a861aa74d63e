//! What can be found out about the servers of a mail address.
//!
//! The proxy answers with it, as JSON, at [`Discovery::PATH`]; the engine hands it to the app as it
//! is.

use serde::{Deserialize, Serialize};

use crate::Security;

/// What was found out about the servers of a mail address.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Discovery {
    /// Servers, the best of each service first. Nothing in it is without protection.
    pub candidates: Vec<Candidate>,
}

/// A server that may be the right one.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Candidate {
    /// What it is for.
    pub service: Service,
    /// A DNS name in lower case, or an IP address without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub protection: Protection,
    /// The name to log in with.
    pub username: UserName,
    /// How it lets people log in, the best first; empty if that was not said.
    pub authentication: Vec<Authentication>,
    /// Who names it.
    pub source: Source,
    /// What the server itself says that it offers, over a connection whose certificate verified;
    /// `None` if it could not be asked.
    pub offers: Option<Vec<String>>,
}

/// What a server is for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Service {
    /// Reading mail that stays on the server.
    Imap,
    /// Downloading mail.
    Pop3,
    /// Sending mail.
    Submission,
}

/// How a connection is protected; unlike [`Security`], it always is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// TLS from the first byte.
    Tls,
    /// Clear text first, then an upgrade that is required.
    StartTls,
}

/// The name to log in with.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum UserName {
    /// The whole mail address.
    Address,
    /// What stands before the `@`.
    LocalPart,
    /// Another one.
    Other(String),
}

/// How a server lets people log in.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Authentication {
    /// With a password, which TLS protects.
    Password,
    /// With a password that is never sent, such as by SCRAM.
    EncryptedPassword,
    /// With a token that the provider's own page gives out.
    OAuth2,
    /// In some other way, such as with a certificate or a ticket.
    Other,
}

/// Who names a server.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The settings that the address's domain publishes for mail programs.
    Autoconfig,
    /// The domain's entries in the DNS (RFC 6186, RFC 8314).
    Dns,
    /// The settings that another domain publishes: the one that takes the address's mail.
    Provider(String),
    /// A usual name under the domain, where such a server answers.
    Probe,
    /// The proxy itself: it is one of its own.
    Proxy,
}

impl Discovery {
    /// Where the proxy answers, with the address as the parameter `address`.
    pub const PATH: &str = "/api/discover";

    /// The best server for a service.
    pub fn best(&self, service: Service) -> Option<&Candidate> {
        self.candidates.iter().find(|candidate| candidate.service == service)
    }
}

impl Candidate {
    /// The name to log in with for an address.
    pub fn username_for(&self, address: &str) -> String {
        match &self.username {
            UserName::Address => address.to_owned(),
            UserName::LocalPart => {
                address.rsplit_once('@').map_or(address, |(local, _)| local).to_owned()
            }
            UserName::Other(name) => name.clone(),
        }
    }

    /// Whether it is known that no password opens it.
    pub fn refuses_passwords(&self) -> bool {
        let takes = |method: &Authentication| {
            matches!(method, Authentication::Password | Authentication::EncryptedPassword)
        };
        !self.authentication.is_empty() && !self.authentication.iter().any(takes)
    }
}

impl From<Protection> for Security {
    fn from(protection: Protection) -> Self {
        match protection {
            Protection::Tls => Self::Tls,
            Protection::StartTls => Self::StartTls,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(service: Service, host: &str) -> Candidate {
        Candidate {
            service,
            host: host.into(),
            port: 993,
            protection: Protection::Tls,
            username: UserName::Address,
            authentication: Vec::new(),
            source: Source::Dns,
            offers: None,
        }
    }

    #[test]
    fn the_best_of_a_service_is_the_first() {
        let candidates = vec![
            candidate(Service::Imap, "a.example.org"),
            candidate(Service::Pop3, "b.example.org"),
            candidate(Service::Pop3, "c.example.org"),
        ];
        let found = Discovery { candidates };
        assert_eq!(found.best(Service::Pop3).unwrap().host, "b.example.org");
        assert_eq!(found.best(Service::Submission), None);
    }

    #[test]
    fn a_user_name_follows_the_address_or_does_not() {
        let mut server = candidate(Service::Imap, "a.example.org");
        for (form, name) in [
            (UserName::Address, "ada@example.org"),
            (UserName::LocalPart, "ada"),
            (UserName::Other("p1815".into()), "p1815"),
        ] {
            server.username = form;
            assert_eq!(server.username_for("ada@example.org"), name);
        }
    }

    #[test]
    fn only_what_is_said_to_take_no_password_refuses_one() {
        use Authentication::{EncryptedPassword, OAuth2, Other, Password};
        for (authentication, refuses) in [
            (vec![], false),
            (vec![OAuth2, Password], false),
            (vec![EncryptedPassword], false),
            (vec![OAuth2], true),
            (vec![Other, OAuth2], true),
        ] {
            let server = Candidate { authentication, ..candidate(Service::Imap, "a") };
            assert_eq!(server.refuses_passwords(), refuses);
        }
    }
}
