//! LOGOUT (RFC 9051 section 6.1.3).

use super::{Command, encoder::Encoder};

impl Command {
    /// Says goodbye; the server answers BYE and closes.
    pub fn logout() -> Self {
        Self::new("LOGOUT", Encoder::new("LOGOUT").finish())
    }
}
