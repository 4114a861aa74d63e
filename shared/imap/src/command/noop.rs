//! NOOP (RFC 9051 section 6.1.2).

use super::{Command, encoder::Encoder};

impl Command {
    /// Does nothing, keeps the connection alive, and lets the server tell what is new.
    pub fn noop() -> Self {
        Self::new("NOOP", Encoder::new("NOOP").finish())
    }
}
