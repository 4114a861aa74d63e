//! Base64, as IMAP, POP3 and SMTP carry SASL messages (RFC 4648 section 4).

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::SaslError;

/// Encodes a response for the wire.
pub fn encode(response: impl AsRef<[u8]>) -> String {
    STANDARD.encode(response)
}

/// Decodes a challenge from the wire; white space around it does not matter.
///
/// # Errors
///
/// [`SaslError::NotBase64`] if it is not base64.
pub(crate) fn decode(challenge: impl AsRef<[u8]>) -> Result<Vec<u8>, SaslError> {
    STANDARD.decode(challenge.as_ref().trim_ascii()).map_err(|_| SaslError::NotBase64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_decodes_to_the_same_bytes() {
        for bytes in [&b""[..], b"\0", b"\0ann\0secret", &[0xff; 57]] {
            assert_eq!(decode(encode(bytes)).unwrap(), bytes);
        }
    }

    #[test]
    fn an_empty_challenge_is_empty() {
        assert_eq!(decode(b" \r\n").unwrap(), b"");
    }

    #[test]
    fn a_challenge_that_is_not_base64_is_an_error() {
        assert_eq!(decode(b"go ahead"), Err(SaslError::NotBase64));
    }
}
