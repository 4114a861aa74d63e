//! A backup is brought back.

use postern_bridge::Fingerprint;

use super::*;
use crate::{
    backup::{Backup, limits},
    host::Clock as _,
    store::Write,
};

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
