//! Conversations as pages are told of them, and what is read for that.

use postern_bridge::{
    Change as Wanted, ClientId, ConversationView, Delta, Flags, Intent, MailboxId, MessageId,
    Protocol, Role, Row, Selection,
};

use super::super::{
    Client,
    lists::Change,
    tests::{Told, still},
};
use crate::{
    Store,
    changes::tests::{mailbox, message},
    record::{self, Body, Links, Mailbox, Message, Record, Series},
    store::{Durability, KeyRange, Table, Write},
    testing::{FailingStore, NoServer, TestHost, account, block_on},
};

const PAGE: ClientId = ClientId(1);
const INBOX: MailboxId = MailboxId(1);
const SENT: MailboxId = MailboxId(2);

/// A page before a client whose account has no connection.
struct Page {
    store: FailingStore,
    client: Client<TestHost<NoServer, FailingStore>>,
    told: Told,
}

impl Page {
    /// A page that has the inbox open, as conversations.
    fn open(protocol: Protocol, messages: Vec<Message>) -> Self {
        let store = FailingStore::default();
        let inbox = Mailbox { uid_next: 9_000, ..mailbox(1) };
        let sent = Mailbox { role: Some(Role::Sent), uid_next: 9_000, ..mailbox(2) };
        let mut writes = vec![inbox.put(), sent.put()];
        writes.extend(messages.iter().flat_map(Message::put_listed));
        block_on(store.apply(writes, Durability::Relaxed)).unwrap();
        let (_, numbered) = block_on(record::next_numbers(&store, Series::Mailbox, 2)).unwrap();
        block_on(store.apply(vec![numbered], Durability::Relaxed)).unwrap();
        Self::before(store, protocol)
    }

    /// A page before a store, which has the inbox open, as conversations.
    fn before(store: FailingStore, protocol: Protocol) -> Self {
        let (client, told) = still(store.clone(), account(protocol));
        let page = Self { store, client, told };
        page.say(Intent::OpenMailbox { mailbox: INBOX });
        page.say(Intent::GroupConversations { mailbox: INBOX, on: true, at: None });
        page
    }

    fn say(&self, intent: Intent) {
        block_on(self.client.serve(PAGE, intent)).unwrap();
    }

    /// Stores messages as a sync does.
    fn store(&self, mailbox: MailboxId, messages: &[Message]) {
        let writes = messages.iter().flat_map(Message::put_listed).collect();
        block_on(self.store.apply(writes, Durability::Relaxed)).unwrap();
        self.client.note_change(mailbox, Change::Order);
    }

    fn remove(&self, message: &Message) {
        block_on(self.store.apply(message.delete_whole().into(), Durability::Relaxed)).unwrap();
        self.client.note_change(message.id.mailbox, Change::Order);
    }

    /// The last of what was told.
    fn last<T>(&self, of: impl Fn(&Delta) -> Option<T>) -> T {
        self.told.borrow().iter().rev().find_map(of).expect("it was told")
    }

    fn rows(&self) -> Vec<Row> {
        self.last(|delta| match delta {
            Delta::Rows { rows, conversations: true, .. } => Some(rows.clone()),
            _ => None,
        })
    }

    fn conversation(&self) -> ConversationView {
        self.last(|delta| match delta {
            Delta::Conversation(view) => Some((**view).clone()),
            _ => None,
        })
    }

    fn named(&self, messages: Selection) -> Vec<MessageId> {
        self.say(Intent::NameMessages { request: 5, messages });
        self.last(|delta| match delta {
            Delta::Named { request: 5, result } => Some(result.clone().unwrap()),
            _ => None,
        })
    }

    fn change(&self, change: Wanted) -> u32 {
        self.say(Intent::Change { request: 6, change });
        self.last(|delta| match delta {
            Delta::Changed { request: 6, result } => Some(result.clone().unwrap().messages),
            _ => None,
        })
    }

    /// The UIDs of all that is stored of the inbox.
    fn stored(&self) -> Vec<u32> {
        let range = KeyRange::prefix(record::mailbox_key(INBOX));
        let messages: Vec<Message> = block_on(record::all(&self.store, &range)).unwrap();
        messages.iter().map(|own| own.id.uid).collect()
    }

