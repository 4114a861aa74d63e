//! The mail client's logic: accounts, mailboxes, IMAP sync, POP3 download, outbox.
//!
//! Straight-line async over small traits ([`Transport`], [`Store`], [`Clock`], [`Random`],
//! [`Vault`]), gathered in [`Host`]. Nothing here is `Send` and nothing knows a browser: the same
//! code runs in the page's worker and natively against real servers in tests.
//!
//! | Module | Job |
//! |---|---|
//! | [`host`] | what the surroundings must offer |
//! | [`store`] | the store trait, its tables, the in-memory store, the conformance suite |
//! | [`backup`] | mail as files: written, read, restored |
//! | [`changes`] | what the person changes: here at once, queued for the server |
//! | [`pieces`] | a message's bytes, read piece by piece |
//! | [`record`] | what is stored, and under which keys |
//! | [`search`] | what was typed to search for, and which stored messages it finds |
//! | [`threads`] | which messages belong to one conversation |
//! | `carry` | a large message's bytes on the way to another place |
//! | `authenticate` | how to log in, whatever the protocol |
//! | [`connection`] | drives a sans-I/O session over a transport, with patience |
//! | [`imap`], [`pop3`], [`outbox`] | one protocol's work each |
//! | [`migrate`] | local folders, copied to an IMAP account |
//! | [`client`] | intents in, deltas out |

mod authenticate;
pub mod backup;
mod carry;
pub mod changes;
pub mod client;
pub mod connection;
pub mod error;
pub mod host;
pub mod imap;
pub mod migrate;
pub mod outbox;
pub mod pieces;
pub mod pop3;
pub mod record;
mod recovery;
pub mod search;
pub mod store;
#[cfg(any(test, feature = "conformance"))]
pub mod testing;
pub mod threads;

pub use authenticate::Detours;
pub use error::MailError;
pub use host::{
    Admission, Clock, Connector, Digests, Discover, Host, Random, Secret, Storage, Transport,
    TransportError, Vault,
};
pub use store::Store;
