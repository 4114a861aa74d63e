//! Local folders, copied to an IMAP account.
//!
//! Nothing is deleted here. Which messages the server has is asked of the server itself, before
//! each of its mailboxes is filled and after it: so that a copy which broke off is done again
//! without harm, and none counts as copied that the server does not list. Local folders that go to
//! one mailbox are counted together.
//!
//! | After | State | Next |
//! |---|---|---|
//! | the plan was stored | nothing is copied | the next start begins |
//! | CREATE, no answer | the folder is there, or not | a folder that is there is used |
//! | APPEND, no answer | the messages are there, or not | the mailbox is listed again: what is recognised, or may be it, is not sent again |
//! | a mailbox, before the next | its messages are there | they are listed, and left out |
//! | the last mailbox was compared | all is there | the plan is removed |
//!
//! A message without a Message-ID is recognised by when it was sent, or else by when it arrived,
//! which APPEND hands on, and by its sender and its subject. As often as a message is here it is
//! there in the end.
//!
//! A server may tell a message otherwise than it is: 8-bit letters in a header may come back as
//! others, and an address without a domain with one. So one without a Message-ID is not sent where
//! another one without arrived in the very second and has its sender or its subject: it may have
//! been sent before. Neither does it count as there, and nor does one that was sent and is told so:
//! that could not be checked.
//!
//! A copy may go to the mailbox that POP3 has downloaded from, for what is not there any more. What
//! the ledger says is there still and is not recognised is not sent to that inbox if it has no
//! Message-ID: it arrived there when it was delivered, which POP3 does not tell, so that it would
//! be doubled with each copy. Whether the server has it counts as not known.

mod copy;
mod likeness;
pub mod limits;
mod plan;
#[cfg(test)]
mod tests;

pub use copy::{Copied, CopyStep, copy};
pub(crate) use likeness::{Likeness, Present};
pub use plan::{forget_plan, plans, store_plan};
