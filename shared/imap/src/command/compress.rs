//! COMPRESS (RFC 4978).

use super::{Command, Effect, encoder::Encoder};

impl Command {
    /// Asks to compress the connection in both directions, where the server offers
    /// `COMPRESS=DEFLATE`. When it is answered with OK, the session does so.
    pub fn compress() -> Self {
        let command = Self::new("COMPRESS", Encoder::new("COMPRESS DEFLATE").finish());
        Self { effect: Effect::Compress, ..command }
    }
}
