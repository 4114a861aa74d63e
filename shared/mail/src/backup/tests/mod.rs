//! Mail written to files and read again, whole and interrupted.

mod beside;
mod damage;
mod files;
mod incomplete;
mod interruptions;
mod moving;
mod recovered;
mod restoring;
mod unsent;

use std::{cell::RefCell, collections::BTreeMap};

use postern_bridge::{
    AccountId, Endpoint, ExportFormat, Exported, Extent, Flags, Identity, Imported, MailboxId,
    MessageId, Progress, Protocol, Retention, Role, Security, ServerLogin, TlsEnd,
};
use sha2::{Digest, Sha256};

use super::{Fetch, Sink, Source, export};
use crate::{
    MailError, Store,
    imap::Raw,
    pop3::{LedgerRow, create_local_mailboxes},
    record::{self, Account, Body, Links, Mailbox, Message, Record, body, mailboxes, put_body},
    store::{Durability, KeyRange, MemoryStore, Table},
    testing::{NoServer, TestHost, block_on},
};

type TestStore<D> = TestHost<NoServer, D>;

fn account(number: u32, protocol: Protocol) -> Account {
    let login = |host: &str| ServerLogin {
        endpoint: Endpoint {
            host: host.into(),
            port: 995,
            security: Security::Tls,
            tls_end: TlsEnd::Browser,
            trusted: None,
        },
        username: "ann".into(),
    };
    Account {
        id: AccountId(number),
        identity: Identity { name: "Ann".into(), address: format!("ann{number}@example.org") },
        protocol,
        incoming: login("pop.example.org"),
        outgoing: login("smtp.example.org"),
        retention: Retention::DeleteAfterDays(14),
        extent: Extent::Whole,
        proof: Default::default(),
        sealed_password: b"secret".to_vec(),
    }
}

/// A letter: its folder, flags, keywords and bytes.
type Letter = (&'static [&'static str], Flags, &'static [&'static str], Vec<u8>);

/// What an account has in its folders.
fn letters() -> Vec<Letter> {
    let seen = Flags { seen: true, ..Flags::default() };
    let plain = |number: u32, text: &str| {
        let head = format!("From: b@c\r\nMessage-ID: <{number}@x>\r\nSubject: {number}\r\n\r\n");
        format!("{head}{text}\r\n").into_bytes()
    };
    let large = [plain(3, "large"), b"0123456789abcdef\r\n".repeat(90_000)].concat();
    vec![
        (&["Inbox"], Flags::default(), &[], plain(1, "From here\r\n>From there")),
        (&["Inbox"], Flags { flagged: true, answered: true, ..seen }, &["work"], plain(2, "two")),
        (&["Inbox"], seen, &[], large),
        // The same twice, as a mailing list does it; and with bare line ends.
        (&["Inbox"], seen, &[], plain(2, "two")),
        (&["Archive"], seen, &[], plain(2, "two")),
        (&["Letters"], seen, &["a", "b"], b"Subject: no id\n\nbare\nends\n".to_vec()),
        (&["Letters", "Deep"], Flags { draft: true, ..seen }, &[], plain(4, "")),
    ]
}

/// A store with an account, its letters and a ledger of those in the inbox.
fn filled<D: Store + 'static>(store: D) -> TestStore<D> {
    let host = TestHost::with_store(NoServer, store);
    let own = account(3, Protocol::Pop3);
    let mut batch = vec![own.put()];
    batch.extend(block_on(create_local_mailboxes(&host, own.id)).unwrap());
    block_on(host.store.apply(batch, Durability::Strict)).unwrap();
    for (names, flags, keywords, raw) in letters() {
        let names: Vec<String> = names.iter().map(|name| (*name).into()).collect();
        let mut mailbox = folder(&host, &own, &names);
        let id = MessageId { mailbox: mailbox.id, uid: mailbox.uid_next };
        let summary = postern_mime::summary(&raw);
        let message = Message {
            id,
            arrived: 1_600_000_000_000 + i64::from(id.uid) * 1000,
            sent: summary.sent,
            size: raw.len() as u64,
            flags,
            keywords: keywords.iter().map(|keyword| (*keyword).into()).collect(),
            from: record::addresses(summary.from),
            to: Vec::new(),
            subject: summary.subject,
            message_id: summary.message_id,
            links: Some(Links::new(summary.references, String::new())),
            preview: summary.preview,
            has_attachments: false,
            body: Body::Whole { size: raw.len() as u64 },
        };
        mailbox.uid_next += 1;
        mailbox.total += 1;
        mailbox.unread += u32::from(!flags.seen);
        let mut batch = put_body(id, &raw);
        batch.extend(message.put_listed());
        batch.push(mailbox.put());
        if names[0] == "Inbox" {
            batch.push(row(own.id, id, &raw).put());
        }
        block_on(host.store.apply(batch, Durability::Strict)).unwrap();
    }
    let gone = MessageId { mailbox: MailboxId(99), uid: 99 };
    let deleted = LedgerRow { deleted_here: Some(7), ..row(own.id, gone, b"gone") };
    block_on(host.store.apply(vec![deleted.put()], Durability::Strict)).unwrap();
    host
}

pub(super) fn row(account: AccountId, message: MessageId, raw: &[u8]) -> LedgerRow {
    LedgerRow {
        account,
        uidl: format!("uidl-{}", message.uid).into_bytes(),
        message,
        listed_size: raw.len() as u64,
        size: raw.len() as u64,
        sha256: Sha256::digest(raw).into(),
        header: None,
        text_size: None,
        text: None,
        partial: false,
        wanted: false,
        first_seen: 1,
        stored: 2,
        verified: Some(3),
        refused: None,
        deleted_here: None,
        delete_asked: None,
        delete_confirmed: None,
        gone: None,
        copy: 0,
    }
}

