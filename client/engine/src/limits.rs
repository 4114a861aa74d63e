//! Sizes that bound what is kept in memory.

/// Stream bytes that the proxy may have on their way to us, for one connection.
pub(crate) const WINDOW: u32 = 1024 * 1024;

/// Stream bytes in one frame that we send.
pub(crate) const FRAME: usize = 64 * 1024;

/// Bytes that may wait in the browser's own buffer before we write more.
pub(crate) const UNSENT: u32 = 1024 * 1024;

/// Intents of one page that a leader remembers, so that one that is repeated is taken once.
pub(crate) const RECENT_INTENTS: usize = 1_000;

/// The longest sentence of the proxy that is shown, in characters.
pub(crate) const PROXY_SENTENCE: usize = 400;
