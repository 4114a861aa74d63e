//! The conversations that pages show.
//!
//! Of a mailbox whose list shows conversations, what its messages say of them is held in memory, and
//! so it is of those in the account's mailbox for sent mail: read once, newest first and piece by
//! piece, and then kept up with the lists by their differences. A row is made of its conversation's
//! records when it is in view.

mod row;
mod threaded;

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    ops::Range,
    rc::Rc,
};

use futures_util::lock::Mutex;
use postern_bridge::{
    Change as Wanted, ClientId, ConversationView, Delta, MailboxId, MessageId, Protocol, Role, Row,
    Selection,
};

use self::{
    row::summed,
    threaded::{Threaded, difference},
};
use super::{
    Client,
    lists::{Change, row},
    search::names_recipients,
};
use crate::{
    Host, MailError, Store,
    record::{self, Mailbox, Message, Record},
    store::{Durability, StoreError},
    threads::{self, limits},
};

/// Milliseconds between two times that pages are told of more that was read.
const TELL_EVERY: i64 = 400;

/// What is held of mailboxes whose lists show conversations.
pub(super) type Grouped = HashMap<MailboxId, Rc<Kept>>;

/// The conversations of one mailbox.
#[derive(Default)]
pub(super) struct Kept {
    threaded: Mutex<Threaded>,
    /// What the server has said belongs together, to be taken in.
    told: RefCell<Vec<Vec<u32>>>,
    /// Whether the rest of it is being read.
    reading: Cell<bool>,
}

/// A conversation that a page has open.
pub(super) struct Open {
    /// The message that it was opened by.
    message: MessageId,
    /// Its messages.
    messages: Vec<MessageId>,
    /// What the page was told last.
    told: Option<ConversationView>,
}

impl<H: Host> Client<H> {
    /// Shows conversations in the list of a mailbox, or messages again.
    pub(super) async fn group_conversations(
        &self,
        id: MailboxId,
        on: bool,
    ) -> Result<(), MailError> {
        let mailbox = {
            let _editing = self.store().editing().lock().await;
            let mailbox = record::mailbox(self.store(), id).await?;
            let mailbox = Mailbox { conversations: on, ..mailbox };
            self.store().apply(vec![mailbox.put()], Durability::Relaxed).await?;
            mailbox
        };
        if !on {
            self.inner.grouped.borrow_mut().remove(&id);
        } else if mailbox.uid_next == 0 {
            // Its server may tell what belongs together before everything is here.
            self.sync_mailbox(&mailbox);
        }
        self.tell_mailboxes(None, mailbox.account).await?;
        self.mailbox_changed(id, Change::Rows).await
    }

