//! Every bound on what a server controls.

/// The longest line of a status or a list, in bytes, its end included. RFC 2449 section 4 allows
/// 512; servers put whole sentences and long unique ids there.
pub const MAX_LINE: usize = 4096;

/// The most lines of an answer to CAPA.
pub const MAX_CAPABILITIES: usize = 256;

/// The most messages that LIST or UIDL may name.
pub const MAX_MESSAGES: usize = 500_000;

/// The longest unique id, in bytes. RFC 1939 section 7 allows 70; some servers need more.
pub const MAX_UNIQUE_ID: usize = 255;

/// The most bytes of all unique ids together: those of [`MAX_MESSAGES`] at the length that RFC 1939
/// allows.
pub const MAX_UNIQUE_IDS: usize = MAX_MESSAGES * 70;

/// How many commands are on their way at once when the server offers PIPELINING: enough that a
/// server has something to do while a batch of messages is stored, few enough that their bytes (some
/// 2 kB) never fill its input buffer.
pub const MAX_IN_FLIGHT: usize = 128;

/// The most challenges in one authentication.
pub const MAX_CHALLENGES: usize = 8;
