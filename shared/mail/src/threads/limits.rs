//! How much of what messages say about conversations is looked at and held.

/// Bytes of the ids of one message's references that a record keeps.
pub const REFERENCES: usize = 4 << 10;
/// Names of messages and conversations that are held in memory; what would need more is
/// in no conversation but those it is known to be in.
pub const NAMES: usize = 1_000_000;
/// Stored messages that are read in one go.
pub const PIECE: usize = 2_000;
/// Messages of an earlier version whose headers are read in one go.
pub const ADOPTED: usize = 200;
/// Records that are held so that rows can be told again without reading them.
pub const HELD: usize = 2_000;
/// Messages of one conversation, the newest, that are shown when it is opened. Its row is made of
/// all of them: of as many as a mailbox may have.
pub const SHOWN: usize = 300;
/// Messages of a mailbox whose conversations a server is asked for; of more it might think too long.
pub const ASKED: u32 = 20_000;
