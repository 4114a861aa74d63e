//! Bounds on memory and on what a server may make this browser store.

use std::time::Duration;

use crate::record::CHUNK;

/// The largest message that is stored, in bytes; a server that sends more is cut off.
pub const MAX_MESSAGE: u64 = 1 << 30;

/// Messages up to this size are held in memory until they are stored as a whole; of larger ones,
/// this many bytes at a time.
pub const IN_MEMORY: usize = 4 * CHUNK;

/// The largest header that is stored where only that is wanted; what a server sends beyond is left out.
pub const MAX_HEADER: usize = IN_MEMORY;

/// How many stored messages with the same header are compared with one that has come.
pub const LOOK_ALIKES: usize = 8;

/// Several messages are stored in one transaction until they have this many bytes together…
pub const BATCH_BYTES: usize = 4 << 20;

/// …or are this many.
pub const BATCH_MESSAGES: usize = 200;

/// How long a server may say nothing at all.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How many seconds the next log-in waits when a server says that this one came too soon, but not
/// how much.
pub const TOO_SOON: u32 = 5 * 60;

/// The most seconds that a server can make the next log-in wait: a day.
pub const MAX_LOGIN_DELAY: u32 = 24 * 60 * 60;

/// How many characters are kept of a server's name for itself.
pub const MAX_IMPLEMENTATION: usize = 100;
