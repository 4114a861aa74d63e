//! Writing and reading break off wherever they can, and are begun again.

use super::{
    beside::{downloaded_again, file_elsewhere},
    recovered::{backup_of, lose_settings, lost},
    restoring::accounts,
    *,
};
use crate::{
    backup::Backup,
    store::StoreError,
    testing::{FailingStore, WriteFault},
};

#[test]
fn a_file_that_was_not_written_to_its_end_is_no_backup() {
    let (host, whole) = written(ExportFormat::Zip);
    let own = account(3, Protocol::Pop3);
    let contents = [(own.clone(), block_on(mailboxes(&host.store, own.id)).unwrap())];
    let writes = *whole.calls.borrow();
    assert!(writes > 3);
    for left in 0..writes {
        let mut file = File { left: Some(left), ..File::named("b.zip", b"") };
        let format = ExportFormat::Zip;
        let stopped = block_on(export(&host, &contents, format, true, &Nowhere, &mut file));
        assert_eq!(stopped, Err(MailError::Gone("page")));
        file.left = None;
        assert!(block_on(Backup::open(&mut file)).is_err(), "after {left} writes");
    }
}

#[test]
fn a_store_that_fails_at_any_write_is_restored_by_doing_it_again() {
    let (before, mut file) = written(ExportFormat::Zip);
    let all = everything(&before.store, AccountId(3));
    let backup = block_on(Backup::open(&mut file)).unwrap();
    let whole = TestHost::with_store(NoServer, FailingStore::default());
    block_on(backup.restore(&whole, &mut file)).unwrap();
    let writes = whole.store.writes.get();
    assert!(writes > 8, "{writes}");
    for failing in 0..writes {
        let host = TestHost::with_store(NoServer, FailingStore::default());
        host.store.left.set(Some(failing));
        let full = block_on(backup.restore(&host, &mut file));
        assert_eq!(full.err(), Some(MailError::Store(StoreError::QuotaExceeded)), "{failing}");
        host.store.left.set(None);
        assert_every_downloaded_message_has_its_row(&host.store);
        block_on(backup.restore(&host, &mut file)).unwrap();
        let accounts: Vec<Account> = block_on(record::all(&host.store, &KeyRange::all())).unwrap();
        assert_eq!(accounts.len(), 1, "write {failing}");
        assert_eq!(everything(&host.store, accounts[0].id), all, "write {failing}");
        let rows: Vec<LedgerRow> = block_on(record::all(&host.store, &KeyRange::all())).unwrap();
        assert_eq!(rows.len(), 5);
        assert_no_stray_bytes(&host.store);
    }
}

#[test]
fn mail_that_was_downloaded_again_is_in_one_place_after_each_write_and_in_the_right_one_in_the_end()
{
    let before = filled(MemoryStore::new());
    file_elsewhere(&before, 2);
    let all = everything(&before.store, AccountId(3));
    let (_, mut file) = saved(&before, ExportFormat::Zip);
    let backup = block_on(Backup::open(&mut file)).unwrap();
    for failing in 0.. {
        let host = downloaded_again(FailingStore::default(), &before.store, &mut file);
        host.store.left.set(Some(failing));
        let ended = block_on(backup.restore(&host, &mut file)).is_ok();
        host.store.left.set(None);
        let rows: Vec<LedgerRow> = block_on(record::all(&host.store, &KeyRange::all())).unwrap();
        for row in rows.iter().filter(|row| row.deleted_here.is_none()) {
            let raw = block_on(body(&host.store, row.message)).unwrap();
            assert_eq!(<[u8; 32]>::from(Sha256::digest(&raw)), row.sha256, "write {failing}");
        }
        let present = block_on(host.store.keys(Table::Messages, &KeyRange::all())).unwrap().len();
        assert!(present <= letters().len(), "write {failing}: {present}");
        block_on(backup.restore(&host, &mut file)).unwrap();
        let accounts: Vec<Account> = block_on(record::all(&host.store, &KeyRange::all())).unwrap();
        assert_eq!(everything(&host.store, accounts[0].id), all, "write {failing}");
        assert_no_stray_bytes(&host.store);
        if ended {
            assert!(failing > 2, "{failing}");
            return;
        }
    }
}

