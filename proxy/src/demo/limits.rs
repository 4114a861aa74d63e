//! What a client may send to the demo server before it is told to stop.

/// Bytes in one command line, without its line end.
pub(super) const LINE: usize = 16 * 1024;
/// Bytes in one IMAP command with all its literals, other than APPEND's message.
pub(super) const COMMAND: usize = 64 * 1024;
/// Bytes in one message, appended or submitted.
pub(super) const MESSAGE: usize = 64 * 1024 * 1024;
/// Recipients of one submitted message.
pub(super) const RECIPIENTS: usize = 1000;
/// Failed attempts to log in on one connection.
pub(super) const LOGIN_ATTEMPTS: usize = 5;
/// Commands that the server does not understand, in a row, on one connection.
pub(super) const BAD_COMMANDS: usize = 20;
/// Depth of nested parentheses, NOTs and ORs in one IMAP command.
pub(super) const NESTING: usize = 16;
/// Depth of nested parts in a message whose structure is told.
pub(super) const PART_DEPTH: usize = 24;
/// Messages within messages that are parsed; one with more is shown as text.
pub(super) const EMBEDDED_MESSAGES: usize = 200;
/// Mailboxes of the account.
pub(super) const MAILBOXES: usize = 1000;
/// Bytes in the name of a mailbox.
pub(super) const MAILBOX_NAME: usize = 512;
/// Bytes kept before an answer is handed to the socket.
pub(super) const ANSWER_BUFFER: usize = 64 * 1024;
