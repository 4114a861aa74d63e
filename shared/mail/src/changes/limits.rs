//! How much is changed, kept and moved at a time.

/// Messages of one entry: what one command names, and one batch writes.
pub const ITEMS: usize = 500;
/// Bytes of messages that one batch moves to another place; one message may have more.
pub const BYTES: u64 = 32 << 20;
/// Messages of one change.
pub const SELECTED: usize = 1_000_000;
/// Entries that are kept after they are done, to be taken back.
pub const DONE: usize = 100;
/// Messages by which a mailbox that is to be emptied is known.
pub const SAMPLE: usize = 10;
/// How often an entry may break the connection before it counts as refused.
pub const TRIES: u32 = 5;
/// The first provisional UID. Servers would have to give out four thousand million UIDs in one
/// mailbox to come here; one that does is shown without those messages.
pub const PROVISIONAL: u32 = 0xFF00_0000;
/// Characters of a mailbox's name, and of a keyword.
pub const NAME: usize = 200;
