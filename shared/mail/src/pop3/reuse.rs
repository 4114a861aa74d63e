//! Servers that give a unique id to another message while the first is thought to be there, against RFC
//! 1939 section 7: some number their messages, and call the numbers unique ids.
//!
//! A listed size that differs tells; where it is the same, nothing in the list does. Before a deletion
//! headers are compared in any case. A server that was once found to do so is asked for headers at
//! each download, since a new message would go unnoticed.

use std::collections::BTreeMap;

use postern_bridge::AccountId;
use postern_pop3::Command;

use super::{
    LedgerRow, ServerNotes,
    compare::Compared,
    ledger::Ledger,
    limits::LOOK_AGAIN,
    listing::Listing,
    plan::is_as_listed,
    row::{RowChange, write},
    server::Server,
    stages::Verdict,
};
use crate::{Host, MailError, store::Durability};

/// Compares what the list alone calls known with what is stored, newest first, at a server that gives
/// ids again. What is another message loses its unique id here, so that the server's comes as a new one.
///
/// *If this ends early*, each row that has lost its id is right by itself.
pub(super) async fn look_again<H: Host>(
    host: &H,
    account: AccountId,
    server: &mut Server<'_, H>,
    ledger: &mut Ledger,
    listing: &Listing,
) -> Result<(), MailError> {
    let known = listing.messages.iter().rev().filter_map(|listed| {
        let row = ledger.by_uidl(listed.uidl.as_deref()?)?;
        is_as_listed(row, listed).then_some((listed.number, row))
    });
    let (verdicts, _) = compare_headers(server, known.take(LOOK_AGAIN).collect()).await?;
    let is_other = |number| verdicts.get(number) == Some(&Verdict::Other);
    let others = listing.messages.iter().filter(|listed| is_other(&listed.number));
    let others = others.filter_map(|listed| ledger.by_uidl(listed.uidl.as_deref()?).cloned());
    let others = others.collect();
    retire(host, account, ledger, others).await
}

/// What came of comparing headers: what they tell, and the messages of which they tell nothing.
type Headers<'a> = (BTreeMap<u32, Verdict>, Vec<(u32, &'a LedgerRow)>);

/// Compares the headers of these messages with what is stored.
pub(super) async fn compare_headers<'a, H: Host>(
    server: &mut Server<'_, H>,
    rows: Vec<(u32, &'a LedgerRow)>,
) -> Result<Headers<'a>, MailError> {
    let mut verdicts = BTreeMap::new();
    let Some((first, _)) = rows.first() else { return Ok((verdicts, rows)) };
    let can_top = server.can_top(*first).await?;
    let (by_header, mut rest): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|(_, row)| can_top && row.header.is_some());
    for (number, _) in &by_header {
        server.start(Command::Top { message: *number, lines: 0 })?;
    }
    for (number, row) in by_header {
        let mut came = Compared::default();
        if server.content("a header to compare", |bytes| came.take(bytes)).await? {
            verdicts.insert(number, Verdict::of(came.has_header_of(row)));
        } else {
            // One that it does not give alone, whatever it offers.
            rest.push((number, row));
        }
    }
    Ok((verdicts, rest))
}

/// The unique ids of these rows are those of other messages by now, which are downloaded.
pub(super) async fn retire<H: Host>(
    host: &H,
    account: AccountId,
    ledger: &mut Ledger,
    rows: Vec<LedgerRow>,
) -> Result<(), MailError> {
    if rows.is_empty() {
        return Ok(());
    }
    ServerNotes::edit(host.store(), account, |notes| notes.reuses_ids = true).await?;
    let now = host.now();
    let mut changes = Vec::new();
    for row in rows {
        let retired = ledger.without_uidl(row.clone(), now);
        changes.extend(ledger.note(RowChange { before: row, now: retired }, now));
    }
    write(host.store(), changes, now, Durability::Relaxed).await?;
    Ok(())
}
