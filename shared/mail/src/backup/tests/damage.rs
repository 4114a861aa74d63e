//! What can't be read any more costs a backup, or what is brought back from it, itself alone.

use super::{
    restoring::{ledger, restored},
    *,
};

/// What a row behind the damage in a block has left.
fn make_unreadable<R: Record>(store: &impl Store, record: &R) {
    let write = crate::store::Write::Put { table: R::TABLE, key: record.key(), value: Vec::new() };
    block_on(store.apply(vec![write], Durability::Strict)).unwrap();
}

/// The record that a row is about.
fn message(store: &impl Store, row: &LedgerRow) -> Message {
    block_on(record::get(store, &record::message_key(row.message))).unwrap().unwrap()
}

/// The rows of messages that are here.
fn rows(store: &impl Store) -> Vec<LedgerRow> {
    ledger(store).into_iter().filter(|row| row.deleted_here.is_none()).collect()
}

#[test]
fn a_row_that_can_not_be_read_is_left_out_of_a_backup_and_its_message_is_not() {
    let before = filled(MemoryStore::new());
    let all = everything(&before.store, AccountId(3));
    let count = ledger(&before.store).len();
    make_unreadable(&before.store, &rows(&before.store)[0]);
    let (exported, mut file) = saved(&before, ExportFormat::Zip);
    assert_eq!((exported.messages, exported.missing), (7, 0));
    let (after, imported) = restored(&mut file);
    assert_eq!((imported.messages, imported.skipped), (7, 0));
    assert_eq!(everything(&after.store, imported.added[0]), all);
    assert_eq!(ledger(&after.store).len(), count - 1);
}

#[test]
fn a_record_that_can_not_be_read_costs_a_backup_its_message_alone_and_is_counted() {
    let before = filled(MemoryStore::new());
    let lost = rows(&before.store).remove(1);
    make_unreadable(&before.store, &message(&before.store, &lost));
    for format in [ExportFormat::Zip, ExportFormat::Mbox] {
        let (exported, mut file) = saved(&before, format);
        assert_eq!((exported.messages, exported.missing), (6, 1));
        if format == ExportFormat::Zip {
            let (after, imported) = restored(&mut file);
            assert_eq!((imported.messages, imported.skipped), (6, 0));
            // The server, if it still has it, hands it out again.
            assert!(ledger(&after.store).iter().all(|row| row.uidl != lost.uidl));
        }
    }
}
