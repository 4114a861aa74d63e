//! What an account may not do with the messages of a mailbox, as far as its server tells.
//!
//! A person is refused it before anything is done. What follows from something else, such as a draft that
//! takes the place of an earlier one, is not looked at here: nothing that was typed may get lost for that,
//! and the server has the last word.

use postern_bridge::Mark;

use super::editor::name;
use crate::{MailError, record::Mailbox};

/// Refuses to give or take a mark in a mailbox where this account may not.
pub(crate) fn check_marking(mailbox: &Mailbox, mark: &Mark) -> Result<(), MailError> {
    if mailbox.may_mark(mark) { Ok(()) } else { Err(refused(mailbox)) }
}

/// Refuses to take messages out of a mailbox of which this account may take none away.
pub(crate) fn check_removal(mailbox: &Mailbox) -> Result<(), MailError> {
    if mailbox.may_remove() { Ok(()) } else { Err(refused(mailbox)) }
}

fn refused(mailbox: &Mailbox) -> MailError {
    MailError::Input(format!(
        "This account may not do that in “{}”: its messages stay there, as they are. They can be copied \
         to another folder. Whoever shares this one with you can allow more.",
        name(mailbox)
    ))
}
