//! Frames (RFC 6455, section 5.2).

use std::mem;

use super::Violation;

/// The longest header that a page's frame can have: two bytes, a long length, a key.
const LONGEST_HEADER: usize = 14;

/// The longest header of our frames, which have no key.
pub(super) const LONGEST_OWN_HEADER: usize = 10;

/// The longest payload of a control frame.
pub(super) const LONGEST_CONTROL: usize = 125;

const FINAL: u8 = 0x80;
const RESERVED: u8 = 0x70;
const MASKED: u8 = 0x80;

/// What a frame is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Opcode {
    /// It continues a message.
    Continuation,
    /// It begins a message, of this kind.
    Message(Kind),
    /// It ends the connection.
    Close,
    /// It asks for a pong.
    Ping,
    /// It answers a ping, or just says that the sender lives.
    Pong,
}

/// What a message consists of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// UTF-8.
    Text,
    /// Any bytes.
    Binary,
}

/// The header of a page's frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Header {
    pub(super) last: bool,
    pub(super) opcode: Opcode,
    pub(super) key: [u8; 4],
    pub(super) length: u64,
}

/// A header that arrives in pieces.
#[derive(Debug, Default)]
pub(super) struct PartialHeader {
    bytes: [u8; LONGEST_HEADER],
    length: u8,
}

impl Opcode {
    fn from_bits(bits: u8) -> Option<Self> {
        match bits {
            0x0 => Some(Self::Continuation),
            0x1 => Some(Self::Message(Kind::Text)),
            0x2 => Some(Self::Message(Kind::Binary)),
            0x8 => Some(Self::Close),
            0x9 => Some(Self::Ping),
            0xa => Some(Self::Pong),
            _ => None,
        }
    }

    fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Message(Kind::Text) => 0x1,
            Self::Message(Kind::Binary) => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xa,
        }
    }

    fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

impl Header {
    /// Reads a header, if all of it is there; returns its length too.
    ///
    /// # Errors
    ///
    /// If it can't be a page's.
    fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Violation> {
        let [first, second, rest @ ..] = bytes else { return Ok(None) };
        if first & RESERVED != 0 {
            return Err(Violation::ReservedBit);
        }
        let opcode = Opcode::from_bits(first & 0xf).ok_or(Violation::ReservedOpcode)?;
        let last = first & FINAL != 0;
        if second & MASKED == 0 {
            return Err(Violation::Unmasked);
        }
        let short = second & !MASKED;
        if opcode.is_control() {
            if !last {
                return Err(Violation::FragmentedControl);
            }
            if usize::from(short) > LONGEST_CONTROL {
                return Err(Violation::LongControl);
            }
        }
        let (length, least, rest) = match short {
            126 => {
                let Some((length, rest)) = rest.split_first_chunk() else { return Ok(None) };
                (u16::from_be_bytes(*length).into(), 126, rest)
            }
            127 => {
                let Some((length, rest)) = rest.split_first_chunk() else { return Ok(None) };
                (u64::from_be_bytes(*length), 1 << 16, rest)
            }
            short => (short.into(), 0, rest),
        };
        if length < least || length > i64::MAX as u64 {
            return Err(Violation::Length);
        }
        let Some((key, rest)) = rest.split_first_chunk() else { return Ok(None) };
        Ok(Some((Self { last, opcode, key: *key, length }, bytes.len() - rest.len())))
    }
}

impl PartialHeader {
    /// Takes a header off the front of `input`, or keeps what there is of one.
    ///
    /// # Errors
    ///
    /// If it can't be a page's.
    pub(super) fn take(&mut self, input: &mut &mut [u8]) -> Result<Option<Header>, Violation> {
        if self.length == 0
            && let Some((header, length)) = Header::parse(input)?
        {
            *input = &mut mem::take(input)[length..];
            return Ok(Some(header));
        }
        while let Some(byte) = input.split_off_first_mut() {
            self.bytes[usize::from(self.length)] = *byte;
            self.length += 1;
            if let Some((header, _)) = Header::parse(&self.bytes[..usize::from(self.length)])? {
                self.length = 0;
                return Ok(Some(header));
            }
        }
        Ok(None)
    }
}

/// Puts the header of a whole message, or of a control frame, right before its payload, which is
/// `buffer[payload..]`; returns where the header begins. There must be room for ten bytes.
pub fn prepend_header(buffer: &mut [u8], payload: usize, opcode: Opcode) -> usize {
    let (header, length) = header(opcode, buffer.len() - payload);
    let start = payload - length;
    buffer[start..payload].copy_from_slice(&header[..length]);
    start
}

