//! How much is searched for, and looked at, at a time.

/// Characters of a query that count.
pub const TYPED: usize = 1_000;
/// Terms of a query that count.
pub const TERMS: usize = 30;
/// Stored messages that are read in one go.
pub const PIECE: usize = 2_000;
/// Messages of which what a search looks at is held in memory for the next one; of more only the
/// mailbox that is searched.
pub const HELD: usize = 250_000;
/// Bytes of a message that are looked into: the texts are at its beginning.
pub const INSIDE: usize = 16 << 20;
/// Messages of one mailbox that the server has found and that are fetched so that they can be shown.
pub const FETCHED: usize = 2_000;
/// How many of them at once.
pub const WINDOW: usize = 200;
/// How many of the messages that a server has found it tells at once, where it can do so.
pub const RESULTS: u32 = 5_000;
