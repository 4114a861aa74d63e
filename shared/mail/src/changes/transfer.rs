//! Messages moved and copied to another mailbox.

use std::collections::BTreeSet;

use postern_bridge::{MailboxId, MessageId, Moved};

use super::{
    editor::{Editor, name},
    entry::{Item, Step, Task},
    limits,
    pending::is_provisional,
    stage::Stage,
};
use crate::{
    Host, MailError,
    record::{self, Body, Message},
};

impl<H: Host> Editor<'_, H> {
    /// Moves or copies messages of one mailbox to another one.
    ///
    /// # Errors
    ///
    /// [`MailError::Input`] if messages are to be copied of which only the header was downloaded; else
    /// if there is no such mailbox, it holds no messages, or the store can't be written.
    pub async fn transfer(
        &mut self,
        from: MailboxId,
        uids: &[u32],
        to: MailboxId,
        copy: bool,
    ) -> Result<(), MailError> {
        if from == to && !copy {
            return Ok(());
        }
        let done: BTreeSet<u32> = self.copied(from, to).collect();
        let uids: Vec<u32> =
            uids.iter().copied().filter(|uid| !copy || !done.contains(uid)).collect();
        if copy {
            self.check_whole(from, &uids).await?;
        }
        for uids in uids.chunks(limits::ITEMS) {
            let mut rest = uids;
            while !rest.is_empty() {
                let taken = self.transfer_part(from, rest, to, copy).await?;
                rest = &rest[taken..];
            }
        }
        Ok(())
    }

    /// Refuses to copy messages of which only the header was downloaded: the copy could never be
    /// completed, and deleting the original would take the rest along on the server.
    async fn check_whole(&self, mailbox: MailboxId, uids: &[u32]) -> Result<(), MailError> {
        for uids in uids.chunks(limits::ITEMS) {
            let keys: Vec<_> = uids
                .iter()
                .map(|uid| record::message_key(MessageId { mailbox, uid: *uid }))
                .collect();
            let messages = record::get_many_readable::<Message>(self.host.store(), &keys).await?;
            for message in messages.into_iter().flatten() {
                if matches!(message.body, Body::Header { .. }) {
                    return Err(MailError::Input(format!(
                        "Only the header of “{}” was downloaded. Download the whole message, then \
                         copy it.",
                        message.subject
                    )));
                }
            }
        }
        Ok(())
    }

    /// Transfers as many messages as one batch takes; how many of the UIDs it has seen to.
    async fn transfer_part(
        &mut self,
        from: MailboxId,
        uids: &[u32],
        to: MailboxId,
        copy: bool,
    ) -> Result<usize, MailError> {
        let _editing = self.editing().await;
        let mut stage = Stage::new(self.host.store());
        let ids: Vec<_> = uids.iter().map(|uid| MessageId { mailbox: from, uid: *uid }).collect();
        stage.load(&ids).await?;
        let source = stage.mailbox(from).await?.clone();
        let target = stage.mailbox(to).await?.clone();
        if target.account != self.account.id || source.account != target.account {
            return Err(MailError::Input(
                "Messages can only be moved between the folders of one account.".into(),
            ));
        }
        if !target.selectable {
            return Err(MailError::Input(format!("“{}” holds no messages.", name(&target))));
        }
        let mut places = self.places(&mut stage, &target, uids.len()).await?;
        let mut items = Vec::new();
        let mut moved = Vec::new();
        let (mut taken, mut bytes) = (0, 0);
        for id in ids {
            taken += 1;
            let Some(message) = stage.message(id).await? else { continue };
            let message = message.clone();
            // A damaged copy of what a server has is fetched again; what is here alone stays where it is.
            let is_here_alone = self.is_local() || is_provisional(id.uid);
            if is_here_alone && !stage.has_bytes(id).await? {
                self.note_damaged(message.subject);
                continue;
            }
            bytes += message.body.stored_size();
            let mut item = Item::of(&message, &source);
            item.to = places.next().ok_or(MailError::Unsupported("so many messages"))?;
            let step = Moved { from: id, to: MessageId { mailbox: to, uid: item.to } };
            items.push(item);
            if copy {
                stage.duplicate(step).await?;
            } else {
                stage.relocate(step).await?;
                moved.push(step);
            }
            if bytes >= limits::BYTES {
                break;
            }
        }
        if items.is_empty() {
            return Ok(taken);
        }
        if self.is_local() {
            stage.mailbox(to).await?.uid_next =
                items.iter().map(|item| item.to + 1).max().unwrap_or(target.uid_next);
            self.ledger_follows(&mut stage, &moved).await?;
        }
        let task = Task::Transfer { from, to, items, copy, step: Step::Begun };
        self.commit(stage, vec![task]).await?;
        moved.into_iter().for_each(|step| self.note_moved(step));
        Ok(taken)
    }

    /// The messages that an earlier try has copied.
    fn copied(&self, source: MailboxId, target: MailboxId) -> impl Iterator<Item = u32> {
        self.parts()
            .iter()
            .filter(move |part| {
                matches!(part.task, Task::Transfer { from, to, copy: true, .. }
                    if from == source && to == target)
            })
            .flat_map(|part| part.task.items().iter().map(|item| item.uid))
    }
}
