//! POP3: download, ledger, retention.
//!
//! A message is stored here durably, read back and verified before the server may be asked to
//! delete it, and it counts as deleted only when the server has answered QUIT, or no longer lists
//! it. The module `stages` is the state machine, and says what an interruption at each step leads to.

mod commit;
mod compare;
mod deletion;
mod download;
mod elapsed;
mod fetch;
mod header;
mod identity;
mod intake;
mod ledger;
pub mod limits;
mod listing;
mod mailboxes;
mod namesakes;
mod notes;
mod plan;
mod read_back;
mod received;
mod retention;
mod row;
mod safety;
mod server;
mod stages;
mod storing;
mod taking;
mod trouble;
mod unnamed;
mod verify;

#[cfg(test)]
pub(crate) mod tests;

use download::count;
pub use download::{DownloadReport, DownloadStep, Job, download};
pub use elapsed::Elapsed;
pub use mailboxes::create_local_mailboxes;
pub(crate) use mailboxes::{LOCAL, local_mailbox};
pub use notes::ServerNotes;
pub use retention::{Safety, due, preview};
#[cfg(test)]
pub(crate) use row::tests::row;
pub use row::{LedgerRow, doubt, row_of, rows, want_whole};
pub use safety::{is_public_computer, note_public_computer};

use postern_bridge::ServerLogin;
use postern_pop3::{Command, Event};

use crate::{Host, MailError, Secret, connection::Tested, pop3::server::Server};

/// A day in milliseconds.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// Logs in, looks, and leaves everything as it was.
///
/// # Errors
///
/// If the server can't be reached, refuses the log-in or does not speak POP3.
pub async fn test<H: Host>(
    host: &H,
    login: &ServerLogin,
    password: &Secret,
) -> Result<Tested, MailError> {
    let mut server = Server::open(host, login, password).await?;
    server.start(Command::Stat)?;
    let answer = server.next_within(limits::LIST_PATIENCE, "the number of messages").await?;
    let count = match answer {
        Event::Status { count, .. } => count,
        other => return Err(server::unexpected(&other, "count the messages")),
    };
    let session = server.tls();
    let mut notes = ServerNotes::default();
    notes.logged_in(&server.offers, host.now());
    // Nothing depends on a polite end.
    let _ = server.ask(Command::Quit, "the end of the session").await;
    server.close().await;
    let found = match count {
        0 => "POP3 log-in works; no messages are on the server.".into(),
        1 => "POP3 log-in works; 1 message is on the server.".into(),
        _ => format!("POP3 log-in works; {count} messages are on the server."),
    };
    Ok(Tested { found, session, pop3: Some(notes) })
}
