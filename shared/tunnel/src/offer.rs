//! [`Open`] as a subprotocol, so that it comes with the request of the WebSocket.
//!
//! A page can give that request nothing else of its own but an address, which ends up in logs.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{Decode, MAX_CONTROL, Open};

/// What the name of such a subprotocol begins with. The rest is the message's JSON in base64url
/// (RFC 4648, section 5) without padding, since a name is a token (RFC 9110, section 5.6.2).
const PREFIX: &str = "postern.open.";

impl Open {
    /// The name of the subprotocol.
    ///
    /// # Panics
    ///
    /// Never: every message can be written as JSON.
    pub fn to_subprotocol(&self) -> String {
        let json = serde_json::to_vec(self).expect("control messages can be encoded");
        let mut name = PREFIX.to_owned();
        BASE64_URL_SAFE_NO_PAD.encode_string(json, &mut name);
        name
    }

    /// Reads the name of a subprotocol; `None` if it is another one.
    ///
    /// # Errors
    ///
    /// If it is one, but is too long or holds no message.
    pub fn from_subprotocol(name: &str) -> Option<Result<Self, Decode>> {
        let encoded = name.strip_prefix(PREFIX)?;
        Some(decode(encoded))
    }
}

fn decode(encoded: &str) -> Result<Open, Decode> {
    let length = encoded.len() / 4 * 3;
    if length > MAX_CONTROL {
        return Err(Decode::TooLong(length));
    }
    let json = BASE64_URL_SAFE_NO_PAD.decode(encoded)?;
    Ok(serde_json::from_slice(&json)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TlsMode;

    fn open() -> Open {
        Open {
            host: "imap.example.org".into(),
            port: 993,
            tls: TlsMode::EndToEnd,
            credit: 65536,
            token: Some("a token?>".into()),
        }
    }

    #[test]
    fn it_survives_the_way_and_is_a_token() {
        let name = open().to_subprotocol();
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        assert!(name.bytes().all(is_token), "{name}");
        assert_eq!(Open::from_subprotocol(&name).unwrap().unwrap(), open());
    }

    #[test]
    fn other_subprotocols_are_not_for_us() {
        for other in ["", crate::SUBPROTOCOL, "postern.open", "Postern.open.e30"] {
            assert!(Open::from_subprotocol(other).is_none(), "{other}");
        }
    }

    #[test]
    fn what_holds_no_message_is_refused() {
        // No base64url, base64 with padding, no JSON, no message.
        for wrong in ["%%%%", "e30=", "YWJj", "e30"] {
            let name = format!("{PREFIX}{wrong}");
            assert!(Open::from_subprotocol(&name).unwrap().is_err(), "{name}");
        }
    }

    #[test]
    fn one_that_is_too_long_is_refused_before_it_is_decoded() {
        let longest = Open { host: "h".repeat(MAX_CONTROL - 150), ..open() };
        let length = |open: &Open| serde_json::to_vec(open).unwrap().len();
        assert!(length(&longest) <= MAX_CONTROL);
        assert_eq!(Open::from_subprotocol(&longest.to_subprotocol()).unwrap().unwrap(), longest);
        let longer = Open { host: "h".repeat(MAX_CONTROL), ..open() };
        let refused = Open::from_subprotocol(&longer.to_subprotocol()).unwrap();
        assert!(matches!(refused, Err(Decode::TooLong(_))), "{refused:?}");
    }
}
