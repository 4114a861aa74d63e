//! Has the browser begin a new log before anything is written.
//!
//! Chromium keeps IndexedDB in LevelDB, whose newest writes are in a log. A browser that is killed in
//! the middle of a write leaves half a record at the log's end. The next start reads over it, and
//! then goes on writing to the same log, *behind* the half record; the start after that finds damage
//! in the middle of the log, and removes all that the site has stored, old and new. (A version of
//! Chromium that keeps IndexedDB in SQLite has no such log, nor have other browsers.)
//!
//! What breaks the chain is a new log between the first write after a start and the next kill.
//! LevelDB begins one when its memory is full, after some megabytes; and when it compacts, as Chromium
//! has it do in the background for a database that was deleted. So each start deletes an empty one,
//! before it writes anything else.
//!
//! Where it can break off, and what is there then:
//!
//! | ended | left | the next start |
//! |---|---|---|
//! | before the first write of this | half a record, if there was one, at the end of the log | reads over it, and does the same again |
//! | before the old log is gone | half a record with others behind it | Chromium removes everything, as without this. What was hours, or days, is some milliseconds; more on a busy machine, and nothing tells us when it is over |
//! | later | nothing of the old log | – |
//!
//! Against what is left only a backup helps; the page tells that the mail is gone, and how it comes back.

use futures_channel::oneshot;
use futures_util::future::select;
use indexed_db_futures::database::Database;
use postern_mail::Clock;
use wasm_bindgen_futures::spawn_local;

use crate::{clock::BrowserClock, limits::FRESH_LOG_PATIENCE};

/// Has a new log begun where the browser has one; it is the same for all databases of a site.
///
/// A browser that does not let us is no worse off than without this, and says why when the database
/// proper is opened. One that has frozen another page in the middle of this would keep us waiting for as
/// long as it is frozen: the mail does not wait, and is as safe as without this until it has begun.
pub(super) async fn begin(name: &str) {
    let (ended, end) = oneshot::channel();
    let empty = format!("{name}-fresh-log");
    // It ends by itself, so that nothing stays open that the next one would have to wait for.
    spawn_local(async move {
        if let Ok(Ok(deletion)) =
            Database::open(empty).with_version(1_u32).await.map(Database::delete)
        {
            let _ = deletion.await;
        }
        // Nobody listens when it took too long.
        let _ = ended.send(());
    });
    let patience = BrowserClock.sleep(FRESH_LOG_PATIENCE);
    select(end, std::pin::pin!(patience)).await;
}
