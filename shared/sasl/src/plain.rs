//! PLAIN (RFC 4616): user name and password in one message. Only under TLS.

use crate::{Credentials, SaslError};

/// A PLAIN exchange.
#[derive(Clone, Debug)]
pub(crate) struct Plain {
    credentials: Credentials,
    sent: bool,
}

impl Plain {
    pub(crate) fn new(credentials: Credentials) -> Self {
        Self { credentials, sent: false }
    }

    /// `[authzid] NUL authcid NUL passwd`; the authorization identity is left to the server.
    pub(crate) fn message(&self) -> Vec<u8> {
        let Credentials { username, secret, .. } = &self.credentials;
        [b"\0", username.as_bytes(), b"\0", secret.as_bytes()].concat()
    }

    /// A server that does not take initial responses asks with one empty challenge.
    pub(crate) fn respond(&mut self, challenge: &[u8]) -> Result<Vec<u8>, SaslError> {
        if self.sent || !challenge.is_empty() {
            return Err(SaslError::UnexpectedChallenge);
        }
        self.sent = true;
        Ok(self.message())
    }
}