    /// How many values were read while something was done.
    fn reads(&self, what: impl FnOnce()) -> usize {
        let before = self.store.read.get();
        what();
        self.store.read.get() - before
    }
}

fn id(mailbox: MailboxId, uid: u32) -> MessageId {
    MessageId { mailbox, uid }
}

/// A message of a conversation.
fn letter(id: MessageId, conversation: &str) -> Message {
    let links = Links::new(vec![format!("{conversation}@example.org")], String::new());
    let message_id = format!("{}-{}@example.org", id.mailbox.0, id.uid);
    Message { links: Some(links), message_id, ..message(id) }
}

fn letters(uids: impl IntoIterator<Item = u32>, conversation: &str) -> Vec<Message> {
    uids.into_iter().map(|uid| letter(id(INBOX, uid), conversation)).collect()
}

#[test]
fn a_row_keeps_its_key_when_an_answer_comes_and_sums_up_all_of_a_long_conversation() {
    let mut mail = letters(1..=100, "figs");
    mail.extend(letters([200], "pears"));
    mail[4].flags.flagged = true;
    mail[6].has_attachments = true;
    let page = Page::open(Protocol::Imap, mail);
    let rows = page.rows();
    let (pears, figs) = (&rows[0], &rows[1]);
    assert_eq!((figs.messages, figs.unread, pears.unread), (100, 100, 1));
    assert!(figs.flags.flagged && figs.has_attachments);
    page.say(Intent::OpenConversation { message: figs.id });
    assert_eq!(page.conversation().key, figs.key);

    page.store(INBOX, &letters([300], "figs"));
    let now = page.rows();
    assert_eq!((now[0].id.uid, now[0].key, now[0].unread), (300, figs.key, 101));
    assert_eq!((now[1].id, now[1].key), (pears.id, pears.key));
    assert_eq!((page.conversation().key, page.conversation().messages.len()), (figs.key, 101));

    // The message that was the key goes: what takes its place is told.
    let gone = letters([figs.key.uid], "figs").remove(0);
    page.remove(&gone);
    let moved = page.last(|delta| match delta {
        Delta::Rekeyed(moved) => Some(moved.clone()),
        _ => None,
    });
    let now = page.rows();
    assert_eq!((moved[0].from, moved[0].to), (figs.key, now[0].key));
    assert_eq!(page.conversation().key, now[0].key);
}

#[test]
fn whoever_is_at_a_message_is_at_its_conversation_when_those_are_shown() {
    let page = Page::open(Protocol::Imap, letters(1..=3, "figs"));
    let group = |on, at| page.say(Intent::GroupConversations { mailbox: INBOX, on, at });
    group(false, None);
    group(true, Some(id(INBOX, 2)));
    let moved = page.last(|delta| match delta {
        Delta::Rekeyed(moved) => Some(moved.clone()),
        _ => None,
    });
    assert_eq!((moved[0].from, moved[0].to), (id(INBOX, 2), page.rows()[0].key));
}

#[test]
fn of_a_small_change_only_what_was_written_is_read() {
    let mut mail: Vec<Message> = Vec::new();
    for conversation in 0..40 {
        let uids = conversation * 50 + 1..=conversation * 50 + 50;
        mail.extend(letters(uids, &format!("letters-{conversation}")));
    }
    let page = Page::open(Protocol::Imap, mail.clone());
    assert_eq!(page.rows().len(), 40);
    page.say(Intent::OpenConversation { message: mail[49].id });
    let read = Message { flags: Flags { seen: true, ..Flags::default() }, ..mail[10].clone() };
    let reads = page.reads(|| {
        block_on(page.store.apply(vec![read.put()], Durability::Relaxed)).unwrap();
        page.client.note_change(INBOX, Change::Rows);
    });
    let row = page.rows().into_iter().find(|row| row.key == mail[0].id).unwrap();
    assert_eq!((row.unread, row.messages), (49, 50));
    // Once to sum it up, and once since it is shown in the conversation that is open.
    assert!(reads <= 4, "{reads} values were read");
}

