//! A backup is brought back where nothing is.

use postern_bridge::Fingerprint;

use super::*;
use crate::backup::{Backup, limits};

pub(super) fn restored(file: &mut File) -> (TestStore<MemoryStore>, postern_bridge::Imported) {
    restored_into(MemoryStore::new(), file)
}

pub(super) fn restored_into<D: Store + 'static>(
    store: D,
    file: &mut File,
) -> (TestStore<D>, postern_bridge::Imported) {
    let host = TestHost::with_store(NoServer, store);
    let backup = block_on(Backup::open(file)).unwrap();
    let imported = block_on(backup.restore(&host, file)).unwrap();
    (host, imported)
}

pub(super) fn accounts(store: &impl Store) -> Vec<Account> {
    block_on(record::all(store, &KeyRange::all())).unwrap()
}

pub(super) fn ledger(store: &impl Store) -> Vec<LedgerRow> {
    block_on(record::all(store, &KeyRange::all())).unwrap()
}

#[test]
fn on_an_empty_store_everything_is_as_it_was() {
    let (before, mut file) = written(ExportFormat::Zip);
    let (after, imported) = restored(&mut file);
    assert_eq!((imported.messages, imported.duplicates, imported.skipped), (7, 0, 0));
    let [account] = &accounts(&after.store)[..] else { panic!("one account is restored") };
    assert_eq!(imported.added, [account.id]);
    let was = super::account(3, Protocol::Pop3);
    assert_eq!(account.sealed_password, b"", "no password is in a backup");
    assert_eq!((&account.identity, account.retention), (&was.identity, was.retention));
    assert_eq!(everything(&after.store, account.id), everything(&before.store, AccountId(3)));
    assert_no_stray_bytes(&after.store);
}

#[test]
fn the_ledger_knows_every_message_again_and_takes_none_for_verified() {
    let (before, mut file) = written(ExportFormat::Zip);
    let (after, _) = restored(&mut file);
    let (was, is) = (ledger(&before.store), ledger(&after.store));
    assert_eq!(was.len(), is.len());
    for (was, is) in was.iter().zip(&is) {
        assert_eq!((&was.uidl, was.sha256, was.stored), (&is.uidl, is.sha256, is.stored));
        assert_eq!(is.verified, None);
        assert_eq!(was.deleted_here, is.deleted_here);
        if is.deleted_here.is_none() {
            let raw = block_on(body(&after.store, is.message)).unwrap();
            assert_eq!(<[u8; 32]>::from(Sha256::digest(&raw)), is.sha256);
        }
    }
}

/// Writes accounts of so many folders each to a backup, and reads what is in it.
fn written_and_opened(accounts: u32, folders: u32) -> Result<Backup, MailError> {
    let host = TestHost::with_store(NoServer, MemoryStore::new());
    let empty = Mailbox { total: 0, ..crate::changes::tests::mailbox(1) };
    let of = |number| {
        let own = account(number, Protocol::Pop3);
        let id = |at| MailboxId(number * folders + at);
        let folder = |at| Mailbox { id: id(at), account: own.id, ..empty.clone() };
        let folders = (0..folders).map(folder).collect();
        (own, folders)
    };
    let contents: Vec<(Account, Vec<Mailbox>)> = (1..=accounts).map(of).collect();
    let mut file = File::named("backup", b"");
    let export = export(&host, &contents, ExportFormat::Zip, true, &Nowhere, &mut file);
    if let Err(error) = block_on(export) {
        assert_eq!(file.bytes, b"", "it is refused before anything is written");
        return Err(error);
    }
    Ok(block_on(Backup::open(&mut file)).expect("what is written is read"))
}

#[test]
fn a_backup_of_the_most_accounts_and_folders_is_read_again_and_one_of_more_is_not_written() {
    let (accounts, folders) = (limits::ACCOUNTS as u32, limits::FOLDERS as u32);
    for (accounts, folders) in [(accounts, 1), (1, folders)] {
        assert!(written_and_opened(accounts, folders).is_ok(), "{accounts} of {folders}");
    }
    for (accounts, folders) in [(accounts + 1, 1), (1, folders + 1)] {
        let refused = written_and_opened(accounts, folders).err();
        let Some(MailError::Input(why)) = refused else { panic!("{refused:?}") };
        assert!(why.contains("one account at a time"), "{why}");
    }
}

