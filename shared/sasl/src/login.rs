//! LOGIN (draft-murchison-sasl-login-00): user name, then password. Obsolete, but some servers
//! offer nothing else. Only under TLS.

use crate::{Credentials, SaslError};

/// A LOGIN exchange.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    credentials: Credentials,
    next: Next,
}

#[derive(Clone, Copy, Debug)]
enum Next {
    Username,
    Password,
    Nothing,
}

impl Login {
    pub(crate) fn new(credentials: Credentials) -> Self {
        Self { credentials, next: Next::Username }
    }

    /// The order decides, not the prompt's words: servers spell them in many ways.
    pub(crate) fn respond(&mut self) -> Result<Vec<u8>, SaslError> {
        let (answer, next) = match self.next {
            Next::Username => (&self.credentials.username, Next::Password),
            Next::Password => (&self.credentials.secret, Next::Nothing),
            Next::Nothing => return Err(SaslError::UnexpectedChallenge),
        };
        self.next = next;
        Ok(answer.clone().into_bytes())
    }
}
