//! Deleting on the server what is safe here.
//!
//! Before anything is deleted, three looks are taken. Whether the server's message is the one that is
//! stored: an earlier session may have seen another one under its unique id ([`keep_doubtful`]).
//! Whether the stored one can still be read as it came ([`keep_damaged`]). And, after DELE and
//! before QUIT, whether everything is still there and still to be deleted ([`last_look`]).

use std::collections::{BTreeMap, BTreeSet};

use postern_bridge::Retention;
use postern_pop3::{Command, Event, Request};
use sha2::{Digest, Sha256};

use super::{
    DownloadStep, Job, LedgerRow, count, due,
    fetch::Known,
    header,
    ledger::{Ledger, RowChange, write},
    listing::Listing,
    plan::is_as_listed,
    server::{Server, unexpected},
    verify::verify,
};
use crate::{
    Host, MailError, Store,
    record::{self, Account, CHUNK, Record, account_key, message_key},
    store::{Durability, Key, StoreError, Table},
};

/// What the server is asked to delete, by its number in this session.
type Asked = BTreeMap<u32, LedgerRow>;

/// Asks the server to delete what is due, and ends the session; how many it deleted. `known` is what
/// this session has found out.
///
/// If the person decides otherwise in the meantime, nothing is deleted.
pub(super) async fn delete_due<H: Host>(
    host: &H,
    job: &Job<'_>,
    server: &mut Server<'_, H>,
    ledger: &mut Ledger,
    listing: &Listing,
    known: &Known,
    progress: &mut dyn FnMut(DownloadStep),
) -> Result<u32, MailError> {
    let by_itself = server.deletes_by_itself();
    let mut asked = listed_due(host.now(), job, ledger, listing);
    keep_doubtful(host, server, ledger, &mut asked, known).await?;
    // What it has handed out goes with QUIT, due or not.
    let handed_out = if by_itself { known.compared.clone() } else { BTreeSet::new() };
    let is_whole = keep_damaged(host, ledger, &mut asked, known, &handed_out).await?;
    if by_itself && !is_whole {
        return Ok(0);
    }
    if !asked.is_empty() {
        progress(DownloadStep::Deleting { count: count(asked.values()) });
    }
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
    if marked.is_empty() && handed_out.is_empty() {
        // Nothing depends on a polite end.
        let _ = server.ask(Command::Quit, "the end of the session").await;
        return Ok(0);
    }
    let Some(mut marked) = last_look(host, job, marked, &handed_out).await? else {
        // Without QUIT it deletes nothing, whatever it answers to this: which is for a server that takes
        // the end of the connection for a QUIT.
        let _ = server.ask(Command::Rset, "the end of the deletions").await;
        return Ok(0);
    };
    match server.ask(Command::Quit, "the end of the session").await? {
        Event::Bye => {}
        other => return Err(unexpected(&other, "delete messages")),
    }
    marked.iter_mut().for_each(|row| row.delete_confirmed = Some(host.now()));
    let deleted = count(&marked);
    ledger.update(host.store(), marked, Durability::Strict).await?;
    Ok(deleted)
}

/// A last look before it is too late: without QUIT the server deletes nothing (RFC 1939 section 6).
/// The browser may have dropped the database since the messages were verified; the person may have
/// changed the account, or moved a message back. With the look the deletion is noted, in a strict
/// write: one that another tab has fenced off deletes nothing either.
///
/// Returns the rows as they are noted; `None` if one of them is not to be deleted any more.
async fn last_look<H: Host>(
    host: &H,
    job: &Job<'_>,
    marked: Vec<LedgerRow>,
    handed_out: &BTreeSet<Vec<u8>>,
) -> Result<Option<Vec<LedgerRow>>, MailError> {
    let store = host.store();
    // So that the person moves nothing between the two looks.
    let _editing = store.editing().lock().await;
    let names: BTreeSet<Vec<u8>> = marked.iter().map(LedgerRow::name).collect();
    let rows = stored_rows(store, job, names.union(handed_out)).await?;
    let present = rows.iter().filter(|row| row.deleted_here.is_none());
    let places: Vec<Key> = present.map(|row| message_key(row.message)).collect();
    if store.get_many(Table::Messages, &places).await?.iter().any(Option::is_none) {
        return Err(vanished().into());
    }
    let mut marked = rows;
    marked.retain(|row| names.contains(&row.name()));
    let account: Option<Account> = record::get(store, &account_key(job.account.id)).await?;
    let account = account.as_ref().unwrap_or(job.account);
    let now = host.now();
    if account.incoming != job.account.incoming
        || account.retention == Retention::Secondary
        || due(account.retention, &marked, job.inbox, now).len() < marked.len()
    {
        return Ok(None);
    }
    marked.iter_mut().for_each(|row| row.delete_asked = Some(now));
    let batch = marked.iter().map(Record::put).collect();
    store.apply(batch, Durability::Strict).await?;
    Ok(Some(marked))
}