#[test]
fn a_message_that_the_backup_has_with_other_bytes_than_its_row_says_comes_again() {
    let before = filled(MemoryStore::new());
    let mut row = ledger(&before.store).into_iter().find(|row| row.deleted_here.is_none()).unwrap();
    row.sha256 = [7; 32];
    block_on(before.store.apply(vec![row.put()], Durability::Strict)).unwrap();
    let (_, mut file) = saved(&before, ExportFormat::Zip);
    let (after, imported) = restored(&mut file);
    assert_eq!(imported.messages, 7);
    assert!(ledger(&after.store).iter().all(|own| own.uidl != row.uidl));
}

#[test]
fn a_file_does_not_say_which_certificates_are_trusted() {
    let before = filled(MemoryStore::new());
    let mut own = accounts(&before.store).remove(0);
    own.incoming.endpoint.trusted = Some(Fingerprint::from([7; 32]));
    let boxes = block_on(mailboxes(&before.store, own.id)).unwrap();
    let mut file = File::named("b.zip", b"");
    let contents = [(own, boxes)];
    let format = ExportFormat::Zip;
    block_on(export(&before, &contents, format, true, &Nowhere, &mut file)).unwrap();
    let (after, _) = restored(&mut file);
    assert_eq!(accounts(&after.store)[0].incoming.endpoint.trusted, None);
}

#[test]
fn no_password_is_anywhere_in_the_file() {
    let (_, file) = written(ExportFormat::Zip);
    let directory = String::from_utf8_lossy(&file.bytes).into_owned();
    assert!(!directory.contains("secret"));
}

#[test]
fn imap_accounts_come_back_without_mail() {
    let host = filled(MemoryStore::new());
    let imap = Account { protocol: Protocol::Imap, ..account(3, Protocol::Pop3) };
    let boxes = block_on(mailboxes(&host.store, imap.id)).unwrap();
    let mut file = File::named("b.zip", b"");
    let contents = [(imap, boxes)];
    let format = ExportFormat::Zip;
    block_on(export(&host, &contents, format, true, &Nowhere, &mut file)).unwrap();
    let (after, imported) = restored(&mut file);
    assert_eq!((imported.messages, imported.left, imported.added.len()), (0, 7, 1));
    assert_eq!(accounts(&after.store)[0].protocol, Protocol::Imap);
    let messages = block_on(after.store.keys(Table::Messages, &KeyRange::all())).unwrap();
    assert_eq!(messages, []);
}

#[test]
fn other_files_are_said_to_be_no_backup() {
    let plain = [
        File::named("x.zip", b"PK\x03\x04 and so on"),
        File::named("x.mbox", b"From a Thu Jan  1 00:00:00 1970\n"),
        File::named("x", b""),
    ];
    for mut file in plain {
        let refused = block_on(Backup::open(&mut file)).err();
        assert!(matches!(refused, Some(MailError::Input(_))), "{refused:?}");
    }
}

#[test]
fn damage_of_one_message_costs_that_message_alone() {
    let (_, mut file) = written(ExportFormat::Zip);
    // The large one is most of the file.
    let middle = file.bytes.len() / 2;
    file.bytes[middle] ^= 0xFF;
    let host = TestHost::with_store(NoServer, MemoryStore::new());
    let backup = block_on(Backup::open(&mut file)).unwrap();
    let imported = block_on(backup.restore(&host, &mut file)).unwrap();
    assert_eq!(imported.messages + imported.skipped, 7);
    assert_eq!((imported.skipped, imported.problems.len()), (1, 1));
    assert_no_stray_bytes(&host.store);
}

#[test]
fn labels_come_back_also_such_as_are_no_keywords() {
    let host = filled(MemoryStore::new());
    let all: Vec<Message> = block_on(record::all(&host.store, &KeyRange::all())).unwrap();
    let keywords = vec!["Muy Importante".to_owned()];
    let labelled = Message { keywords: keywords.clone(), ..all[0].clone() };
    block_on(host.store.apply(vec![labelled.put()], Durability::Strict)).unwrap();
    let (_, mut file) = saved(&host, ExportFormat::Zip);
    let (after, _) = restored(&mut file);
    let all: Vec<Message> = block_on(record::all(&after.store, &KeyRange::all())).unwrap();
    assert!(all.iter().any(|own| own.keywords == keywords));
}
