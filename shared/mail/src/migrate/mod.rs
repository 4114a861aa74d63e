//! Local folders, copied to an IMAP account.
//!
//! Nothing is deleted here. Which messages the server has is asked of the server itself, before each
//! of its mailboxes is filled and after it: so that a copy which broke off is done again without harm,
//! and none counts as copied that the server does not list. Local folders that go to one mailbox are
//! counted together.
//!
//! | After | State | Next |
//! |---|---|---|
//! | the plan was stored | nothing is copied | the next start begins |
//! | CREATE, no answer | the folder is there, or not | a folder that is there is used |
//! | APPEND, no answer | the messages are there, or not | the mailbox is listed again: what has its Message-ID is not sent again |
//! | a mailbox, before the next | its messages are there | they are listed, and left out |
//! | the last mailbox was compared | all is there | the plan is removed |
//!
//! A message without a Message-ID is recognised by the second in which it arrived, which APPEND
//! hands on. As often as a message is here it is there in the end.
//!
//! A copy may go to the mailbox that POP3 has downloaded from, for what is not there any more. What the
//! ledger says is there still is not sent to that inbox if it has no Message-ID: it arrived there when it
//! was delivered, which POP3 does not tell, so that it would be doubled with each copy. Whether the
//! server has it counts as not known.

mod copy;
pub mod limits;
mod plan;
#[cfg(test)]
mod tests;

pub use copy::{Copied, CopyStep, copy};
pub use plan::{forget_plan, plans, store_plan};

use crate::record::Message;

/// What tells a message from others, here and on the server: its Message-ID, or else when it arrived.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Likeness(String);

impl Likeness {
    /// That of a message that is stored here.
    pub(crate) fn of_message(message: &Message) -> Self {
        Self::of(&message.message_id, message.arrived.max(0) / 1000)
    }

    /// That of a message that arrived in this second since 1970 (UTC).
    pub(crate) fn of(message_id: &str, seconds: i64) -> Self {
        if message_id.is_empty() { Self(format!(" {seconds}")) } else { Self(message_id.into()) }
    }
}
