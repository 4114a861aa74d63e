//! Mail as files: written as mbox or zip, read from mbox, single messages and zip, restored.
//!
//! | Module | Job |
//! |---|---|
//! | `export` | a mailbox, an account or everything, written to a [`Sink`] |
//! | `manifest` | what a zip of ours says besides its messages |
//! | `names` | names of files and folders in archives |
//! | `archive` | a zip archive in a source |
//! | `import` | files of any of these kinds, read from a [`Source`] |
//! | `restore` | a zip of ours: accounts, folders, flags and the ledger as they were |
//! | `naming` | folders that have lost their names |
//! | `origins` | of which account of a backup one was made |
//! | `rows` | what the ledgers of the backup and of this store say of the same messages |
//! | `unsent` | messages on their way out |
//! | `landing` | messages on their way into a local mailbox |
//! | `arriving` | the one that is arriving |
//! | `known` | which messages are there already |
//! | `last` | how old the last backup is |
//!
//! **Writing** changes nothing here; a file whose end was never written has no directory, and is
//! refused as no archive. Only what the page says to have saved counts as a backup.
//!
//! **Reading**, crash points, and what reading the same file again makes of each:
//!
//! | After | State | Next |
//! |---|---|---|
//! | chunks of a large message | bytes under a reserved UID, named by a marker | they are removed when the next reading begins |
//! | a batch of messages | record, bytes, place, counts and ledger row of each, all or none; what was downloaded again in between goes with it | each is recognised by its row, or by Message-ID and content, and not stored twice; the server does not send it again |
//! | an account or a folder was made | it is there, empty | it is recognised by its servers or by what it was made of, or by its names |
//! | an account that had lost its settings got those of the backup | it is recognised by its servers |
//! | a folder that had lost its name got that of the backup | it is recognised by its names |
//! | an unsent message | it is in the outbox, uncertain | it is recognised by its Message-ID |
//! | the rows of deleted messages | they will not come again | rows that are there stay as they are |
//!
//! **A message that is moved** while it is written is followed; one that is deleted then ends the writing.
//!
//! **Damage** costs no more than what is damaged. A record that can't be read counts as a message that is
//! missing in the file, and as none when a file is read; a row that can't be read is left out, and written
//! anew. Of a file only the directory and the manifest have to be intact.
//!
//! Restored ledger rows count as unverified: the next download reads the messages back, compares
//! their checksums, and only then may they be deleted anywhere else.

mod archive;
mod arriving;
mod export;
mod import;
mod known;
mod landing;
mod last;
pub mod limits;
mod manifest;
mod names;
mod naming;
mod origins;
mod restore;
mod rows;
mod source;
#[cfg(test)]
pub(crate) mod tests;
mod unsent;

pub use export::export;
pub use import::import;
pub use known::Known;
pub(crate) use landing::discard_partial;
pub use last::{backups, forget_backup, note_saved, note_since, set_reminder};
pub use origins::forget_origin;
pub use restore::Backup;
pub use source::Fetch;

use postern_bridge::Progress;

use crate::MailError;

/// Where a file is written to.
#[allow(async_fn_in_trait, reason = "nothing here is Send, on purpose")]
pub trait Sink {
    /// Takes the file's next bytes; returns when more would be welcome.
    ///
    /// # Errors
    ///
    /// If nobody takes them any more.
    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), MailError>;

    /// How far it is.
    fn progress(&mut self, progress: Progress);
}

/// A file that is read.
#[allow(async_fn_in_trait, reason = "nothing here is Send, on purpose")]
pub trait Source {
    /// Its name.
    fn name(&self) -> &str;

    /// Its size in bytes.
    fn size(&self) -> u64;

    /// Reads from a place on; fewer bytes than asked for only at the file's end.
    ///
    /// # Errors
    ///
    /// If it can't be read any more.
    async fn read(&mut self, offset: u64, length: u32) -> Result<Vec<u8>, MailError>;

    /// How far it is.
    fn progress(&mut self, progress: Progress);
}
