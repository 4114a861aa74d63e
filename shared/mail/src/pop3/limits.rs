//! Bounds on memory and on what a server may make this browser store.

use std::time::Duration;

/// The largest message that is stored, in bytes; a server that sends more is cut off.
pub const MAX_MESSAGE: u64 = 1 << 30;

/// Messages up to this size are held in memory until they are stored as a whole; of larger ones,
/// this many bytes at a time.
pub const IN_MEMORY: usize = 1 << 20;

/// The largest header that is stored where only that is wanted; what a server sends beyond is left out.
pub const MAX_HEADER: usize = IN_MEMORY;

/// How much of a message is looked at for its header, in bytes. Digests that are stored depend on it.
pub const HEADER: usize = 256 * 1024;

/// How many stored messages with the same header are compared with one that has come.
pub const LOOK_ALIKES: usize = 8;

/// How many rows with the header of what has come are looked at for that; and about how many are compared
/// where something seems to be a copy.
pub const MAX_ALIKE: usize = 256;

/// Of a server that has given a unique id again, so many other messages are compared in one session: the
/// last ones, where new ones come.
pub const NAMESAKES: usize = 10_000;

/// How many rows of the ledger are read at a time.
pub const LEDGER_WINDOW: usize = 2_000;

/// How often in a row a message may break the connection before it is left for a while: the network
/// itself may be bad…
pub const TRIES: u32 = 5;

/// …and for how many milliseconds it is left: six hours.
pub const LEFT: i64 = 6 * 60 * 60 * 1000;

/// How many messages are remembered for having broken the connection.
pub const MAX_TROUBLES: usize = 100;

/// How many leaps of the clock are remembered one by one.
pub const MAX_LEAPS: usize = 16;

/// How many bytes of stored messages are read back before it is looked how long that took…
pub const READ_BACK: u64 = 32 << 20;

/// …and after how many milliseconds the server hears a word.
pub const SILENCE: u64 = 10_000;

/// Several messages are stored in one transaction until they have this many bytes together…
pub const BATCH_BYTES: usize = 4 << 20;

/// …or are this many.
pub const BATCH_MESSAGES: usize = 200;

/// How long a server may say nothing at all.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How long a server may say nothing when it is asked for a list, or to let somebody in: one
/// without an index reads all messages for that, or copies them.
pub const LIST_PATIENCE: Duration = Duration::from_secs(5 * 60);

/// How many seconds the next log-in waits when a server says that this one came too soon, but not
/// how much.
pub const TOO_SOON: u32 = 5 * 60;

/// The most seconds that a server can make the next log-in wait: a day.
pub const MAX_LOGIN_DELAY: u32 = 24 * 60 * 60;

/// How many characters are kept of a server's name for itself.
pub const MAX_IMPLEMENTATION: usize = 100;
