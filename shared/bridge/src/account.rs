//! Accounts as the person sets them up.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Fingerprint, RefusedCertificate, TlsSession};

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

/// What a POP3 account does with messages on the server after they are stored here.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum Retention {
    /// Leave every message on the server.
    #[default]
    Keep,
    /// Delete a message once it is durably stored and verified here.
    DeleteAfterDownload,
    /// Delete a message this many days after it was stored here.
    DeleteAfterDays(u16),
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
    /// The password for both servers.
    pub password: String,
    /// What happens on the server after a download; only for POP3.
    pub retention: Retention,
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
    /// A new password for both servers; `None` keeps the one that is stored.
    pub password: Option<String>,
    /// What happens on the server after a download; only for POP3.
    pub retention: Retention,
}

impl fmt::Debug for AccountChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountChange")
            .field("name", &self.name)
            .field("incoming", &self.incoming)
            .field("outgoing", &self.outgoing)
            .field("retention", &self.retention)
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
    /// What happens on the server after a download; only for POP3.
    pub retention: Retention,
    /// What is known of the way to the incoming server.
    pub incoming_state: ServerState,
    /// What is known of the way to the outgoing server.
    pub outgoing_state: ServerState,
    /// The state of its connection.
    pub connection: Connection,
}

impl AccountView {
    /// One of its servers.
    pub fn server(&self, role: ServerRole) -> &ServerLogin {
        match role {
            ServerRole::Incoming => &self.incoming,
            ServerRole::Outgoing => &self.outgoing,
        }
    }

    /// What is known of the way to one of its servers.
    pub fn server_state(&self, role: ServerRole) -> &ServerState {
        match role {
            ServerRole::Incoming => &self.incoming_state,
            ServerRole::Outgoing => &self.outgoing_state,
        }
    }
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
    /// The last try failed; the sentence says why and what to do.
    Failed(String),
}

/// What a test of the settings found.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct TestReport {
    /// What the incoming server answered, as one sentence.
    pub incoming: String,
    /// What the outgoing server answered, as one sentence.
    pub outgoing: String,
}
