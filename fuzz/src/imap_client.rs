//! A whole IMAP client, with a store and changes to tell, against a server that says anything.

use std::{
    collections::{BTreeSet, VecDeque},
    future::pending,
    ops::ControlFlow,
    time::Duration,
};

use postern_bridge::{AccountId, MailboxId, Mark, MessageId, Protocol, Role};
use postern_mail::{
    MailError, Secret, Store,
    changes::{self, Editor, Entry, Task},
    imap::{ImapClient, SyncStep},
    record::{self, Account, Body, Links, Mailbox, Message, Record, Series, SyncPoint},
    store::{Durability, KeyRange, MemoryStore, Table},
    testing::{Pipe, Server, TestHost, account, block_on},
};

const INBOX: MailboxId = MailboxId(1);
const OTHER: MailboxId = MailboxId(2);
const TRASH: MailboxId = MailboxId(3);

const DRAFT: &[u8] = b"Message-ID: <draft@example.org>\r\nSubject: Draft\r\n\r\nText\r\n";

/// The bit of the second byte by which a draft is saved.
const WANTS_DRAFT: u8 = 1 << 2;
/// Changes that are told in one connection.
const CHANGES: usize = 8;
/// How long news are waited for.
const WAITS: Duration = Duration::from_secs(5 * 60);

/// Whatever a server says, and however it is split, a client that connects, brings its mailboxes up to
/// date, tells what was changed here, reads, and waits for news comes to an end without a panic. Each
/// stored message stands in the list once, with its bytes. A change that was queued stays so until the
/// server has done it or refused it; until then what was moved is where it was moved to. A draft that is
/// here alone is here until the server was given all of it, or has said that it has it. Nothing is
/// expunged but by UID.
///
/// The first byte of the input chooses the split, the bits of the second what is changed here. What
/// follows is what the server says, part by part as a zero byte ends each: first its greeting, and then a
/// part for each line of the client. `%` stands for the tag of that line.
///
/// # Panics
///
/// If that does not hold.
pub fn check(input: &[u8]) {
    let [split, wanted, script @ ..] = input else { return };
    let parts = script.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
    let host = TestHost::new(Script { parts, ..Script::default() });
    host.read_size.set(usize::from(*split).max(1));
    let account = account(Protocol::Imap);
    block_on(prepare(&host, &account, *wanted)).expect("the store takes everything");
    let entries =
        block_on(changes::entries(&host.store, account.id)).expect("the store can be read");
    let mut open: BTreeSet<u32> = entries.iter().map(|entry| entry.number).collect();
    for _ in 0..2 {
        // The second connection gets the rest of what there is to say.
        let _ = block_on(work(&host, &account, &mut open));
        block_on(check_store(&host.store)).expect("the store can be read");
        block_on(check_queue(&host, &account, &open, *wanted)).expect("the store can be read");
    }
}

type Host = TestHost<Script>;

/// A server that says one thing after the other, whatever it is asked.
#[derive(Default)]
struct Script {
    parts: VecDeque<Vec<u8>>,
    /// The tag of the last line that had one.
    tag: Vec<u8>,
    /// All that it has said, and all that was said to it.
    said: Vec<u8>,
    heard: Vec<u8>,
}

impl Script {
    fn next(&mut self) -> Vec<u8> {
        let part = self.parts.pop_front().unwrap_or_default();
        let pieces: Vec<&[u8]> = part.split(|byte| *byte == b'%').collect();
        let next = pieces.join(&*self.tag);
        self.said.extend(&next);
        next
    }

    /// Whether it was given the draft, or has said that it has it, however it is spelled.
    fn may_have_draft(&self) -> bool {
        let is_told = |byte: &u8| byte.is_ascii_graphic() && *byte != b'\\';
        let said: Vec<u8> = self.said.iter().copied().filter(is_told).collect();
        contains(&self.heard, DRAFT) || contains(&said, b"draft@example.org")
    }
}

impl Server for Script {
    fn connected(&mut self) -> Vec<u8> {
        self.tag.clear();
        self.next()
    }

