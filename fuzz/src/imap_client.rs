//! A whole IMAP client, with a store and changes to tell, against a server that says anything.

use std::{collections::VecDeque, future::pending, ops::ControlFlow, time::Duration};

use postern_bridge::{
    AccountId, Endpoint, Identity, MailboxId, Mark, MessageId, Protocol, Retention, Role, Security,
    ServerLogin, TlsEnd,
};
use postern_mail::{
    MailError, Secret, Store,
    changes::{self, Editor, Task},
    imap::{ImapClient, SyncStep},
    record::{self, Account, Mailbox, Record},
    store::{Durability, KeyRange, MemoryStore, Table},
    testing::{Pipe, Server, TestHost, block_on},
};

const INBOX: MailboxId = MailboxId(1);
const DRAFT: &[u8] = b"Message-ID: <draft@example.org>\r\nSubject: Draft\r\n\r\nText\r\n";

/// Changes that are told in one connection.
const CHANGES: usize = 4;
/// How long news are waited for.
const WAITS: Duration = Duration::from_secs(5 * 60);

/// Whatever a server says, and however it is split, a client that connects, brings the inbox up to date,
/// tells what was changed here, reads, and waits for news comes to an end without a panic; each stored
/// message stands in the list once; and a draft that is here alone is neither lost nor forgotten before
/// the server has taken it.
///
/// The first byte of the input chooses the split. What follows is what the server says, part by part as
/// a zero byte ends each: first its greeting, and then a part for each line of the client. `%` stands
/// for the tag of that line.
///
/// # Panics
///
/// If that does not hold.
pub fn check(input: &[u8]) {
    let [split, script @ ..] = input else { return };
    let parts = script.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
    let host = TestHost::new(Script { parts, tag: Vec::new() });
    host.read_size.set(usize::from(*split).max(1));
    let account = account();
    block_on(prepare(&host, &account)).expect("the store takes everything");
    for _ in 0..2 {
        // The second connection gets the rest of what there is to say.
        let _ = block_on(work(&host, &account));
        block_on(check_store(&host.store)).expect("the store can be read");
    }
}

type Host = TestHost<Script>;

/// A server that says one thing after the other, whatever it is asked.
struct Script {
    parts: VecDeque<Vec<u8>>,
    /// The tag of the last line that had one.
    tag: Vec<u8>,
}

impl Script {
    fn next(&mut self) -> Vec<u8> {
        let part = self.parts.pop_front().unwrap_or_default();
        let pieces: Vec<&[u8]> = part.split(|byte| *byte == b'%').collect();
        pieces.join(&*self.tag)
    }
}

impl Server for Script {
    fn connected(&mut self) -> Vec<u8> {
        self.tag.clear();
        self.next()
    }

    fn received(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut said = Vec::new();
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let word = line.split(|byte| *byte == b' ').next().unwrap_or_default();
            if let [b'A', number @ ..] = word
                && number.iter().all(u8::is_ascii_digit)
            {
                self.tag = word.to_vec();
            }
            said.extend(self.next());
        }
        said
    }

    fn disconnected(&mut self) {}
}

fn account() -> Account {
    let endpoint = Endpoint {
        host: "mail.example.org".into(),
        port: 993,
        security: Security::Tls,
        tls_end: TlsEnd::default(),
        trusted: None,
    };
    let login = ServerLogin { endpoint, username: "ann".into() };
    Account {
        id: AccountId(1),
        identity: Identity { name: "Ann".into(), address: "ann@example.org".into() },
        protocol: Protocol::Imap,
        incoming: login.clone(),
        outgoing: login,
        retention: Retention::Keep,
        extent: Default::default(),
        proof: Default::default(),
        sealed_password: Vec::new(),
    }
}

/// An inbox with the messages 7 and 8 as the server would have told them, one of them marked since and
/// the other deleted, and a draft that the server has not heard of.
async fn prepare(host: &Host, account: &Account) -> Result<(), MailError> {
    let inbox = Mailbox {
        path: b"INBOX".to_vec(),
        names: vec!["INBOX".into()],
        role: Some(Role::Inbox),
        delimiter: Some(b'/'),
        ..Mailbox::new(INBOX, account.id)
    };
    let (_, numbered) = record::next_numbers(&host.store, "mailbox", 1).await?;
    host.store.apply(vec![inbox.put(), numbered], Durability::Strict).await?;
    let told = "* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n\0* 2 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n\
                * OK [UIDNEXT 9] x\r\n% OK x\r\n\0* SEARCH 7 8\r\n% OK x\r\n\0* SEARCH 7 8\r\n\
                % OK x\r\n\0* 1 FETCH (UID 7 FLAGS () RFC822.SIZE 9 ENVELOPE (NIL \"7\" NIL NIL NIL \
                NIL NIL NIL NIL \"<7@x>\"))\r\n* 2 FETCH (UID 8 FLAGS () RFC822.SIZE 9 ENVELOPE \
                (NIL \"8\" NIL NIL NIL NIL NIL NIL NIL \"<8@x>\"))\r\n% OK x\r\n";
    let parts = told.as_bytes().split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
    let script = host.server.replace(Script { parts, tag: Vec::new() });
    let mut client = connect(host, account).await?;
    client.sync_messages(host, INBOX, &mut go_on).await.map(drop)?;
    host.server.replace(script);

    let mut editor = Editor::begin(host, account, None).await?;
    editor.mark(INBOX, &[7], &Mark::Flagged, true).await?;
    let mut editor = Editor::begin(host, account, None).await?;
    editor.expunge(INBOX, &[8]).await?;
    let mut editor = Editor::begin(host, account, None).await?;
    editor.save_draft(INBOX, DRAFT, None).await.map(drop)
}

async fn connect(host: &Host, account: &Account) -> Result<ImapClient<Pipe<Script>>, MailError> {
    ImapClient::connect(host, &account.incoming, &Secret::new("secret")).await
}

fn go_on(_: SyncStep) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Does what a client does, until the connection is of no more use.
async fn work(host: &Host, account: &Account) -> Result<(), MailError> {
    let mut client = connect(host, account).await?;
    let listed = client.sync_mailboxes(host, account.id).await.map(drop);
    usable(&client, listed)?;
    let synced = client.sync_messages(host, INBOX, &mut go_on).await.map(drop);
    usable(&client, synced)?;
    for _ in 0..CHANGES {
        let Some(entry) = changes::next(&host.store, account.id).await? else { break };
        if let Err(error) = client.make_change(host, &entry).await {
            usable(&client, Err(error))?;
            changes::refused(host, &entry).await?;
        }
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
    let messages = store.keys(Table::Messages, &KeyRange::all()).await?;
    let mut listed = Vec::new();
    for key in store.keys(Table::Arrival, &KeyRange::all()).await? {
        listed.push(record::message_key(record::arrived_message(&key)?));
    }
    listed.sort();
    assert_eq!(listed, messages, "each message has one place in the list");
    let entries = changes::entries(store, AccountId(1)).await?;
    let draft = entries.iter().find_map(|entry| match &entry.task {
        Task::Append { mailbox, item } => {
            Some((entry, MessageId { mailbox: *mailbox, uid: item.to }))
        }
        _ => None,
    });
    let (entry, place) = draft.expect("the draft is told, or was");
    if entry.is_open() {
        assert_eq!(record::body(store, place).await?, DRAFT, "it is nowhere else");
    }
    Ok(())
}
