//! The ledger of a POP3 account, as messages are moved and deleted here.

use std::collections::BTreeMap;

use postern_bridge::{MessageId, Moved};

use super::{editor::Editor, stage::Stage};
use crate::{
    Host,
    pop3::LedgerRow,
    record::{self, Record},
    store::{KeyRange, StoreError},
};

impl<H: Host> Editor<'_, H> {
    /// The ledger of a POP3 account follows its messages, so that it still knows them when they are
    /// deleted.
    pub(super) async fn ledger_follows(
        &self,
        stage: &mut Stage<'_, H::Store>,
        moved: &[Moved],
    ) -> Result<(), StoreError> {
        let mut ledger = self.ledger().await?;
        for step in moved {
            if let Some(mut row) = ledger.remove(&step.from) {
                row.message = step.to;
                stage.write(row.put());
            }
        }
        Ok(())
    }

    /// The ledger learns that the person deleted messages here.
    pub(super) async fn ledger_forgets(
        &self,
        stage: &mut Stage<'_, H::Store>,
        gone: &[MessageId],
    ) -> Result<(), StoreError> {
        let mut ledger = self.ledger().await?;
        for id in gone {
            if let Some(mut row) = ledger.remove(id) {
                row.deleted_here = Some(self.host.now());
                stage.write(row.put());
            }
        }
        Ok(())
    }

    /// The ledger's rows by message; to be read anew for each batch, since a download may have given
    /// a message another row in between.
    async fn ledger(&self) -> Result<BTreeMap<MessageId, LedgerRow>, StoreError> {
        let range = KeyRange::prefix(record::account_key(self.account.id));
        let rows: Vec<LedgerRow> = record::all(self.host.store(), &range).await?;
        Ok(rows.into_iter().map(|row| (row.message, row)).collect())
    }
}
