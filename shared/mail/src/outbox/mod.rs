//! Messages on their way out.
//!
//! [`enqueue`] composes a message once, with its Message-ID and Date, and stores it. [`transmit`]
//! hands it to the submission server. What is handed over twice is read twice, so the point of no
//! return is stored *before* it is passed:
//!
//! | State | Known | If the page dies there |
//! |---|---|---|
//! | `Queued` | the server does not have it | it waits |
//! | `Sending` | the final dot is not written | back to `Queued` |
//! | `Committing` | the dot may be written | `Uncertain` |
//! | `Uncertain` | the server may have it | it waits for the person |
//! | `Sent` | the server has it | the copy in Sent is still to be filed, unless `filed` |
//! | `Failed` | the server refused it | it waits for the person |
//! | `Unfiled` | the server has it, and refused the copy in Sent | it waits for the person |
//!
//! Only [`retry`], which is the person's decision, leads out of `Uncertain`, `Failed` and `Unfiled`.
//! What is `Queued` stays so until the next try, and can be dropped like those.

mod enqueue;
mod entry;
mod file;
pub mod limits;
mod server;
mod transmit;

#[cfg(test)]
pub(crate) mod tests;

pub(crate) use enqueue::restore;
pub use enqueue::{compose_draft, enqueue};
pub use entry::{Entry, State, discard, entries, mark_filed, mark_unfiled, raw, recover, retry};
pub use file::{entries_of, file_locally, to_file};
pub use transmit::transmit;

use postern_bridge::ServerLogin;

use crate::{Host, MailError, Secret, connection::Tested, outbox::server::Server};

/// Logs in and says goodbye.
///
/// # Errors
///
/// If the server can't be reached, refuses the log-in or does not speak SMTP.
pub async fn test<H: Host>(
    host: &H,
    login: &ServerLogin,
    password: &Secret,
) -> Result<Tested, MailError> {
    let server = Server::open(host, login, password).await?;
    let session = server.connection.tls();
    let logged_in = server.logged_in;
    server.quit().await;
    let found = if logged_in {
        "SMTP log-in works; the server takes mail."
    } else {
        "The SMTP server answers; it asks for no log-in."
    };
    Ok(Tested { found: found.into(), session, pop3: None })
}
