//! NAMESPACE (RFC 9051 section 6.3.10, RFC 2342).

use super::{Command, encoder::Encoder};

impl Command {
    /// Asks where whose mailboxes are.
    pub fn namespace() -> Self {
        Self::new("NAMESPACE", Encoder::new("NAMESPACE").finish())
    }
}
