//! Messages of which the record here can't be read any more: the server has them.

use std::collections::BTreeSet;

use postern_bridge::MessageId;

use super::{BATCH, ListChange, Sync};
use crate::{
    Host, MailError, Store,
    changes::is_provisional,
    record::{self, Message, Place},
    store::{KeyRange, Order, StoreError, Table, Write},
};

impl<H: Host> Sync<'_, H> {
    /// Drops messages of which the record can't be read any more, so that they are fetched again as those
    /// are that are missing. Those that the server does not have yet stay. Returns how many they were.
    ///
    /// *If this ends early*, they are still there, and found again.
    pub(in crate::imap) async fn drop_unreadable(&mut self) -> Result<usize, MailError> {
        let (store, mailbox) = (self.host.store(), self.mailbox);
        let editing = store.editing().lock().await;
        let lost = unreadable(store, KeyRange::prefix(record::mailbox_key(mailbox))).await?;
        if lost.is_empty() {
            return Ok(0);
        }
        let mut writes = Vec::new();
        let mut removed: Vec<Place> = Vec::new();
        let places = KeyRange::prefix(record::mailbox_key(mailbox));
        for key in store.keys(Table::Arrival, &places).await? {
            let Ok(place) = record::listed_place(&key) else { continue };
            if lost.contains(&MessageId { mailbox, uid: place.uid }) {
                removed.push(place);
                writes.push(Write::Delete { table: Table::Arrival, key });
            }
        }
        for id in &lost {
            let key = record::message_key(*id);
            let range = KeyRange::prefix(key.clone());
            writes.push(Write::Delete { table: Table::Messages, key });
            writes.push(Write::DeleteRange { table: Table::Bodies, range });
        }
        self.stored = self.stored.saturating_sub(u32::try_from(lost.len()).unwrap_or(u32::MAX));
        let change = ListChange { removed, ..ListChange::default() };
        self.commit(&editing, writes, change, |own| own.synced.stale = true).await?;
        Ok(lost.len())
    }
}

/// The messages among these that the server has and whose records can't be read.
async fn unreadable(
    store: &impl Store,
    mut range: KeyRange,
) -> Result<BTreeSet<MessageId>, StoreError> {
    let mut lost = BTreeSet::new();
    loop {
        let window = store.scan(Table::Messages, &range, Order::Ascending, BATCH).await?;
        let Some((last, _)) = window.last() else { return Ok(lost) };
        range.start = last.clone().bytes(&[0]);
        let damaged = window.iter().filter(|(_, value)| record::decode::<Message>(value).is_err());
        let ids = damaged.filter_map(|(key, _)| record::keyed_message(key));
        lost.extend(ids.filter(|id| !is_provisional(id.uid)));
    }
}
