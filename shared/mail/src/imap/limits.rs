//! How much an IMAP server may make us hold or do, and how long it may make us wait.

use std::time::Duration;

/// Untagged responses to one command.
pub const RESPONSES: usize = 200_000;
/// Octets of the set of messages in a command, which should have no more than 8,000 in all (RFC 7162
/// section 4).
pub const SET: usize = 7_500;
/// Numbers that are moved up because messages before them are gone; after more, to compare the mailbox
/// takes less time.
pub const MOVED: usize = 500_000_000;
/// Bytes of all untagged responses to one command, without literals that are streamed: a window of a
/// thousand messages passes if each has five hundred recipients, and what is made of it, several times
/// as much, still has room in a browser.
pub const ANSWER: u64 = 64 << 20;
/// How long the server may be silent while it is expected to answer.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// The same while it works on what may take it long in a large mailbox: to open one of which it has
/// nothing at hand, to search one without an index, to copy many messages.
pub const PATIENCE_AT_WORK: Duration = Duration::from_secs(300);
/// How long it may have said nothing before it is asked, ahead of such work, whether it is still there:
/// the connection may have died meanwhile without a word.
pub const QUIET: Duration = Duration::from_secs(10);
/// The commands on which it may work for so long without a word.
const LONG_WORK: [&str; 13] = [
    "APPEND",
    "DELETE",
    "EXAMINE",
    "LIST",
    "RENAME",
    "SELECT",
    "STATUS",
    "UID COPY",
    "UID EXPUNGE",
    "UID MOVE",
    "UID SEARCH",
    "UID STORE",
    "UID THREAD",
];
/// Milliseconds that a server may work on one command while it says next to nothing of substance, such
/// as "still here": a search without an index, or a copy of many messages.
pub const WORK: i64 = 30 * 60 * 1_000;
/// Bytes in a second that must be carried for a command to take longer than that.
pub const BYTES_PER_SECOND: u64 = 1 << 10;
/// Changes that a server tells of one mailbox before they are applied; after more, the mailbox is
/// compared as a whole.
pub const NEWS: usize = 200_000;
/// Bytes that those changes may take up.
pub const NEWS_SIZE: usize = 64 << 20;
/// Bytes that the list of the marks takes up that a mailbox keeps.
pub const PERMANENT_FLAGS: usize = 64 << 10;
/// Bytes of content in the answer to one command.
pub const CONTENT: usize = 64 << 20;
/// Mailboxes of one account; the rest is left out.
pub const MAILBOXES: usize = 5_000;
/// Mailboxes whose counts are asked for one by one, where the server can't tell them in one go.
pub const COUNTED_MAILBOXES: usize = 200;
/// Levels of a mailbox's name; deeper ones are shown as one.
pub const MAILBOX_DEPTH: usize = 30;
/// Messages of one mailbox.
pub const MESSAGES: u64 = 1_000_000;
/// Ranges of UIDs that a server is asked for to empty a mailbox, where it can't tell all in one answer:
/// sixty find one that spoils it.
pub const RANGES: u32 = 1_000;
/// How often a server that does not look at all messages in one go is asked to go on where it
/// stopped.
pub const STOPS: u32 = 1_000;
/// Kinds of nonsense of one server that are told apart.
pub const DEFECTS: usize = 10;
/// How often a server is asked over one connection to tell of all mailboxes, if that is too much for it
/// each time; then they are looked at now and then.
pub const OVERFLOWS: u32 = 3;
/// Texts of one connection that a server wants the person to be told.
pub const ALERTS: usize = 10;
/// Messages whose changes are on their way that are left out when the server counts; of more, the count
/// may be wrong until the next one.
pub const UNSETTLED: usize = 500;
/// Commands that one sync of a mailbox spends on finding the messages that a server refuses to list:
/// twenty find one among a thousand.
pub const HALVES: u32 = 300;
/// Messages of one mailbox that are remembered because the server refuses to list them.
pub const REFUSED: usize = 10_000;
/// For how many milliseconds they are: then each is asked for anew.
pub const REFUSED_FOR: i64 = 24 * 60 * 60 * 1_000;
/// Bytes of the messages of which a server is asked in one go how they begin: it may read all of them.
pub const PREVIEWED: u64 = 8 << 20;
/// Addresses of one header field that a record keeps.
pub const ADDRESSES: usize = 50;
/// Messages that are looked at to find one whose UID is not known.
pub const CANDIDATES: u64 = 5_000;
/// Keywords of one message that a record keeps.
pub const KEYWORDS: usize = 100;
/// Bytes of one header field that a record keeps.
pub const HEADER_FIELD: usize = 4 << 10;
/// Bytes of a message's References that are fetched.
pub const REFERENCES: u32 = 8 << 10;
/// A message of at most this size, in bytes, is fetched whole.
pub const WHOLE_MESSAGE: u64 = 256 << 10;
/// Encoded bytes of a text part that is fetched with its message; of a longer one the beginning.
pub const TEXT_PART: u32 = 1 << 20;
/// Encoded bytes of an inline image that is fetched with its message.
pub const INLINE_IMAGE: u64 = 256 << 10;
/// Encoded bytes of all that is fetched to show a message.
pub const SHOWN: u64 = 4 << 20;
/// Parts of a message that is fetched in parts; one of more is fetched as it is, in windows.
pub const PARTS: usize = 500;
/// Encoded bytes of an attachment.
pub const PART: u64 = 160 << 20;
/// Encoded bytes of an attachment, or of a large message as it is, that are fetched at once.
pub const PART_WINDOW: u32 = 1 << 20;
/// Windows of an attachment: some servers give less than they are asked for, and one that gives crumbs
/// would go on for ever.
pub const PART_WINDOWS: u32 = 4096;
/// Bytes of a message that is fetched as it is, at once or in windows.
pub const MESSAGE: u32 = 64 << 20;
/// Bytes of an account that are fetched before anybody asks for them, when nothing was for a while.
pub const AHEAD: u64 = 16 << 20;
/// How many bytes of that come back in a second.
pub const AHEAD_PER_SECOND: u64 = 128 << 10;
/// How many of a mailbox's newest messages are fetched ahead.
pub const NEWEST: usize = 20;
/// Bytes of a newest message that is fetched ahead; larger ones are not.
pub const NEWEST_MESSAGE: u64 = 256 << 10;
/// Bytes of all newest messages that are fetched ahead in one go.
pub const NEWEST_BYTES: u64 = 2 << 20;

/// How long the server may be silent while it works on these commands.
pub fn patience(under_way: impl IntoIterator<Item = &'static str>) -> Duration {
    let is_long = under_way.into_iter().any(|name| LONG_WORK.contains(&name));
    if is_long { PATIENCE_AT_WORK } else { PATIENCE }
}
