//! Accounts as the person sets them up.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Extent, Fingerprint, Pop3View, Quota, RefusedCertificate, Retention, TlsSession};

/// An account's number, never used again after the account is removed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct AccountId(pub u32);

/// How mail comes in.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Protocol {
    /// Mail stays on the server (RFC 9051, RFC 3501).
    Imap,
    /// Mail is downloaded into this browser (RFC 1939).
    Pop3,
}

/// How a connection to a mail server is protected.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Security {
    /// TLS from the first byte (RFC 8314): ports 993, 995 and 465.
    #[default]
    Tls,
    /// Clear text first, then an upgrade that is required, never optional.
    StartTls,
    /// No protection at all; only for a host that the person owns.
    Plain,
}

/// Who holds the TLS session with the mail server, and so can read the mail.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum TlsEnd {
    /// The proxy decrypts; it and its operator could read the mail.
    Proxy,
    /// The page decrypts; the proxy sees only ciphertext.
    #[default]
    Browser,
}

/// A mail server's place and protection.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Endpoint {
    /// A DNS name or an IP address, as the person typed it, without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Where TLS ends.
    pub tls_end: TlsEnd,
    /// The certificate that the person trusts for this host. It alone is accepted then; any other
    /// ends the connection. Counts only where TLS ends in the browser.
    #[serde(default)]
    pub trusted: Option<Fingerprint>,
}

/// Which of an account's two servers.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum ServerRole {
    /// The IMAP or POP3 server.
    Incoming,
    /// The submission server.
    Outgoing,
}

/// One server and the user name that logs in to it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ServerLogin {
    /// The server.
    pub endpoint: Endpoint,
    /// The name to log in with; often the mail address.
    pub username: String,
}

/// What proves to an account's servers who logs in.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Proof {
    /// A password.
    #[default]
    Password,
    /// An access token of OAuth 2.0 (RFC 6750), which whoever runs the servers gives out and which
    /// expires after a while. It is sent by OAUTHBEARER or XOAUTH2, and never as a password.
    Token,
}

/// Who the person is when writing.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Identity {
    /// The display name, may be empty.
    pub name: String,
    /// The mail address.
    pub address: String,
}

/// Everything that the person types to set up an account.
///
/// `Debug` leaves the password out.
#[derive(Clone, Deserialize, PartialEq, Serialize)]
pub struct AccountDraft {
    /// Name and address for writing; the address labels the account.
    pub identity: Identity,
    /// How mail comes in.
    pub protocol: Protocol,
    /// The IMAP or POP3 server.
    pub incoming: ServerLogin,
    /// The submission server; logs in with the same password.
    pub outgoing: ServerLogin,
    /// The password for both servers, or what stands for it.
    pub password: String,
    /// What `password` is.
    pub proof: Proof,
    /// What happens on the server after a download; only for POP3.
    pub retention: Retention,
    /// How much of each message is downloaded; only for POP3.
    pub extent: Extent,
}

impl fmt::Debug for AccountDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountDraft")
            .field("identity", &self.identity)
            .field("protocol", &self.protocol)
            .field("incoming", &self.incoming)
            .field("outgoing", &self.outgoing)
            .field("retention", &self.retention)
            .finish_non_exhaustive()
    }
}

/// Everything of an account that can be changed; its address and its protocol can't.
///
/// `Debug` leaves the password out.
#[derive(Clone, Deserialize, PartialEq, Serialize)]
pub struct AccountChange {
    /// The display name, may be empty.
    pub name: String,
    /// The IMAP or POP3 server.
    pub incoming: ServerLogin,
    /// The submission server; logs in with the same password.
    pub outgoing: ServerLogin,
    /// A new password for both servers, or what stands for it; `None` keeps the one that is stored.
    pub password: Option<String>,
    /// What the password is, the new one or that which is kept.
    pub proof: Proof,
    /// What happens on the server after a download; only for POP3.
    pub retention: Retention,
    /// How much of each message is downloaded; only for POP3.
    pub extent: Extent,
}

impl fmt::Debug for AccountChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountChange")
            .field("name", &self.name)
            .field("incoming", &self.incoming)
            .field("outgoing", &self.outgoing)
            .field("retention", &self.retention)
            .field("extent", &self.extent)
            .finish_non_exhaustive()
    }
}

/// What is known of the way to one of an account's servers.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct ServerState {
    /// The last TLS session with it; `None` before the first, and where there is no TLS.
    pub session: Option<TlsSession>,
    /// Its certificate, if the last connection failed because of it.
    pub refused: Option<RefusedCertificate>,
}

/// An account as the page shows it; holds no secret.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AccountView {
    /// Its number.
    pub id: AccountId,
    /// Name and address for writing.
    pub identity: Identity,
    /// How mail comes in.
    pub protocol: Protocol,
    /// The IMAP or POP3 server.
    pub incoming: ServerLogin,
    /// The submission server.
    pub outgoing: ServerLogin,
    /// What logs in to both.
    pub proof: Proof,
    /// What happens on the server after a download; only for POP3.
    pub retention: Retention,
    /// How much of each message is downloaded; only for POP3.
    pub extent: Extent,
    /// What is known of a POP3 server.
    pub pop3: Option<Pop3View>,
    /// What is known of the way to the incoming server.
    pub incoming_state: ServerState,
    /// What is known of the way to the outgoing server.
    pub outgoing_state: ServerState,
    /// How much of its room on an IMAP server is used, as the server told last.
    pub quota: Quota,
    /// What an IMAP server has said that makes no sense, the most frequent first.
    pub oddities: Vec<Oddity>,
    /// The state of its connection.
    pub connection: Connection,
}

