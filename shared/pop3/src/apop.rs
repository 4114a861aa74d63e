//! APOP: a log-in that does not show the password (RFC 1939 section 7).

use std::fmt::Write;

use md5::{Digest, Md5};
use postern_sasl::Credentials;

/// The timestamp of a greeting, angle brackets included.
///
/// Only what has the form of a message id is one: a server in the middle could otherwise choose bytes
/// that give a part of the password away (CVE-2007-1558).
pub(crate) fn timestamp(greeting: &[u8]) -> Option<String> {
    let greeting = str::from_utf8(greeting).ok()?;
    let start = greeting.find('<')?;
    let end = start + greeting[start..].find('>')?;
    let (left, right) = greeting[start + 1..end].split_once('@')?;
    let is_word = |word: &str| {
        let fits = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'@');
        !word.is_empty() && word.bytes().all(fits)
    };
    (is_word(left) && is_word(right)).then(|| greeting[start..=end].to_owned())
}

/// The command's line; `None` if the credentials can't be used with it.
pub(crate) fn line(timestamp: &str, credentials: &Credentials) -> Option<String> {
    let name = &credentials.username;
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return None;
    }
    let mut digest = Md5::new();
    digest.update(timestamp);
    digest.update(credentials.password()?);
    let mut line = format!("APOP {name} ");
    for byte in digest.finalize() {
        write!(line, "{byte:02x}").expect("writing to memory can't fail");
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_that_of_rfc_1939() {
        let greeting = b" POP3 server ready <1896.697170952@dbc.mtview.ca.us>";
        let timestamp = timestamp(greeting).unwrap();
        assert_eq!(timestamp, "<1896.697170952@dbc.mtview.ca.us>");
        let line = line(&timestamp, &Credentials::new("mrose", "tanstaaf"));
        assert_eq!(line.unwrap(), "APOP mrose c4c9334bac560ecc979e58001b3e22fb");
    }

    #[test]
    fn what_is_no_message_id_is_no_timestamp() {
        for greeting in [
            &b"ready"[..],
            b"<>",
            b"<a@>",
            b"<@b>",
            b"<ab>",
            b"<a@b",
            b"<a b@c>",
            b"<a@b@c>",
            b"<a\x01@b>",
            b"<a\xff@b>",
            "<ä@b>".as_bytes(),
        ] {
            assert_eq!(timestamp(greeting), None, "{:?}", greeting.escape_ascii().to_string());
        }
    }

    #[test]
    fn a_name_that_would_break_the_line_and_a_token_are_refused() {
        for name in ["", "a b", "a\r\nDELE 1"] {
            assert_eq!(line("<a@b>", &Credentials::new(name, "p")), None);
        }
        assert_eq!(line("<a@b>", &Credentials::with_token("ann", "t")), None);
    }
}
