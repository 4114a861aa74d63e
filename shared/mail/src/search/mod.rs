//! Searching: what was typed, and which of the stored messages it finds.
//!
//! | Module | Job |
//! |---|---|
//! | `parse` | what was typed, as a query; nothing typed is an error |
//! | `query` | what messages must be like; what of it is known of one, and what to ask a server |
//! | `catalogue` | what is looked at of many messages, side by side in memory |
//! | `stored` | stored messages: read into a catalogue, and looked into |
//!
//! A query is judged in three values: of a message whose text is not stored it may be unknown
//! whether it is found. Then only the server can tell.

mod catalogue;
pub mod limits;
mod parse;
mod query;
mod stored;

pub use catalogue::{Catalogue, Seen};
pub use query::{Asked, Query, Rung};
pub use stored::{Reader, admitted, looks_inside};
