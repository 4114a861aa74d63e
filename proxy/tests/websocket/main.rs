//! The WebSocket protocol (RFC 6455), as the Autobahn test suite asks for it.
//!
//! The cases have the suite's numbers; its own program is not needed. A client that frames by hand
//! talks with a server that echoes over the proxy's implementation, and with a tunnel of the proxy
//! to a mail server that echoes.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

#[path = "../support/mod.rs"]
mod support;

mod autofragment;
mod case;
mod close;
mod echo;
mod fragments;
mod framing;
mod limits;
mod opcodes;
mod pings;
mod reserved;
mod tunnel;
mod utf8;