#[test]
fn a_conversation_that_is_closed_is_told_no_more() {
    let page = Page::open(Protocol::Imap, letters(1..=3, "figs"));
    page.say(Intent::OpenConversation { message: id(INBOX, 3) });
    page.say(Intent::CloseConversation);
    page.told.borrow_mut().clear();
    page.store(INBOX, &letters([4], "figs"));
    let told = page.told.borrow();
    assert!(!told.iter().any(|delta| matches!(delta, Delta::Conversation(_))), "{told:?}");
}

#[test]
fn what_was_sent_and_is_among_all_mail_too_is_shown_once_and_stays_when_that_goes() {
    let mut mail = letters(1..=2, "figs");
    // The same message under the same name of the server, as Gmail has it.
    let name = |own: &mut Message| {
        own.links = own.links.take().map(|links| Links { message: "g1".into(), ..links });
    };
    name(&mut mail[1]);
    let mut sent = letter(id(SENT, 7), "figs");
    name(&mut sent);
    mail.push(sent);
    // Another one, of which the server was not asked for a name: the same in all else.
    mail.push(letter(id(INBOX, 3), "figs"));
    mail.push(Message { id: id(SENT, 8), ..mail[3].clone() });
    let page = Page::open(Protocol::Imap, mail);
    assert_eq!(page.rows()[0].messages, 3);
    page.say(Intent::OpenConversation { message: id(INBOX, 3) });
    let shown: Vec<_> = page.conversation().messages.iter().map(|row| row.id).collect();
    assert_eq!(shown, [1, 2, 3].map(|uid| id(INBOX, uid)));

    let whole = Selection::Conversations(vec![page.rows()[0].key]);
    assert_eq!(page.named(whole), shown, "only what is listed, and so shown, is acted on");
    page.remove(&letter(id(INBOX, 2), "figs"));
    let shown: Vec<_> = page.conversation().messages.iter().map(|row| row.id).collect();
    assert_eq!(shown, [id(INBOX, 1), id(INBOX, 3), id(SENT, 7)]);
}

#[test]
fn what_is_deleted_for_good_is_what_the_question_was_about() {
    let page = Page::open(Protocol::Pop3, letters(1..=3, "figs"));
    let asked = page.named(Selection::Conversations(vec![page.rows()[0].key]));
    assert_eq!(asked.len(), 3);
    page.store(INBOX, &letters([4], "figs"));
    let done = page.change(Wanted::DeleteForGood { messages: Selection::Messages(asked) });
    assert_eq!((done, page.stored()), (3, vec![4]));
}

#[test]
fn of_all_conversations_but_some_nothing_of_those_is_meant_whatever_comes() {
    let mut mail = letters(1..=3, "figs");
    mail.extend(letters(4..=6, "pears"));
    let page = Page::open(Protocol::Pop3, mail);
    let figs = page.rows()[1].key;
    let all = || Selection::ConversationsBut { mailbox: INBOX, except: vec![figs] };
    assert_eq!(page.named(all()), [4, 5, 6].map(|uid| id(INBOX, uid)));
    // It is stored, and no list knows of it yet.
    let late = letters([9], "figs").remove(0);
    block_on(page.store.apply(late.put_listed().into(), Durability::Relaxed)).unwrap();
    assert_eq!(page.named(all()), [4, 5, 6].map(|uid| id(INBOX, uid)));
    page.change(Wanted::DeleteForGood { messages: all() });
    assert_eq!(page.stored(), [1, 2, 3, 9]);
}

/// A message that an earlier version stored.
fn unlinked(uid: u32) -> Message {
    Message { links: None, body: Body::Whole { size: 5 }, ..message(id(INBOX, uid)) }
}

#[test]
fn links_that_can_not_be_learnt_are_not_looked_for_without_end() {
    // No bytes of it are stored.
    let page = Page::open(Protocol::Pop3, vec![unlinked(1), unlinked(2)]);
    assert_eq!(page.rows().len(), 2);
    let reads = page.reads(|| page.client.note_change(INBOX, Change::Rows));
    assert_eq!(reads, 0, "nor again with each change");
}

