//! What was said on a connection: a line each, `C: ` from the client, `S: ` from the server.

use anyhow::Result;
use flate2::{Decompress, FlushDecompress, Status};

use crate::wiretap::Side;

/// Writes a conversation down, up to where the last command of the client's had been answered. What
/// both sides compress (RFC 4978) is written as what it holds.
///
/// `names` are replaced by what follows them, such as this machine's name.
///
/// # Errors
///
/// If something is compressed in a wrong way.
pub fn write(pieces: &[(Side, Vec<u8>)], names: &[(&str, &str)]) -> Result<Vec<u8>> {
    let (mut text, mut answered) = (Vec::new(), 0);
    // The tags of commands that were not answered yet.
    let mut open = Vec::<String>::new();
    for (side, line) in lines(pieces)? {
        let line = names.iter().fold(line, |line, (name, other)| replaced(&line, name, other));
        let letter = match side {
            Side::Client => b"C: ",
            Side::Server => b"S: ",
        };
        text.extend([&letter[..], &line, b"\n"].concat());
        match (side, tag(&String::from_utf8_lossy(&line))) {
            (Side::Client, Some((tag, _))) => open.push(tag.into()),
            (Side::Server, Some((tag, _))) => open.retain(|own| own != tag),
            (_, None) => {}
        }
        if open.is_empty() {
            answered = text.len();
        }
    }
    text.truncate(answered);
    Ok(text)
}

/// The whole lines of a conversation in the order of their ends, without those. What both sides
/// compress (RFC 4978) is what it holds.
///
/// # Errors
///
/// If something is compressed in a wrong way.
pub fn lines(pieces: &[(Side, Vec<u8>)]) -> Result<Vec<(Side, Vec<u8>)>> {
    let mut lines = Vec::new();
    let (mut client, mut server) = (Direction::default(), Direction::default());
    // The tag of the command that asks for compression.
    let mut asking = None::<String>;
    for (side, bytes) in pieces {
        let direction = match side {
            Side::Client => &mut client,
            Side::Server => &mut server,
        };
        direction.take(bytes)?;
        let mut compressed = false;
        while let Some(line) = direction.line() {
            match (side, tag(&String::from_utf8_lossy(&line))) {
                (Side::Client, Some((tag, command))) if command.starts_with("COMPRESS ") => {
                    asking = Some(tag.into());
                }
                (Side::Server, Some((tag, status))) if asking.as_deref() == Some(tag) => {
                    asking = None;
                    if status.starts_with("OK") {
                        direction.compress()?;
                        compressed = true;
                    }
                }
                _ => {}
            }
            lines.push((*side, line));
        }
        if compressed {
            // It has waited for this answer.
            client.compress()?;
        }
    }
    Ok(lines)
}

/// What one side has said and was not written down yet.
#[derive(Default)]
struct Direction {
    begun: Vec<u8>,
    inflater: Option<Decompress>,
}

impl Direction {
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(inflater) = &mut self.inflater else {
            self.begun.extend(bytes);
            return Ok(());
        };
        let mut rest = bytes;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let (before, made) = (inflater.total_in(), inflater.total_out());
            let status = inflater.decompress(rest, &mut buffer, FlushDecompress::Sync)?;
            let read = usize::try_from(inflater.total_in() - before)?;
            let written = usize::try_from(inflater.total_out() - made)?;
            rest = &rest[read..];
            self.begun.extend(&buffer[..written]);
            let finished = rest.is_empty() && written < buffer.len();
            if finished || status == Status::StreamEnd || (read == 0 && written == 0) {
                return Ok(());
            }
        }
    }

    /// What follows is compressed, and so is what has come already.
    fn compress(&mut self) -> Result<()> {
        self.inflater = Some(Decompress::new(false));
        let compressed = std::mem::take(&mut self.begun);
        self.take(&compressed)
    }

    fn line(&mut self) -> Option<Vec<u8>> {
        let end = self.begun.windows(2).position(|window| window == b"\r\n")?;
        Some(self.begun.drain(..end + 2).take(end).collect())
    }
}

fn replaced(mut line: &[u8], name: &str, other: &str) -> Vec<u8> {
    let mut replaced = Vec::new();
    while let Some(at) = line.windows(name.len()).position(|window| window == name.as_bytes()) {
        replaced.extend(&line[..at]);
        replaced.extend(other.bytes());
        line = &line[at + name.len()..];
    }
    replaced.extend(line);
    replaced
}

/// The tag that a line begins with, as Postern's client numbers its commands, and what follows it.
fn tag(line: &str) -> Option<(&str, &str)> {
    let (tag, rest) = line.split_once(' ')?;
    let number = tag.strip_prefix('A')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some((tag, rest))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::DeflateEncoder};

    use super::*;

    #[test]
    fn lines_that_come_in_pieces_are_written_in_the_order_of_their_ends() {
        let pieces = [
            (Side::Server, &b"* OK box.local\r\n* "[..]),
            (Side::Client, b"A1 NOOP\r\nA2 ID"),
            (Side::Server, b"1 EXISTS\r\nA1 OK\r\n"),
            (Side::Client, b"LE\r\n"),
            (Side::Server, b"+ waiting\r\n"),
        ];
        let pieces = pieces.map(|(side, bytes)| (side, bytes.to_vec()));
        assert_eq!(
            write(&pieces, &[("box.local", "mail.example.org")]).unwrap(),
            b"S: * OK mail.example.org\nC: A1 NOOP\nS: * 1 EXISTS\nS: A1 OK\n"
        );
    }

    #[test]
    fn what_is_compressed_is_written_as_what_it_holds() {
        let deflated = |text: &[u8]| {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(text).unwrap();
            encoder.flush().unwrap();
            encoder.get_ref().clone()
        };
        let pieces = [
            (Side::Client, b"A1 COMPRESS DEFLATE\r\n".to_vec()),
            (Side::Server, b"A1 OK begin\r\n".to_vec()),
            (Side::Client, deflated(b"A2 NOOP\r\n")),
            (Side::Server, deflated(b"A2 OK done\r\n")),
        ];
        assert_eq!(
            write(&pieces, &[]).unwrap(),
            b"C: A1 COMPRESS DEFLATE\nS: A1 OK begin\nC: A2 NOOP\nS: A2 OK done\n"
        );
    }
}
