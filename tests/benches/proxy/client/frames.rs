//! A page's side of WebSocket framing (RFC 6455, section 5), without copying what it counts.

use anyhow::{Result, bail, ensure};

/// How a page masks what it sends. Any key is as good as another to a relay.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// The longest frame that is kept whole, because something must be understood in it.
const MAX_KEPT: u64 = 4096;

/// What a frame is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Opcode {
    Text = 1,
    Binary = 2,
    Pong = 10,
}

/// A whole frame with a payload.
pub(super) fn frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode as u8];
    match payload.len() {
        length @ ..126 => frame.push(0x80 | length as u8),
        length @ ..0x1_0000 => {
            frame.push(0x80 | 126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    frame
}

/// What a relay sends, taken apart as it arrives.
#[derive(Default)]
pub(super) struct Frames {
    header: Vec<u8>,
    /// The rest of the frame whose header has arrived.
    left: u64,
    opcode: u8,
    /// The payload of a frame that must be understood.
    kept: Vec<u8>,
}

/// A part of what a relay sends.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Part<'a> {
    /// So many stream bytes, which may be a part of a frame.
    Stream(usize),
    /// A control message.
    Text(&'a [u8]),
    Ping(&'a [u8]),
    Close,
}

impl Frames {
    /// Takes the next part off the bytes; none if there is nothing whole in the rest.
    pub(super) fn next(&mut self, bytes: &mut &[u8]) -> Result<Option<Part<'_>>> {
        loop {
            if self.left == 0 && !self.read_header(bytes)? {
                return Ok(None);
            }
            let length = bytes.len().min(usize::try_from(self.left)?);
            let (payload, rest) = bytes.split_at(length);
            self.left -= length as u64;
            *bytes = rest;
            match self.opcode {
                0 | 2 if length == 0 && self.left > 0 => return Ok(None),
                0 | 2 if length == 0 => {}
                0 | 2 => return Ok(Some(Part::Stream(length))),
                _ => {
                    self.kept.extend_from_slice(payload);
                    if self.left > 0 {
                        return Ok(None);
                    }
                    match self.opcode {
                        1 => return Ok(Some(Part::Text(&self.kept))),
                        8 => return Ok(Some(Part::Close)),
                        9 => return Ok(Some(Part::Ping(&self.kept))),
                        10 => {}
                        opcode => bail!("a frame of the kind {opcode}"),
                    }
                }
            }
        }
    }

    /// Reads a header as far as it is there; returns whether it is whole.
    fn read_header(&mut self, bytes: &mut &[u8]) -> Result<bool> {
        loop {
            let length = match self.header.get(1) {
                None => 2,
                Some(126) => 4,
                Some(127) => 10,
                Some(_) => 2,
            };
            if self.header.len() == length {
                break;
            }
            let Some((first, rest)) = bytes.split_first() else { return Ok(false) };
            self.header.push(*first);
            *bytes = rest;
        }
        ensure!(self.header[1] & 0x80 == 0, "a relay's frame is masked");
        self.opcode = self.header[0] & 0x0f;
        self.left = match self.header[1] {
            126 | 127 => self.header[2..].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
            length => length.into(),
        };
        ensure!(matches!(self.opcode, 0 | 2) || self.left <= MAX_KEPT, "a frame too long to keep");
        self.header.clear();
        self.kept.clear();
        Ok(true)
    }
}
