//! Status responses (RFC 9051 section 7.1).

use super::Code;
use crate::{limits::Limits, token::TokenDefect};

/// How a command ended, or what an untagged status response means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StatusKind {
    /// Done, or information.
    Ok,
    /// Refused, or a warning.
    No,
    /// The command was not understood.
    Bad,
    /// The server closes the connection.
    Bye,
    /// A greeting: already logged in.
    PreAuth,
}

impl StatusKind {
    pub(super) fn parse(name: &[u8]) -> Option<Self> {
        let kinds = [
            ("OK", Self::Ok),
            ("NO", Self::No),
            ("BAD", Self::Bad),
            ("BYE", Self::Bye),
            ("PREAUTH", Self::PreAuth),
        ];
        let kind = kinds.into_iter().find(|(kind, _)| name.eq_ignore_ascii_case(kind.as_bytes()));
        kind.map(|(_, kind)| kind)
    }
}

/// A status response.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Status {
    /// Good or bad.
    pub kind: StatusKind,
    /// The machine-readable part.
    pub code: Option<Code>,
    /// The words for people; bytes that are not UTF-8 are replaced.
    pub text: String,
}

impl Status {
    pub(super) fn parse(
        kind: StatusKind,
        text: &[u8],
        limits: &Limits,
    ) -> (Self, Option<TokenDefect>) {
        let text = text.trim_ascii_start();
        let (code, text) = match text.strip_prefix(b"[").and_then(split_code) {
            Some((code, text)) => (Some(code), text),
            None => (None, text),
        };
        let (code, defect) = code.map_or((None, None), |code| Code::parse(code, limits));
        let text = String::from_utf8_lossy(text.trim_ascii()).into_owned();
        (Self { kind, code, text }, defect)
    }
}

/// Splits at the bracket that ends a code; brackets in quoted strings do not.
fn split_code(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut quoted = false;
    let mut escaped = false;
    let end = text.iter().position(|byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b']' => return !quoted,
            _ => {}
        }
        false
    })?;
    Some((&text[..end], &text[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Response, response::tests::response};

    fn status(line: &str) -> Status {
        match response(line) {
            Response::Status(status) => status,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn code_and_text_are_told_apart() {
        let other = Code::Other { name: "X".into(), payload: r#""a]\"b""#.into() };
        let cases = [
            ("* OK", None, ""),
            ("* OK Hello", None, "Hello"),
            ("* NO [ALERT] Disk [full]", Some(Code::Alert), "Disk [full]"),
            ("* OK [X \"a]\\\"b\"] done", Some(other), "done"),
            ("* OK [not a code", None, "[not a code"),
            ("* BYE Grüße", None, "Grüße"),
        ];
        for (line, code, text) in cases {
            let status = status(line);
            assert_eq!((status.code, &*status.text), (code, text), "{line}");
        }
    }
}
