//! A backup is brought back beside mail that is here already.

use super::{
    restoring::{accounts, ledger, restored, restored_into},
    *,
};
use crate::{backup::Backup, host::Clock as _, store::Write};

#[test]
fn what_is_there_already_is_not_there_twice() {
    let (before, mut file) = written(ExportFormat::Zip);
    let all = everything(&before.store, AccountId(3));
    let backup = block_on(Backup::open(&mut file)).unwrap();
    assert_eq!(block_on(backup.present(&before.store)).unwrap(), [AccountId(3)]);
    let imported = block_on(backup.restore(&before, &mut file)).unwrap();
    assert_eq!((imported.messages, imported.duplicates), (0, 7));
    assert_eq!(imported.added, []);
    assert_eq!(everything(&before.store, AccountId(3)), all);
    assert!(ledger(&before.store).iter().all(|row| row.verified.is_some()));
}

#[test]
fn a_message_that_is_damaged_here_is_brought_back_from_the_backup() {
    for bytes in [&b"damaged"[..], b""] {
        let (before, mut file) = written(ExportFormat::Zip);
        let all = everything(&before.store, AccountId(3));
        let rows = ledger(&before.store);
        let row = rows.iter().find(|row| row.deleted_here.is_none()).unwrap();
        let spoil = put_body(row.message, bytes);
        block_on(before.store.apply(spoil, Durability::Strict)).unwrap();
        let backup = block_on(Backup::open(&mut file)).unwrap();
        let imported = block_on(backup.restore(&before, &mut file)).unwrap();
        assert_eq!((imported.messages, imported.duplicates), (1, 6));
        assert_eq!(everything(&before.store, AccountId(3)), all);
        assert_eq!(ledger(&before.store).len(), rows.len());
        assert_no_stray_bytes(&before.store);
    }
}

/// A row whose digest is another one's would let the next download take the message for damaged, and
/// remove it.
#[test]
fn the_ledger_knows_messages_that_were_here_with_other_line_ends_by_their_own_bytes() {
    let (_, mut file) = written(ExportFormat::Zip);
    let (after, _) = restored(&mut file);
    let rows = ledger(&after.store);
    let here = rows.iter().filter(|row| row.deleted_here.is_none());
    let mut batch: Vec<_> = rows.iter().map(Record::delete).collect();
    for row in here.clone() {
        let raw = block_on(body(&after.store, row.message)).unwrap();
        let bare = raw.into_iter().filter(|byte| *byte != b'\r').collect::<Vec<_>>();
        batch.extend(put_body(row.message, &bare));
    }
    block_on(after.store.apply(batch, Durability::Strict)).unwrap();
    let backup = block_on(Backup::open(&mut file)).unwrap();
    let imported = block_on(backup.restore(&after, &mut file)).unwrap();
    assert_eq!((imported.messages, imported.duplicates), (0, 7));
    let again = ledger(&after.store);
    assert_eq!(again.len(), rows.len());
    for row in again.iter().filter(|row| row.deleted_here.is_none()) {
        let raw = block_on(body(&after.store, row.message)).unwrap();
        assert_eq!(<[u8; 32]>::from(Sha256::digest(&raw)), row.sha256);
        assert_eq!(raw.len() as u64, row.size);
    }
}

