//! Sans-I/O SASL mechanisms (RFC 4422), shared by IMAP, POP3 and SMTP.
//!
//! A [`Mechanism`] is one authentication in progress: it gives an initial response, if it has one,
//! and answers the server's challenges. The protocol crates frame the messages; [`encode`] and
//! [`decode`] are the base64 that all three of them use on the wire.
//!
//! ```
//! use postern_sasl::{Credentials, choose, encode};
//!
//! let credentials = Credentials::new("ann", "secret");
//! let mechanism = choose(["XOAUTH2", "PLAIN"], &credentials).expect("PLAIN is offered");
//! assert_eq!(mechanism.name(), "PLAIN");
//! assert_eq!(mechanism.initial_response().map(encode), Some("AGFubgBzZWNyZXQ=".into()));
//! ```

mod credentials;
mod error;
mod login;
mod mechanism;
mod plain;
mod wire;

pub use credentials::Credentials;
pub use error::SaslError;
pub use mechanism::{Mechanism, choose};
pub use wire::{decode, encode};