/// The rows of these names, all of which have to be there.
async fn stored_rows(
    store: &impl Store,
    job: &Job<'_>,
    names: impl Iterator<Item = &Vec<u8>>,
) -> Result<Vec<LedgerRow>, StoreError> {
    let key = |name: &Vec<u8>| account_key(job.account.id).bytes(name);
    let keys: Vec<Key> = names.map(key).collect();
    let rows = store.get_many(Table::Ledger, &keys).await?;
    rows.into_iter().map(|row| record::decode(&row.ok_or_else(vanished)?)).collect()
}

fn vanished() -> StoreError {
    StoreError::Damaged("stored messages have vanished".into())
}

/// What is due, by its number in this session.
fn listed_due(now: i64, job: &Job<'_>, ledger: &Ledger, listing: &Listing) -> Asked {
    let due = due(job.account.retention, ledger.rows(), job.inbox, now);
    let due: BTreeMap<&[u8], &LedgerRow> =
        due.into_iter().map(|row| (row.uidl.as_slice(), row)).collect();
    let listed = listing.messages.iter().filter_map(|listed| {
        let row = *due.get(listed.uidl.as_deref()?)?;
        is_as_listed(row, listed).then(|| (listed.number, row.clone()))
    });
    listed.collect()
}

/// Takes messages off that may be others than those stored here: a server that gives unique ids
/// again, against RFC 1939 section 7, could have given one to a message of the same size that was
/// never downloaded. Their headers tell; where the server can't give them alone, or the message has
/// none, all of it does. Another message is left, and downloaded next time.
async fn keep_doubtful<H: Host>(
    host: &H,
    server: &mut Server<'_, H>,
    ledger: &mut Ledger,
    asked: &mut Asked,
    known: &Known,
) -> Result<(), MailError> {
    let to_check: Vec<(u32, LedgerRow)> = asked
        .iter()
        .filter(|(_, row)| !known.compared.contains(&row.name()))
        .map(|(number, row)| (*number, row.clone()))
        .collect();
    let Some((first, _)) = to_check.first() else { return Ok(()) };
    let by_header = server.can_top(*first).await?;
    let mut started = Vec::new();
    for (number, row) in to_check {
        if by_header && row.header.is_some() {
            server.start(Command::Top { message: number, lines: 0 })?;
        } else if server.deletes_by_itself() {
            // It would delete what it hands out to be compared, whatever that is.
            asked.remove(&number);
            continue;
        } else {
            server.start(Command::Retr(number))?;
        }
        started.push((number, row));
    }
    let mut doubtful = Vec::new();
    for (number, row) in started {
        let mut head = Vec::new();
        let mut hasher = Sha256::new();
        let take = |bytes: &[u8]| {
            head.extend_from_slice(&bytes[..bytes.len().min(CHUNK - head.len())]);
            hasher.update(bytes);
        };
        let came = server.content("a message to compare", take).await?;
        let same_header = row.header.is_some() && row.header == header::digest(&head);
        let same_bytes = row.sha256 == <[u8; 32]>::from(hasher.finalize());
        if came && (same_bytes || (same_header && (by_header || row.partial))) {
            continue;
        }
        asked.remove(&number);
        // One that the server does not hand out is kept, but not thought to be another.
        doubtful.extend(came.then_some(row));
    }
    let now = host.now();
    let retired = |row: LedgerRow| RowChange { before: row.clone(), now: row.without_uidl(now) };
    let changes: Vec<RowChange> = doubtful.into_iter().map(retired).collect();
    changes.iter().for_each(|change| ledger.note(change, now));
    write(host.store(), changes, now, Durability::Relaxed).await?;
    Ok(())
}

/// Reads back what was not stored in this very session, and takes off what is damaged, which is
/// downloaded again next time. False if anything is damaged, among `others` as well.
async fn keep_damaged<H: Host>(
    host: &H,
    ledger: &mut Ledger,
    asked: &mut Asked,
    known: &Known,
    others: &BTreeSet<Vec<u8>>,
) -> Result<bool, MailError> {
    let to_check = asked.values().map(LedgerRow::name).chain(others.iter().cloned());
    let keys: BTreeSet<Key> = to_check
        .filter(|name| !known.stored.contains(name))
        .filter_map(|name| Some(ledger.named(&name)?.key()))
        .collect();
    let verified = verify(host.store(), keys.iter().cloned().collect(), host.now()).await?;
    let intact: BTreeSet<Key> = verified.rows.iter().map(Record::key).collect();
    asked.retain(|_, row| !keys.contains(&row.key()) || intact.contains(&row.key()));
    Ok(verified.damaged == 0)
}
