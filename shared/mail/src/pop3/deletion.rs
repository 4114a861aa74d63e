//! Deleting on the server what is safe here: does what [`stages`](super::stages) asks for.

use std::collections::{BTreeMap, BTreeSet};

use postern_pop3::{Command, Event, Request};

use super::{
    DownloadStep, Job, LedgerRow, Safety,
    compare::Compared,
    count,
    elapsed::Elapsed,
    ledger::Ledger,
    limits::{BATCH_MESSAGES, READ_BACK, SILENCE},
    namesakes::{compare_headers, retire},
    read_back::AtHand,
    server::{Server, unexpected},
    stages::{Due, Look, Marked, Noted, Verdict},
    verify::verify,
};
use crate::{
    Host, MailError, Store,
    record::{self, Account, Message, Record, account_key, message_key},
    store::{Durability, Key, StoreError, Table},
};

/// Asks the server to delete what is due, and ends the session; how many it deleted.
///
/// If the person decides otherwise in the meantime, nothing is deleted.
pub(super) async fn delete_due<H: Host>(
    host: &H,
    job: &Job<'_>,
    server: &mut Server<'_, H>,
    ledger: &mut Ledger,
    due: Due<'_>,
    elapsed: &Elapsed,
    progress: &mut dyn FnMut(DownloadStep),
) -> Result<u32, MailError> {
    let (verdicts, handed_out) = compare(host, server, &due).await?;
    let (compared, others) = due.compared(&verdicts, &handed_out);
    retire(host, ledger, others).await?;
    let intact = read_back(host, server, ledger, compared.unread()).await?;
    let Some(intact) = compared.read_back(&intact) else { return Ok(0) };
    let numbers: Vec<u32> = intact.numbers().collect();
    if !numbers.is_empty() {
        progress(DownloadStep::Deleting { count: count(&numbers) });
    }
    let marked = intact.marked(&mark(server, numbers).await?);
    if marked.is_empty() {
        // Nothing depends on a polite end.
        let _ = server.ask(Command::Quit, "the end of the session").await;
        return Ok(0);
    }
    let Some(noted) = last_look(host, job, marked, elapsed).await? else {
        // Without QUIT it deletes nothing, whatever it answers to this: which is for a server that takes
        // the end of the connection for a QUIT.
        let _ = server.ask(Command::Rset, "the end of the deletions").await;
        return Ok(0);
    };
    match server.ask(Command::Quit, "the end of the session").await? {
        Event::Bye => {}
        other => return Err(unexpected(&other, "delete messages")),
    }
    let rows = noted.confirmed(host.now());
    let deleted = count(&rows);
    ledger.update(host.store(), rows, Durability::Strict).await?;
    Ok(deleted)
}

/// Compares what is doubtful with what the server has. Headers tell; where the server can't give them
/// alone, or a message has none, all of it does. Returns which ones were handed out whole, too.
async fn compare<H: Host>(
    host: &H,
    server: &mut Server<'_, H>,
    due: &Due<'_>,
) -> Result<(BTreeMap<u32, Verdict>, BTreeSet<u32>), MailError> {
    let (mut verdicts, rest) = compare_headers(server, due.doubtful().collect()).await?;
    for (number, _) in &rest {
        server.start(Command::Retr(*number))?;
    }
    let mut handed_out = BTreeSet::new();
    for (number, row) in rest {
        let mut came = Compared::default();
        if !server.content("a message to compare", |bytes| came.take(bytes)).await? {
            verdicts.insert(number, Verdict::Withheld);
            continue;
        }
        handed_out.insert(number);
        let is_same = came.matches_message_of(host.store(), row).await?;
        verdicts.insert(number, Verdict::of(is_same));
    }
    Ok((verdicts, handed_out))
}

/// Reads back the messages of these rows; returns the names of those that are as they should be. What
/// is damaged is downloaded again next time.
///
/// That may take long, and the server hears a word now and then.
async fn read_back<H: Host>(
    host: &H,
    server: &mut Server<'_, H>,
    ledger: &Ledger,
    names: BTreeSet<Vec<u8>>,
) -> Result<BTreeSet<Vec<u8>>, MailError> {
    let rows = names.iter().map(|name| ledger.named(name).ok_or_else(vanished));
    let rows = rows.collect::<Result<Vec<&LedgerRow>, StoreError>>()?;
    let mut intact = BTreeSet::new();
    let mut spoken = host.now();
    let mut rest = rows.into_iter().peekable();
    let mut step = (Vec::new(), 0);
    while let Some(row) = rest.next() {
        step.0.push(row.clone());
        step.1 += row.size;
        if rest.peek().is_some() && step.1 < READ_BACK && step.0.len() < BATCH_MESSAGES {
            continue;
        }
        let (rows, _) = std::mem::take(&mut step);
        let verified = verify(host.store(), rows, &AtHand::new(), host.now()).await?;
        intact.extend(verified.rows.iter().map(LedgerRow::name));
        if host.now().abs_diff(spoken) >= SILENCE {
            // Whether it knows the question does not matter.
            server.ask(Command::Noop, "a sign of life").await?;
            spoken = host.now();
        }
    }
    Ok(intact)
}

/// Has the server mark messages as deleted; returns the numbers of those that it has marked.
async fn mark<H: Host>(
    server: &mut Server<'_, H>,
    numbers: Vec<u32>,
) -> Result<BTreeSet<u32>, MailError> {
    for number in &numbers {
        server.start(Command::Dele(*number))?;
    }
    let mut marked = BTreeSet::new();
    for _ in numbers {
        match server.next("a deletion").await? {
            Event::MarkedDeleted { message } => {
                marked.insert(message);
            }
            Event::Refused { request: Request::Dele(_), .. } => {}
            other => return Err(unexpected(&other, "delete messages")),
        }
    }
    Ok(marked)
}

/// A last look before it is too late. The browser may have dropped the database since the messages were
/// verified, or be unable to read a record. With the look the deletion is noted, in a strict write: one
/// that another tab has fenced off deletes nothing either.
async fn last_look<H: Host>(
    host: &H,
    job: &Job<'_>,
    marked: Marked,
    elapsed: &Elapsed,
) -> Result<Option<Noted>, MailError> {
    let store = host.store();
    // So that the person moves nothing between the two looks.
    let _editing = store.editing().lock().await;
    let rows = stored_rows(store, job, marked.names()).await?;
    let present = rows.iter().filter(|row| row.deleted_here.is_none());
    let places: Vec<Key> = present.map(|row| message_key(row.message)).collect();
    let messages: Vec<Option<Message>> = record::get_many_readable(store, &places).await?;
    if messages.contains(&None) {
        return Err(vanished().into());
    }
    let account: Option<Account> = record::get(store, &account_key(job.account.id)).await?;
    let noted = marked.looked(Look {
        begun: job.account,
        present: account.as_ref().unwrap_or(job.account),
        hold: Safety::of(host).await.hold(0),
        rows: &rows,
        inbox: job.inbox,
        elapsed,
        now: host.now(),
    });
    if let Some(noted) = &noted {
        let batch = noted.rows().iter().map(Record::put).collect();
        store.apply(batch, Durability::Strict).await?;
    }
    Ok(noted)
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
