//! IMAP: mailboxes, sync, bodies, flags.
