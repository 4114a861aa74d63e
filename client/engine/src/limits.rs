//! Sizes that bound what is kept in memory, and times that bound what is waited for.

use std::time::Duration;

/// Stream bytes that the proxy may have on their way to us at first, for one connection.
pub(crate) const WINDOW: u32 = 256 * 1024;

/// How many that may become while more are wanted than fit into a round trip.
pub(crate) const WIDEST_WINDOW: u32 = 4 * 1024 * 1024;

/// How many bytes the windows of all connections may have grown by.
pub(crate) const WINDOWS: u32 = 16 * 1024 * 1024;

/// Stream bytes in one frame that we send.
pub(crate) const FRAME: usize = 64 * 1024;

/// Bytes that may wait in the browser's own buffer before we write more.
pub(crate) const UNSENT: u32 = 1024 * 1024;

/// Certificates that a person trusts for which TLS sessions are kept, so that they can be resumed.
pub(crate) const TRUSTED_CERTIFICATES: usize = 16;

/// Servers that are remembered to want other ciphers than those that are fast here.
pub(crate) const DEMANDING_SERVERS: usize = 64;

/// Intents of one page that a leader remembers, so that one that is repeated is taken once.
pub(crate) const RECENT_INTENTS: usize = 1_000;

/// The longest sentence of the proxy that is shown, in characters.
pub(crate) const PROXY_SENTENCE: usize = 400;

/// How long the browser may take to begin a new log for what is stored; it takes some milliseconds.
pub(crate) const FRESH_LOG_PATIENCE: Duration = Duration::from_secs(3);

/// How long the proxy may take to give a token.
pub(crate) const TOKEN_PATIENCE: Duration = Duration::from_secs(10);

/// How long before a token's time is over it is no longer used: a tunnel takes a moment to open.
pub(crate) const TOKEN_MARGIN: Duration = Duration::from_secs(30);

/// How long the proxy may take to find out which servers an address has: a little longer than it
/// gives itself.
pub(crate) const DISCOVERY_PATIENCE: Duration = Duration::from_secs(30);
