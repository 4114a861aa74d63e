//! What can't be read any more costs a backup, or what is brought back from it, itself alone.

use postern_archive::zip::{Entry, Writer, content_start};

use super::{
    restoring::{ledger, restored, restored_into},
    *,
};
use crate::{
    backup::{
        archive::{self, Budget, Entries},
        manifest::{LEDGER, MANIFEST, UNSENT},
        restore::whole,
    },
    outbox,
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

#[test]
fn a_row_that_can_not_be_read_is_written_anew_when_a_backup_is_brought_back() {
    let (before, mut file) = written(ExportFormat::Zip);
    let (all, was) = (everything(&before.store, AccountId(3)), ledger(&before.store));
    let row = rows(&before.store).remove(0);
    make_unreadable(&before.store, &row);
    let (after, imported) = restored_into(before.store, &mut file);
    assert_eq!((imported.messages, imported.duplicates, imported.skipped), (0, 7, 0));
    assert_eq!(everything(&after.store, AccountId(3)), all);
    assert_eq!(ledger(&after.store).len(), was.len());
    let healed = rows(&after.store).remove(0);
    assert_eq!(healed, LedgerRow { verified: None, ..row }, "it is to be verified anew");
}

/// A message that was deleted when the backup was made may have come back since.
#[test]
fn what_a_backup_says_of_a_deleted_message_takes_no_place_of_a_row_that_can_not_be_read() {
    let (before, mut file) = written(ExportFormat::Zip);
    let row = ledger(&before.store).into_iter().find(|row| row.deleted_here.is_some()).unwrap();
    make_unreadable(&before.store, &row);
    let (after, imported) = restored_into(before.store, &mut file);
    assert_eq!((imported.messages, imported.duplicates, imported.skipped), (0, 7, 0));
    let left = block_on(after.store.get(Table::Ledger, &row.key())).unwrap();
    assert_eq!(left, Some(Vec::new()));
}

#[test]
fn a_message_whose_record_can_not_be_read_is_brought_back_into_its_place() {
    for seen in [false, true] {
        let (before, mut file) = written(ExportFormat::Zip);
        let (all, was) = (everything(&before.store, AccountId(3)), ledger(&before.store));
        let own = rows(&before.store).into_iter().map(|row| message(&before.store, &row));
        let lost = own.into_iter().find(|message| message.flags.seen == seen).unwrap();
        make_unreadable(&before.store, &lost);
        let (after, imported) = restored_into(before.store, &mut file);
        assert_eq!((imported.messages, imported.duplicates, imported.skipped), (1, 6, 0));
        assert_eq!(everything(&after.store, AccountId(3)), all);
        assert_eq!(ledger(&after.store).len(), was.len());
        assert_no_stray_bytes(&after.store);
    }
}

#[test]
fn a_record_that_can_not_be_read_and_no_row_knows_holds_up_neither_a_backup_nor_an_import() {
    let (before, mut file) = written(ExportFormat::Zip);
    let known = rows(&before.store);
    let messages: Vec<Message> = block_on(record::all(&before.store, &KeyRange::all())).unwrap();
    let is_unknown = |own: &&Message| known.iter().all(|row| row.message != own.id);
    let lost = messages.iter().find(is_unknown).unwrap();
    make_unreadable(&before.store, lost);
    let raw = block_on(body(&before.store, lost.id)).unwrap();
    let (after, imported) = restored_into(before.store, &mut file);
    assert_eq!((imported.messages, imported.duplicates, imported.skipped), (1, 6, 0));
    assert_eq!(block_on(body(&after.store, lost.id)).unwrap(), raw, "what is left of it stays");
    let mut file = File::named("One.eml", &raw);
    let imported = block_on(import(&after, lost.id.mailbox, &mut file)).unwrap();
    assert_eq!((imported.messages, imported.duplicates), (0, 1));
}

fn entries(file: &mut File) -> Vec<Entry> {
    block_on(async {
        let directory = archive::directory(file).await?.map_err(archive::damaged)?;
        let (mut entries, mut all) = (Entries::of(directory), Vec::new());
        while let Some(entry) = entries.next(file).await? {
            all.push(entry);
        }
        Ok::<_, MailError>(all)
    })
    .unwrap()
}

/// A file of which bytes were changed in the entry of this name.
fn with_broken(mut file: File, name: &str) -> File {
    let entry = entries(&mut file).into_iter().find(|entry| entry.name == name).unwrap();
    let start = content_start(&file.bytes[entry.start as usize..]).unwrap();
    file.bytes[(entry.start + start + entry.compressed / 2) as usize] ^= 0xFF;
    file
}

/// A file whose entry of this name is intact and has another content.
fn with_content(mut file: File, name: &str, other: &[u8]) -> File {
    let mut writer = Writer::new();
    for entry in entries(&mut file) {
        let mut budget = Budget::of_file(file.size());
        let content = block_on(whole(&mut file, &entry, &mut budget)).unwrap().unwrap();
        writer.start(&entry.name, 0, &entry.comment).unwrap();
        writer.write(if entry.name == name { other } else { &content }).unwrap();
    }
    writer.finish().unwrap();
    File::named("backup", &writer.take_output())
}

#[test]
fn a_damaged_part_of_the_ledger_costs_a_restore_that_part_alone_and_is_told() {
    let part = format!("{LEDGER}3-000001");
    let damages: [&dyn Fn(File) -> File; 2] =
        [&|file| with_broken(file, &part), &|file| with_content(file, &part, b"no rows")];
    for damage in damages {
        let (before, file) = written(ExportFormat::Zip);
        let (after, imported) = restored(&mut damage(file));
        assert_eq!((imported.messages, imported.skipped), (7, 1));
        let [problem] = &imported.problems[..] else { panic!("{:?}", imported.problems) };
        assert!(problem.starts_with(&part), "{problem}");
        let all = everything(&before.store, AccountId(3));
        assert_eq!(everything(&after.store, imported.added[0]), all);
        assert_eq!(ledger(&after.store), []);
    }
}

#[test]
fn a_damaged_unsent_message_costs_a_restore_itself_alone_and_is_told() {
    let envelope = format!("{UNSENT}3-000001");
    let text = format!("{envelope}.eml");
    let damages: [&dyn Fn(File) -> File; 3] =
        [&|file| with_broken(file, &envelope), &|file| with_broken(file, &text), &|file| {
            with_content(file, &envelope, b"no envelope")
        }];
    for damage in damages {
        let before = filled(MemoryStore::new());
        for subject in ["one", "two"] {
            super::unsent::enqueue(&before, subject);
        }
        let all = everything(&before.store, AccountId(3));
        let (_, file) = saved(&before, ExportFormat::Zip);
        let (after, imported) = restored(&mut damage(file));
        assert_eq!((imported.messages, imported.skipped), (8, 1));
        assert!(imported.problems[0].starts_with(&text), "{:?}", imported.problems);
        assert_eq!(everything(&after.store, imported.added[0]), all);
        let [left] = &block_on(outbox::entries(&after)).unwrap()[..] else { panic!("one is left") };
        assert_eq!(left.subject, "two");
    }
}

#[test]
fn a_backup_whose_list_of_contents_is_damaged_is_refused() {
    let damages: [&dyn Fn(File) -> File; 2] =
        [&|file| with_broken(file, MANIFEST), &|file| with_content(file, MANIFEST, b"{}")];
    for damage in damages {
        let (_, file) = written(ExportFormat::Zip);
        let mut file = damage(file);
        let refused = block_on(crate::backup::Backup::open(&mut file)).err();
        assert!(matches!(refused, Some(MailError::Input(_))), "{refused:?}");
    }
}
