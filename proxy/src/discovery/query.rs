//! The part of an address bar after the `?`.

use std::fmt::Write as _;

/// The first parameter of this name, decoded. A `+` is a `+`: it is common in mail addresses, and
/// nobody writes a blank into one.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    decode(pairs.into_iter().find(|(own, _)| *own == name)?.1)
}

/// Encodes a value so that it can stand in a query.
pub(super) fn encode(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            encoded.push(byte.into());
        } else {
            // Writing into memory can't fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// `None` if what was encoded is not UTF-8, or is not encoded as it should be.
fn decode(value: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_found_and_decoded() {
        for (query, expected) in [
            ("address=ada%40example.org", Some("ada@example.org")),
            ("x=1&address=ada@example.org&address=b", Some("ada@example.org")),
            ("address=a+b%2Bc@example.org", Some("a+b+c@example.org")),
            ("address=%C3%BC@example.org", Some("ü@example.org")),
            ("address=", Some("")),
            ("address", None),
            ("addresses=a", None),
            ("", None),
            ("address=%", None),
            ("address=%4", None),
            ("address=%xx", None),
            ("address=%FF", None),
        ] {
            assert_eq!(parameter(query, "address").as_deref(), expected, "{query}");
        }
    }

    #[test]
    fn what_is_encoded_is_decoded_again() {
        for value in ["ada@example.org", "a+b&c=d?e#f %/\\ü\"", ""] {
            let encoded = encode(value);
            assert!(!encoded.contains(['&', '#', '?', ' ', '+', '/']), "{encoded}");
            assert_eq!(decode(&encoded).as_deref(), Some(value));
        }
    }
}
