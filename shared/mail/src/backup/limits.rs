//! Bounds on what a file may make us hold or store.

/// How much of a file is written or read at a time, in bytes.
pub const PIECE: u32 = 256 * 1024;

/// How much of a file's start tells whether it is mail, in bytes.
pub const START: usize = 4 * 1024;

/// The largest message that is read, in bytes.
pub const MESSAGE: u64 = 1 << 30;

/// Messages up to this size are held in memory until they are stored as a whole; of larger ones,
/// this many bytes at a time.
pub const IN_MEMORY: usize = 1 << 20;

/// Several messages are stored in one transaction until they have this many bytes together…
pub const BATCH_BYTES: usize = 2 << 20;

/// …or are this many.
pub const BATCH_MESSAGES: usize = 200;

/// What an archive holds may have so many times its own size: mail has a tenth of its size in one, and
/// what has a thousandth of it was made to fill the disk…
pub const EXPANSION: u64 = 200;

/// …or at least so many bytes.
pub const EXPANDED: u64 = 256 << 20;

/// The largest manifest and the largest part of a ledger, in bytes.
pub const RECORDS: u64 = 64 << 20;

/// How many ledger rows one part has.
pub const LEDGER_PART: usize = 2_000;

/// How many ledger rows of one backup are read: of what the server has beyond that, a restored
/// account downloads a second copy.
pub const LEDGER_ROWS: usize = 500_000;

/// How many problems are told by name.
pub const PROBLEMS: usize = 20;

/// Accounts of one backup.
pub const ACCOUNTS: usize = 200;

/// Folders of one account in a backup: more than an IMAP server's are taken, since there may be made
/// others.
pub const FOLDERS: usize = 10_000;
const _: () = assert!(FOLDERS > crate::imap::limits::MAILBOXES);

/// Keywords of one message.
pub const KEYWORDS: usize = 100;

/// Unsent messages that a backup may bring back.
pub const UNSENT: usize = 1_000;
