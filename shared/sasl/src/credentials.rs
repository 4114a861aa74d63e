//! Who logs in, and how they prove it.

use std::fmt;

/// A user name and what proves it; `Debug` does not show the secret.
#[derive(Clone, Eq, PartialEq)]
pub struct Credentials {
    /// The user name that the server knows (the authentication identity).
    pub username: String,
    pub(crate) secret: String,
    pub(crate) kind: SecretKind,
}

/// What proves a user name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SecretKind {
    Password,
    Token,
}

impl Credentials {
    /// A user name and a password.
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self { username: username.into(), secret: password.into(), kind: SecretKind::Password }
    }

    /// A user name and an OAuth 2.0 access token.
    pub fn with_token(username: impl Into<String>, token: impl Into<String>) -> Self {
        Self { username: username.into(), secret: token.into(), kind: SecretKind::Token }
    }

    /// The password, for a protocol's own log-in command; `None` if it is a token, which must never
    /// be sent as one.
    pub fn password(&self) -> Option<&str> {
        (self.kind == SecretKind::Password).then_some(&self.secret)
    }

    /// Whether a NUL byte stands in them: PLAIN could not tell where the user name ends.
    pub(crate) fn contain_nul(&self) -> bool {
        self.username.contains('\0') || self.secret.contains('\0')
    }

    /// Whether a control character stands in them: the messages with a token are made of lines that
    /// end in one.
    pub(crate) fn contain_control(&self) -> bool {
        self.username.contains(char::is_control) || self.secret.contains(char::is_control)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_show_the_secret() {
        for credentials in
            [Credentials::new("ann", "tr0ub4dor"), Credentials::with_token("ann", "tr0ub4dor")]
        {
            let shown = format!("{credentials:?}");
            assert!(shown.contains("ann"));
            assert!(!shown.contains("tr0ub4dor"));
        }
    }

    #[test]
    fn a_token_is_no_password() {
        assert_eq!(Credentials::new("ann", "pw").password(), Some("pw"));
        assert_eq!(Credentials::with_token("ann", "pw").password(), None);
    }
}
