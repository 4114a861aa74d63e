//! Downloads from a scripted server, interrupted wherever they can be.

mod damage;
mod deleting;
mod earlier;
mod extent;
mod identity;
mod interruptions;
mod marked;
mod policies;
mod positions;
mod safety;
pub(crate) mod scripted;
mod server;
mod stubborn;
mod unnamed;
mod watched;

use std::collections::BTreeSet;

use postern_bridge::{AccountId, Extent, MailboxId, MessageId, Protocol, Retention, Security};

use super::{DownloadReport, Job, LedgerRow, Safety, create_local_mailboxes, download};
use crate::{
    MailError, Secret, Store,
    record::{self, Account, Mailbox, Message, Record, body, message_key},
    store::{Durability, KeyRange, Table},
    testing::{self, FailingStore, TestHost, block_on},
};
use scripted::Maildrop;

const INBOX: MailboxId = MailboxId(1);
/// The last of the local mailboxes.
const TRASH: MailboxId = MailboxId(6);
const SAFE: Safety = Safety { persistent: true, public_computer: false };

pub(super) fn account(retention: Retention) -> Account {
    Account { retention, ..testing::account(Protocol::Pop3) }
}

/// A host whose store has the account's local mailboxes.
fn prepared<D: Store + 'static>(server: Maildrop, store: D) -> TestHost<Maildrop, D> {
    let host = TestHost::with_store(server, store);
    let batch = block_on(create_local_mailboxes(&host, AccountId(1))).unwrap();
    block_on(host.store.apply(batch, Durability::Strict)).unwrap();
    host
}

fn run<D: Store + 'static>(
    host: &TestHost<Maildrop, D>,
    retention: Retention,
) -> Result<DownloadReport, MailError> {
    run_account(host, &account(retention), SAFE)
}

fn run_account<D: Store + 'static>(
    host: &TestHost<Maildrop, D>,
    account: &Account,
    safety: Safety,
) -> Result<DownloadReport, MailError> {
    block_on(run_job(host, account, safety))
}

async fn run_job<D: Store + 'static>(
    host: &TestHost<Maildrop, D>,
    account: &Account,
    safety: Safety,
) -> Result<DownloadReport, MailError> {
    let password = Secret::new("secret");
    let job = Job { account, password: &password, inbox: INBOX, safety };
    download(host, job, &mut |_| {}).await
}

/// Moves a message as a person would.
async fn move_message(store: &impl Store, id: MessageId, to: MailboxId) -> MessageId {
    let _editing = store.editing().lock().await;
    let message: Message = record::get(store, &message_key(id)).await.unwrap().unwrap();
    let raw = body(store, id).await.unwrap();
    let mut from: Mailbox =
        record::get(store, &record::mailbox_key(id.mailbox)).await.unwrap().unwrap();
    let mut target: Mailbox = record::get(store, &record::mailbox_key(to)).await.unwrap().unwrap();
    let there = MessageId { mailbox: to, uid: target.uid_next };
    target.uid_next += 1;
    (from.total, from.unread) = (from.total - 1, from.unread - 1);
    (target.total, target.unread) = (target.total + 1, target.unread + 1);
    let mut batch = vec![from.put(), target.put()];
    batch.extend(message.delete_whole());
    batch.extend(Message { id: there, ..message }.put_listed());
    batch.extend(record::put_body(there, &raw));
    let rows: Vec<LedgerRow> = record::all(store, &KeyRange::all()).await.unwrap();
    let row = rows.into_iter().find(|row| row.message == id).unwrap();
    batch.push(LedgerRow { message: there, ..row }.put());
    store.apply(batch, Durability::Strict).await.unwrap();
    there
}

