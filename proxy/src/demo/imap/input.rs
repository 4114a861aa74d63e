//! Reads one whole command, with the literals in it (RFC 9051 section 4.3).

use super::{Session, write};
use crate::demo::{limits, wire::WireError};

/// What came from the client.
pub(super) enum Input {
    /// A command: its lines, each with CRLF, and the literals between them.
    Command(Vec<u8>),
    /// It was too large; this answers it, and the client goes on.
    Refused(String),
    /// It was too large, and what follows of it can't be told from a command.
    Hopeless,
}

/// What a line ends in if a literal follows.
struct Announced {
    length: usize,
    /// Whether the client waits to be asked for it.
    waits: bool,
}

impl Session {
    /// Reads a command. Cancel-safe only before its first line has come.
    pub(super) async fn read_command(&mut self) -> Result<Input, WireError> {
        let mut command = Vec::new();
        loop {
            match self.wire.read_line().await {
                Ok(line) => command.extend_from_slice(&line),
                Err(WireError::LineTooLong) => return Ok(Input::Hopeless),
                Err(error) => return Err(error),
            }
            let announced = announced(&command);
            command.extend_from_slice(b"\r\n");
            let Some(Announced { length, waits }) = announced else {
                return Ok(Input::Command(command));
            };
            let fits = command.len().saturating_add(length) <= self.room(&command);
            match (fits, waits) {
                (false, true) => {
                    let tag = command.split(|byte| *byte == b' ').next().unwrap_or_default();
                    let tag = write::printable(tag);
                    return Ok(Input::Refused(format!("{tag} NO [TOOBIG] that is too large\r\n")));
                }
                (false, false) => return Ok(Input::Hopeless),
                (true, true) => {
                    self.wire.write("+ go on\r\n");
                    self.wire.flush().await?;
                }
                (true, false) => {}
            }
            self.wire.read_exact(length, &mut command).await?;
        }
    }

    /// How large the command may become: only APPEND of someone known may be large.
    fn room(&self, command: &[u8]) -> usize {
        let name = command.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        if self.authenticated && name.eq_ignore_ascii_case(b"APPEND") {
            limits::MESSAGE + limits::COMMAND
        } else {
            limits::COMMAND
        }
    }
}

/// `{12}`, `{12+}` or `{12-}` at the end of a line. A length beyond all numbers is the largest.
fn announced(line: &[u8]) -> Option<Announced> {
    let inside = line.strip_suffix(b"}")?;
    let start = inside.iter().rposition(|byte| *byte == b'{')?;
    let inside = std::str::from_utf8(&inside[start + 1..]).ok()?;
    let digits = inside.strip_suffix(['+', '-']).unwrap_or(inside);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let length = digits.parse().unwrap_or(usize::MAX);
    Some(Announced { length, waits: digits.len() == inside.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_announced_only_by_a_number_in_braces_at_the_end() {
        let length = |line: &str| announced(line.as_bytes()).map(|a| (a.length, a.waits));
        assert_eq!(length("a APPEND x {12}"), Some((12, true)));
        assert_eq!(length("a APPEND x {12+}"), Some((12, false)));
        assert_eq!(length("~{0}"), Some((0, true)));
        assert_eq!(length("{99999999999999999999999}"), Some((usize::MAX, true)));
        for line in ["", "}", "{}", "{+}", "{x}", "{1} ", "\"{1}\"", "{-1}"] {
            assert_eq!(length(line), None, "{line}");
        }
    }
}
