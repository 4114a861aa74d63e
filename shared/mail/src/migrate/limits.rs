//! How much is asked or sent at once.

/// Messages that are listed in one go.
pub const WINDOW: usize = 500;

/// The largest message that is sent, in bytes.
pub const MESSAGE: u64 = 64 << 20;
