//! The download: from the server's list to its answer to QUIT.
//!
//! Each step, and what the next download does if this one ends there:
//!
//! 1. *Connect, log in, list.* Nothing has changed.
//! 2. *Receive messages.* Small ones are in memory only. Bytes of a large one are in the store
//!    under a reserved UID without a record, and a marker names them: they are removed.
//! 3. *Store*: one strict batch makes record, bytes, ledger row and counts visible. Before it the
//!    message is only on the server and comes again; after it the ledger knows it.
//! 4. *Read back and verify.* An unverified row is verified first of all; if it does not match, it
//!    is forgotten and the message comes again. Nothing unverified is ever deleted on the server.
//! 5. *Note that a deletion is asked, DELE.* The server deletes nothing before QUIT; the message is
//!    still listed and due again.
//! 6. *QUIT.* If its answer is lost, the next list tells: gone means deleted, listed means due
//!    again.
//! 7. *Note the confirmed deletion.* As in 6.
//!
//! So at any moment each message is on the server or verified here, and none is here twice.

use std::collections::BTreeMap;

use postern_bridge::{MailboxId, TlsSession};
use postern_pop3::{Command, Event, Request};

use super::{
    due,
    intake::{Incoming, Place, Received, commit},
    ledger::Ledger,
    limits::{BATCH_BYTES, BATCH_MESSAGES},
    listing::{Listed, listing},
    server::{Server, unexpected},
};
use crate::{Host, MailError, Secret, record::Account, store::Durability};

/// How far a download is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DownloadStep {
    /// The log-in worked.
    LoggedIn {
        /// What protects the connection.
        session: Option<TlsSession>,
    },
    /// The server was asked: so many messages will be fetched.
    Found {
        /// Messages to fetch.
        new: u32,
    },
    /// More messages were fetched; the new ones among them are stored and may be shown.
    Stored {
        /// Messages fetched so far.
        done: u32,
        /// Messages to fetch.
        new: u32,
    },
    /// The server is being asked to delete so many messages.
    Deleting {
        /// Messages to delete.
        count: u32,
    },
}

/// What a download did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct DownloadReport {
    /// Messages on the server when it was asked.
    pub on_server: u32,
    /// Messages that are stored here now and were not before.
    pub downloaded: u32,
    /// Messages that the server did not hand out.
    pub withheld: u32,
    /// Messages that the server has deleted.
    pub deleted: u32,
    /// Messages without a usable unique id: fetched each time to be recognised, never deleted.
    pub unidentified: u32,
}

/// Downloads what is new into `inbox`, then deletes on the server what the account's policy says.
///
/// See the module's text for what happens if it ends early. Must not run twice at a time for one
/// account.
///
/// # Errors
///
/// Whatever ended it; what was stored before stays. With a full store
/// ([`StoreError::QuotaExceeded`](crate::store::StoreError::QuotaExceeded)) nothing more is fetched
/// and nothing is deleted.
pub async fn download<H: Host>(
    host: &H,
    account: &Account,
    password: &Secret,
    inbox: MailboxId,
    progress: &mut dyn FnMut(DownloadStep),
) -> Result<DownloadReport, MailError> {
    let store = host.store();
    let place = Place { account: account.id, inbox };
    place.discard_partial(store).await?;
    let mut ledger = Ledger::load(store, account.id).await?;
    ledger.verify_rest(store, host.now()).await?;

    let mut server = Server::open(host, &account.incoming, password).await?;
    progress(DownloadStep::LoggedIn { session: server.tls() });
    let outcome = run(host, account, place, &mut server, &mut ledger, progress).await;
    server.close().await;
    outcome
}

/// A download from the list on.
async fn run<H: Host>(
    host: &H,
    account: &Account,
    place: Place,
    server: &mut Server<'_, H>,
    ledger: &mut Ledger,
    progress: &mut dyn FnMut(DownloadStep),
) -> Result<DownloadReport, MailError> {
    let listing = listing(server).await?;
    let seen = host.now();
    ledger.settle_deletions(host.store(), &listing, seen).await?;
    let mut report = DownloadReport {
        on_server: count(&listing),
        unidentified: count(listing.iter().filter(|listed| listed.uidl.is_none())),
        ..DownloadReport::default()
    };
    let new: Vec<Listed> = listing.iter().filter(|listed| !ledger.knows(listed)).cloned().collect();
    progress(DownloadStep::Found { new: count(&new) });
    let mut fetch = Fetch { host, place, ledger, report: &mut report, pending: Vec::new() };
    fetch.run(server, &new, seen, progress).await?;
    report.deleted = delete_due(host, account, server, ledger, &listing, progress).await?;
    Ok(report)
}

/// Fetching, with what waits to be stored.
struct Fetch<'a, H> {
    host: &'a H,
    place: Place,
    ledger: &'a mut Ledger,
    report: &'a mut DownloadReport,
    pending: Vec<Received>,
}

