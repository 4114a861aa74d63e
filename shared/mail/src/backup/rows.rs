//! What the ledger of a backup says of its messages, beside what the ledger here says of the same.
//!
//! The server's mail may have been downloaded again before the backup is restored. A message is then
//! known by its unique id and its bytes, wherever it is; and since the backup was made before that
//! download, the backup knows better in which folder it belongs and how it was marked. What is here
//! counts only as far as it can be read as it came: the backup may have the only good copy.

use std::collections::HashMap;

use postern_bridge::{AccountId, Flags, MailboxId, MessageId, Role};

use super::{known::digest, limits, manifest::Note};
use crate::{
    MailError, Store,
    pop3::LedgerRow,
    record::{self, Message, Record},
    store::{Durability, StoreError, Table, Write},
};

/// The rows of the messages that a backup has.
pub(super) struct Rows {
    /// When the backup was made, in milliseconds since 1970 (UTC).
    made: i64,
    /// By folder and UID in the backup.
    by_place: HashMap<(u32, u32), Vec<SavedRow>>,
    count: usize,
}

/// A row of the backup, for the account that is here.
pub(super) struct SavedRow {
    /// The row; where it is about is not known yet.
    pub(super) row: LedgerRow,
    /// The row of the same name that is here already, if it can be read.
    here: Option<LedgerRow>,
    made: i64,
}

/// Where a message is that the ledger here knows.
pub(super) enum Here {
    /// Where it was when the backup was made, or where the person has put it since.
    Filed(MessageId),
    /// In the inbox, where it was downloaded to after the backup was made; or anywhere, but damaged.
    Replaced(Former),
}

/// A message that makes room for the backup's.
pub(super) struct Former {
    pub(super) id: MessageId,
    /// Its flags; none if its record can't be read.
    pub(super) flags: Flags,
    pub(super) is_readable: bool,
    /// The writes that remove it.
    pub(super) removal: Vec<Write>,
}

impl Former {
    async fn of(store: &impl Store, id: MessageId, record: &[u8]) -> Result<Self, StoreError> {
        Ok(match record::decode::<Message>(record) {
            Ok(message) => Self {
                id,
                flags: message.flags,
                is_readable: true,
                removal: message.delete_whole().into(),
            },
            Err(_) => Self {
                id,
                flags: Flags::default(),
                is_readable: false,
                removal: record::delete_unreadable(store, id).await?,
            },
        })
    }
}

impl Rows {
    pub(super) fn of_backup_made(made: i64) -> Self {
        Self { made, by_place: HashMap::new(), count: 0 }
    }

    /// Takes rows of an account. Those of messages that were deleted here are stored at once: they
    /// have no message to come with. Tells whether there was room for all.
    pub(super) async fn learn(
        &mut self,
        store: &impl Store,
        account: AccountId,
        rows: Vec<LedgerRow>,
    ) -> Result<bool, MailError> {
        let _editing = store.editing().lock().await;
        let own = |row| LedgerRow { account, verified: None, ..row };
        let rows: Vec<LedgerRow> = rows.into_iter().map(own).collect();
        let names: Vec<_> = rows.iter().map(LedgerRow::key).collect();
        let here = store.get_many(Table::Ledger, &names).await?;
        let mut deleted = Vec::new();
        let mut fits = true;
        for (mut row, here) in rows.into_iter().zip(here) {
            if row.deleted_here.is_some() {
                // One that can't be read stays too: the message may have come back since.
                row.message = MessageId { mailbox: MailboxId(0), uid: 0 };
                deleted.extend(here.is_none().then(|| row.put()));
                continue;
            }
            fits = self.count < limits::LEDGER_ROWS;
            if fits {
                self.count += 1;
                let here = here.and_then(|here| record::decode(&here).ok());
                let place = (row.message.mailbox.0, row.message.uid);
                let saved = SavedRow { row, here, made: self.made };
                self.by_place.entry(place).or_default().push(saved);
            }
        }
        store.apply(deleted, Durability::Strict).await?;
        Ok(fits)
    }

    /// What is said of a message; it is asked for once.
    pub(super) fn take(&mut self, note: &Note) -> Vec<SavedRow> {
        self.by_place.remove(&(note.folder, note.uid)).unwrap_or_default()
    }
}

impl SavedRow {
    /// Whether nothing here is known by its name.
    pub(super) fn is_new(&self) -> bool {
        self.here.is_none()
    }

    /// What the ledger here says of the same message: by its unique id, with the same bytes, and not
    /// deleted since.
    fn same(&self) -> Option<&LedgerRow> {
        self.here.as_ref().filter(|here| {
            here.sha256 == self.row.sha256 && here.deleted_here.is_none() && !here.uidl.is_empty()
        })
    }

    /// Where its message is, if it is here.
    pub(super) async fn here(&self, store: &impl Store) -> Result<Option<Here>, MailError> {
        let Some(here) = self.same() else { return Ok(None) };
        let key = record::message_key(here.message);
        let Some(record) = store.get(Table::Messages, &key).await? else { return Ok(None) };
        let former = Former::of(store, here.message, &record).await?;
        let mailbox = record::mailbox(store, here.message.mailbox).await?;
        let is_new = here.stored > self.made && mailbox.role == Some(Role::Inbox);
        if is_new
            || !former.is_readable
            || digest(store, here.message).await? != (here.size, here.sha256)
        {
            return Ok(Some(Here::Replaced(former)));
        }
        Ok(Some(Here::Filed(here.message)))
    }

    /// The row for the message as it is stored anew; `None` if the ledger here is about another one
    /// of that name, which stays. Of the server the ledger here knows more; but the message counts as
    /// stored when the backup says, so that it stays when that is restored again.
    pub(super) fn renewed(&self) -> Option<LedgerRow> {
        let known = if self.is_new() { &self.row } else { self.same()? };
        Some(LedgerRow { stored: self.row.stored, verified: None, ..known.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::row, *};
    use crate::{store::MemoryStore, testing::block_on};

    #[test]
    fn the_most_rows_of_a_backup_are_taken_and_one_more_is_told() {
        let account = AccountId(3);
        let of = |uid| row(account, MessageId { mailbox: MailboxId(1), uid }, b"text");
        for (before, fits, taken) in
            [(limits::LEDGER_ROWS - 2, true, 2), (limits::LEDGER_ROWS - 1, false, 1)]
        {
            let mut rows = Rows { count: before, ..Rows::of_backup_made(0) };
            let store = MemoryStore::new();
            let learnt = block_on(rows.learn(&store, account, vec![of(1), of(2)]));
            assert_eq!(learnt, Ok(fits));
            assert_eq!(rows.by_place.len(), taken);
        }
    }
}
