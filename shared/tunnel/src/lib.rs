//! What the page and the proxy say to each other: one WebSocket per mail connection.
//!
//! Text frames carry control messages as JSON ([`FromPage`], [`FromProxy`]), binary frames are the
//! stream itself. The page speaks first, with [`FromPage::Open`]; the proxy answers
//! [`FromProxy::Opened`] or [`FromProxy::Refused`].
//!
//! **Flow control.** A browser gives a page no way to slow a WebSocket down. So each side sends
//! only as many stream bytes as the other has granted; see [`credit`]. A byte beyond the grant is a
//! violation that ends the tunnel.
//!
//! Invariant: this crate knows neither sockets nor a browser.

pub mod credit;
mod message;

pub use message::{
    CertificateInfo, Decode, FromPage, FromProxy, MAX_CONTROL, Open, Opened, Refusal, Refused,
    RefusedCertificate, TlsInfo, TlsMode,
};

/// The WebSocket subprotocol that both sides must name.
pub const SUBPROTOCOL: &str = "postern.v1";

/// The path of the tunnel on the proxy.
pub const PATH: &str = "/tunnel";