fn folder<D: Store + 'static>(host: &TestStore<D>, own: &Account, names: &[String]) -> Mailbox {
    let all = block_on(mailboxes(&host.store, own.id)).unwrap();
    if let Some(there) = all.iter().find(|mailbox| mailbox.names == names) {
        return there.clone();
    }
    let (name, above) = names.split_last().unwrap();
    let parent = all.iter().find(|mailbox| mailbox.names == above).map(|mailbox| mailbox.id);
    let mut editor = block_on(crate::changes::Editor::begin(host, own, None)).unwrap();
    let id = block_on(editor.create_mailbox(parent, name, None)).unwrap();
    block_on(record::mailbox(&host.store, id)).unwrap()
}

/// A message as it must come back: bytes, flags, keywords, time.
type Seen = (Vec<u8>, Flags, Vec<String>, i64);

/// Everything of an account, by folder; the counts are those of the messages.
fn everything<D: Store>(store: &D, id: AccountId) -> BTreeMap<Vec<String>, Vec<Seen>> {
    let all = block_on(mailboxes(store, id)).unwrap();
    let contents = |mailbox: &Mailbox| {
        let range = KeyRange::prefix(record::mailbox_key(mailbox.id));
        let places = block_on(store.keys(Table::Arrival, &range)).unwrap();
        let messages: Vec<Message> = block_on(record::all(store, &range)).unwrap();
        assert_eq!(places.len(), messages.len());
        let unread = messages.iter().filter(|message| !message.flags.seen).count();
        assert_eq!((mailbox.total, mailbox.unread), (messages.len() as u32, unread as u32));
        let mut seen: Vec<Seen> = messages
            .iter()
            .map(|message| {
                let raw = block_on(body(store, message.id)).unwrap();
                assert_eq!(message.body, Body::Whole { size: raw.len() as u64 });
                (raw, message.flags, message.keywords.clone(), message.arrived)
            })
            .collect();
        seen.sort_by_key(|(raw, _, _, arrived)| (*arrived, raw.clone()));
        (mailbox.names.clone(), seen)
    };
    all.iter().map(contents).collect()
}

/// No bytes are left that belong to no message.
fn assert_no_stray_bytes<D: Store>(store: &D) {
    let messages = block_on(store.keys(Table::Messages, &KeyRange::all())).unwrap();
    for chunk in block_on(store.keys(Table::Bodies, &KeyRange::all())).unwrap() {
        assert!(messages.iter().any(|key| chunk.0.starts_with(&key.0)), "bytes without a message");
    }
}

/// A file in memory, which can fail.
#[derive(Default)]
pub(crate) struct File {
    name: String,
    bytes: Vec<u8>,
    /// How often it can still be written or read.
    left: Option<usize>,
    calls: RefCell<usize>,
}

impl File {
    pub(crate) fn named(name: &str, bytes: &[u8]) -> Self {
        Self { name: name.into(), bytes: bytes.to_vec(), ..Self::default() }
    }

    fn call(&mut self) -> Result<(), MailError> {
        *self.calls.borrow_mut() += 1;
        match &mut self.left {
            Some(0) => Err(MailError::Gone("page")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Sink for File {
    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), MailError> {
        self.call()?;
        self.bytes.extend(bytes);
        Ok(())
    }

    fn progress(&mut self, progress: Progress) {
        assert!(progress.done <= progress.total);
    }
}

impl Source for File {
    fn name(&self) -> &str {
        &self.name
    }

    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    async fn read(&mut self, offset: u64, length: u32) -> Result<Vec<u8>, MailError> {
        self.call()?;
        let start = self.bytes.len().min(offset as usize);
        let end = self.bytes.len().min(start + length as usize);
        Ok(self.bytes[start..end].to_vec())
    }

    fn progress(&mut self, progress: Progress) {
        assert!(progress.done <= progress.total);
    }
}

/// Nothing is on a server.
struct Nowhere;

impl Fetch for Nowhere {
    async fn whole(&self, _: &Message) -> Option<Raw> {
        None
    }
}

/// Reads one file alone.
async fn import<D: Store + 'static>(
    host: &TestStore<D>,
    mailbox: MailboxId,
    file: &mut File,
) -> Result<Imported, MailError> {
    super::import(host, mailbox, &mut None, file).await
}

/// A store with letters, written to a file as a whole.
fn written(format: ExportFormat) -> (TestStore<MemoryStore>, File) {
    let host = filled(MemoryStore::new());
    let (exported, file) = saved(&host, format);
    assert_eq!((exported.messages, exported.missing), (letters().len() as u32, 0));
    assert_eq!(exported.bytes, file.bytes.len() as u64);
    (host, file)
}

/// The account of a store, written to a file as a whole.
fn saved(host: &TestStore<MemoryStore>, format: ExportFormat) -> (Exported, File) {
    let own = account(3, Protocol::Pop3);
    let boxes = block_on(mailboxes(&host.store, own.id)).unwrap();
    let mut file = File::named("backup", b"");
    let contents = [(own, boxes)];
    let exported = block_on(export(host, &contents, format, true, &Nowhere, &mut file)).unwrap();
    (exported, file)
}

fn inbox(store: &impl Store, id: AccountId) -> MailboxId {
    let all = block_on(mailboxes(store, id)).unwrap();
    all.iter().find(|own| own.role == Some(Role::Inbox)).unwrap().id
}
