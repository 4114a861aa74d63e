//! Deleting on the server what is safe here.

use std::collections::{BTreeMap, BTreeSet};

use postern_pop3::{Command, Event, Request};

use super::{
    DownloadStep, Job, LedgerRow, count, due, header,
    ledger::Ledger,
    listing::Listing,
    plan::is_as_listed,
    server::{Server, unexpected},
};
use crate::{
    Host, MailError, Store,
    record::{self, CHUNK, Record, message_key},
    store::{Durability, Key, StoreError, Table},
};

/// Asks the server to delete what is due, and ends the session; how many it deleted. `fresh` are the
/// names of the rows that this session has compared with the server.
pub(super) async fn delete_due<H: Host>(
    host: &H,
    job: &Job<'_>,
    server: &mut Server<'_, H>,
    ledger: &mut Ledger,
    listing: &Listing,
    fresh: &BTreeSet<Vec<u8>>,
    progress: &mut dyn FnMut(DownloadStep),
) -> Result<u32, MailError> {
    let mut asked = listed_due(host.now(), job, ledger, listing);
    keep_doubtful(host, server, ledger, &mut asked, fresh).await?;
    if asked.is_empty() {
        // Nothing depends on a polite end.
        let _ = server.ask(Command::Quit, "the end of the session").await;
        return Ok(0);
    }
    progress(DownloadStep::Deleting { count: count(asked.values()) });
    asked.values_mut().for_each(|row| row.delete_asked = Some(host.now()));
    let rows = asked.values().cloned().collect();
    let there = ledger.update(host.store(), rows, Durability::Relaxed).await?;
    let there: BTreeSet<Vec<u8>> = there.iter().map(LedgerRow::name).collect();
    asked.retain(|_, row| there.contains(&row.name()));
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
    check_there(host.store(), &marked).await?;
    match server.ask(Command::Quit, "the end of the session").await? {
        Event::Bye => {}
        other => return Err(unexpected(&other, "delete messages")),
    }
    marked.iter_mut().for_each(|row| row.delete_confirmed = Some(host.now()));
    let deleted = count(&marked);
    ledger.update(host.store(), marked, Durability::Strict).await?;
    Ok(deleted)
}

/// A last look before it is too late: the browser may have dropped the database since the messages
/// were verified. Without QUIT the server deletes nothing (RFC 1939 section 6).
async fn check_there(store: &impl Store, marked: &[LedgerRow]) -> Result<(), StoreError> {
    // So that the person moves nothing between the two looks.
    let _editing = store.editing().lock().await;
    let keys: Vec<Key> = marked.iter().map(Record::key).collect();
    let mut messages = Vec::new();
    for row in store.get_many(Table::Ledger, &keys).await? {
        let row: LedgerRow = record::decode(&row.ok_or_else(vanished)?)?;
        if row.deleted_here.is_none() {
            messages.push(message_key(row.message));
        }
    }
    let records = store.get_many(Table::Messages, &messages).await?;
    if records.iter().any(Option::is_none) { Err(vanished()) } else { Ok(()) }
}

fn vanished() -> StoreError {
    StoreError::Damaged("stored messages have vanished".into())
}

/// What is due, by its number in this session.
fn listed_due(
    now: i64,
    job: &Job<'_>,
    ledger: &Ledger,
    listing: &Listing,
) -> BTreeMap<u32, LedgerRow> {
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
/// never downloaded. Their headers tell, where the server can give them alone. A message with
/// another header is left, and downloaded next time.
async fn keep_doubtful<H: Host>(
    host: &H,
    server: &mut Server<'_, H>,
    ledger: &mut Ledger,
    asked: &mut BTreeMap<u32, LedgerRow>,
    fresh: &BTreeSet<Vec<u8>>,
) -> Result<(), MailError> {
    if !server.offers.top {
        return Ok(());
    }
    let to_check: Vec<u32> = asked
        .iter()
        .filter(|(_, row)| row.header.is_some() && !fresh.contains(&row.name()))
        .map(|(number, _)| *number)
        .collect();
    for number in &to_check {
        server.start(Command::Top { message: *number, lines: 0 })?;
    }
    let mut doubtful = Vec::new();
    for number in to_check {
        let header = header_of(server).await?;
        if header.as_deref().map(header::digest) == asked.get(&number).map(|row| row.header) {
            continue;
        }
        let row = asked.remove(&number);
        // One that the server does not hand out is kept, but not thought to be another.
        doubtful.extend(row.filter(|_| header.is_some()));
    }
    doubtful.iter_mut().for_each(|row| row.gone = Some(host.now()));
    ledger.update(host.store(), doubtful, Durability::Relaxed).await?;
    Ok(())
}

/// The first bytes of the header that was asked for; `None` if the server does not hand it out.
async fn header_of<H: Host>(server: &mut Server<'_, H>) -> Result<Option<Vec<u8>>, MailError> {
    let mut head = Vec::new();
    loop {
        match server.next("a header").await? {
            Event::Content { mut bytes, .. } => {
                bytes.truncate(CHUNK - head.len().min(CHUNK));
                head.append(&mut bytes);
            }
            Event::ContentEnd { .. } => return Ok(Some(head)),
            Event::Refused { request: Request::Top(_), .. } => return Ok(None),
            other => return Err(unexpected(&other, "hand out a header")),
        }
    }
}
