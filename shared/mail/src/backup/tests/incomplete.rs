//! Messages that are not here, or not as a whole, when a backup is made.

use super::{
    restoring::{ledger, restored},
    *,
};
use crate::store::Write;

#[test]
fn of_a_message_whose_header_alone_was_here_the_header_comes_back_and_is_told() {
    let before = filled(MemoryStore::new());
    let mut row = ledger(&before.store).into_iter().find(|row| row.deleted_here.is_none()).unwrap();
    row.partial = true;
    let header = b"Subject: the beginning\r\n\r\n";
    (row.size, row.sha256) = (header.len() as u64, Sha256::digest(header).into());
    let key = record::message_key(row.message);
    let mut message: Message = block_on(record::get(&before.store, &key)).unwrap().unwrap();
    message.body = Body::Header { size: header.len() as u64 };
    let mut batch = put_body(message.id, header);
    batch.extend([message.put(), row.put()]);
    block_on(before.store.apply(batch, Durability::Strict)).unwrap();
    let (exported, mut file) = saved(&before, ExportFormat::Zip);
    assert_eq!((exported.messages, exported.headers, exported.missing), (7, 1, 0));
    let (after, imported) = restored(&mut file);
    assert_eq!((imported.messages, imported.skipped), (7, 0));
    let is = ledger(&after.store).into_iter().find(|own| own.uidl == row.uidl).unwrap();
    assert!(is.partial, "the rest is on the server still");
    let key = record::message_key(is.message);
    let restored: Message = block_on(record::get(&after.store, &key)).unwrap().unwrap();
    assert_eq!((&restored.body, restored.size), (&message.body, message.size));
    assert_eq!(block_on(body(&after.store, restored.id)).unwrap(), header);
}

#[test]
fn what_was_left_on_the_server_as_a_whole_comes_from_there_and_is_no_failure() {
    let before = filled(MemoryStore::new());
    let mut row = ledger(&before.store).into_iter().find(|row| row.deleted_here.is_none()).unwrap();
    (row.partial, row.size, row.sha256) = (true, 0, Sha256::digest(b"").into());
    let key = record::message_key(row.message);
    let mut message: Message = block_on(record::get(&before.store, &key)).unwrap().unwrap();
    message.body = Body::Header { size: 0 };
    let mut batch = put_body(message.id, b"");
    batch.extend([message.put(), row.put()]);
    block_on(before.store.apply(batch, Durability::Strict)).unwrap();
    let (exported, mut file) = saved(&before, ExportFormat::Zip);
    assert_eq!((exported.messages, exported.headers, exported.missing), (7, 1, 0));
    let (after, imported) = restored(&mut file);
    assert_eq!((imported.messages, imported.skipped), (6, 0));
    assert!(ledger(&after.store).iter().all(|own| own.uidl != row.uidl), "it is listed anew");
}

#[test]
fn a_damaged_message_costs_the_backup_that_message_alone_and_is_counted() {
    let wipe = |id| Write::DeleteRange { table: Table::Bodies, range: record::chunks(id) };
    // What stands in a bundle that can't be read is there, and empty.
    let empty = |id| Write::Put {
        table: Table::Bodies,
        key: record::message_key(id).u32(0),
        value: Vec::new(),
    };
    let damages: [&dyn Fn(MessageId) -> Write; 2] = [&wipe, &empty];
    for damage in damages {
        let before = filled(MemoryStore::new());
        let row = ledger(&before.store).into_iter().find(|row| row.deleted_here.is_none()).unwrap();
        let batch = vec![damage(row.message)];
        block_on(before.store.apply(batch, Durability::Strict)).unwrap();
        let (exported, mut file) = saved(&before, ExportFormat::Zip);
        assert_eq!((exported.messages, exported.missing), (6, 1));
        assert_eq!(restored(&mut file).1.messages, 6);
        let (exported, _) = saved(&before, ExportFormat::Mbox);
        assert_eq!((exported.messages, exported.missing), (6, 1));
    }
}

#[test]
fn what_a_mailbox_has_and_nobody_has_opened_is_counted_as_missing() {
    let before = filled(MemoryStore::new());
    let mut own = block_on(mailboxes(&before.store, AccountId(3))).unwrap().remove(0);
    own.total += 5;
    block_on(before.store.apply(vec![own.put()], Durability::Strict)).unwrap();
    for format in [ExportFormat::Zip, ExportFormat::Mbox] {
        let (exported, _) = saved(&before, format);
        assert_eq!((exported.messages, exported.missing), (7, 5));
    }
}

#[test]
fn what_is_missing_of_one_account_leaves_the_others_whole() {
    let before = filled(MemoryStore::new());
    let whole = block_on(mailboxes(&before.store, AccountId(3))).unwrap();
    let imap = account(4, Protocol::Imap);
    let unopened = |number| Mailbox {
        id: MailboxId(number),
        account: imap.id,
        total: 5,
        ..whole.last().unwrap().clone()
    };
    let contents = [
        (account(3, Protocol::Pop3), whole.clone()),
        (imap.clone(), vec![unopened(40), unopened(41)]),
    ];
    for format in [ExportFormat::Zip, ExportFormat::Mbox] {
        let mut file = File::named("backup", b"");
        let exported =
            block_on(export(&before, &contents, format, true, &Nowhere, &mut file)).unwrap();
        assert_eq!((exported.messages, exported.missing), (7, 10));
        assert_eq!(exported.incomplete, [imap.id]);
    }
}
