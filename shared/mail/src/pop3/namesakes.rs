//! Messages that have another one's unique id, which the server has given again, against RFC 1939
//! section 7.

use std::collections::BTreeMap;

use postern_bridge::AccountId;
use postern_pop3::Command;

use super::{
    LedgerRow, ServerNotes,
    compare::Compared,
    fetch::Known,
    ledger::Ledger,
    limits::NAMESAKES,
    listing::Listing,
    plan::is_as_listed,
    row::{RowChange, write},
    server::Server,
    stages::Verdict,
};
use crate::{Host, MailError, store::Durability};

/// A server that has given one id again may have given others as well, to messages of the very same size:
/// the headers of what this session has not seen tell. The next download fetches what are other messages.
pub(super) async fn retire_namesakes<H: Host>(
    host: &H,
    server: &mut Server<'_, H>,
    ledger: &mut Ledger,
    listing: &Listing,
    known: &Known,
) -> Result<(), MailError> {
    let mut doubtful: Vec<_> = doubtful(ledger, listing, known).collect();
    // Those by which the doubt has come count in any case.
    doubtful.sort_by_cached_key(|(_, row)| !known.alike.contains(&row.name()));
    doubtful.truncate(NAMESAKES);
    let (verdicts, _) = compare_headers(server, doubtful.clone()).await?;
    let is_other = |(number, _): &&(u32, &LedgerRow)| verdicts.get(number) == Some(&Verdict::Other);
    let others = doubtful.iter().filter(is_other).map(|(_, row)| (*row).clone()).collect();
    retire(host, ledger, others).await
}

/// Whether messages have moved on to other ids, where ids are nothing but the messages' numbers. Of what
/// seems to be a copy of one that is listed as it was, that one is compared.
///
/// The first one and the last one of those that are listed as they were are compared once a day besides:
/// after a deletion anywhere, one of the two is another message by now, as new ones come at the end or at
/// the beginning, which its size need not show. That it is looked at is written down before: a server that
/// breaks off there does so once a day.
pub(super) async fn have_moved_on<H: Host>(
    host: &H,
    account: AccountId,
    server: &mut Server<'_, H>,
    ledger: &Ledger,
    listing: &Listing,
    known: &Known,
) -> Result<bool, MailError> {
    if !listing.is_numbered() {
        return Ok(false);
    }
    let (store, now) = (host.store(), host.now());
    let mut rows: Vec<_> = doubtful(ledger, listing, known).collect();
    let ends = [rows.first(), rows.last()].map(|end| end.map(|(number, _)| *number));
    let looks =
        !rows.is_empty() && !ServerNotes::load(store, account).await?.has_looked_for_moves(now);
    if looks {
        ServerNotes::edit(store, account, |notes| notes.look_for_moves(now)).await?;
    }
    rows.retain(|(number, row)| {
        (looks && ends.contains(&Some(*number))) || known.alike.contains(&row.name())
    });
    let (verdicts, _) = compare_headers(server, rows).await?;
    Ok(verdicts.values().any(|verdict| *verdict == Verdict::Other))
}

/// Messages that are listed as they were and were not seen in this session, the last ones first, if
/// their headers can tell what they are.
fn doubtful<'a>(
    ledger: &'a Ledger,
    listing: &'a Listing,
    known: &'a Known,
) -> impl Iterator<Item = (u32, &'a LedgerRow)> {
    listing.messages.iter().rev().filter_map(|listed| {
        let row = ledger.by_uidl(listed.uidl.as_ref()?)?;
        let can_tell = is_as_listed(row, listed) && row.header.is_some();
        (can_tell && !known.compared.contains(&row.name())).then_some((listed.number, row))
    })
}

/// What came of comparing headers: what they tell, and the messages of which they tell nothing.
pub(super) type Headers<'a> = (BTreeMap<u32, Verdict>, Vec<(u32, &'a LedgerRow)>);

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

/// The unique ids of these rows are those of other messages by now, which the next download fetches.
pub(super) async fn retire<H: Host>(
    host: &H,
    ledger: &mut Ledger,
    rows: Vec<LedgerRow>,
) -> Result<(), MailError> {
    let now = host.now();
    let mut changes = Vec::new();
    for row in rows {
        let retired = ledger.without_uidl(row.clone(), now);
        changes.extend(ledger.note(RowChange { before: row, now: retired }, now));
    }
    write(host.store(), changes, now, Durability::Relaxed).await?;
    Ok(())
}
