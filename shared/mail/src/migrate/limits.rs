//! How much is asked at once, and how often in vain.

/// Messages that are listed in one go.
pub const WINDOW: usize = 500;

/// So many messages may be refused one after the other: a server that refuses more takes none.
pub const REFUSALS: u32 = 20;