    fn received(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.heard.extend(bytes);
        let mut said = Vec::new();
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let mut words = line.split(|byte| *byte == b' ');
            let word = words.next().unwrap_or_default();
            if let [b'A', number @ ..] = word
                && number.iter().all(u8::is_ascii_digit)
            {
                self.tag = word.to_vec();
                let command = words.next().unwrap_or_default().trim_ascii();
                assert!(!matches!(command, b"EXPUNGE" | b"CLOSE"), "others' messages go with it");
            }
            said.extend(self.next());
        }
        said
    }

    fn disconnected(&mut self) {}
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// A mailbox as the server would have told it.
fn mailbox(id: MailboxId, name: &str, role: Option<Role>, messages: u32) -> Mailbox {
    let synced =
        SyncPoint { exists: messages, unseen: messages, linked: true, ..SyncPoint::default() };
    Mailbox {
        path: name.into(),
        names: vec![name.into()],
        role,
        delimiter: Some(b'/'),
        uid_validity: 1,
        uid_next: 9,
        unread: messages,
        total: messages,
        synced,
        ..Mailbox::new(id, AccountId(1))
    }
}

/// A message as the server would have told it, with its bytes.
fn message(mailbox: MailboxId, uid: u32) -> (Message, Vec<u8>) {
    let raw = format!("Message-ID: <{uid}@x>\r\nSubject: {uid}\r\n\r\nHi\r\n").into_bytes();
    let message = Message {
        id: MessageId { mailbox, uid },
        arrived: 0,
        sent: None,
        size: raw.len() as u64,
        flags: Default::default(),
        keywords: Vec::new(),
        from: Vec::new(),
        to: Vec::new(),
        subject: uid.to_string(),
        message_id: format!("{uid}@x"),
        links: Some(Links::default()),
        preview: String::new(),
        has_attachments: false,
        body: Body::Whole { size: raw.len() as u64 },
    };
    (message, raw)
}

/// An inbox with the messages 6, 7 and 8, another mailbox, and a trash with the messages 4 and 5; and what
/// is wanted of: a mark, a deletion, a draft that the server has not heard of, a move, and an empty trash.
async fn prepare(host: &Host, account: &Account, wanted: u8) -> Result<(), MailError> {
    let (_, numbered) = record::next_numbers(&host.store, Series::Mailbox, 3).await?;
    let mut writes = vec![
        mailbox(INBOX, "INBOX", Some(Role::Inbox), 3).put(),
        mailbox(OTHER, "Other", None, 0).put(),
        mailbox(TRASH, "Trash", Some(Role::Trash), 2).put(),
        numbered,
    ];
    for (mailbox, uid) in [(INBOX, 6), (INBOX, 7), (INBOX, 8), (TRASH, 4), (TRASH, 5)] {
        let (message, raw) = message(mailbox, uid);
        writes.extend(message.put_listed());
        writes.extend(record::put_body(message.id, &raw));
    }
    host.store.apply(writes, Durability::Strict).await?;

    let wants = |change: u32| wanted & 1 << change != 0;
    for change in (0..5).filter(|change| wants(*change)) {
        let mut editor = Editor::begin(host, account, None).await?;
        match change {
            0 => editor.mark(INBOX, &[7], &Mark::Flagged, true).await?,
            1 => editor.expunge(INBOX, &[8]).await?,
            2 => editor.save_draft(INBOX, DRAFT, None).await.map(drop)?,
            3 => editor.transfer(INBOX, &[6, 7], OTHER, false).await?,
            _ => editor.empty(TRASH).await?,
        }
    }
    Ok(())
}

async fn connect(host: &Host, account: &Account) -> Result<ImapClient<Pipe<Script>>, MailError> {
    ImapClient::connect(host, &account.incoming, &Secret::new("secret")).await
}

