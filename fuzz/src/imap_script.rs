//! A server that says anything, and what an IMAP client has stored before it hears that.

use std::collections::VecDeque;

use postern_bridge::{AccountId, MailboxId, MessageId, Role};
use postern_mail::{
    MailError, Secret, Store,
    imap::ImapClient,
    record::{self, Account, Body, Links, Mailbox, Message, SyncPoint},
    store::{KeyRange, MemoryStore, Table},
    testing::{Pipe, Server, TestHost},
};

/// What the client runs on.
pub(crate) type Host = TestHost<Script>;

/// A server that says one thing after the other, whatever it is asked.
#[derive(Default)]
pub(crate) struct Script {
    parts: VecDeque<Vec<u8>>,
    /// The tag of the last line that had one.
    tag: Vec<u8>,
    /// All that it has said, and all that was said to it.
    pub(crate) said: Vec<u8>,
    pub(crate) heard: Vec<u8>,
}

impl Script {
    /// One that says these parts, as a zero byte ends each: first its greeting, and then a part for each
    /// line of the client. `%` stands for the tag of that line.
    pub(crate) fn new(script: &[u8]) -> Self {
        let parts = script.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
        Self { parts, ..Self::default() }
    }

    fn next(&mut self) -> Vec<u8> {
        let part = self.parts.pop_front().unwrap_or_default();
        let pieces: Vec<&[u8]> = part.split(|byte| *byte == b'%').collect();
        let next = pieces.join(&*self.tag);
        self.said.extend(&next);
        next
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

/// A mailbox as the server would have told it.
pub(crate) fn mailbox(id: MailboxId, name: &str, role: Option<Role>, messages: u32) -> Mailbox {
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
pub(crate) fn message(mailbox: MailboxId, uid: u32) -> (Message, Vec<u8>) {
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

pub(crate) async fn connect(
    host: &Host,
    account: &Account,
) -> Result<ImapClient<Pipe<Script>>, MailError> {
    ImapClient::connect(host, &account.incoming, &Secret::new("secret")).await
}

/// The error, if nothing else can be asked after it.
pub(crate) fn usable(
    client: &ImapClient<Pipe<Script>>,
    result: Result<(), MailError>,
) -> Result<(), MailError> {
    match result {
        Err(error) if !client.is_usable(&error) => Err(error),
        _ => Ok(()),
    }
}

/// Each stored message stands in the list once, with its bytes.
pub(crate) async fn check_store(store: &MemoryStore) -> Result<(), MailError> {
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