/// The messages of `before` that a ledger knows, as the server has them, downloaded again after the
/// backup was made: unread, and all in the inbox.
pub(super) fn downloaded_again<D: Store + 'static>(
    store: D,
    before: &impl Store,
    file: &mut File,
) -> TestStore<D> {
    let (host, imported) = restored_into(store, file);
    let id = imported.added[0];
    let now = host.now();
    let messages: Vec<Message> = block_on(record::all(&host.store, &KeyRange::all())).unwrap();
    let own: Vec<Mailbox> = block_on(mailboxes(&host.store, id)).unwrap();
    let mut batch: Vec<Write> = messages.iter().flat_map(Message::delete_whole).collect();
    batch.extend(ledger(&host.store).iter().map(Record::delete));
    let mut inbox = own.iter().find(|own| own.role == Some(Role::Inbox)).unwrap().clone();
    let empty = own.iter().map(|own| Mailbox { total: 0, unread: 0, ..own.clone() }.put());
    batch.extend(empty);
    (inbox.total, inbox.unread) = (0, 0);
    for row in ledger(before).into_iter().filter(|row| row.deleted_here.is_none()) {
        let raw = block_on(body(before, row.message)).unwrap();
        let was: Option<Message> =
            block_on(record::get(before, &record::message_key(row.message))).unwrap();
        let message = MessageId { mailbox: inbox.id, uid: inbox.uid_next };
        inbox.uid_next += 1;
        inbox.total += 1;
        inbox.unread += 1;
        let stored = LedgerRow { account: id, message, stored: now + 1, ..row };
        let record =
            Message { id: message, flags: Flags::default(), keywords: Vec::new(), ..was.unwrap() };
        batch.extend(put_body(message, &raw));
        batch.extend(record.put_listed());
        batch.push(stored.put());
    }
    batch.push(inbox.put());
    block_on(host.store.apply(batch, Durability::Strict)).unwrap();
    host
}

/// Files a message of the inbox elsewhere, as the person has done.
pub(super) fn file_elsewhere(host: &TestStore<MemoryStore>, uid: u32) {
    let own = account(3, Protocol::Pop3);
    let from = MessageId { mailbox: inbox(&host.store, own.id), uid };
    let mut to = folder(host, &own, &["Letters".into()]);
    let mut source = block_on(record::mailbox(&host.store, from.mailbox)).unwrap();
    let message: Message =
        block_on(record::get(&host.store, &record::message_key(from))).unwrap().unwrap();
    let raw = block_on(body(&host.store, from)).unwrap();
    let id = MessageId { mailbox: to.id, uid: to.uid_next };
    to.uid_next += 1;
    to.total += 1;
    source.total -= 1;
    let mut batch: Vec<Write> = message.delete_whole().into();
    batch.extend(put_body(id, &raw));
    batch.extend(Message { id, ..message }.put_listed());
    batch.extend([to.put(), source.put()]);
    let row = ledger(&host.store).into_iter().find(|row| row.message == from).unwrap();
    batch.push(LedgerRow { message: id, ..row }.put());
    block_on(host.store.apply(batch, Durability::Strict)).unwrap();
}

#[test]
fn mail_that_was_downloaded_again_before_is_filed_and_marked_as_in_the_backup_and_not_doubled() {
    let before = filled(MemoryStore::new());
    file_elsewhere(&before, 2);
    let all = everything(&before.store, AccountId(3));
    let (_, mut file) = saved(&before, ExportFormat::Zip);
    let host = downloaded_again(MemoryStore::new(), &before.store, &mut file);
    for round in 0..2 {
        let backup = block_on(Backup::open(&mut file)).unwrap();
        let imported = block_on(backup.restore(&host, &mut file)).unwrap();
        assert_eq!(imported.skipped, 0, "{round}");
        let id = accounts(&host.store)[0].id;
        assert_eq!(everything(&host.store, id), all, "round {round}");
        assert_eq!(ledger(&host.store).len(), 5);
        for row in ledger(&host.store).iter().filter(|row| row.deleted_here.is_none()) {
            let raw = block_on(body(&host.store, row.message)).unwrap();
            assert_eq!(<[u8; 32]>::from(Sha256::digest(&raw)), row.sha256);
        }
        assert_no_stray_bytes(&host.store);
    }
}

#[test]
fn what_the_person_has_filed_since_the_backup_stays_there_and_is_not_doubled() {
    let (before, mut file) = written(ExportFormat::Zip);
    file_elsewhere(&before, 2);
    let all = everything(&before.store, AccountId(3));
    let backup = block_on(Backup::open(&mut file)).unwrap();
    let imported = block_on(backup.restore(&before, &mut file)).unwrap();
    assert_eq!((imported.messages, imported.duplicates), (0, 7));
    assert_eq!(everything(&before.store, AccountId(3)), all);
}
