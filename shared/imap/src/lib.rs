//! A sans-I/O IMAP client (RFC 9051, RFC 3501): bytes in, typed events and bytes out.
//!
//! Feed what the server sends to [`Session::handle_input`], then drain [`Session::poll_output`]
//! until it gives nothing more. Commands are built by [`Command`]'s constructors and given to
//! [`Session::start`]; each ends in one [`Event::Completed`].
//!
//! | Module | Job |
//! |---|---|
//! | `framer` | cuts the byte stream into responses; large literals stream past |
//! | `compression` | COMPRESS=DEFLATE, beneath the framer |
//! | `token` | a tolerant tree of atoms, strings and lists |
//! | `cursor` | the same without a tree, for what is told of messages |
//! | `scan` | where strings and atoms end |
//! | [`response`] | what the responses mean, one file per family |
//! | [`command`] | what the client says, one file per command |
//! | [`session`] | tags, pipelining, continuations, capabilities, TLS, compression |
//! | [`mailbox_name`] | modified UTF-7, and UTF-8 |
//! | [`sequence_set`] | sets of UIDs |
//! | [`quirks`] | what some servers do otherwise than the standard says |
//! | [`limits`] | how much a server may make us hold |
//!
//! Reading is tolerant: a response that is damaged or unknown is reported and the session goes on.
//! Only what makes it impossible to tell where the next response begins ends the session.

pub mod command;
mod compression;
mod cursor;
mod framer;
pub mod limits;
pub mod mailbox_name;
pub mod quirks;
pub mod response;
mod scan;
pub mod sequence_set;
pub mod session;
mod token;

pub use command::Command;
pub use limits::Limits;
pub use response::Response;
pub use sequence_set::SequenceSet;
pub use session::{Event, Output, Session};
