//! The conversations that pages show.
//!
//! Of a mailbox whose list shows conversations, what its messages say of them is held in memory, and
//! so it is of those in the account's mailbox for sent mail: read once, newest first and piece by
//! piece, and then kept up with the lists by their differences. A row is made of its conversation's
//! records when it is in view.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, HashMap, HashSet},
    ops::Range,
    rc::Rc,
};

use futures_util::lock::Mutex;
use postern_bridge::{
    Change as Wanted, ClientId, ConversationView, Delta, MailboxId, MessageId, Role, Row, Selection,
};

use super::{
    Client,
    lists::{Change, row},
    search::names_recipients,
};
use crate::{
    Host, MailError, Store,
    record::{self, Mailbox, Message, Place, Record},
    store::{Durability, StoreError},
    threads::{self, Conversations, Head, limits},
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

#[derive(Default)]
struct Threaded {
    conversations: Conversations,
    /// What of each mailbox's list is among them, in its order.
    read: BTreeMap<MailboxId, Vec<Place>>,
    /// The newest listed message of each, oldest first; `None` after a change.
    heads: Option<Vec<Head>>,
    /// Messages whose links an earlier version did not look for.
    unlinked: Vec<MessageId>,
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
        for together in kept.told.take() {
            threaded.conversations.hint(sources[0], &together);
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

impl Threaded {
    async fn take_in(
        &mut self,
        store: &impl Store,
        source: MailboxId,
        difference: Difference,
    ) -> Result<(), StoreError> {
        let Difference { gone, new, .. } = difference;
        if gone.is_empty() && new.is_empty() {
            return Ok(());
        }
        self.heads = None;
        let ids = |places: &[Place]| -> Vec<MessageId> {
            places.iter().map(|place| MessageId { mailbox: source, uid: place.uid }).collect()
        };
        self.conversations.remove(&ids(&gone));
        let read = threads::read(store, &ids(&new), &mut self.conversations).await?;
        self.unlinked.extend(read.unlinked);
        let known = self.read.entry(source).or_default();
        known.retain(|place| gone.binary_search(place).is_err());
        known.extend(new);
        // In runs that are sorted already, which this sort makes use of.
        known.sort();
        Ok(())
    }

    /// The newest listed message of each conversation, oldest first.
    fn heads(&mut self, mailbox: MailboxId) -> &[Head] {
        let Self { heads, conversations, .. } = self;
        heads.get_or_insert_with(|| conversations.heads(mailbox))
    }

    /// What a row is made of.
    fn part(&self, head: MessageId) -> Part {
        let messages = self.conversations.of(head);
        let count = u32::try_from(messages.len()).unwrap_or(u32::MAX);
        let messages_in_all = count.saturating_add(self.conversations.awaited(head));
        let from = messages.len().saturating_sub(limits::SUMMED);
        let first = messages[..from.min(1)].iter();
        let mut read: Vec<MessageId> =
            first.chain(&messages[from..]).map(|message| message.id).collect();
        if !read.contains(&head) {
            read.push(head);
        }
        Part { head, messages: messages_in_all, read }
    }

    /// All messages of these messages' conversations that are listed in a mailbox, each once.
    fn all_of(
        &self,
        mailbox: MailboxId,
        ids: &[MessageId],
        current: impl Fn(MessageId) -> MessageId,
    ) -> Vec<MessageId> {
        let mut all = Vec::new();
        let mut seen = HashSet::new();
        for id in ids {
            let messages = self.conversations.of(current(*id)).into_iter().map(|own| own.id);
            let listed: Vec<_> = messages.filter(|own| own.mailbox == mailbox).collect();
            // One that has left speaks for itself, and as what the page saw: where it is by now may
            // be a place where the same change means something else.
            let named = if listed.is_empty() { vec![*id] } else { listed };
            all.extend(named.into_iter().filter(|own| seen.insert(*own)));
        }
        all
    }

    /// All listed messages of the conversations from one to another, as they stood when those were
    /// the newest of theirs: what has come since leads to no others.
    fn between(
        &mut self,
        mailbox: MailboxId,
        one: MessageId,
        other: MessageId,
    ) -> Option<Vec<MessageId>> {
        let own = |id: MessageId| self.conversations.of(id).into_iter().find(|own| own.id == id);
        let (one, other) = (own(one)?, own(other)?);
        let (low, high) = (one.min(other), one.max(other));
        let heads = self.heads(mailbox);
        let start = heads.partition_point(|head| *head < low);
        let end = heads.partition_point(|head| *head <= high);
        let between = heads[start..end].iter().map(|head| head.id);
        let between: Vec<MessageId> = between.chain([low.id, high.id]).collect();
        Some(self.all_of(mailbox, &between, |id| id))
    }
}

/// What a row is made of: some of its conversation's messages, oldest first.
#[derive(Debug)]
struct Part {
    /// The newest in the listed mailbox.
    head: MessageId,
    /// How many there are.
    messages: u32,
    read: Vec<MessageId>,
}

/// The row of a conversation; none if its newest message has gone meanwhile.
fn summed(part: &Part, messages: &[Message], shows_recipients: bool) -> Option<Row> {
    let head = messages.iter().find(|own| own.id == part.head)?.clone();
    // Marks are given to what is listed.
    let listed = || messages.iter().filter(|own| own.id.mailbox == part.head.mailbox);
    let unread = listed().filter(|own| !own.flags.seen).count();
    let mut summed = row(head, shows_recipients);
    summed.flags.seen = unread == 0;
    summed.flags.flagged = listed().any(|own| own.flags.flagged);
    summed.has_attachments = messages.iter().any(|own| own.has_attachments);
    summed.messages = part.messages;
    summed.unread = u32::try_from(unread).unwrap_or(u32::MAX);
    if let (Some(first), true) = (messages.first(), messages.len() > 1) {
        summed.subject = first.subject.clone();
        if !shows_recipients {
            summed.correspondents = people(messages);
        }
    }
    Some(summed)
}

/// Who wrote, from the first to the last, each once.
fn people(messages: &[Message]) -> String {
    let mut labels: Vec<&str> = Vec::new();
    for address in messages.iter().filter_map(|message| message.from.first()) {
        // Who writes again is named where the latest message is.
        if labels.first() != Some(&address.label()) {
            labels.retain(|label| *label != address.label());
            labels.push(address.label());
        }
    }
    match labels[..] {
        [first, .., before, last] if labels.len() > 3 => format!("{first} … {before}, {last}"),
        _ => labels.join(", "),
    }
}

/// How a list differs from what was read of it.
#[derive(Debug, Default, Eq, PartialEq)]
struct Difference {
    /// What is listed no more, in order.
    gone: Vec<Place>,
    /// What was not read yet: the newest of it, in order.
    new: Vec<Place>,
    /// Whether it is all of it.
    is_all: bool,
}

/// Compares two lists, each in order.
fn difference(read: &[Place], listed: &[Place]) -> Difference {
    let mut difference = Difference { is_all: true, ..Difference::default() };
    let mut read = read.iter().rev().peekable();
    for place in listed.iter().rev() {
        while let Some(gone) = read.next_if(|own| *own > place) {
            difference.gone.push(*gone);
        }
        if read.next_if_eq(&place).is_some() {
            continue;
        }
        if difference.new.len() < limits::PIECE {
            difference.new.push(*place);
        } else {
            difference.is_all = false;
        }
    }
    difference.gone.extend(read);
    difference.gone.reverse();
    difference.new.reverse();
    difference
}

#[cfg(test)]
mod tests {
    use postern_bridge::{Address, Flags};

    use super::*;
    use crate::record::Body;

    const MAILBOX: MailboxId = MailboxId(1);

    fn places(uids: impl IntoIterator<Item = u32>) -> Vec<Place> {
        uids.into_iter().map(|uid| Place { arrived: 7, uid }).collect()
    }

    #[test]
    fn a_list_is_read_newest_first_in_pieces_and_followed() {
        let piece = u32::try_from(limits::PIECE).unwrap();
        let all = places(1..=piece + 2);
        let first = difference(&[], &all);
        assert_eq!((first.new.len(), first.new[0].uid, first.is_all), (limits::PIECE, 3, false));
        let rest = difference(&first.new, &all);
        assert_eq!((rest.new, rest.is_all), (places([1, 2]), true));
        let changed = difference(&places([2, 4, 6, 8]), &places([1, 2, 3, 6]));
        let expected = Difference { gone: places([4, 8]), new: places([1, 3]), is_all: true };
        assert_eq!(changed, expected);
        assert_eq!(difference(&places([1]), &[]).gone, places([1]));
    }

    fn message(mailbox: u32, uid: u32, from: &str) -> Message {
        Message {
            id: MessageId { mailbox: MailboxId(mailbox), uid },
            arrived: i64::from(uid),
            sent: None,
            size: 9,
            flags: Flags { seen: true, ..Flags::default() },
            keywords: Vec::new(),
            from: vec![Address { name: from.into(), address: "a@b".into() }],
            to: vec![Address { name: "Zoë".into(), address: "z@b".into() }],
            subject: format!("Figs {uid}"),
            message_id: String::new(),
            links: None,
            preview: format!("Text {uid}"),
            has_attachments: uid == 2,
            body: Body::Absent,
        }
    }

    #[test]
    fn a_row_is_made_of_all_messages_and_named_by_the_first_and_the_newest_listed() {
        let mut messages = vec![
            message(1, 1, "Ada"),
            message(1, 2, "Ben"),
            message(1, 3, "Ada"),
            message(2, 4, "Me"),
        ];
        messages[0].flags.flagged = true;
        messages[2].flags.seen = false;
        messages[3].flags.seen = false;
        let read = messages.iter().map(|own| own.id).collect();
        let part = Part { head: messages[2].id, messages: 9, read };
        let row = summed(&part, &messages, false).unwrap();
        assert_eq!((&*row.subject, &*row.preview, row.date), ("Figs 1", "Text 3", 3));
        assert_eq!((row.messages, row.unread), (9, 1));
        assert!(!row.flags.seen && row.flags.flagged && row.has_attachments);
        assert_eq!(row.correspondents, "Ada, Ben, Me");
        assert_eq!(summed(&part, &messages, true).unwrap().correspondents, "Zoë");
        assert!(summed(&part, &messages[..2], false).is_none());
        let single = Part { head: messages[0].id, messages: 1, read: vec![messages[0].id] };
        let row = summed(&single, &messages[..1], false).unwrap();
        assert_eq!((&*row.correspondents, row.messages), ("Ada", 1));
    }

    #[test]
    fn of_many_people_the_first_and_the_last_are_named() {
        let named = |names: &[&str]| {
            let messages: Vec<Message> =
                (1..).zip(names).map(|(uid, name)| message(1, uid, name)).collect();
            people(&messages)
        };
        assert_eq!(named(&["Ada"]), "Ada");
        assert_eq!(named(&["Ada", "Ben", "Ada"]), "Ada, Ben");
        assert_eq!(named(&["Ada", "Ben", "Cleo"]), "Ada, Ben, Cleo");
        assert_eq!(named(&["Ada", "Ben", "Cleo", "Dan", "Ben"]), "Ada … Dan, Ben");
        assert_eq!(named(&[]), "");
    }

    #[test]
    fn a_selection_of_rows_is_all_that_is_listed_of_their_conversations() {
        let mut threaded = Threaded::default();
        let id = |mailbox, uid| MessageId { mailbox: MailboxId(mailbox), uid };
        for (mailbox, uid, own, references) in [
            (1, 1, "a", vec![]),
            (1, 2, "b", vec![]),
            (1, 3, "c", vec!["a"]),
            (2, 4, "d", vec!["a"]),
            (1, 5, "e", vec![]),
        ] {
            let arrived = i64::from(uid);
            let clue = threads::Clue { message_id: own, references, arrived, ..Default::default() };
            threaded.conversations.add(id(mailbox, uid), &clue);
        }
        let trash = id(7, 1);
        let now = |own: MessageId| if own == id(1, 9) { trash } else { own };
        let named = threaded.all_of(MAILBOX, &[id(1, 3), id(1, 9)], now);
        assert_eq!(named, [id(1, 1), id(1, 3), id(1, 9)], "what has left is named as it was seen");
        let between = threaded.between(MAILBOX, id(1, 5), id(1, 3)).unwrap();
        assert_eq!(between, [id(1, 1), id(1, 3), id(1, 5)]);
        // Before the third came, the rows were 5, 2 and 1: it leads to no other rows than those.
        let between = threaded.between(MAILBOX, id(1, 2), id(1, 1)).unwrap();
        assert_eq!(between, [id(1, 2), id(1, 1), id(1, 3)]);
        assert_eq!(threaded.between(MAILBOX, id(1, 9), id(1, 1)), None);
    }
}