/// Deletes a message for good as a person would.
async fn delete_message(store: &impl Store, id: MessageId) {
    let _editing = store.editing().lock().await;
    let message: Message = record::get(store, &message_key(id)).await.unwrap().unwrap();
    let mut from: Mailbox =
        record::get(store, &record::mailbox_key(id.mailbox)).await.unwrap().unwrap();
    (from.total, from.unread) = (from.total - 1, from.unread - 1);
    let mut batch = vec![from.put()];
    batch.extend(message.delete_whole());
    let rows: Vec<LedgerRow> = record::all(store, &KeyRange::all()).await.unwrap();
    let row = rows.into_iter().find(|row| row.message == id).unwrap();
    batch.push(LedgerRow { deleted_here: Some(7), ..row }.put());
    store.apply(batch, Durability::Strict).await.unwrap();
}

/// The raw bytes of every message in the inbox, in the order of the list.
fn stored<D: Store>(store: &D) -> Vec<Vec<u8>> {
    let places = block_on(store.keys(Table::Arrival, &KeyRange::all())).unwrap();
    places
        .iter()
        .map(|place| {
            let id = record::arrived_message(place).unwrap();
            let message: Option<Message> = block_on(record::get(store, &message_key(id))).unwrap();
            let raw = block_on(body(store, id)).unwrap();
            assert_eq!(message.unwrap().size, raw.len() as u64);
            raw
        })
        .collect()
}

fn ledger<D: Store>(store: &D) -> Vec<LedgerRow> {
    block_on(record::all(store, &KeyRange::all())).unwrap()
}

/// What must hold at any moment: each message is on the server or verified here, and none is here
/// twice; the mailbox's counts are those of its messages.
fn assert_nothing_lost_or_doubled<D: Store>(host: &TestHost<Maildrop, D>, all: &[Vec<u8>]) {
    let store = &host.store;
    let here = stored(store);
    let verified: BTreeSet<Vec<u8>> = ledger(store)
        .iter()
        .filter(|row| row.verified.is_some())
        .map(|row| block_on(body(store, row.message)).unwrap())
        .collect();
    let server = host.server.borrow();
    for message in all {
        assert!(server.has(message) || verified.contains(message), "a message is lost");
        assert!(here.iter().filter(|raw| *raw == message).count() <= 1, "a message is doubled");
    }
    assert!(here.iter().all(|raw| all.contains(raw)), "a message is mutilated");
    let mailboxes: Vec<Mailbox> = block_on(record::all(store, &KeyRange::all())).unwrap();
    let total: u32 = mailboxes.iter().map(|mailbox| mailbox.total).sum();
    let unread: u32 = mailboxes.iter().map(|mailbox| mailbox.unread).sum();
    assert_eq!((total, unread), (here.len() as u32, here.len() as u32));
}

/// Besides, after a download that succeeded: everything is here, and no chunk is left over.
fn assert_complete<D: Store>(host: &TestHost<Maildrop, D>, all: &[Vec<u8>]) {
    assert_nothing_lost_or_doubled(host, all);
    assert_eq!(stored(&host.store).len(), all.len());
    let keys = block_on(host.store.keys(Table::Bodies, &KeyRange::all())).unwrap();
    let expected: usize = all.iter().map(|raw| raw.len().div_ceil(record::CHUNK)).sum();
    assert_eq!(keys.len(), expected, "chunks without a message");
}

/// Ends a download of what is prepared wherever its connection can break off, and with each of its writes;
/// tells of each end and what two more downloads come to.
fn ended_anywhere(
    prepare: impl Fn() -> TestHost<Maildrop, FailingStore>,
    check: impl Fn(&TestHost<Maildrop, FailingStore>, &str),
) {
    let whole = prepare();
    let written = whole.store.writes.get();
    run(&whole, Retention::Keep).unwrap();
    let cuts = (0..whole.carried.get()).map(|cut| (Some(cut), None));
    let failures = (0..whole.store.writes.get() - written).map(|failing| (None, Some(failing)));
    for (cut, left) in cuts.chain(failures) {
        let host = prepare();
        host.cut.set(cut);
        host.store.left.set(left);
        let _ = run(&host, Retention::Keep);
        host.cut.set(None);
        host.store.left.set(None);
        for _ in 0..2 {
            run(&host, Retention::Keep).unwrap();
        }
        check(&host, &format!("cut {cut:?}, write {left:?}"));
    }
}