#[test]
fn an_account_that_had_lost_its_settings_is_restored_to_the_same_end_after_each_write() {
    let (before, mut file) = written(ExportFormat::Zip);
    let all = everything(&before.store, AccountId(3));
    let backup = block_on(Backup::open(&mut file)).unwrap();
    for failing in 0.. {
        let host = filled(FailingStore::default());
        lose_settings(&host);
        host.store.left.set(Some(failing));
        let ended = block_on(backup.restore(&host, &mut file)).is_ok();
        host.store.left.set(None);
        assert_eq!(everything(&host.store, AccountId(3)), all, "write {failing}");
        block_on(backup.restore(&host, &mut file)).unwrap();
        let accounts: Vec<Account> = block_on(record::all(&host.store, &KeyRange::all())).unwrap();
        assert!(matches!(&accounts[..], [own] if !own.has_lost_its_settings()));
        assert_eq!(everything(&host.store, AccountId(3)), all, "write {failing}");
        if ended {
            assert!(failing > 0);
            return;
        }
    }
}

/// Neither their servers nor their addresses tell, but only the note of what they were made of.
#[test]
fn accounts_that_are_known_by_what_they_were_made_of_are_made_once_whatever_write_fails() {
    let address = "account-3@recovered.invalid";
    let mut file = backup_of(&filled(MemoryStore::new()), &[lost(3, address), lost(4, address)]);
    let backup = block_on(Backup::open(&mut file)).unwrap();
    let all = |host: &TestStore<FailingStore>| -> Vec<_> {
        accounts(&host.store).iter().map(|own| everything(&host.store, own.id)).collect()
    };
    let whole = TestHost::with_store(NoServer, FailingStore::default());
    block_on(backup.restore(&whole, &mut file)).unwrap();
    for fault in [WriteFault::Full, WriteFault::Aborted, WriteFault::Doubtful] {
        for at in 0.. {
            let host = TestHost::with_store(NoServer, FailingStore::default());
            host.store.fault.set(Some((at, fault)));
            let ended = block_on(backup.restore(&host, &mut file));
            if host.store.fault.take().is_some() {
                assert!(at > 8, "{at}");
                break;
            }
            assert!(ended.is_err(), "{fault:?} of write {at}");
            for _ in 0..2 {
                block_on(backup.restore(&host, &mut file)).unwrap();
                assert_eq!(all(&host), all(&whole), "{fault:?} of write {at}");
            }
            assert_no_stray_bytes(&host.store);
        }
    }
}

/// Otherwise a download that comes before the rest is restored would bring it a second time.
fn assert_every_downloaded_message_has_its_row(store: &impl Store) {
    let rows: Vec<LedgerRow> = block_on(record::all(store, &KeyRange::all())).unwrap();
    let messages: Vec<Message> = block_on(record::all(store, &KeyRange::all())).unwrap();
    for message in messages {
        let own = block_on(record::mailbox(store, message.id.mailbox)).unwrap();
        let known = rows.iter().any(|row| row.message == message.id);
        assert_eq!(known, own.role == Some(Role::Inbox), "{message:?}");
    }
}

#[test]
fn a_file_that_goes_away_at_any_read_is_read_to_its_end_later() {
    for format in [ExportFormat::Zip, ExportFormat::Mbox] {
        let (_, mut file) = written(format);
        let host = || {
            let host = TestHost::with_store(NoServer, MemoryStore::new());
            let own = account(3, Protocol::Pop3);
            let mut batch = vec![own.put()];
            batch.extend(block_on(create_local_mailboxes(&host, own.id)).unwrap());
            block_on(host.store.apply(batch, Durability::Strict)).unwrap();
            host
        };
        let whole = host();
        file.calls.replace(0);
        block_on(import(&whole, inbox(&whole.store, AccountId(3)), &mut file)).unwrap();
        let all = everything(&whole.store, AccountId(3));
        let reads = *file.calls.borrow();
        for left in 0..reads {
            let host = host();
            let inbox = inbox(&host.store, AccountId(3));
            file.left = Some(left);
            let stopped = block_on(import(&host, inbox, &mut file));
            assert_eq!(stopped, Err(MailError::Gone("page")), "{format:?} after {left} reads");
            file.left = None;
            block_on(import(&host, inbox, &mut file)).unwrap();
            assert_eq!(everything(&host.store, AccountId(3)), all, "{format:?} after {left} reads");
            assert_no_stray_bytes(&host.store);
        }
    }
}
