//! What was said on a connection, as text: a line each, `C: ` from the client, `S: ` from the server.

use anyhow::{Context, Result};

use crate::wiretap::Side;

/// Writes a conversation down, up to where the last command of the client's had been answered.
///
/// `names` are replaced by what follows them, such as this machine's name.
///
/// # Errors
///
/// If something that was said is not UTF-8.
pub fn write(pieces: &[(Side, Vec<u8>)], names: &[(&str, &str)]) -> Result<String> {
    let (mut text, mut answered) = (String::new(), 0);
    let (mut from_client, mut from_server) = (Vec::new(), Vec::new());
    let mut open = Vec::<String>::new();
    for (side, bytes) in pieces {
        let (begun, letter) = match side {
            Side::Client => (&mut from_client, 'C'),
            Side::Server => (&mut from_server, 'S'),
        };
        begun.extend(bytes);
        while let Some(end) = begun.windows(2).position(|window| window == b"\r\n") {
            let line = begun.drain(..end + 2).take(end).collect();
            let line = String::from_utf8(line).context("a trace holds no UTF-8")?;
            let line = names.iter().fold(line, |line, (name, other)| line.replace(name, other));
            text += &format!("{letter}: {line}\n");
            match (side, tag(&line)) {
                (Side::Client, Some(tag)) => open.push(tag.to_owned()),
                (Side::Server, Some(tag)) => open.retain(|own| own != tag),
                (_, None) => {}
            }
            if open.is_empty() {
                answered = text.len();
            }
        }
    }
    text.truncate(answered);
    Ok(text)
}

/// The tag that a line begins with, as Postern's client numbers its commands.
fn tag(line: &str) -> Option<&str> {
    let (tag, _) = line.split_once(' ')?;
    let number = tag.strip_prefix('A')?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(tag)
}

#[cfg(test)]
mod tests {
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
            "S: * OK mail.example.org\nC: A1 NOOP\nS: * 1 EXISTS\nS: A1 OK\n"
        );
    }
}
