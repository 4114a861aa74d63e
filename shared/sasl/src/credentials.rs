//! Who logs in, and how they prove it.

use std::fmt;

/// A user name and a password; `Debug` does not show the password.
#[derive(Clone, Eq, PartialEq)]
pub struct Credentials {
    /// The user name that the server knows (the authentication identity).
    pub username: String,
    /// The password.
    pub password: String,
}

impl Credentials {
    /// A user name and a password.
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self { username: username.into(), password: password.into() }
    }

    /// Whether a NUL byte stands in them: PLAIN could not tell where the user name ends.
    pub(crate) fn contain_nul(&self) -> bool {
        self.username.contains('\0') || self.password.contains('\0')
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
    fn debug_does_not_show_the_password() {
        let shown = format!("{:?}", Credentials::new("ann", "tr0ub4dor"));
        assert!(shown.contains("ann"));
        assert!(!shown.contains("tr0ub4dor"));
    }
}