#[test]
fn links_that_a_server_is_asked_for_are_not_looked_for_in_headers() {
    let page = Page::open(Protocol::Imap, vec![unlinked(1)]);
    assert_eq!(page.rows().len(), 1);
    let reads = page.reads(|| page.client.note_change(INBOX, Change::Rows));
    assert_eq!(reads, 0);
    let stored = block_on(record::get::<Message>(&page.store, &record::message_key(id(INBOX, 1))));
    assert_eq!(stored.unwrap().unwrap().links, None);
}

#[test]
fn links_that_are_learnt_join_and_that_comes_to_an_end() {
    let mut mail = letters([1], "figs");
    mail.push(unlinked(2));
    let page = Page::open(Protocol::Pop3, mail);
    assert_eq!(page.rows().len(), 2);
    // Its bytes come, as when it is downloaded again.
    let header = b"References: <figs@example.org>\r\n\r\nx";
    let mut writes = record::put_body(id(INBOX, 2), header);
    writes.push(unlinked(2).put());
    block_on(page.store.apply(writes, Durability::Relaxed)).unwrap();
    page.client.note_change(INBOX, Change::Rows);
    assert_eq!(page.rows().len(), 1);
    let reads = page.reads(|| page.client.note_change(INBOX, Change::Rows));
    assert_eq!(reads, 0);
}

#[test]
fn when_anything_may_have_been_written_all_is_read_again() {
    let page = Page::open(Protocol::Imap, letters(1..=5, "figs"));
    let range = KeyRange::prefix(record::mailbox_key(MailboxId(77)));
    let clear = Write::DeleteRange { table: Table::Messages, range };
    let read =
        Message { flags: Flags { seen: true, ..Flags::default() }, ..letter(id(INBOX, 2), "figs") };
    block_on(page.store.apply(vec![clear, read.put()], Durability::Relaxed)).unwrap();
    page.client.note_change(INBOX, Change::Rows);
    assert_eq!(page.rows()[0].unread, 4);
    assert!(page.client.inner.grouped.borrow().contains_key(&INBOX));
}

#[test]
fn what_no_page_shows_is_held_no_more() {
    let page = Page::open(Protocol::Imap, letters(1..=5, "figs"));
    page.client.leave(PAGE);
    assert!(page.client.inner.grouped.borrow().is_empty());
}

#[test]
fn a_message_whose_record_can_not_be_read_spoils_neither_lists_nor_conversations() {
    for protocol in [Protocol::Imap, Protocol::Pop3] {
        let mut mail = letters([1, 2], "figs");
        mail.extend(letters([3], "pears"));
        mail.extend(letters([4], "plums"));
        let page = Page::open(protocol, mail);
        let unreadable = [2, 3].map(|uid| Write::Put {
            table: Table::Messages,
            key: record::message_key(id(INBOX, uid)),
            value: Vec::new(),
        });
        block_on(page.store.apply(unreadable.into(), Durability::Strict)).unwrap();
        // As it is after the next start.
        let page = Page::before(page.store, protocol);
        let rows: Vec<_> = page.rows().iter().map(|row| (row.id.uid, row.messages)).collect();
        assert_eq!(rows, [(4, 1), (1, 1)]);
        page.say(Intent::GroupConversations { mailbox: INBOX, on: false, at: None });
        // Here it keeps its place, since a list is as long as its mailbox.
        let (total, rows) = page.last(|delta| match delta {
            Delta::Rows { total, rows, conversations: false, .. } => Some((*total, rows.clone())),
            _ => None,
        });
        let rows: Vec<_> = rows.iter().map(|row| (row.id.uid, &*row.subject)).collect();
        let lost = "What is stored of this message can't be read";
        assert_eq!(rows, [(4, "Letter 4"), (3, lost), (2, lost), (1, "Letter 1")]);
        assert_eq!(total, 4);
    }
}