/// The header of an unmasked frame, and how long that is.
pub fn header(opcode: Opcode, length: usize) -> ([u8; LONGEST_OWN_HEADER], usize) {
    let mut header = [0; LONGEST_OWN_HEADER];
    header[0] = FINAL | opcode.bits();
    if length <= LONGEST_CONTROL {
        header[1] = length as u8;
        (header, 2)
    } else if let Ok(length) = u16::try_from(length) {
        header[1] = 126;
        header[2..4].copy_from_slice(&length.to_be_bytes());
        (header, 4)
    } else {
        header[1] = 127;
        header[2..].copy_from_slice(&(length as u64).to_be_bytes());
        (header, LONGEST_OWN_HEADER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 4] = [1, 2, 3, 4];

    /// A header with this first byte, length bits and further bytes of length.
    fn bytes(first: u8, short: u8, long: &[u8]) -> Vec<u8> {
        [&[first, MASKED | short], long, &KEY].concat()
    }

    fn parse(bytes: &[u8]) -> Result<Option<Header>, Violation> {
        let mut bytes = bytes.to_vec();
        PartialHeader::default().take(&mut &mut bytes[..])
    }

    #[test]
    fn headers_of_each_length_are_read_wherever_they_are_split() {
        let long = (1_u64 << 40).to_be_bytes();
        for (short, long, length) in [
            (0, &[][..], 0),
            (125, &[], 125),
            (126, &[0, 126], 126),
            (126, &[0xff, 0xff], 65535),
            (127, &[0, 0, 0, 0, 0, 1, 0, 0], 65536),
            (127, &long, 1 << 40),
        ] {
            let mut bytes = bytes(0x82, short, long);
            bytes.push(b'x');
            let header =
                Header { last: true, opcode: Opcode::Message(Kind::Binary), key: KEY, length };
            for split in 0..bytes.len() {
                let mut partial = PartialHeader::default();
                let mut bytes = bytes.clone();
                let (mut head, mut tail) = bytes.split_at_mut(split);
                let early = partial.take(&mut head).unwrap();
                let found = early.or_else(|| partial.take(&mut tail).unwrap());
                assert_eq!(found, Some(header), "{length}, {split}");
                assert_eq!(head.len() + tail.len(), 1);
            }
        }
    }

    #[test]
    fn headers_that_can_not_be_a_pages_are_refused() {
        for (bytes, violation) in [
            (bytes(0xc1, 0, &[]), Violation::ReservedBit),
            (bytes(0xa1, 0, &[]), Violation::ReservedBit),
            (bytes(0x91, 0, &[]), Violation::ReservedBit),
            (bytes(0x83, 0, &[]), Violation::ReservedOpcode),
            (bytes(0x87, 0, &[]), Violation::ReservedOpcode),
            (bytes(0x8b, 0, &[]), Violation::ReservedOpcode),
            (bytes(0x8f, 0, &[]), Violation::ReservedOpcode),
            (bytes(0x09, 0, &[]), Violation::FragmentedControl),
            (bytes(0x08, 0, &[]), Violation::FragmentedControl),
            (bytes(0x89, 126, &[0, 126]), Violation::LongControl),
            (bytes(0x82, 126, &[0, 125]), Violation::Length),
            (bytes(0x82, 127, &[0, 0, 0, 0, 0, 0, 0xff, 0xff]), Violation::Length),
            (bytes(0x82, 127, &[0x80, 0, 0, 0, 0, 0, 0, 0]), Violation::Length),
            (vec![0x82, 0], Violation::Unmasked),
        ] {
            assert_eq!(parse(&bytes), Err(violation), "{bytes:x?}");
        }
    }

    #[test]
    fn a_header_is_put_before_its_payload() {
        for (length, expected) in [
            (0, vec![0x82, 0]),
            (125, vec![0x82, 125]),
            (126, vec![0x82, 126, 0, 126]),
            (65535, vec![0x82, 126, 0xff, 0xff]),
            (65536, vec![0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let mut buffer = vec![7; LONGEST_OWN_HEADER + length];
            let binary = Opcode::Message(Kind::Binary);
            let start = prepend_header(&mut buffer, LONGEST_OWN_HEADER, binary);
            assert_eq!(buffer[start..LONGEST_OWN_HEADER], expected, "{length}");
        }
        assert_eq!(header(Opcode::Pong, 3).0[..2], [0x8a, 3]);
        assert_eq!(header(Opcode::Close, 0).0[..2], [0x88, 0]);
    }
}
