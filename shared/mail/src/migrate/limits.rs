//! How much is asked at once, and how often in vain.

/// Messages that are listed in one go.
pub const WINDOW: usize = 500;

/// So many letters of an address or a subject tell messages apart: fewer than any server tells.
pub const LETTERS: usize = 100;

/// So many messages may be refused one after the other: a server that refuses more takes none.
pub const REFUSALS: u32 = 20;

/// So many messages go to the server in one command, if it takes several.
pub const TOGETHER: usize = 50;

/// So many bytes go to the server in one command, unless a single message has more: that much is
/// sent once more if the connection is lost.
pub const TOGETHER_BYTES: u64 = 1 << 20;
