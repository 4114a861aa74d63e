//! What the client says (RFC 9051 section 6); one file per command.
//!
//! A [`Command`] is built by one of the constructors in this module and given to
//! [`Session::start`](crate::Session::start), which adds the tag. What comes from people or from
//! the server is always quoted or sent as a literal, so that it can never become a command.

mod append;
mod authenticate;
mod capability;
mod close;
mod compress;
mod copy;
mod create;
mod delete;
mod enable;
mod encoder;
mod expunge;
mod fetch;
mod id;
mod idle;
mod list;
mod login;
mod logout;
mod namespace;
mod noop;
mod notify;
mod quota;
mod rename;
mod search;
mod select;
mod sort;
mod starttls;
mod status;
mod store;
mod subscribe;
mod uids;

use std::fmt;

pub use append::{AppendMessage, MessageForm, Upload};
pub use encoder::InvalidArgument;
pub(crate) use encoder::Part;
pub use fetch::{FetchItem, FetchOptions, Partial};
pub use list::{ListReturn, ListSelection};
use postern_sasl::Mechanism;
pub use search::{SearchKey, SearchOptions, SearchReturn};
pub use select::{KnownState, Resync};
pub use sort::{SortBy, SortKey, ThreadAlgorithm};
pub use status::StatusItem;
pub use store::{StoreMode, StoreOptions};
pub use uids::{Uids, Window};

/// A command without its tag. `Debug` shows only its name, since others hold a password.
pub struct Command {
    pub(crate) name: &'static str,
    pub(crate) parts: Vec<Part>,
    pub(crate) effect: Effect,
}

/// What a command does to the session, beyond being answered.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Nothing.
    None,
    /// It logs in: what the server can do may change.
    LogIn,
    /// It runs a SASL exchange, and logs in.
    Authenticate(Mechanism),
    /// It turns the connection over to TLS.
    StartTls,
    /// It compresses the connection.
    Compress,
    /// It goes on until the client says DONE.
    Idle,
}

impl Command {
    fn new(name: &'static str, parts: Vec<Part>) -> Self {
        Self { name, parts, effect: Effect::None }
    }

    /// The command's name, such as `"UID FETCH"`.
    pub fn name(&self) -> &'static str {
        self.name
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Command").field(&self.name).finish()
    }
}

#[cfg(test)]
mod tests;
