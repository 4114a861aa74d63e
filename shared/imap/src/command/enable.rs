//! ENABLE (RFC 9051 section 6.3.1).

use super::{Command, encoder::Encoder};

impl Command {
    /// Turns extensions on, such as `"CONDSTORE"`.
    pub fn enable(extensions: &[&'static str]) -> Self {
        let parts = Encoder::new("ENABLE ").text(&extensions.join(" ")).finish();
        Self::new("ENABLE", parts)
    }
}
