//! Sans-I/O SASL mechanisms (RFC 4422), shared by IMAP, POP3 and SMTP.
//!
//! A [`Mechanism`] is one authentication in progress: it gives an initial response, if it has one,
//! and answers the server's challenges. The protocol crates frame the messages; [`encode`] is the
//! base64 that all three of them use on the wire.
//!
//! An exchange may end in success only if [`Mechanism::is_verified`]: with SCRAM the server has to
//! prove that it knows the password.
//!
//! ```
//! use postern_sasl::{Credentials, Nonce, choose, encode};
//!
//! let credentials = Credentials::new("ann", "secret");
//! # let random = [7; Nonce::BYTES];
//! let nonce = Nonce::new(random);
//! let mechanism = choose(["XOAUTH2", "PLAIN"], &credentials, nonce).expect("PLAIN is offered");
//! assert_eq!(mechanism.name(), "PLAIN");
//! assert_eq!(mechanism.initial_response().map(encode), Some("AGFubgBzZWNyZXQ=".into()));
//! ```

mod bearer;
mod credentials;
mod error;
mod limits;
mod login;
mod mechanism;
mod nonce;
mod plain;
mod prepare;
mod scram;
mod wire;

pub use credentials::Credentials;
pub use error::SaslError;
pub use mechanism::{Mechanism, choose};
pub use nonce::Nonce;
pub use wire::encode;
