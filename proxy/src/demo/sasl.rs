//! The server's side of AUTH PLAIN (RFC 4616) and of AUTH LOGIN.

use base64::{Engine, prelude::BASE64_STANDARD};

use super::Shared;

/// Decodes a client's base64 response, where `=` is the empty one (RFC 4954 section 4).
pub(super) fn decode(response: &[u8]) -> Option<Vec<u8>> {
    if response == b"=" { Some(Vec::new()) } else { BASE64_STANDARD.decode(response).ok() }
}

impl Shared {
    /// Whether a PLAIN response (base64) names the account and its password.
    pub(super) fn accepts_plain(&self, response: &[u8]) -> bool {
        let Some(decoded) = decode(response) else { return false };
        let mut fields = decoded.split(|byte| *byte == 0);
        match (fields.next(), fields.next(), fields.next(), fields.next()) {
            (Some(_), Some(user), Some(password), None) => self.accepts(user, password),
            _ => false,
        }
    }

    /// Whether these are the account's name (the address or what is before its `@`) and password.
    pub(super) fn accepts(&self, user: &[u8], password: &[u8]) -> bool {
        let local = self.address.split('@').next().unwrap_or_default();
        (user.eq_ignore_ascii_case(self.address.as_bytes()) || user == local.as_bytes())
            && password == self.password.as_bytes()
    }
}
