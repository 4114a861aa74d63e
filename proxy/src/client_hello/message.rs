//! The body of a ClientHello (RFC 8446, section 4.1.2; RFC 5246, section 7.4.1.2), as far as the
//! server's name.

use std::collections::BTreeSet;

use super::BadHello;

/// The extension with the server's name (RFC 6066, section 3).
const SERVER_NAME: u16 = 0;

/// The kind of a name that is a host's, the only one that was ever defined.
const HOST_NAME: u8 = 0;

/// The longest session identifier, in bytes.
const MAX_SESSION_ID: usize = 32;

/// The host that a ClientHello names, if it names one.
pub(super) fn server_name(body: &[u8]) -> Result<Option<&[u8]>, BadHello> {
    read(body).ok_or(BadHello::Malformed)
}

fn read(body: &[u8]) -> Option<Option<&[u8]>> {
    let mut body = Reader(body);
    let _version = body.u16()?;
    let _random = body.take(32)?;
    let session_id = body.block_u8()?;
    let cipher_suites = body.block_u16()?;
    let compression_methods = body.block_u8()?;
    let shape = session_id.len() <= MAX_SESSION_ID
        && !cipher_suites.is_empty()
        && cipher_suites.len().is_multiple_of(2)
        && !compression_methods.is_empty();
    if !shape {
        return None;
    }
    if body.is_empty() {
        return Some(None); // TLS 1.2 can do without extensions.
    }
    let mut extensions = Reader(body.block_u16()?);
    if !body.is_empty() {
        return None;
    }
    let mut seen = BTreeSet::new();
    let mut name = None;
    while !extensions.is_empty() {
        let kind = extensions.u16()?;
        let content = extensions.block_u16()?;
        // Of two, one server might read the first and another the last.
        if !seen.insert(kind) {
            return None;
        }
        if kind == SERVER_NAME {
            name = Some(only_host_name(content)?);
        }
    }
    Some(name)
}

/// The one name in the extension: several are as good as none.
fn only_host_name(extension: &[u8]) -> Option<&[u8]> {
    let mut extension = Reader(extension);
    let mut names = Reader(extension.block_u16()?);
    let kind = names.u8()?;
    let name = names.block_u16()?;
    let alone = extension.is_empty() && names.is_empty();
    (alone && kind == HOST_NAME && !name.is_empty()).then_some(name)
}

/// Reads from the front; `None` where there is not enough.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// Bytes with their number before them, in one byte.
    fn block_u8(&mut self) -> Option<&'a [u8]> {
        let count = self.u8()?;
        self.take(count.into())
    }

    /// Bytes with their number before them, in two bytes.
    fn block_u16(&mut self) -> Option<&'a [u8]> {
        let count = self.u16()?;
        self.take(count.into())
    }
}
