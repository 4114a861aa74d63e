//! The ledger of a POP3 account, as messages are moved and deleted here.

use std::collections::{BTreeMap, BTreeSet};

use postern_bridge::{MessageId, Moved};

use super::{editor::Editor, stage::Stage};
use crate::{
    Host, Store,
    pop3::{self, LedgerRow},
    record::{self, Record},
    store::{Key, KeyRange, StoreError, Table},
};

impl<H: Host> Editor<'_, H> {
    /// The ledger of a POP3 account follows its messages, so that it still knows them when they are
    /// deleted.
    pub(super) async fn ledger_follows(
        &mut self,
        stage: &mut Stage<'_, H::Store>,
        moved: &[Moved],
    ) -> Result<(), StoreError> {
        let from: Vec<MessageId> = moved.iter().map(|step| step.from).collect();
        let to: BTreeMap<MessageId, MessageId> =
            moved.iter().map(|step| (step.from, step.to)).collect();
        for mut row in self.rows_of(&from).await? {
            row.message = to[&row.message];
            stage.write(row.put());
            self.note_row(row.message, row.key());
        }
        Ok(())
    }

    /// The ledger learns that the person deleted messages here.
    pub(super) async fn ledger_forgets(
        &mut self,
        stage: &mut Stage<'_, H::Store>,
        gone: &[MessageId],
    ) -> Result<(), StoreError> {
        for mut row in self.rows_of(gone).await? {
            row.deleted_here = Some(self.host.now());
            stage.write(row.put());
        }
        Ok(())
    }

    /// The rows of these messages, of which one may have several. All of the ledger is read once for a
    /// change, so that one of many batches does not cost as many readings; and once more where a
    /// download has renamed a message's row in between, or may have given one to a message that had
    /// none.
    async fn rows_of(&mut self, messages: &[MessageId]) -> Result<Vec<LedgerRow>, StoreError> {
        let store = self.host.store();
        if let Some(places) = &self.rows
            && let Some(rows) = places.rows_of(store, messages).await?
        {
            return Ok(rows);
        }
        let range = KeyRange::prefix(record::account_key(self.account.id));
        let keys = store.keys(Table::Ledger, &range).await?;
        let rows = pop3::rows(store, self.account.id).await?;
        let mut places = Places { range, keys, of: BTreeMap::new() };
        rows.iter().for_each(|row| places.add(row.message, row.key()));
        self.rows = Some(places);
        let wanted: BTreeSet<MessageId> = messages.iter().copied().collect();
        Ok(rows.into_iter().filter(|row| wanted.contains(&row.message)).collect())
    }

    fn note_row(&mut self, message: MessageId, key: Key) {
        if let Some(places) = &mut self.rows {
            places.add(message, key);
        }
    }
}

/// Where the rows of a ledger are, as it was read.
pub(super) struct Places {
    range: KeyRange,
    keys: Vec<Key>,
    of: BTreeMap<MessageId, Vec<Key>>,
}

impl Places {
    fn add(&mut self, message: MessageId, key: Key) {
        self.of.entry(message).or_default().push(key);
    }

    /// The rows of these messages; `None` if the ledger has changed too much to tell.
    async fn rows_of(
        &self,
        store: &impl Store,
        messages: &[MessageId],
    ) -> Result<Option<Vec<LedgerRow>>, StoreError> {
        let known = messages.iter().filter_map(|id| Some((*id, self.of.get(id)?)));
        let known = known.flat_map(|(id, keys)| keys.iter().map(move |key| (id, key.clone())));
        let (ids, keys): (Vec<MessageId>, Vec<Key>) = known.unzip();
        let rows: Vec<Option<LedgerRow>> = record::get_many(store, &keys).await?;
        let rows: Vec<LedgerRow> = rows.into_iter().flatten().collect();
        if !rows.iter().map(|row| row.message).eq(ids) {
            return Ok(None);
        }
        // A message that had no row has none still if no row has come.
        let lacks_row = messages.iter().any(|id| !self.of.contains_key(id));
        if lacks_row && store.keys(Table::Ledger, &self.range).await? != self.keys {
            return Ok(None);
        }
        Ok(Some(rows))
    }
}
