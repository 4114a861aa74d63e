//! Writes the pieces of responses.

use std::collections::BTreeSet;

/// A string as quoted if it may be, else as a literal.
pub(super) fn string(text: &[u8]) -> Vec<u8> {
    let quotable = text.len() < 1024
        && text.iter().all(|byte| (b' '..=b'~').contains(byte) && !b"\"\\".contains(byte));
    let mut written = Vec::with_capacity(text.len() + 16);
    if quotable {
        written.push(b'"');
        written.extend_from_slice(text);
        written.push(b'"');
    } else {
        literal(text, &mut written);
    }
    written
}

/// A string, or NIL for nothing.
pub(super) fn nstring(text: Option<&[u8]>) -> Vec<u8> {
    text.map_or_else(|| b"NIL".to_vec(), string)
}

/// A string as a literal.
pub(super) fn literal(text: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{{{}}}\r\n", text.len()).as_bytes());
    out.extend_from_slice(text);
}

/// A text between quotes, with escapes. It must not hold line ends.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// `(\Seen $Forwarded)`
pub(super) fn flags(flags: &BTreeSet<String>) -> String {
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    format!("({})", flags.join(" "))
}

/// What a client said, safe to be said back in a line.
pub(super) fn printable(bytes: &[u8]) -> String {
    let safe = |byte: &u8| if byte.is_ascii_graphic() { char::from(*byte) } else { '?' };
    bytes.iter().take(64).map(safe).collect()
}
