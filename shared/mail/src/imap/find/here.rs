//! What the server has found, as it is here: what was done here counts more, also before the server
//! hears of it.

use postern_bridge::{MailboxId, MessageId};

use super::Found;
use crate::{
    Host, MailError,
    changes::{self, Pending},
    record,
    search::{self, Query, limits},
};

/// Looks at messages of a mailbox that the server has found, given by UID, ascending; `asked` is when
/// it was asked for them, in milliseconds since 1970 (UTC). Found are those of the stored ones that
/// fulfil the `rest`, which the server was not asked for, unless a mark that it had not heard of says
/// otherwise; those that have been moved are found where they are now. Returned as well are the UIDs
/// of those that are neither stored nor gone here, ascending.
pub(super) async fn as_here<H: Host>(
    host: &H,
    (mailbox, asked): (MailboxId, i64),
    uids: &[u32],
    query: &Query,
    rest: &Query,
) -> Result<(Found, Vec<u32>), MailError> {
    let store = host.store();
    let own = record::mailbox(store, mailbox).await?;
    let entries = changes::entries(store, own.account).await?;
    let pending = Pending::from_entries(&entries, &own, asked);
    let (gone, there): (Vec<u32>, Vec<u32>) =
        uids.iter().partition(|uid| pending.has_departed(**uid));
    let (marked, there): (Vec<u32>, Vec<u32>) =
        there.into_iter().partition(|uid| pending.is_marked(*uid));
    let (mut places, mut missing) = search::admitted(store, mailbox, &there, rest).await?;
    let strict = rest.and(&query.about_marks());
    places.extend(search::admitted(store, mailbox, &marked, &strict).await?.0);
    missing.retain(|uid| !pending.is_emptied_of(*uid));
    let mut moved = Vec::new();
    for uid in gone.into_iter().rev().take(limits::FETCHED) {
        let here = changes::here_after(&entries, MessageId { mailbox, uid });
        let Some(id) = here.filter(|id| id.mailbox != mailbox) else { continue };
        let (places, _) = search::admitted(store, id.mailbox, &[id.uid], &strict).await?;
        moved.extend(places.into_iter().map(|place| (id.mailbox, place)));
    }
    Ok((Found { places, moved, ..Found::default() }, missing))
}
