//! Certificates of mail servers: what they say, whether they verify, and why not.
//!
//! | Module | Job |
//! |---|---|
//! | [`details`] | what a certificate says |
//! | [`name`] | distinguished names as text |
//! | [`legible`] | hostile text made safe to show |
//! | [`verifier`] | accepts by the public roots, or one certificate by its fingerprint |
//! | [`problem`] | what is wrong with a certificate |
//! | [`limits`] | sizes that a certificate can't exceed |
//!
//! Both the page's engine and the proxy verify certificates, and say the same of them.
//!
//! Invariant: this crate knows neither sockets nor a browser, and no clock: rustls tells the time.

mod details;
mod legible;
pub mod limits;
mod name;
mod problem;
mod verifier;

pub use details::{Details, fingerprint};
pub use problem::Problem;
pub use verifier::{Refused, Verifier, Why};
