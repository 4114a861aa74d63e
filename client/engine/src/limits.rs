//! Sizes that bound what a connection keeps in memory.

/// Stream bytes that the proxy may have on their way to us, for one connection.
pub(crate) const WINDOW: u32 = 1024 * 1024;

/// Stream bytes in one frame that we send.
pub(crate) const FRAME: usize = 64 * 1024;

/// Bytes that may wait in the browser's own buffer before we write more.
pub(crate) const UNSENT: u32 = 1024 * 1024;
