//! NOTIFY (RFC 5465).

use super::{Command, encoder::Encoder};

/// The selected mailbox as without NOTIFY, and of all others of the person what changes in them.
const EVENTS: &str = "(selected-delayed (MessageNew MessageExpunge FlagChange)) \
                      (personal (MessageNew MessageExpunge FlagChange MailboxName))";

impl Command {
    /// Has the server tell of all mailboxes that are a person's own, not of the selected one alone:
    /// of messages that come, go or change with STATUS, and of mailboxes that are made, renamed or
    /// deleted with LIST.
    pub fn notify() -> Self {
        Self::new("NOTIFY", Encoder::new("NOTIFY SET ").text(EVENTS).finish())
    }
}
