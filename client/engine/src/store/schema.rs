//! The database's versions, and the way from each to the next.

use indexed_db_futures::{
    Build,
    database::Database,
    error::{DomException, Error, OpenDbError},
};
use postern_mail::store::{StoreError, Table};

use super::error::{failed, failed_open};

/// The object store that holds the epoch of the one that leads, under an empty key.
///
/// It is apart from the tables, so that a write keeps no reader of a table waiting that it does not
/// write to.
pub(super) const LEAD: &str = "lead";

/// What brings a database from one version to the next.
type Step = fn(&Database) -> Result<(), Error>;

/// The steps from nothing to the newest version.
///
/// Only ever append: people have databases of every version that was once released. A record that
/// earlier code can't read any more, such as one with a new variant, needs a step that keeps that code
/// out: it would take the record for damaged, and make it anew.
const STEPS: [Step; 8] = [
    create_tables,
    add_changes,
    // It takes a POP3 message of which only the header is here for the whole, and would have the
    // server delete it.
    keep_earlier_code_out,
    add_blocks,
    // It does not find a ledger that is in blocks, and would download all mail once more.
    keep_earlier_code_out,
    add_bundles,
    // It does not know the short names in messages' records, and would take them for damaged.
    keep_earlier_code_out,
    // It would take blocks that are compressed for damaged, and does not know of sent messages whose copy
    // the server has refused.
    keep_earlier_code_out,
];

/// The newest version.
pub(super) const NEWEST: usize = STEPS.len();

/// Opens the database of this name in the newest version.
pub(super) async fn open(name: &str) -> Result<Database, StoreError> {
    open_version(name, NEWEST).await
}

/// Opens the database of this name in a version that there is.
pub(super) async fn open_version(name: &str, version: usize) -> Result<Database, StoreError> {
    let number = u32::try_from(version).expect("there are few steps");
    Database::open(name)
        .with_version(number)
        .with_on_upgrade_needed(move |event, database| {
            // Versions are whole numbers; the browser passes them as floating point.
            let found = event.old_version() as usize;
            STEPS[..version].iter().skip(found).try_for_each(|step| step(&database))
        })
        .await
        .map_err(|error| match error {
            OpenDbError::Base(Error::DomException(DomException::Other(error)))
                if error.name() == "VersionError" =>
            {
                StoreError::NewerSchema
            }
            OpenDbError::Base(error) => failed(error),
            error => failed_open(&error),
        })
}

/// Removes the database of this name.
pub(super) async fn erase(name: &str) -> Result<(), StoreError> {
    let request = Database::delete_by_name(name).map_err(|error| failed_open(&error))?;
    request.await.map_err(failed)
}

fn create_tables(database: &Database) -> Result<(), Error> {
    let tables = [
        Table::Meta,
        Table::Accounts,
        Table::Mailboxes,
        Table::Messages,
        Table::Arrival,
        Table::Bodies,
        Table::Ledger,
        Table::Outbox,
    ];
    for name in tables.map(Table::name).into_iter().chain([LEAD]) {
        database.create_object_store(name).build()?;
    }
    Ok(())
}

/// The queue of changes.
fn add_changes(database: &Database) -> Result<(), Error> {
    database.create_object_store(Table::Changes.name()).build()?;
    Ok(())
}

/// Nothing in the object stores changes, but code of before this version must not write to them.
fn keep_earlier_code_out(_: &Database) -> Result<(), Error> {
    Ok(())
}

/// Small rows come into blocks, which earlier code would not find: see [`postern_mail::store::Packed`],
/// which takes them there.
fn add_blocks(database: &Database) -> Result<(), Error> {
    for table in [Table::Blocks, Table::Directory] {
        database.create_object_store(table.name()).build()?;
    }
    Ok(())
}

/// The bytes of messages that come together are stored together, where earlier code would not find
/// them; what is there stays where it is.
fn add_bundles(database: &Database) -> Result<(), Error> {
    for table in [Table::Bundles, Table::Contents] {
        database.create_object_store(table.name()).build()?;
    }
    Ok(())
}
