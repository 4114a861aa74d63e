//! CAPABILITY (RFC 9051 section 6.1.1).

use super::{Command, encoder::Encoder};

impl Command {
    /// Asks what the server can do.
    pub fn capability() -> Self {
        Self::new("CAPABILITY", Encoder::new("CAPABILITY").finish())
    }
}