impl<H: Host> Fetch<'_, H> {
    async fn run(
        &mut self,
        server: &mut Server<'_, H>,
        new: &[Listed],
        seen: i64,
        progress: &mut dyn FnMut(DownloadStep),
    ) -> Result<(), MailError> {
        for listed in new {
            server.start(Command::Retr(listed.number))?;
        }
        let total = count(new);
        for (listed, done) in new.iter().zip(1..) {
            match self.receive(server, listed).await {
                Ok(Some(received)) => self.take(received).await?,
                Ok(None) => self.report.withheld += 1,
                Err(MailError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    // What did arrive need not be fetched again.
                    self.flush(seen).await?;
                    return Err(error);
                }
            }
            let weight: usize = self.pending.iter().map(Received::weight).sum();
            // There is one marker for a message that is not stored as a whole.
            let spilled = self.pending.last().is_some_and(Received::is_spilled);
            let full = weight >= BATCH_BYTES || self.pending.len() >= BATCH_MESSAGES;
            if done == total || full || spilled {
                self.flush(seen).await?;
                progress(DownloadStep::Stored { done, new: total });
            }
        }
        Ok(())
    }

    /// Receives one message; `None` if the server does not hand it out.
    async fn receive(
        &self,
        server: &mut Server<'_, H>,
        listed: &Listed,
    ) -> Result<Option<Received>, MailError> {
        let store = self.host.store();
        let mut incoming = Incoming::new(self.place, listed.clone());
        loop {
            match server.next("a message").await? {
                Event::Content { bytes, .. } => incoming.push(store, &bytes).await?,
                Event::ContentEnd { .. } => return Ok(Some(incoming.finish(store).await?)),
                Event::Refused { request: Request::Retr(_), .. } => return Ok(None),
                other => return Err(unexpected(&other, "hand out a message")),
            }
        }
    }

    /// A message has arrived: is it one that is stored already?
    async fn take(&mut self, received: Received) -> Result<(), MailError> {
        let uidl = received.listed.uidl.as_deref();
        let known = match uidl.and_then(|uidl| self.ledger.by_uidl(uidl)) {
            Some(row) if row.sha256 == received.sha256 => {
                // The same message, listed anew: the server counts its size differently now, or
                // has not deleted it after all.
                let mut row = row.clone();
                row.listed_size = received.listed.size;
                row.delete_asked = None;
                row.delete_confirmed = None;
                self.ledger.update(self.host.store(), vec![row], Durability::Relaxed).await?;
                true
            }
            Some(_) => false,
            None => uidl.is_none() && self.has_content(&received.sha256),
        };
        if !known {
            self.pending.push(received);
        } else if received.is_spilled() {
            self.place.discard_partial(self.host.store()).await?;
        }
        Ok(())
    }

    fn has_content(&self, sha256: &[u8; 32]) -> bool {
        self.ledger.has_content(sha256)
            || self.pending.iter().any(|received| received.sha256 == *sha256)
    }

    /// Stores and verifies what has arrived.
    async fn flush(&mut self, seen: i64) -> Result<(), MailError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let (store, now) = (self.host.store(), self.host.now());
        let rows = commit(store, self.place, &self.pending, seen, now).await?;
        self.report.downloaded += count(&rows);
        rows.into_iter().for_each(|row| self.ledger.insert(row));
        self.pending.clear();
        Ok(())
    }
}

/// Asks the server to delete what is due, and ends the session; how many it deleted.
async fn delete_due<H: Host>(
    host: &H,
    account: &Account,
    server: &mut Server<'_, H>,
    ledger: &mut Ledger,
    listing: &[Listed],
    progress: &mut dyn FnMut(DownloadStep),
) -> Result<u32, MailError> {
    let numbers: BTreeMap<&[u8], u32> = listing
        .iter()
        .filter(|listed| ledger.knows(listed))
        .filter_map(|listed| Some((listed.uidl.as_deref()?, listed.number)))
        .collect();
    let mut asked = BTreeMap::new();
    for uidl in due(account.retention, ledger.rows(), host.now()) {
        if let (Some(number), Some(row)) = (numbers.get(uidl.as_slice()), ledger.by_uidl(&uidl)) {
            let mut row = row.clone();
            row.delete_asked = Some(host.now());
            asked.insert(*number, row);
        }
    }
    if asked.is_empty() {
        // Nothing depends on a polite end.
        let _ = server.ask(Command::Quit, "the end of the session").await;
        return Ok(0);
    }
    progress(DownloadStep::Deleting { count: count(asked.values()) });
    ledger.update(host.store(), asked.values().cloned().collect(), Durability::Relaxed).await?;
    for number in asked.keys() {
        server.start(Command::Dele(*number))?;
    }
    let mut marked = Vec::new();
    for _ in 0..asked.len() {
        match server.next("a deletion").await? {
            Event::MarkedDeleted { message } => marked.extend(asked.remove(&message)),
            Event::Refused { request: Request::Dele(_), .. } => {}
            other => return Err(unexpected(&other, "delete messages")),
        }
    }
    match server.ask(Command::Quit, "the end of the session").await? {
        Event::Bye => {}
        other => return Err(unexpected(&other, "delete messages")),
    }
    marked.iter_mut().for_each(|row| row.delete_confirmed = Some(host.now()));
    let deleted = count(&marked);
    ledger.update(host.store(), marked, Durability::Strict).await?;
    Ok(deleted)
}

fn count(items: impl IntoIterator) -> u32 {
    u32::try_from(items.into_iter().count()).unwrap_or(u32::MAX)
}
