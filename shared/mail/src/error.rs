//! What can go wrong, by who is at fault, ending as a sentence for a person.

mod sentence;
mod words;

use postern_bridge::{Problem, ProblemKind};
pub(crate) use words::words;

use crate::{
    host::{TransportError, VaultError},
    store::StoreError,
};

/// Why a piece of work could not be done.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MailError {
    /// The way to the server.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The server did not answer in time; what it was asked.
    #[error("the server did not answer in time ({0})")]
    TimedOut(&'static str),
    /// The server refused user name or password; its words.
    #[error("the server refused the log-in: {0}")]
    Login(String),
    /// The server refused the access token; its words.
    #[error("the server refused the access token: {0}")]
    Token(String),
    /// The provider wants the person to log in on a page of its own first.
    #[error("the provider wants a log-in at {page} first: {text}")]
    LogInOnPage {
        /// The page's address.
        page: String,
        /// The server's words.
        text: String,
    },
    /// The server refused a request; what it was asked, and its words.
    #[error("the server refused to {what}: {text}")]
    Refused {
        /// What the server was asked, as a verb phrase: "open the mailbox".
        what: &'static str,
        /// Its words.
        text: String,
    },
    /// The server refused a request, and says why; what it was asked, and its words.
    #[error("the server refused to {what}: {text}")]
    Denied {
        /// What the server was asked, as for [`Refused`](Self::Refused).
        what: &'static str,
        /// Why.
        why: Denial,
        /// Its words.
        text: String,
    },
    /// A message is larger than the server says that it takes, so that it was not asked; both in bytes.
    #[error("the server takes messages of {limit} bytes, and this one has {size}")]
    TooLarge {
        /// What it would have been asked, as for [`Refused`](Self::Refused).
        what: &'static str,
        /// The message's size.
        size: u64,
        /// The largest that is taken.
        limit: u64,
    },
    /// The server allows no more connections at a time; its words.
    #[error("the server allows no more connections: {0}")]
    TooManyConnections(String),
    /// The server takes no work for now, or said goodbye; its words.
    #[error("the server can't serve now: {0}")]
    Unavailable(String),
    /// The server keeps a mailbox closed; why.
    #[error("the server keeps the mailbox closed: {0}")]
    Closed(Closed),
    /// The server lacks what is needed; what it is.
    #[error("the server does not offer {0}")]
    Unsupported(&'static str),
    /// The server broke the protocol; how.
    #[error("the server said something unexpected: {0}")]
    Protocol(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store has no room for a large message that was coming.
    #[error("there is no room for a message of {size} bytes")]
    NoRoom {
        /// Its subject, as far as it came; empty if it has none.
        subject: String,
        /// Its size in bytes, as the server lists it; if more has come, so much.
        size: u64,
        /// Whether nothing but the account's settings has it downloaded as a whole.
        can_be_less: bool,
    },
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// There is no password for the account here: it came from a backup.
    #[error("the account's password is not in this browser")]
    PasswordMissing,
    /// The account's settings were damaged, its password among them.
    #[error("the account's settings were damaged")]
    SettingsLost,
    /// What the person entered can't be used; why.
    #[error("{0}")]
    Input(String),
    /// Bytes of a stored message are missing; whether they are fetched again.
    #[error("bytes of a stored message are missing")]
    Incomplete {
        /// Whether a server has them, and is asked for them.
        comes_again: bool,
    },
    /// What was asked for is no longer there.
    #[error("{0} is no longer there")]
    Gone(&'static str),
}

/// Why a server keeps a mailbox closed (RFC 2449 section 8.1, RFC 3206, RFC 5530); with its words.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Closed {
    /// Another session has it open.
    #[error("in use ({0})")]
    InUse(String),
    /// The last log-in was too short a time ago.
    #[error("too soon")]
    TooSoon {
        /// How many seconds the next one has to wait.
        wait: u32,
        /// How many seconds must pass between two, if the server says.
        delay: Option<u32>,
    },
    /// A fault of the server that will probably pass.
    #[error("a passing fault ({0})")]
    Temporary(String),
    /// A fault of the server that somebody has to mend.
    #[error("a lasting fault ({0})")]
    Permanent(String),
}

/// Why a server refuses, where its code says so.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Denial {
    /// The account or the mailbox is full.
    NoRoom,
    /// This account may not do that.
    NotAllowed,
    /// It is larger, or more, than the server takes.
    TooMuch,
    /// The password must be changed.
    Expired,
    /// Whoever runs the server must be asked.
    AskOperator,
}

/// What a server is asked that is to let somebody in, as for [`MailError::Refused`].
pub(crate) const LOG_IN: &str = "log in";
/// What a server is asked for an unfinished message, as for [`MailError::Refused`].
pub(crate) const SAVE_DRAFT: &str = "save the message";

impl MailError {
    /// What kind of problem this is for the person.
    pub fn kind(&self) -> ProblemKind {
        match self {
            Self::Transport(error) => match error {
                TransportError::Offline | TransportError::Busy(_) => ProblemKind::Offline,
                TransportError::KeyNeeded | TransportError::KeyRefused => ProblemKind::AccessKey,
                TransportError::NotAllowed(_) | TransportError::Denied(_) => {
                    ProblemKind::NotAllowed
                }
                TransportError::Certificate(_) => ProblemKind::Certificate,
                TransportError::UnknownHost
                | TransportError::LookupFailed
                | TransportError::ConnectFailed
                | TransportError::TimedOut
                | TransportError::Tls(_)
                | TransportError::Lost => ProblemKind::Unreachable,
            },
            Self::TimedOut(_) => ProblemKind::Unreachable,
            Self::Login(_)
            | Self::Token(_)
            | Self::LogInOnPage { .. }
            | Self::PasswordMissing
            | Self::SettingsLost
            | Self::Denied { why: Denial::Expired, .. } => ProblemKind::Login,
            Self::Refused { .. }
            | Self::Denied { .. }
            | Self::TooLarge { .. }
            | Self::TooManyConnections(_)
            | Self::Unavailable(_)
            | Self::Closed(_)
            | Self::Unsupported(_)
            | Self::Protocol(_) => ProblemKind::Server,
            Self::Store(_) | Self::NoRoom { .. } | Self::Vault(_) | Self::Incomplete { .. } => {
                ProblemKind::Storage
            }
            Self::Input(_) => ProblemKind::Input,
            Self::Gone(_) => ProblemKind::Gone,
        }
    }

    /// Whether the connection that it happened on can't be used any more.
    pub fn breaks_connection(&self) -> bool {
        matches!(
            self,
            Self::Transport(_)
                | Self::TimedOut(_)
                | Self::Protocol(_)
                | Self::Unavailable(_)
                | Self::TooManyConnections(_)
        )
    }

    /// Whether the account's settings are where this is mended.
    pub fn is_mended_in_settings(&self) -> bool {
        matches!(
            self,
            Self::Transport(TransportError::UnknownHost | TransportError::Tls(_))
                | Self::Login(_)
                | Self::Token(_)
                | Self::Denied { why: Denial::Expired, .. }
                | Self::PasswordMissing
                | Self::SettingsLost
                | Self::NoRoom { can_be_less: true, .. }
        )
    }

    /// Whether the browser's storage has no room.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Store(StoreError::QuotaExceeded) | Self::NoRoom { .. })
    }

    /// Whether the log-in was refused, or could not even be tried with what is known of the
    /// account: another try with nothing changed will not help, and may lock the account.
    pub fn refuses_log_in(&self) -> bool {
        self.kind() == ProblemKind::Login || matches!(self, Self::Refused { what: LOG_IN, .. })
    }

    /// Whether trying again later, with nothing changed, may help.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::TimedOut(_)
                | Self::Unavailable(_)
                | Self::Closed(Closed::InUse(_) | Closed::TooSoon { .. } | Closed::Temporary(_))
                | Self::TooManyConnections(_)
                | Self::Transport(
                    TransportError::Offline
                        | TransportError::Busy(_)
                        | TransportError::LookupFailed
                        | TransportError::ConnectFailed
                        | TransportError::TimedOut
                        | TransportError::Lost
                )
        )
    }

    /// The problem as the page shows it: what is wrong with `host`, and what to do.
    pub fn problem(&self, host: &str) -> Problem {
        let certificate = match self {
            Self::Transport(TransportError::Certificate(refused)) => Some(refused.clone()),
            _ => None,
        };
        Problem { kind: self.kind(), sentence: self.sentence(host), certificate, settings: None }
    }
}
