//! Has the browser begin a new log before anything is written.
//!
//! Chromium keeps IndexedDB in LevelDB, whose newest writes are in a log. A browser that is killed in
//! the middle of a write leaves half a record at the log's end. The next start reads over it, and
//! then goes on writing to the same log, *behind* the half record; the start after that finds damage
//! in the middle of the log, and removes all that the site has stored, old and new. (A version of
//! Chromium that keeps IndexedDB in SQLite has no such log, nor have other browsers.)
//!
//! What breaks the chain is a new log between the first write after a start and the next kill.
//! LevelDB begins one when its memory is full, after some megabytes; and, at once, when it compacts,
//! as Chromium has it do for a database that was deleted. So each start deletes an empty one.
//!
//! Where it can break off, and what is there then:
//!
//! | ended | left | the next start |
//! |---|---|---|
//! | before the first write of this | half a record, if there was one, at the end of the log | reads over it, and does the same again |
//! | before the new log | half a record with a few small ones behind it | Chromium removes everything: the few milliseconds that this leaves of what was hours |
//! | later | nothing of the old log | – |

use futures_util::future::select;
use indexed_db_futures::database::Database;
use postern_mail::Clock;

use crate::{clock::BrowserClock, limits::FRESH_LOG_PATIENCE};

/// Begins a new log where the browser has one; it is the same for all databases of a site.
///
/// A browser that does not let us is no worse off than without this, and says why when the database
/// proper is opened. One that has frozen another page in the middle of this would keep us waiting for as
/// long as it is frozen; the mail does not wait.
pub(super) async fn begin(name: &str) {
    let patience = BrowserClock.sleep(FRESH_LOG_PATIENCE);
    select(std::pin::pin!(delete_empty(name)), std::pin::pin!(patience)).await;
}

/// Makes an empty database and deletes it.
async fn delete_empty(name: &str) {
    let opened = Database::open(format!("{name}-fresh-log")).with_version(1_u32).await;
    if let Ok(Ok(deletion)) = opened.map(Database::delete) {
        let _ = deletion.await;
    }
}
