//! What a page's first bytes must be when TLS ends in the page.
//!
//! On ports where TLS starts at once, nothing goes to the server before there is a complete
//! ClientHello that names the host that the page asked for. So a tunnel can't be used to speak
//! anything but TLS, nor with anyone but that host. The rules:
//!
//! - The first bytes are TLS records with a ClientHello and nothing else in them, however it is
//!   fragmented. What follows in further records is not looked at.
//! - A host that is a name stands in the server name extension (RFC 6066, section 3), once and
//!   alone. Case makes no difference. A dot at the end, which the RFC forbids, does.
//! - A host that is an address is not named at all: the RFC forbids it, and a server that routes by
//!   name could be led elsewhere.
//! - With Encrypted ClientHello it is the outer name that counts: the server that may open the
//!   inner one is the one that the page asked for.
//! - Whatever else the ClientHello has, such as unknown extensions and GREASE (RFC 8701), is
//!   between the page and the server.
//!
//! Where TLS starts later (STARTTLS), the proxy can't tell: it relays, and it is the page that
//! inserts TLS.
//!
//! This module does no I/O. What it reads is written by strangers, so it is fuzzed, with rustls'
//! own reader beside it.

mod message;
mod record;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use postern_tunnel::{Refusal, Refused};

use self::record::Records;
use crate::{limits::MAX_CLIENT_HELLO, policy::Host};

/// The handshake type of a ClientHello (RFC 8446, section 4).
const CLIENT_HELLO: u8 = 1;

/// The type and the length that a handshake message begins with, in bytes.
const MESSAGE_HEADER: usize = 4;

/// Looks at a page's first bytes, which are held back meanwhile, until they are known to be what
/// they should.
pub struct ClientHelloGate {
    host: Host,
    records: Records,
    /// The handshake message as far as it has come.
    message: Vec<u8>,
}

/// What the gate thinks of the bytes so far.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// They may be a ClientHello, which is not complete.
    Undecided,
    /// They are the one for the host.
    Passed,
}

/// What is wrong with a page's first bytes.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadHello {
    /// They are something else.
    #[error("The page must begin with TLS.")]
    NotTls,
    /// They are TLS, but not as it should be.
    #[error("The page's first TLS message can't be read.")]
    Malformed,
    /// It is longer than [`MAX_CLIENT_HELLO`].
    #[error("The page's first TLS message is too long.")]
    TooLong,
    /// It names no host.
    #[error("The page's TLS does not name {0}, the server that it asked for.")]
    Nameless(Host),
    /// It names another host.
    #[error("The page's TLS is for {named}, but it asked for {asked}.")]
    OtherHost {
        /// The host that the page asked for.
        asked: Host,
        /// The one in the ClientHello, as far as it can be shown.
        named: String,
    },
    /// It names a host where the page asked for an address.
    #[error("The page's TLS is for {named}, but it asked for the address {asked}.")]
    NameForAddress {
        /// The address that the page asked for.
        asked: IpAddr,
        /// The name in the ClientHello, as far as it can be shown.
        named: String,
    },
}

impl ClientHelloGate {
    /// The gate of a tunnel to this host.
    pub fn new(host: Host) -> Self {
        Self { host, records: Records::default(), message: Vec::new() }
    }

    /// Looks at the next bytes. The verdict does not depend on how they are split. Once they have
    /// passed or failed, there is nothing more to ask.
    ///
    /// # Errors
    ///
    /// If they are not a ClientHello, or one for another host.
    pub fn inspect(&mut self, mut bytes: &[u8]) -> Result<Verdict, BadHello> {
        while let Some(fragment) = self.records.next_fragment(&mut bytes)? {
            self.message.extend_from_slice(fragment);
            let Some(length) = self.length()? else { continue };
            let complete = MESSAGE_HEADER + length;
            if self.message.len() < complete {
                continue;
            }
            // Nothing may share a record with it (RFC 8446, section 5.1).
            if self.message.len() > complete || !self.records.is_between() {
                return Err(BadHello::Malformed);
            }
            self.check_name(message::server_name(&self.message[MESSAGE_HEADER..])?)?;
            return Ok(Verdict::Passed);
        }
        Ok(Verdict::Undecided)
    }

    /// The length of the message without its header, as soon as it is known.
    fn length(&self) -> Result<Option<usize>, BadHello> {
        if self.message.first().is_some_and(|kind| *kind != CLIENT_HELLO) {
            return Err(BadHello::Malformed);
        }
        let Some(&[_, high, middle, low]) = self.message.first_chunk() else { return Ok(None) };
        let length = u32::from_be_bytes([0, high, middle, low]) as usize;
        if length > MAX_CLIENT_HELLO { Err(BadHello::TooLong) } else { Ok(Some(length)) }
    }

    fn check_name(&self, named: Option<&[u8]>) -> Result<(), BadHello> {
        match (&self.host, named) {
            (Host::Name(host), Some(name)) if name.eq_ignore_ascii_case(host.as_bytes()) => Ok(()),
            (Host::Address(_), None) => Ok(()),
            (Host::Name(_), None) => Err(BadHello::Nameless(self.host.clone())),
            (Host::Name(_), Some(name)) => {
                Err(BadHello::OtherHost { asked: self.host.clone(), named: shown(name) })
            }
            (Host::Address(asked), Some(name)) => {
                Err(BadHello::NameForAddress { asked: *asked, named: shown(name) })
            }
        }
    }
}

impl From<BadHello> for Refused {
    fn from(bad: BadHello) -> Self {
        Self { code: Refusal::BadRequest, message: bad.to_string(), certificate: None }
    }
}

/// A name without what could disturb a log or a screen.
fn shown(name: &[u8]) -> String {
    const LONGEST: usize = 253;
    let graphic = name.iter().filter(|byte| byte.is_ascii_graphic());
    graphic.take(LONGEST).map(|byte| char::from(*byte)).collect()
}
