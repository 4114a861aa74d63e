//! The conversation that a page has open.

use postern_bridge::{ClientId, ConversationView, Delta, MailboxId, MessageId};

use crate::{
    Host, MailError,
    client::{Client, rows::row},
    threads::limits,
};

/// A conversation that a page has open.
pub(in crate::client) struct Open {
    /// The message that it was opened by.
    message: MessageId,
    /// Its messages.
    messages: Vec<MessageId>,
    /// What the page was told last.
    told: Option<ConversationView>,
}

impl<H: Host> Client<H> {
    /// Tells a page which messages are of the conversation of a message, from now on.
    pub(in crate::client) async fn open_conversation(
        &self,
        page: ClientId,
        message: MessageId,
    ) -> Result<(), MailError> {
        let message = self.current(message);
        if let Some(window) = self.inner.windows.borrow_mut().get_mut(&page) {
            let open = Open { message, messages: vec![message], told: None };
            window.conversation = Some(open);
        }
        self.tell_conversation(page).await
    }

    /// A page shows no conversation any more.
    pub(in crate::client) fn close_conversation(&self, page: ClientId) {
        if let Some(window) = self.inner.windows.borrow_mut().get_mut(&page) {
            window.conversation = None;
        }
    }

    /// Tells a page the messages of the conversation that it has open, if they have changed.
    pub(super) async fn tell_conversation(&self, page: ClientId) -> Result<(), MailError> {
        let Some((mailbox, asked, known)) = self.opened(page) else { return Ok(()) };
        let kept = self.inner.grouped.borrow().get(&mailbox).cloned();
        let Some(kept) = kept else { return Ok(()) };
        let mut threaded = kept.threaded.lock().await;
        self.follow_lines(&mut threaded, mailbox);
        let conversations = &threaded.conversations;
        let there = known.iter().find(|id| id.mailbox == mailbox && conversations.contains(**id));
        let messages = there.map(|id| conversations.shown(*id, mailbox)).unwrap_or_default();
        let surplus = messages.len().saturating_sub(limits::SHOWN);
        let awaited = there.map_or(0, |id| conversations.awaited(*id));
        let more = u32::try_from(surplus).unwrap_or(u32::MAX).saturating_add(awaited);
        let messages: Vec<MessageId> = messages[surplus..].iter().map(|own| own.id).collect();
        let line = there.and_then(|id| threaded.line_of(*id));
        let key = line.map_or(asked, |at| threaded.lines()[at].key);
        let records = threaded.records(self.store(), &messages).await?;
        let rows = messages.iter().filter_map(|id| records.get(id).cloned());
        let messages_shown = rows.map(|message| row(message, false)).collect();
        let view = ConversationView { message: asked, key, messages: messages_shown, more };
        drop(threaded);
        let mut windows = self.inner.windows.borrow_mut();
        let Some(open) = windows.get_mut(&page).and_then(|own| own.conversation.as_mut()) else {
            return Ok(());
        };
        // Another one may have been opened meanwhile.
        if self.current(open.message) != asked || open.told.as_ref() == Some(&view) {
            return Ok(());
        }
        if !messages.is_empty() {
            (open.message, open.messages) = (asked, messages);
        }
        open.told = Some(view.clone());
        drop(windows);
        self.tell(Some(page), Delta::Conversation(Box::new(view)));
        Ok(())
    }

    /// Which conversation a page has open: its mailbox, the message that it was opened by, and the
    /// messages that were in it, by their present numbers.
    fn opened(&self, page: ClientId) -> Option<(MailboxId, MessageId, Vec<MessageId>)> {
        let windows = self.inner.windows.borrow();
        let window = windows.get(&page)?;
        let open = window.conversation.as_ref()?;
        let known = open.messages.iter().map(|id| self.current(*id)).collect();
        Some((window.mailbox, self.current(open.message), known))
    }
}
