//! Changes, made, told and interrupted.

mod copies;
mod counts;
mod drafts;
mod emptied;
mod folders;
mod interruptions;
mod labels;
mod local;
mod permanent;
mod queue;
mod server;
mod uncopied;
mod unmarked;

use std::{collections::BTreeMap, ops::ControlFlow};

use postern_bridge::{AccountId, ChangeId, Flags, MailboxId, Mark, MessageId, Protocol, Role};

use super::{Made, Settled};
use crate::{
    Host, MailError, Secret, Store, changes,
    changes::{Editor, Entry, State, Task},
    imap::ImapClient,
    record::{self, Body, Links, Mailbox, Message, Record, Series, put_body},
    store::{Durability, KeyRange, MemoryStore},
    testing::{FailingStore, Server, TestHost, account, block_on},
};
use server::Imap;

const INBOX: MailboxId = MailboxId(1);
const OTHER: MailboxId = MailboxId(2);

/// What account 1 has queued: a change of one part.
pub(crate) fn queued(number: u32, task: Task) -> Entry {
    Entry {
        account: AccountId(1),
        number,
        change: ChangeId(number),
        origin: None,
        unasked: false,
        all: None,
        lost: 0,
        task,
        state: State::Queued,
    }
}

/// A server that keeps these marks alone.
pub(crate) fn server_keeping(permanent: &'static str) -> impl Server + 'static {
    Imap { permanent: Some(permanent), ..Imap::new("") }
}

/// A host that has stored what the server has: an inbox of letters 1, 2 and 3, whose bytes are
/// their numbers, and an empty mailbox.
fn prepared<D: Store + 'static>(server: Imap, store: D) -> TestHost<Imap, D> {
    let host = TestHost::with_store(server, store);
    let inbox = Mailbox { uid_next: 4, unread: 3, total: 3, ..mailbox(1) };
    let other = Mailbox { unread: 0, total: 0, ..mailbox(2) };
    let (_, numbered) = block_on(record::next_numbers(&host.store, Series::Mailbox, 2)).unwrap();
    let mut writes = vec![inbox.put(), other.put(), numbered];
    for uid in 1..=3 {
        let id = MessageId { mailbox: INBOX, uid };
        writes.extend(Message { body: Body::Whole { size: 1 }, ..message(id) }.put_listed());
        writes.extend(put_body(id, uid.to_string().as_bytes()));
    }
    block_on(host.store.apply(writes, Durability::Strict)).unwrap();
    host
}

fn edit<D: Store + 'static>(
    host: &TestHost<Imap, D>,
    change: impl AsyncFnOnce(&mut Editor<'_, TestHost<Imap, D>>) -> Result<(), MailError>,
) -> Result<Made, MailError> {
    let account = account(Protocol::Imap);
    block_on(async {
        let mut editor = Editor::begin(host, &account, None).await?;
        change(&mut editor).await?;
        Ok(editor.finish())
    })
}

fn move_to<D: Store + 'static>(
    host: &TestHost<Imap, D>,
    from: MailboxId,
    uids: &[u32],
    to: MailboxId,
) -> Result<Made, MailError> {
    edit(host, async |editor| editor.transfer(from, uids, to, false).await)
}

fn flag<D: Store + 'static>(
    host: &TestHost<Imap, D>,
    mailbox: MailboxId,
    uids: &[u32],
) -> Result<Made, MailError> {
    edit(host, async |editor| editor.mark(mailbox, uids, &Mark::Flagged, true).await)
}

