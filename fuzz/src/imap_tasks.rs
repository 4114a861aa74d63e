//! What an IMAP client does beyond keeping up with its mailboxes, against a server that says anything.

use std::ops::ControlFlow;

use postern_bridge::{AccountId, MailboxId, MessageId, Protocol, Role};
use postern_mail::{
    MailError, Store,
    imap::{Found, ImapClient},
    migrate,
    record::{self, Account, Mailbox, Message, Record, Series},
    search::Query,
    store::{Durability, KeyRange, MemoryStore, Order, Table},
    testing::{Pipe, TestHost, account, block_on},
};

use crate::imap_script::{Host, Script, check_store, connect, mailbox, message, usable};

const INBOX: MailboxId = MailboxId(1);
/// A mailbox that was never synced.
const NEW: MailboxId = MailboxId(2);
/// Local folders of another account, whose messages are copied.
const LOCAL: [MailboxId; 2] = [MailboxId(3), MailboxId(4)];

/// The account of the local folders.
const POP3: AccountId = AccountId(2);
/// How many messages are in them.
const LOCAL_MESSAGES: u32 = 4;

/// Whatever a server says, and however it is split, a client that searches, fetches attachments and
/// messages piece by piece, asks for the quota and copies local folders comes to an end without a panic.
/// Each stored message stands in the list once, with its bytes. What is told to be found is stored; a part
/// that counts as stored has its bytes. A limit that is told is one. What is copied stays here as it was,
/// and each message of it is told to be copied, present or missing.
///
/// The first byte of the input chooses the split, the bits of the second what is done. What follows is what
/// the [server](Script::new) says.
///
/// # Panics
///
/// If that does not hold.
pub fn check(input: &[u8]) {
    let [split, wanted, script @ ..] = input else { return };
    let host = TestHost::new(Script::new(script));
    host.read_size.set(usize::from(*split).max(1));
    let account = account(Protocol::Imap);
    let local = block_on(prepare(&host)).expect("the store takes everything");
    for _ in 0..2 {
        // The second connection gets the rest of what there is to say.
        let _ = block_on(work(&host, &account, *wanted));
        block_on(check_store(&host.store)).expect("the store can be read");
        block_on(check_parts(&host.store)).expect("the store can be read");
    }
    assert_eq!(block_on(local_messages(&host.store)).expect("the store can be read"), local);
}

/// An inbox with the messages 6, 7 and 8, one that was never synced, and another account's local folders;
/// what they hold is returned.
async fn prepare(host: &Host) -> Result<Vec<(Message, Vec<u8>)>, MailError> {
    let (_, numbered) = record::next_numbers(&host.store, Series::Mailbox, 4).await?;
    let fresh = Mailbox { uid_validity: 0, uid_next: 0, ..mailbox(NEW, "New", None, 0) };
    let mut writes =
        vec![mailbox(INBOX, "INBOX", Some(Role::Inbox), 3).put(), fresh.put(), numbered];
    for (own, name, role) in [(LOCAL[0], "Inbox", Some(Role::Inbox)), (LOCAL[1], "Letters", None)] {
        let own = mailbox(own, name, role, LOCAL_MESSAGES / 2);
        writes.push(Mailbox { account: POP3, ..own }.put());
    }
    let there = [(INBOX, 6), (INBOX, 7), (INBOX, 8)];
    let here = LOCAL.iter().flat_map(|own| [(*own, 1), (*own, 2)]);
    for (mailbox, uid) in there.into_iter().chain(here) {
        let (message, raw) = message(mailbox, uid);
        writes.extend(message.put_listed());
        writes.extend(record::put_body(message.id, &raw));
    }
    host.store.apply(writes, Durability::Strict).await?;
    local_messages(&host.store).await
}

async fn local_messages(store: &MemoryStore) -> Result<Vec<(Message, Vec<u8>)>, MailError> {
    let mut all = Vec::new();
    for own in LOCAL {
        let range = KeyRange::prefix(record::mailbox_key(own));
        for message in record::all::<Message>(store, &range).await? {
            let raw = record::body(store, message.id).await?;
            all.push((message, raw));
        }
    }
    Ok(all)
}

/// Does what is wanted, until the connection is of no more use.
async fn work(host: &Host, account: &Account, wanted: u8) -> Result<(), MailError> {
    let mut client = connect(host, account).await?;
    for task in (0..7).filter(|task| wanted & 1 << task != 0) {
        let done = match task {
            0 => find(host, &mut client, INBOX, "garden from:ann").await,
            1 => find(host, &mut client, NEW, "\u{fc}ber OR is:unread").await,
            2 => client.fetch_part(host, MessageId { mailbox: INBOX, uid: 7 }, "2").await,
            3 => client.fetch_part(host, MessageId { mailbox: INBOX, uid: 8 }, "").await,
            4 => client.quota(host).await.map(|quota| {
                let told = [quota.storage, quota.messages];
                assert!(told.iter().flatten().all(|share| share.limit != 0), "{quota:?}");
            }),
            5 => client.fetch_raw(host, MessageId { mailbox: INBOX, uid: 6 }).await.map(drop),
            _ => copy(host, account, &mut client).await,
        };
        usable(&client, done)?;
    }
    Ok(())
}

async fn find(
    host: &Host,
    client: &mut ImapClient<Pipe<Script>>,
    mailbox: MailboxId,
    typed: &str,
) -> Result<(), MailError> {
    let mut all = Vec::new();
    let mut found = |own: Found| {
        all.extend(own.places);
        ControlFlow::Continue(())
    };
    let query = Query::parse(typed);
    let told = client.find(host, mailbox, &query, &|| true, &mut found).await;
    for place in all {
        let key = record::message_key(MessageId { mailbox, uid: place.uid });
        let stored = host.store.get(Table::Messages, &key).await?;
        assert!(stored.is_some(), "what is found is stored");
    }
    told.map(drop)
}

async fn copy(
    host: &Host,
    account: &Account,
    client: &mut ImapClient<Pipe<Script>>,
) -> Result<(), MailError> {
    let copied = migrate::copy(host, POP3, account.id, client, &mut |_| {}).await?;
    let told = copied.copied + copied.present + copied.missing;
    assert_eq!(told, LOCAL_MESSAGES, "each message is told once: {copied:?}");
    Ok(())
}

/// What counts as stored has all its bytes.
async fn check_parts(store: &MemoryStore) -> Result<(), MailError> {
    for (uid, section) in [(7, "2"), (8, "")] {
        let id = MessageId { mailbox: INBOX, uid };
        let Some(end) = record::part_end(store, id, section).await? else { continue };
        let range = KeyRange {
            start: record::part_key(id, section),
            end: Some(record::part_key(id, section).u32(u32::MAX)),
        };
        let windows = store.scan(Table::Bodies, &range, Order::Ascending, usize::MAX).await?;
        let bytes: usize = windows.iter().map(|(_, window)| window.len()).sum();
        assert_eq!(end.size, bytes as u64, "a part has its bytes");
    }
    Ok(())
}
