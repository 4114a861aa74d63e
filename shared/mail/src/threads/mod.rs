//! Conversations: which messages belong together.
//!
//! | Module | Job |
//! |---|---|
//! | `groups` | things that are joined, and can be taken apart again |
//! | `conversations` | the messages of an account's mailboxes, as conversations |
//! | `stored` | stored messages: read into conversations, and their links learnt |
//!
//! This is the grouping of RFC 5256's REFERENCES algorithm without its trees, so that it does not
//! matter in which order messages come, and a message that comes joins in as many steps as it has
//! references; and without its step 5, which joins by subjects. All ids that one message names are of
//! one conversation, whoever of them is here, and so are messages of one id. Where a server has its
//! own name for the conversation of a message, that alone counts.

mod conversations;
mod groups;
pub mod limits;
mod stored;
#[cfg(test)]
mod tests;

pub use conversations::{Clue, Conversations, Head};
pub use stored::{Read, adopt, read};
