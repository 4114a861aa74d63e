//! Conversations: which messages belong together.
//!
//! | Module | Job |
//! |---|---|
//! | `groups` | things that are joined, and can be taken apart again |
//! | `names` | which ids count, and who wrote |
//! | `conversations` | the messages of an account's mailboxes, as conversations |
//! | `sum` | what is said of a conversation as a whole |
//! | `stored` | stored messages: read into conversations, and their links learnt |
//!
//! This is the grouping of RFC 5256's REFERENCES algorithm without its trees, so that it does not
//! matter in which order messages come, and a message that comes joins in as many steps as it has
//! references; and without its step 5, which joins by subjects. Only ids that can be those of one
//! message count. All ids that one message names are of
//! one conversation, whoever of them is here, and so are messages of one id. Where a server has its
//! own name for the conversation of a message, that alone counts.

mod conversations;
mod groups;
pub mod limits;
mod names;
mod stored;
mod sum;
#[cfg(test)]
mod tests;

pub use conversations::{Clue, Conversations, Head, Listed};
pub use stored::{Read, adopt, read};
pub use sum::{Marks, Sum, Twin};