    /// Tells a page which messages are of the conversation of a message, from now on.
    pub(super) async fn open_conversation(
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

    /// Tells a page the rows of its window, as conversations.
    pub(super) async fn tell_conversation_rows(
        &self,
        page: ClientId,
        mailbox: &Mailbox,
    ) -> Result<(), MailError> {
        let kept = self.kept(mailbox.id);
        let sources = self.sources(mailbox).await?;
        if let Some(window) = self.inner.windows.borrow_mut().get_mut(&page) {
            window.also = sources.get(1).copied();
        }
        let is_whole = self.read_on(&kept, &sources).await? && kept.is_linked();
        let Some(rows) = self.window_of(page, mailbox.id) else { return Ok(()) };
        let start = rows.start;
        let (total, rows) = self.conversation_rows(&kept, mailbox, rows).await?;
        let fresh = self.is_fresh(mailbox.id);
        let (mailbox_id, search, conversations) = (mailbox.id, None, true);
        let rows =
            Delta::Rows { mailbox: mailbox_id, total, start, rows, fresh, search, conversations };
        self.tell(Some(page), rows);
        self.tell_conversation(page).await?;
        if !is_whole {
            self.read_rest(mailbox.id, kept, sources);
        }
        Ok(())
    }

    /// What the server has said belongs together counts, where conversations are shown.
    pub(super) fn conversations_told(&self, mailbox: MailboxId, told: Vec<Vec<u32>>) {
        if let Some(kept) = self.inner.grouped.borrow().get(&mailbox) {
            kept.told.borrow_mut().extend(told);
        }
    }

    /// The messages in the rows above and below that of this one, where conversations are shown.
    pub(super) fn neighbouring_conversations(&self, message: MessageId) -> Option<Vec<MessageId>> {
        let grouped = self.inner.grouped.borrow();
        let threaded = grouped.get(&message.mailbox)?.threaded.try_lock()?;
        let heads = threaded.heads.as_ref()?;
        let at = heads.iter().rposition(|head| head.id == message)?;
        let places = [at.checked_sub(1), Some(at + 1)].into_iter().flatten();
        Some(places.filter_map(|at| heads.get(at)).map(|head| head.id).collect())
    }

    /// Names the messages that a change of conversations is about.
    pub(super) async fn name_conversations(&self, change: &mut Wanted) -> Result<(), MailError> {
        let Some(messages) = change.messages_mut() else { return Ok(()) };
        let id = match messages {
            Selection::Conversations(ids) => ids.first().ok_or(MailError::Gone("message"))?.mailbox,
            Selection::ConversationsBetween(one, _) => one.mailbox,
            Selection::ConversationsBut { mailbox, .. } => *mailbox,
            _ => return Ok(()),
        };
        let kept = self.kept(id);
        let sources = self.sources(&record::mailbox(self.store(), id).await?).await?;
        while !self.read_on(&kept, &sources).await? {}
        let mut threaded = kept.threaded.lock().await;
        let current = |id| self.current(id);
        *messages = match messages {
            Selection::Conversations(ids) => Selection::Messages(threaded.all_of(id, ids, current)),
            Selection::ConversationsBetween(one, other) => {
                let between = threaded.between(id, self.current(*one), self.current(*other));
                Selection::Messages(between.ok_or(MailError::Gone("message"))?)
            }
            Selection::ConversationsBut { mailbox, except } => {
                let except = threaded.all_of(id, except, current);
                Selection::AllBut { mailbox: *mailbox, except }
            }
            _ => return Ok(()),
        };
        Ok(())
    }

    fn kept(&self, mailbox: MailboxId) -> Rc<Kept> {
        Rc::clone(self.inner.grouped.borrow_mut().entry(mailbox).or_default())
    }

    /// The mailboxes whose messages are in a mailbox's conversations: itself first.
    async fn sources(&self, mailbox: &Mailbox) -> Result<Vec<MailboxId>, StoreError> {
        let mut sources = vec![mailbox.id];
        if !matches!(mailbox.role, Some(Role::Sent | Role::Drafts | Role::Junk | Role::Trash)) {
            let all = self.mailboxes(mailbox.account).await?;
            let sent = all.iter().find(|own| own.role == Some(Role::Sent) && own.selectable);
            sources.extend(sent.map(|own| own.id));
        }
        Ok(sources)
    }

    /// Takes in what has changed in the lists, and another piece of what was not read yet; whether
    /// that was all.
    async fn read_on(&self, kept: &Kept, sources: &[MailboxId]) -> Result<bool, MailError> {
        // Of mail that has a server, the server is asked: its own names count, and are in no header.
        let is_local = self.account_of(sources[0]).await?.protocol == Protocol::Pop3;
        let mut threaded = kept.threaded.lock().await;
        let mut is_whole = true;
        for source in sources {
            if !self.has_list(*source) {
                self.load_order(*source).await?;
            }
            let read = threaded.read.get(source).map(Vec::as_slice).unwrap_or_default();
            let difference = self.with_order(*source, |order| difference(read, order));
            is_whole &= difference.is_all;
            threaded.take_in(self.store(), *source, difference).await?;
        }
        if !is_local {
            threaded.unlinked.clear();
        }
        for together in kept.told.take() {
            threaded.conversations.tell(sources[0], &together);
            threaded.heads = None;
        }
        Ok(is_whole)
    }

    /// Reads what is left, and tells pages of it now and then.
    fn read_rest(&self, mailbox: MailboxId, kept: Rc<Kept>, sources: Vec<MailboxId>) {
        if kept.reading.replace(true) {
            return;
        }
        let client = self.clone();
        self.inner.host.spawn(async move {
            let read = client.read_all(mailbox, &kept, &sources).await;
            kept.reading.set(false);
            // What can't be read is tried again when the list is drawn the next time.
            if read.is_ok() {
                let _ = client.tell_everyone_rows(mailbox).await;
            }
        });
    }

    async fn read_all(
        &self,
        mailbox: MailboxId,
        kept: &Rc<Kept>,
        sources: &[MailboxId],
    ) -> Result<(), MailError> {
        let mut told = self.inner.host.now();
        while !(self.read_on(kept, sources).await? && kept.is_linked()) {
            self.learn_links(kept).await?;
            let is_wanted =
                self.inner.grouped.borrow().get(&mailbox).is_some_and(|own| Rc::ptr_eq(own, kept));
            if !is_wanted {
                break;
            }
            if self.inner.host.now() - told >= TELL_EVERY {
                self.tell_everyone_rows(mailbox).await?;
                told = self.inner.host.now();
            }
        }
        Ok(())
    }

    /// Learns some of the links that an earlier version did not look for.
    async fn learn_links(&self, kept: &Kept) -> Result<(), MailError> {
        let mut threaded = kept.threaded.lock().await;
        let Threaded { conversations, heads, unlinked, .. } = &mut *threaded;
        let learnt = threads::adopt(self.store(), unlinked).await?;
        if !learnt.is_empty() {
            // Those that could not be learnt are not tried again and again.
            threads::read(self.store(), &learnt, conversations).await?;
            *heads = None;
        }
        Ok(())
    }

    /// How many rows there are, and some of them.
    async fn conversation_rows(
        &self,
        kept: &Kept,
        mailbox: &Mailbox,
        rows: Range<u32>,
    ) -> Result<(u32, Vec<Row>), MailError> {
        let (total, parts) = {
            let mut threaded = kept.threaded.lock().await;
            let heads = threaded.heads(mailbox.id);
            let total = u32::try_from(heads.len()).unwrap_or(u32::MAX);
            let shown = heads.iter().rev().skip(rows.start as usize).take(rows.len());
            let shown: Vec<MessageId> = shown.map(|head| head.id).collect();
            (total, shown.into_iter().map(|head| threaded.part(head)).collect::<Vec<_>>())
        };
        let keys: Vec<_> =
            parts.iter().flat_map(|part| &part.read).map(|id| record::message_key(*id)).collect();
        let mut messages = record::get_many::<Message>(self.store(), &keys).await?.into_iter();
        let recipients = names_recipients(mailbox);
        let rows = parts.iter().filter_map(|part| {
            let messages: Vec<Message> =
                messages.by_ref().take(part.read.len()).flatten().collect();
            summed(part, &messages, recipients)
        });
        Ok((total, rows.collect()))
    }

    /// Tells a page the messages of the conversation that it has open, if they have changed.
    async fn tell_conversation(&self, page: ClientId) -> Result<(), MailError> {
        let Some((mailbox, asked, known)) = self.opened(page) else { return Ok(()) };
        let kept = self.inner.grouped.borrow().get(&mailbox).cloned();
        let Some(kept) = kept else { return Ok(()) };
        let (messages, more) = {
            let threaded = kept.threaded.lock().await;
            let conversations = &threaded.conversations;
            let there =
                known.iter().find(|id| id.mailbox == mailbox && conversations.contains(**id));
            let messages = there.map(|id| conversations.of(*id)).unwrap_or_default();
            let is_listed = messages.iter().any(|head| head.id.mailbox == mailbox);
            let messages = if is_listed { messages } else { Vec::new() };
            let surplus = messages.len().saturating_sub(limits::SHOWN);
            let awaited = there.map_or(0, |id| conversations.awaited(*id));
            let more = u32::try_from(surplus).unwrap_or(u32::MAX).saturating_add(awaited);
            (messages[surplus..].iter().map(|head| head.id).collect::<Vec<_>>(), more)
        };
        let keys: Vec<_> = messages.iter().map(|id| record::message_key(*id)).collect();
        let records = record::get_many::<Message>(self.store(), &keys).await?;
        let rows = records.into_iter().flatten().map(|message| row(message, false)).collect();
        let view = ConversationView { message: asked, messages: rows, more };
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

impl Kept {
    /// Whether the links of all that was read are known; also while that can't be told.
    fn is_linked(&self) -> bool {
        self.threaded.try_lock().is_none_or(|threaded| threaded.unlinked.is_empty())
    }
}
