//! Deleting for good.

use std::collections::BTreeSet;

use postern_bridge::{MailboxId, MessageId};

use super::{
    editor::Editor,
    entry::{Item, Task},
    everything::Everything,
    folders::stored_uids,
    limits,
    pending::is_provisional,
    stage::Stage,
};
use crate::{Host, MailError, record};

impl<H: Host> Editor<'_, H> {
    /// Deletes messages of one mailbox without a way back.
    ///
    /// # Errors
    ///
    /// If there is no such mailbox, or the store can't be written.
    pub async fn expunge(&mut self, mailbox: MailboxId, uids: &[u32]) -> Result<(), MailError> {
        for uids in uids.chunks(limits::ITEMS) {
            let _editing = self.editing().await;
            let mut stage = Stage::new(self.host.store());
            let task = self.stage_expunge(&mut stage, mailbox, uids).await?;
            if !task.items().is_empty() {
                self.commit(stage, vec![task]).await?;
            }
        }
        Ok(())
    }

    /// Deletes everything in a mailbox without a way back; on a server also what is not stored here, but
    /// nothing that has come since it was last heard of. One that was made anew meanwhile is left: the same
    /// request may come again after the server has been told, and its entry is no "Empty" any more then.
    ///
    /// # Errors
    ///
    /// If there is no such mailbox, or the store can't be written.
    pub async fn empty(&mut self, mailbox: MailboxId) -> Result<(), MailError> {
        let store = self.host.store();
        if self.parts().iter().any(|part| matches!(part.task, Task::Empty { .. })) {
            return Ok(());
        }
        let editing = self.editing().await;
        let known = record::mailbox(store, mailbox).await?;
        let mut uids = stored_uids(store, mailbox).await?;
        drop(editing);
        let all = *self.all.get_or_insert_with(|| Everything::known(&known, &uids));
        self.keep_meant(&mut uids);
        if self.is_local() {
            return self.expunge(mailbox, &uids).await;
        }
        let here = uids.iter().copied().filter(|uid| !is_provisional(*uid));
        let sample: BTreeSet<u32> = here.rev().take(limits::SAMPLE).collect();
        uids.retain(|uid| !sample.contains(uid));
        self.expunge(mailbox, &uids).await?;
        let _editing = self.editing().await;
        let mut stage = Stage::new(store);
        if all.is_of_before(stage.mailbox(mailbox).await?) {
            return Ok(());
        }
        let sample = Vec::from_iter(sample);
        let items = self.stage_expunge(&mut stage, mailbox, &sample).await?.items().to_vec();
        let own = stage.mailbox(mailbox).await?;
        (own.total, own.unread) = (0, 0);
        self.commit(stage, vec![Task::Empty { mailbox, until: all.until(), items }]).await
    }

    /// Removes messages in a batch; the entry for it. In a mailbox that was made anew since all of it was
    /// meant, they are others.
    pub(super) async fn stage_expunge(
        &mut self,
        stage: &mut Stage<'_, H::Store>,
        mailbox: MailboxId,
        uids: &[u32],
    ) -> Result<Task, MailError> {
        let ids: Vec<_> = uids.iter().map(|uid| MessageId { mailbox, uid: *uid }).collect();
        stage.load(&ids).await?;
        let own = stage.mailbox(mailbox).await?.clone();
        let mut items = Vec::new();
        if self.all.is_some_and(|all| all.is_of_before(&own)) {
            return Ok(Task::Expunge { mailbox, items });
        }
        let mut gone = Vec::new();
        for id in ids {
            let Some(message) = stage.remove(id).await? else { continue };
            items.push(Item::of(&message, &own));
            gone.push(id);
        }
        if self.is_local() {
            self.ledger_forgets(stage, &gone).await?;
        }
        Ok(Task::Expunge { mailbox, items })
    }
}
