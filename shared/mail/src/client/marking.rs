//! Marks that follow from something else than a change of marks.

use postern_bridge::{MailboxId, Mark, MessageId};

use super::Client;
use crate::{
    Host, MailError,
    changes::{Editor, JUNK, NOT_JUNK},
};

impl<H: Host> Client<H> {
    /// Marks messages as junk, or as wanted, with the keywords that filters learn from. Where this account
    /// may give them none, or the server keeps none, they go or come without.
    pub(super) async fn mark_junk(
        &self,
        editor: &mut Editor<'_, H>,
        mailbox: MailboxId,
        uids: &[u32],
        junk: bool,
    ) -> Result<(), MailError> {
        let (own, other) = (keyword(JUNK), keyword(NOT_JUNK));
        if !self.mailbox(mailbox).await?.may_mark(&own) {
            return Ok(());
        }
        editor.mark(mailbox, uids, &own, junk).await?;
        editor.mark(mailbox, uids, &other, !junk).await
    }

    /// Marks a message that was opened as read.
    pub(super) async fn mark_opened(&self, id: MessageId) -> Result<(), MailError> {
        self.mark_one(id, &Mark::Seen).await
    }

    /// Gives a message a mark that follows from something else than a change: not where this account may
    /// not, since nobody has asked for it.
    pub(super) async fn mark_one(&self, id: MessageId, mark: &Mark) -> Result<(), MailError> {
        let own = self.mailbox(id.mailbox).await?;
        if own.read_only || !own.may_mark(mark) {
            return Ok(());
        }
        let account = self.account_of(id.mailbox).await?;
        let mut editor = Editor::begin(&*self.inner.host, &account, None).await?.unasked();
        editor.mark(id.mailbox, &[id.uid], mark, true).await?;
        self.tell_made(account.id, &editor.finish()).await
    }
}

/// A keyword as a mark.
pub(super) fn keyword(name: &str) -> Mark {
    Mark::Keyword(name.into())
}
