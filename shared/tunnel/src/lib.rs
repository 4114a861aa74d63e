//! What the page and the proxy say to each other: one WebSocket per mail connection.
//!
//! Text frames carry control messages as JSON ([`FromPage`], [`FromProxy`]), binary frames are the
//! stream itself. The page speaks first, with [`FromPage::Open`], or with the request of the WebSocket
//! already, as [`Open::to_subprotocol`]: that saves a round trip. The proxy answers
//! [`FromProxy::Opened`] or [`FromProxy::Refused`].
//!
//! **Flow control.** A browser gives a page no way to slow a WebSocket down. So each side sends
//! only as many stream bytes as the other has granted; see [`credit`]. A byte beyond the grant is a
//! violation that ends the tunnel.
//!
//! **Tokens.** Before its first tunnel a page fetches a [`Token`], which it names in every
//! [`Open`] until it has expired.
//!
//! Invariant: this crate knows neither sockets nor a browser.

pub mod credit;
mod message;
mod offer;
mod token;

pub use message::{
    CertificateInfo, Decode, FromPage, FromProxy, MAX_CONTROL, Open, Opened, Refusal, Refused,
    RefusedCertificate, TlsInfo, TlsMode,
};
pub use token::Token;

/// The WebSocket subprotocol that both sides must name.
pub const SUBPROTOCOL: &str = "postern.v1";

/// The path of the tunnel on the proxy.
pub const PATH: &str = "/tunnel";

/// The path on the proxy where a page gets its token, with `POST` or `GET`. The answer is a
/// [`Token`].
pub const TOKEN_PATH: &str = "/api/token";
