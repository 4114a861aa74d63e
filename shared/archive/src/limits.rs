//! How much a file may make us hold.

/// The longest line, in bytes, that is looked at as a whole: longer ones are part of a message and
/// no separator.
pub const LINE: usize = 8 * 1024;

/// How much of a message's header is searched for its length and its flags, in bytes.
pub const HEADER: usize = 256 * 1024;

/// The most keywords that are taken from a header.
pub const KEYWORDS: usize = 64;

/// The most entries of a zip archive.
pub const ZIP_ENTRIES: u64 = 2_000_000;

/// The largest directory of a zip archive, in bytes.
pub const ZIP_DIRECTORY: u64 = 1 << 30;

/// The largest content of an entry that is written, in bytes: more would need another format.
pub const ZIP_CONTENT: u64 = u32::MAX as u64 - 1;

/// The most bytes that one step of inflating gives.
pub const ZIP_STEP: usize = 256 * 1024;
