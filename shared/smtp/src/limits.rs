//! Every bound on what a server controls, and on what one conversation asks of it.

/// The longest line of a reply, in bytes, its end included. RFC 5321 section 4.5.3.1.5 allows 512;
/// servers put whole policies there.
pub const MAX_LINE: usize = 4096;

/// The most lines of one reply.
pub const MAX_REPLY_LINES: usize = 256;

/// The most challenges in one authentication.
pub const MAX_CHALLENGES: usize = 8;

/// How many recipients are on their way at once when the server offers PIPELINING: enough to hide
/// the round trip, few enough that their bytes never fill a server's input buffer (RFC 2920
/// section 3.1).
pub const MAX_RECIPIENTS_IN_FLIGHT: usize = 50;

/// The longest address, in bytes (RFC 5321 section 4.5.3.1.3, without the angle brackets).
pub const MAX_ADDRESS: usize = 254;