fn go_on(_: SyncStep) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Does what a client does, until the connection is of no more use. Entries that the server has done or
/// refused are `open` no more.
async fn work(host: &Host, account: &Account, open: &mut BTreeSet<u32>) -> Result<(), MailError> {
    let mut client = connect(host, account).await?;
    let listed = client.sync_mailboxes(host, account.id).await.map(drop);
    usable(&client, listed)?;
    let synced = client.sync_messages(host, INBOX, &mut go_on).await.map(drop);
    usable(&client, synced)?;
    for _ in 0..CHANGES {
        let Some(entry) = changes::next(&host.store, account.id).await? else { break };
        let made = client.make_change(host, &entry).await.map(drop);
        if made.is_err() {
            usable(&client, made)?;
            // The later parts of the change go with it.
            for own in changes::entries(&host.store, account.id).await? {
                if own.change == entry.change && own.number > entry.number {
                    open.remove(&own.number);
                }
            }
            changes::refused(host, &entry).await?;
        }
        open.remove(&entry.number);
    }
    for mailbox in [OTHER, TRASH] {
        let synced = client.sync_messages(host, mailbox, &mut go_on).await.map(drop);
        usable(&client, synced)?;
    }
    let read = client.fetch_body(host, MessageId { mailbox: INBOX, uid: 7 }).await;
    usable(&client, read)?;
    // The first time the mailbox is not watched yet.
    for _ in 0..2 {
        let mut nothing = Box::pin(pending::<()>());
        let (_, news) = client.wait_for_news(host, INBOX, WAITS, &mut nothing).await;
        usable(&client, news.map(drop))?;
        let caught_up = client.catch_up(host, INBOX, &mut go_on).await.map(drop);
        usable(&client, caught_up)?;
    }
    Ok(())
}

/// The error, if nothing else can be asked after it.
fn usable(
    client: &ImapClient<Pipe<Script>>,
    result: Result<(), MailError>,
) -> Result<(), MailError> {
    match result {
        Err(error) if !client.is_usable(&error) => Err(error),
        _ => Ok(()),
    }
}

async fn check_store(store: &MemoryStore) -> Result<(), MailError> {
    let messages: Vec<Message> = record::all(store, &KeyRange::all()).await?;
    let mut listed = Vec::new();
    for key in store.keys(Table::Arrival, &KeyRange::all()).await? {
        listed.push(record::arrived_message(&key)?);
    }
    listed.sort();
    let ids: Vec<MessageId> = messages.iter().map(|message| message.id).collect();
    assert_eq!(listed, ids, "each message has one place in the list");
    for message in messages {
        if let Body::Whole { size } = message.body {
            let bytes = record::body(store, message.id).await?;
            assert_eq!(bytes.len() as u64, size, "a message has its bytes");
        }
    }
    Ok(())
}

/// Nothing that was queued is lost: neither the entries that are `open`, nor what they are about.
async fn check_queue(
    host: &Host,
    account: &Account,
    open: &BTreeSet<u32>,
    wanted: u8,
) -> Result<(), MailError> {
    let entries = changes::entries(&host.store, account.id).await?;
    for number in open {
        let is_it = |entry: &&Entry| entry.number == *number && entry.is_open();
        assert!(entries.iter().any(|entry| is_it(&entry)), "change {number} is forgotten");
    }
    let has_draft = |entry: &Entry| entry.is_open() && matches!(entry.task, Task::Append { .. });
    let is_here = entries.iter().any(has_draft) || wanted & WANTS_DRAFT == 0;
    assert!(is_here || host.server.borrow().may_have_draft(), "it is nowhere else");
    for entry in entries.iter().filter(|entry| entry.is_open()) {
        let (to, items) = match &entry.task {
            Task::Append { mailbox, item } => (*mailbox, std::slice::from_ref(item)),
            Task::Transfer { to, items, .. } => (*to, &items[..]),
            _ => continue,
        };
        for item in items {
            let place = MessageId { mailbox: to, uid: item.to };
            let message: Option<Message> =
                record::get(&host.store, &record::message_key(place)).await?;
            if matches!(entry.task, Task::Append { .. }) {
                assert_eq!(record::body(&host.store, place).await?, DRAFT, "it is nowhere else");
            } else if record::mailbox(&host.store, to).await.is_ok() {
                assert!(message.is_some(), "what was moved is where it was moved to");
            }
        }
    }
    Ok(())
}
