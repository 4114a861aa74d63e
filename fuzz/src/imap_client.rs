//! A whole IMAP client, with a store and changes to tell, against a server that says anything.

use std::{collections::BTreeSet, future::pending, ops::ControlFlow, time::Duration};

use postern_bridge::{MailboxId, Mark, MessageId, Protocol, Role};
use postern_mail::{
    MailError, Store,
    changes::{self, Editor, Entry, Task},
    imap::SyncStep,
    record::{self, Account, Message, Record, Series},
    store::Durability,
    testing::{TestHost, account, block_on},
};

use crate::imap_script::{Host, Script, check_store, connect, mailbox, message, usable};

const INBOX: MailboxId = MailboxId(1);
const OTHER: MailboxId = MailboxId(2);
const TRASH: MailboxId = MailboxId(3);
const OLD: MailboxId = MailboxId(4);

const DRAFT: &[u8] = b"Message-ID: <draft@example.org>\r\nSubject: Draft\r\n\r\nText\r\n";

/// The bit of the second byte by which a draft is saved.
const WANTS_DRAFT: u8 = 1 << 2;
/// The bit by which folders are changed.
const WANTS_FOLDERS: u8 = 1 << 5;
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
/// follows is what the [server](Script::new) says.
///
/// # Panics
///
/// If that does not hold.
pub fn check(input: &[u8]) {
    let [split, wanted, script @ ..] = input else { return };
    let host = TestHost::new(Script::new(script));
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

/// An inbox with the messages 6, 7 and 8, another mailbox, and a trash with the messages 4 and 5; and what
/// is wanted of: a mark, a deletion, a draft that the server has not heard of, a move, an empty trash,
/// folders that are made, renamed, subscribed to and deleted, a copy, and a tag, which is a label on Gmail.
async fn prepare(host: &Host, account: &Account, wanted: u8) -> Result<(), MailError> {
    let (_, numbered) = record::next_numbers(&host.store, Series::Mailbox, 4).await?;
    let mut writes = vec![
        mailbox(INBOX, "INBOX", Some(Role::Inbox), 3).put(),
        mailbox(OTHER, "Other", None, 0).put(),
        mailbox(TRASH, "Trash", Some(Role::Trash), 2).put(),
        numbered,
    ];
    if wanted & WANTS_FOLDERS != 0 {
        writes.push(mailbox(OLD, "Old", None, 0).put());
    }
    for (mailbox, uid) in [(INBOX, 6), (INBOX, 7), (INBOX, 8), (TRASH, 4), (TRASH, 5)] {
        let (message, raw) = message(mailbox, uid);
        writes.extend(message.put_listed());
        writes.extend(record::put_body(message.id, &raw));
    }
    host.store.apply(writes, Durability::Strict).await?;

    let wants = |change: u32| wanted & 1 << change != 0;
    // A folder with changes on their way can't be renamed; what is moved is not there to be copied.
    for change in [5, 0, 6, 7, 1, 2, 3, 4].into_iter().filter(|change| wants(*change)) {
        let mut editor = Editor::begin(host, account, None).await?;
        match change {
            0 => editor.mark(INBOX, &[7], &Mark::Flagged, true).await?,
            1 => editor.expunge(INBOX, &[8]).await?,
            2 => editor.save_draft(INBOX, DRAFT, None).await.map(drop)?,
            3 => editor.transfer(INBOX, &[6, 7], OTHER, false).await?,
            4 => editor.empty(TRASH).await?,
            5 => change_folders(host, account).await?,
            6 => editor.transfer(INBOX, &[6, 8], OTHER, true).await?,
            _ => editor.mark(INBOX, &[7], &Mark::Keyword("Garden".into()), true).await?,
        }
    }
    Ok(())
}

async fn change_folders(host: &Host, account: &Account) -> Result<(), MailError> {
    let begin = || Editor::begin(host, account, None);
    let made = begin().await?.create_mailbox(None, "New", None).await?;
    begin().await?.move_mailbox(OTHER, Some(made), "Else").await?;
    begin().await?.subscribe(OTHER, true).await?;
    begin().await?.remove_mailbox(OLD).await
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
        if let Err(error) = made {
            usable(&client, Err(error.clone()))?;
            // The later parts of the change go with it.
            for own in changes::entries(&host.store, account.id).await? {
                if own.change == entry.change && own.number > entry.number {
                    open.remove(&own.number);
                }
            }
            changes::refused(host, &entry, &error).await?;
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
    assert!(is_here || may_have_draft(&host.server.borrow()), "it is nowhere else");
    for entry in entries.iter().filter(|entry| entry.is_open()) {
        let (to, items) = match &entry.task {
            Task::Append { mailbox, item, .. } => (*mailbox, std::slice::from_ref(item)),
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

/// Whether a server was given the draft, or has said that it has it, however it is spelled.
fn may_have_draft(server: &Script) -> bool {
    let is_told = |byte: &u8| byte.is_ascii_graphic() && *byte != b'\\';
    let said: Vec<u8> = server.said.iter().copied().filter(is_told).collect();
    contains(&server.heard, DRAFT) || contains(&said, b"draft@example.org")
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
