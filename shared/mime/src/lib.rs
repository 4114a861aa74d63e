//! MIME messages: parsed to what a list row and a reading pane show, composed, HTML made safe, text
//! for search.
//!
//! The crate knows nothing of accounts, stores or views. It takes bytes that a hostile sender may
//! have written and never fails on them: broken mail gives less, not an error. Sizes, counts and
//! depths are bounded in [`limits`].

mod compose;
mod encoding;
mod filename;
mod flowed;
mod header;
pub mod html;
mod layout;
pub mod limits;
mod structure;
mod summary;
mod text;
mod view;

pub use compose::{ComposeError, Outgoing, OutgoingAttachment, compose, is_address};
pub use encoding::QuotedPrintable;
pub use header::{decode_date, decode_header, references};
pub use summary::{Summary, preview, summary};
pub use view::{AttachmentInfo, Body, Inside, Part, View, Written, inside, part, view, written};

/// A name and an address from a header.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Address {
    /// The display name, decoded, one line; may be empty.
    pub name: String,
    /// `local@domain`; may be empty in broken mail.
    pub address: String,
}
