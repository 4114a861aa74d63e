//! Unfinished messages.
//!
//! A draft is stored here first, as a message of the mailbox for drafts, and is queued to be put
//! there on the server; each version has a Message-ID of its own. The batch that stores a version
//! also removes the one that it replaces, and queues its removal after the new one: so at every
//! moment the newest version is here, and the server has the newest that it was told, or two of
//! them, never none.

use postern_bridge::{Flags, MailboxId, MessageId, Moved};

use super::{
    editor::Editor,
    entry::{Entry, Item, State, Task, entries},
    stage::Stage,
};
use crate::{
    Host, MailError,
    record::{Body, Message, Record, put_body},
};

impl<H: Host> Editor<'_, H> {
    /// Stores a draft, in place of an earlier version; returns where.
    ///
    /// # Errors
    ///
    /// If there is no such mailbox, or the store can't be written.
    pub async fn save_draft(
        &mut self,
        drafts: MailboxId,
        raw: &[u8],
        earlier: Option<MessageId>,
    ) -> Result<MessageId, MailError> {
        let saved = self.parts().iter().find_map(|part| match &part.task {
            Task::Append { item, .. } => part.task.place(item),
            _ => None,
        });
        if let Some(saved) = saved {
            return Ok(saved);
        }
        let store = self.host.store();
        let _editing = self.editing().await;
        let mut stage = Stage::new(store);
        let mailbox = stage.mailbox(drafts).await?.clone();
        let places = self.places(&mut stage, &mailbox, 1).await?.next();
        let uid = places.ok_or(MailError::Unsupported("so many messages"))?;
        let id = MessageId { mailbox: drafts, uid };
        let message = draft(id, raw, self.host.now());
        let item = Item { to: uid, uid: 0, ..Item::of(&message, &mailbox) };
        put_body(id, raw).into_iter().for_each(|write| stage.write(write));
        stage.put(message, id).await?;
        let mut tasks = vec![Task::Append { mailbox: drafts, item, since: None }];
        if self.is_local() {
            stage.mailbox(drafts).await?.uid_next = uid + 1;
        }
        if let Some(earlier) = earlier {
            tasks.extend(self.replace(&mut stage, earlier).await?);
            self.note_moved(Moved { from: earlier, to: id });
        }
        self.commit(stage, tasks).await?;
        Ok(id)
    }

    /// Deletes a draft for good.
    ///
    /// # Errors
    ///
    /// If the store can't be written.
    pub async fn discard_draft(&mut self, draft: MessageId) -> Result<(), MailError> {
        let store = self.host.store();
        let _editing = self.editing().await;
        let mut stage = Stage::new(store);
        let tasks = self.replace(&mut stage, draft).await?;
        self.commit(stage, tasks.into_iter().collect()).await
    }

    /// Removes a draft in a batch: one that the server has not heard of simply goes; the removal of
    /// another is the entry that is returned.
    async fn replace(
        &mut self,
        stage: &mut Stage<'_, H::Store>,
        draft: MessageId,
    ) -> Result<Option<Task>, MailError> {
        let all = entries(self.host.store(), self.account.id).await?;
        let is_append = |entry: &&Entry| match &entry.task {
            Task::Append { item, .. } => entry.task.place(item) == Some(draft),
            _ => false,
        };
        let unheard = all
            .iter()
            .find(is_append)
            .filter(|entry| matches!(entry.state, State::Queued | State::Held));
        if let Some(entry) = unheard {
            stage.remove(draft).await?;
            stage.write(entry.delete());
            return Ok(None);
        }
        let task = self.stage_expunge(stage, draft.mailbox, &[draft.uid]).await?;
        Ok(Some(task).filter(|task| !task.items().is_empty()))
    }
}

fn draft(id: MessageId, raw: &[u8], now: i64) -> Message {
    let body = Body::Whole { size: raw.len() as u64 };
    let flags = Flags { seen: true, draft: true, ..Flags::default() };
    Message { flags, ..Message::summarised(id, now, raw, body) }
}
