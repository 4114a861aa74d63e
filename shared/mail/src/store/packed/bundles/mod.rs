//! The bytes of messages that were stored together, in bundles.
//!
//! A download brings thousands of messages of some kilobytes, and large ones in chunks. So the rows of
//! `Bodies` that come in one strict batch are stored as entries of `Bundles` of some hundred kilobytes,
//! encoded as a block is, under the last of their keys: as files, which Chromium writes once, and not
//! again with each compaction of its database. `Contents` has, under the same key, the keys of the rows
//! that are still there. All others are entries of `Bodies`: those that are too few, and those of
//! earlier versions, which stay where they are.
//!
//! **Order.** All rows of a bundle lie behind the last key of the bundle before it, so that the only
//! bundle that can have a key is the first that does not end before it. Rows of a batch that would lie
//! between those of a bundle are stored one by one. A key is in one place only.
//!
//! **Crash points.** A file is not part of the database's log. A batch that is not strict may be lost
//! with the power when what it did to files is not: so no bundle comes or goes but in a strict one, which
//! Chromium begins with the new files, on the disk, and ends with the removal of old ones. Rows of other
//! batches are entries of `Bodies`.
//!
//! **What goes.** A row that goes is struck off the contents, which needs hardly any room. A bundle of
//! which less than half is left then is written anew in a batch that follows, and a few at a time; if that
//! does not come about, it takes up more room than it needs, until the next row of it goes.
//!
//! **Damage.** Of a bundle that can't be read, the contents still know the keys: its rows are empty,
//! which no stored row of a message is, so that whoever looks at them finds them damaged. It is thrown
//! away only when all of its rows go. Where contents are damaged, the bundle tells its keys itself, also
//! those that were struck off.

mod contents;
mod edit;
mod look;
#[cfg(test)]
pub(super) mod tests;

pub(super) use edit::{Outcome, anew, writes};
pub(super) use look::{Look, Recent};
