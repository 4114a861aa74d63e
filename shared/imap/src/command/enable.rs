//! ENABLE (RFC 9051 section 6.3.1, RFC 5161).

use super::{Command, encoder::Encoder};

impl Command {
    /// Turns extensions on, such as `"QRESYNC"`. Those that took effect come back as
    /// [`Response::Enabled`](crate::Response::Enabled).
    pub fn enable(extensions: &[&'static str]) -> Self {
        let parts = Encoder::new("ENABLE ").text(&extensions.join(" ")).finish();
        Self::new("ENABLE", parts)
    }
}