/// Tells the server everything that is queued, over one connection; what it refuses is taken back.
fn drain<D: Store + 'static>(host: &TestHost<Imap, D>) -> Result<Vec<Settled>, MailError> {
    let account = account(Protocol::Imap);
    block_on(async {
        let mut settled = Vec::new();
        let mut client =
            ImapClient::connect(host, &account.incoming, &Secret::new("secret")).await?;
        while let Some(entry) = changes::next(host.store(), account.id).await? {
            match client.make_change(host, &entry).await {
                Ok(outcome) => settled.push(outcome.settled),
                Err(
                    error @ (MailError::Refused { .. }
                    | MailError::Unsupported(_)
                    | MailError::Gone(_)),
                ) => {
                    settled.push(changes::refused(host, &entry, &error).await?);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(settled)
    })
}

/// Begins and tells the server, over a connection that breaks at every byte that is carried for it in
/// turn; checks each time what is there and here.
fn cut_anywhere(begin: impl Fn() -> TestHost<Imap>, check: impl Fn(&TestHost<Imap>, usize)) {
    let whole = begin();
    drain(&whole).unwrap();
    for cut in 0..whole.carried.get() {
        let host = begin();
        host.cut.set(Some(cut));
        assert!(drain(&host).is_err(), "cut at {cut}");
        host.cut.set(None);
        check(&host, cut);
    }
}

/// Begins and tells the server, while one write after the other fails, and again in a new life of the page;
/// checks each time what is there and here.
fn fail_any_write(
    server: impl Fn() -> Imap,
    begin: impl Fn(&TestHost<Imap, FailingStore>),
    check: impl Fn(&TestHost<Imap, FailingStore>, usize),
) {
    for failing in 0.. {
        let store = FailingStore::default();
        let host = prepared(server(), store.clone());
        begin(&host);
        store.left.set(Some(failing));
        let is_whole = drain(&host).is_ok();
        // Nothing but the store is left.
        store.left.set(None);
        let host = TestHost::with_store(host.server.borrow().clone(), store);
        drain(&host).unwrap();
        sync(&host).unwrap();
        check(&host, failing);
        if is_whole {
            assert!(failing > 2, "there are writes in between");
            break;
        }
    }
}

/// Brings both mailboxes up to date.
fn sync<D: Store + 'static>(host: &TestHost<Imap, D>) -> Result<(), MailError> {
    let account = account(Protocol::Imap);
    block_on(async {
        let mut client =
            ImapClient::connect(host, &account.incoming, &Secret::new("secret")).await?;
        for mailbox in [INBOX, OTHER] {
            let mut changed = |_| ControlFlow::Continue(());
            assert!(client.sync_messages(host, mailbox, &mut changed).await?.is_continue());
        }
        Ok(())
    })
}

/// What is stored of each mailbox: Message-IDs with their flags.
fn stored<D: Store>(store: &D) -> BTreeMap<String, Vec<(String, Vec<String>)>> {
    block_on(async {
        let mailboxes: Vec<Mailbox> = record::all(store, &KeyRange::all()).await.unwrap();
        let mut stored = BTreeMap::new();
        for mailbox in mailboxes {
            let range = KeyRange::prefix(record::mailbox_key(mailbox.id));
            let messages: Vec<Message> = record::all(store, &range).await.unwrap();
            let places = store.keys(crate::store::Table::Arrival, &range).await.unwrap();
            assert_eq!(places.len(), messages.len(), "each message has one place in the list");
            let mut letters: Vec<_> = messages
                .iter()
                .map(|own| (own.message_id.clone(), flag_names(own.flags)))
                .collect();
            letters.sort();
            stored.insert(mailbox.names.join("/"), letters);
        }
        stored
    })
}

fn flag_names(flags: Flags) -> Vec<String> {
    let names = [
        (flags.answered, r"\Answered"),
        (flags.deleted, r"\Deleted"),
        (flags.draft, r"\Draft"),
        (flags.flagged, r"\Flagged"),
        (flags.seen, r"\Seen"),
    ];
    names.into_iter().filter(|(set, _)| *set).map(|(_, name)| name.into()).collect()
}

fn uids(host: &TestHost<Imap, MemoryStore>, mailbox: MailboxId) -> Vec<u32> {
    block_on(changes::folders::stored_uids(&host.store, mailbox)).unwrap()
}

/// The unread messages and all messages of both mailboxes, as they are shown.
fn counts(host: &TestHost<Imap, MemoryStore>) -> [(u32, u32); 2] {
    [INBOX, OTHER].map(|id| {
        let mailbox = block_on(record::mailbox(&host.store, id)).unwrap();
        (mailbox.unread, mailbox.total)
    })
}

fn open_entries<D: Store + 'static>(host: &TestHost<Imap, D>) -> Vec<Entry> {
    let mut entries = block_on(changes::entries(host.store(), AccountId(1))).unwrap();
    entries.retain(Entry::is_open);
    entries
}

/// A mailbox of account 1 that has one unread message, by its counts.
pub(crate) fn mailbox(id: u32) -> Mailbox {
    Mailbox {
        path: format!("m{id}").into_bytes(),
        names: vec![format!("m{id}")],
        role: (id == 1).then_some(Role::Inbox),
        delimiter: Some(b'/'),
        uid_validity: 1,
        uid_next: 1,
        unread: 1,
        total: 1,
        ..Mailbox::new(MailboxId(id), AccountId(1))
    }
}

/// An unread message of which no bytes are stored.
pub(crate) fn message(id: MessageId) -> Message {
    Message {
        id,
        arrived: 1_000 * i64::from(id.uid),
        sent: None,
        size: 5,
        flags: Flags::default(),
        keywords: Vec::new(),
        from: Vec::new(),
        to: Vec::new(),
        subject: format!("Letter {}", id.uid),
        message_id: format!("{}@example.org", id.uid),
        links: Some(Links::default()),
        preview: String::new(),
        has_attachments: false,
        body: Body::Absent,
    }
}
