//! What is stored in this browser, how safe it is there, and copies of it on the disk.

mod copy;
mod damaged;
mod dialog;
mod lost;
mod notice;
mod page;
mod progress;
mod read;
mod room;
mod save;

pub(super) use damaged::Damaged;
pub(super) use dialog::{ImportInto, SaveFolder};
pub(super) use lost::{Lost, RestoreFirst};
pub(super) use notice::{KeepFirst, StorageNotice};
pub(super) use page::{StorageCard, StoragePage};