/// Something that a server has said and that makes no sense: it was passed over.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Oddity {
    /// What, as a phrase; of several of its kind the last.
    pub what: String,
    /// How often such was said since Postern was started.
    pub times: u32,
}

impl AccountView {
    /// One of its servers.
    pub fn server(&self, role: ServerRole) -> &ServerLogin {
        match role {
            ServerRole::Incoming => &self.incoming,
            ServerRole::Outgoing => &self.outgoing,
        }
    }

    /// Whether another account gets the mail of the same mailbox over another protocol, as far as
    /// the settings tell: then what one of them deletes is missing in the other.
    pub fn shares_mailbox_with(&self, other: &Self) -> bool {
        self.id != other.id
            && self.protocol != other.protocol
            && is_same_mailbox(
                (&self.identity.address, &self.incoming),
                (&other.identity.address, &other.incoming),
            )
    }

    /// What is known of the way to one of its servers.
    pub fn server_state(&self, role: ServerRole) -> &ServerState {
        match role {
            ServerRole::Incoming => &self.incoming_state,
            ServerRole::Outgoing => &self.outgoing_state,
        }
    }
}

/// Whether two accounts, by address and incoming server, are of one mailbox: their addresses are the
/// same, or they log in with one name at hosts of one domain.
pub fn is_same_mailbox(own: (&str, &ServerLogin), other: (&str, &ServerLogin)) -> bool {
    let same_address = own.0.eq_ignore_ascii_case(other.0);
    let same_name = own.1.username.eq_ignore_ascii_case(&other.1.username);
    let hosts = (&own.1.endpoint.host, &other.1.endpoint.host);
    same_address || (same_name && is_same_site(hosts.0, hosts.1))
}

/// Whether two hosts are the same but for their first label, as `imap.` and `pop.` of one domain are, or
/// one is that domain itself.
pub fn is_same_site(own: &str, other: &str) -> bool {
    let (own, other) = (own.to_ascii_lowercase(), other.to_ascii_lowercase());
    host_and_domain(&own).any(|name| host_and_domain(&other).any(|other| name == other))
}

/// A host, and what is left without its first label if that is a domain: none is right below the root.
fn host_and_domain(host: &str) -> impl Iterator<Item = &str> {
    let is_domain =
        |name: &&str| name.contains('.') && name.contains(|c: char| c.is_ascii_alphabetic());
    let domain = host.split_once('.').map(|(_, rest)| rest).filter(is_domain);
    std::iter::once(host).chain(domain)
}

/// The state of an account's connection.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum Connection {
    /// No connection is open; what is stored can be read.
    #[default]
    Offline,
    /// A connection is being made or mail is being fetched.
    Connecting,
    /// Connected and up to date.
    Online,
    /// Nothing is wrong, but the server wants to be asked later; the sentence says when.
    Waiting(String),
    /// The last try failed.
    Failed {
        /// Why, and what to do.
        sentence: String,
        /// Whether that is mended in the account's settings.
        in_settings: bool,
    },
}

/// What a test of the settings found.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct TestReport {
    /// What the incoming server answered, as one sentence.
    pub incoming: String,
    /// What the outgoing server answered, as one sentence.
    pub outgoing: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mailbox_is_known_by_its_address_or_by_name_and_domain() {
        let login = |host: &str, username: &str| ServerLogin {
            endpoint: Endpoint {
                host: host.into(),
                port: 995,
                security: Security::Tls,
                tls_end: TlsEnd::Browser,
                trusted: None,
            },
            username: username.into(),
        };
        let same = |own: (&str, &str, &str), other: (&str, &str, &str)| {
            let (mine, theirs) = (login(own.1, own.2), login(other.1, other.2));
            is_same_mailbox((own.0, &mine), (other.0, &theirs))
        };
        let ann = ("ann@example.org", "imap.example.org", "ann");
        assert!(same(ann, ("Ann@Example.org", "mail.provider.net", "u17")));
        assert!(same(ann, ("info@example.org", "pop.example.org", "ANN")));
        assert!(same(ann, ("info@example.org", "IMAP.example.org", "ann")));
        assert!(same(ann, ("info@example.org", "example.org", "ann")));
        let bare = ("ann@example.org", "Example.org", "ann");
        assert!(same(bare, ("info@example.org", "mail.example.org", "ann")));
        assert!(!same(bare, ("info@sample.org", "mail.otherexample.org", "ann")));
        assert!(!same(ann, ("ben@example.org", "pop.example.org", "ben")));
        assert!(!same(ann, ("ann@other.org", "pop.other.org", "ann")));
        let local = ("a@x", "mail.org", "ann");
        assert!(!same(local, ("b@y", "post.org", "ann")), "a top domain is nobody's");
        assert!(!same(local, ("b@y", "org", "ann")), "nor is it a host's");
        assert!(!same(("a@x", "10.0.0.1", "ann"), ("b@y", "11.0.0.1", "ann")));
    }
}
