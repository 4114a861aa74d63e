//! Which messages a selection of conversations names.

use std::collections::HashSet;

use postern_bridge::{MailboxId, MessageId, Selection};

use crate::{Host, MailError, client::Client};

impl<H: Host> Client<H> {
    /// Names the messages of a selection of conversations, but for one of all but some: see
    /// [`all_and_those`](Self::all_and_those).
    pub(in crate::client) async fn name_conversations(
        &self,
        messages: &mut Selection,
    ) -> Result<(), MailError> {
        let id = match messages {
            Selection::Conversations(ids) => ids.first().ok_or(MailError::Gone("message"))?.mailbox,
            Selection::ConversationsBetween(one, _) => one.mailbox,
            _ => return Ok(()),
        };
        let kept = self.kept(id);
        self.read_whole(&kept, id).await?;
        let mut threaded = kept.threaded.lock().await;
        self.follow_lines(&mut threaded, id);
        let current = |id| self.current(id);
        *messages = match messages {
            Selection::Conversations(ids) => Selection::Messages(threaded.all_of(id, ids, current)),
            Selection::ConversationsBetween(one, other) => {
                let between = threaded.between(id, current(*one), current(*other));
                Selection::Messages(between.ok_or(MailError::Gone("message"))?)
            }
            _ => return Ok(()),
        };
        Ok(())
    }

    /// The UIDs of all that a mailbox lists, oldest first, and which of them are of these messages'
    /// conversations. Both are of one moment: what comes a moment later is in neither.
    pub(in crate::client) async fn all_and_those(
        &self,
        mailbox: MailboxId,
        ids: &[MessageId],
    ) -> Result<(Vec<u32>, HashSet<u32>), MailError> {
        let kept = self.kept(mailbox);
        self.read_whole(&kept, mailbox).await?;
        let threaded = kept.threaded.lock().await;
        Ok(threaded.all_and_those(mailbox, ids, |id| self.current(id)))
    }

    /// Reads all that is not read yet.
    async fn read_whole(&self, kept: &super::Kept, mailbox: MailboxId) -> Result<(), MailError> {
        let sources = self.sources(&self.mailbox(mailbox).await?).await?;
        while !self.read_on(kept, &sources).await? {}
        Ok(())
    }
}
