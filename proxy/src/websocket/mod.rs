//! The server's side of the WebSocket protocol (RFC 6455), made for tunnels.
//!
//! [`handshake`] answers the request of a page, over HTTP/1.1 or HTTP/2 (RFC 8441). [`Decoder`] turns
//! what arrives into [`Event`]s where it lies; it knows no socket. [`Connection`] joins the two with
//! a byte stream: it answers pings and closes, and hands the rest over.
//!
//! A connection that carries nothing holds no buffer: bytes arrive in a place that all connections
//! of a thread share ([`scratch`]), the payload of a frame is unmasked there and handed on in pieces
//! as it arrives, and only what the other side did not take is kept, until it does.
//!
//! No extension is offered, so a frame with a reserved bit is a [`Violation`].

mod close;
mod connection;
mod decoder;
mod flood;
mod frame;
pub mod handshake;
mod mask;
pub mod scratch;
mod utf8;
mod violation;

pub use close::{Close, CloseCode};
pub use connection::{Connection, Error, Incoming, Message};
pub use decoder::{Control, Decoder, Event, Limits};
pub(crate) use flood::Flood;
pub use flood::FloodLimit;
pub use frame::{Kind, Opcode, header, prepend_header};
pub use violation::Violation;
