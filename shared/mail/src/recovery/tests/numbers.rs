//! Whatever became of the notes of the next numbers, nothing that is there is replaced.

use postern_bridge::OutgoingMessage;

use super::*;
use crate::{changes::limits::PROVISIONAL, outbox, pop3::row};

/// Beside what [`filled`] has: changes, in both accounts, and a message in the outbox.
fn busy() -> TestHost<NoServer> {
    let host = filled();
    // So that the numbers of each series differ.
    let begun = [(Series::Change, 50), (Series::Provisional, 70), (Series::Outbox, 90)];
    put(&host, begun.map(|(series, next)| series.put(next)).into());
    put(&host, vec![Series::Account.put(3)]);
    work(&host);
    host
}

/// A folder, an unfinished message in each account, and one to be sent. Returns the new folder.
fn work(host: &TestHost<NoServer>) -> MailboxId {
    block_on(async {
        let [pop3, imap] = &accounts(&host.store)[..] else { panic!("two accounts") };
        let mut own = Editor::begin(host, pop3, None).await.unwrap();
        let name = format!("Folder {}", mailboxes(&host.store, POP3).len());
        let made = own.create_mailbox(None, &name, None).await.unwrap();
        for (account, mailbox) in [(pop3, MailboxId(1)), (imap, REMOTE)] {
            let mut editor = Editor::begin(host, account, None).await.unwrap();
            editor.save_draft(mailbox, b"Subject: x\r\n\r\ntext", None).await.unwrap();
        }
        let to = vec![Address { name: String::new(), address: "bob@example.org".into() }];
        let message = OutgoingMessage {
            account: POP3,
            to,
            cc: Vec::new(),
            bcc: Vec::new(),
            subject: String::new(),
            text: "text".into(),
            in_reply_to: None,
            references: Vec::new(),
            attachments: Vec::new(),
        };
        outbox::enqueue(host, pop3, &message, None).await.unwrap();
        made
    })
}

/// All rows but mailboxes, which count their messages, and notes.
fn rows(store: &MemoryStore) -> Vec<Vec<(Key, Vec<u8>)>> {
    let all = KeyRange::all();
    let tables =
        Table::ALL.into_iter().filter(|own| ![Table::Meta, Table::Mailboxes].contains(own));
    tables.map(|own| block_on(store.scan(own, &all, Order::Ascending, 999)).unwrap()).collect()
}

fn names(store: &MemoryStore) -> Vec<(MailboxId, Vec<String>)> {
    let all = [POP3, IMAP].map(|account| mailboxes(store, account)).concat();
    all.into_iter().map(|own| (own.id, own.names)).collect()
}

/// What a note may have become.
fn spoilt(series: Series) -> [Write; 4] {
    let put = |value| Write::Put { table: Table::Meta, key: series.key(), value };
    [gone(series), put(vec![0xc1]), series.put(0), series.put(1)]
}

fn gone(series: Series) -> Write {
    Write::Delete { table: Table::Meta, key: series.key() }
}

#[test]
fn what_has_a_number_is_never_replaced_by_what_gets_one() {
    for series in Series::ALL {
        for note in spoilt(series) {
            let host = busy();
            put(&host, vec![note.clone()]);
            let (before, named) = (rows(&host.store), names(&host.store));
            block_on(recover(&host.store)).unwrap();
            assert_eq!((rows(&host.store), names(&host.store)), (before.clone(), named.clone()));
            let (account, _) = block_on(record::next_number(&host.store, Series::Account)).unwrap();
            assert!(account > IMAP.0, "{note:?}");
            let made = work(&host);
            assert!(named.iter().all(|(id, _)| *id != made), "{note:?}");
            let (after, names) = (rows(&host.store), names(&host.store));
            assert!(named.iter().all(|own| names.contains(own)), "{note:?}");
            for (before, after) in before.iter().zip(after) {
                assert!(before.iter().all(|row| after.contains(row)), "{note:?}");
            }
        }
    }
}

#[test]
fn notes_that_are_right_are_left_alone() {
    for inner in [busy().store.clone(), MemoryStore::new()] {
        let store = FailingStore { inner, ..FailingStore::default() };
        block_on(recover(&store)).unwrap();
        assert_eq!(store.writes.get(), 0);
    }
}

#[test]
fn a_store_without_room_opens_where_nothing_was_numbered_yet() {
    for (is_wrong, note) in [(false, Series::Provisional), (true, Series::Mailbox)] {
        let host = filled();
        put(&host, Series::ALL.map(|series| series.put(500)).into());
        put(&host, vec![gone(note)]);
        let store = FailingStore { inner: host.store.clone(), ..FailingStore::default() };
        store.left.set(Some(0));
        assert_eq!(block_on(recover(&store)).is_err(), is_wrong);
        assert_eq!(store.writes.get(), 1);
    }
}

#[test]
fn what_is_known_by_its_number_alone_keeps_it() {
    let damaged = |table, key: Key| Write::Put { table, key, value: vec![0xc1] };
    let message =
        |mailbox, uid| record::message_key(MessageId { mailbox: MailboxId(mailbox), uid });
    let account = |id| record::account_key(AccountId(id));
    let ledger = LedgerRow {
        account: AccountId(5),
        message: MessageId { mailbox: MailboxId(900), uid: 1 },
        ..row("a")
    };
    let aside = Key::new().bytes(b"unreadable-account-").u32(6);
    let mailbox = record::mailbox_key(MailboxId(901));
    let traces = [
        (Series::Account, 4, damaged(Table::Accounts, account(4))),
        (Series::Account, 5, ledger.put()),
        (Series::Account, 6, damaged(Table::Meta, aside)),
        (Series::Account, 7, damaged(Table::Changes, account(7).u32(1))),
        (Series::Mailbox, 900, ledger.put()),
        (Series::Mailbox, 901, damaged(Table::Mailboxes, mailbox)),
        (Series::Mailbox, 902, damaged(Table::Messages, message(902, 1))),
        (Series::Mailbox, 903, damaged(Table::Bodies, message(903, 1).u32(0))),
        (Series::Change, 800, damaged(Table::Changes, account(IMAP.0).u32(800))),
        (Series::Provisional, 700, damaged(Table::Messages, message(REMOTE.0, PROVISIONAL + 700))),
        (Series::Outbox, 600, damaged(Table::Outbox, Key::new().u32(600).u32(0))),
    ];
    for (series, number, trace) in traces {
        let unreadable = [gone(series), spoilt(series)[1].clone()];
        for note in unreadable {
            let host = filled();
            put(&host, vec![Series::Account.put(3), trace.clone(), note.clone()]);
            block_on(recover(&host.store)).unwrap();
            let (next, _) = block_on(record::next_number(&host.store, series)).unwrap();
            assert!(next > number, "{series:?} {note:?}: {next}");
        }
    }
}

#[test]
fn a_number_that_can_not_have_been_given_does_not_count() {
    const STRAY: u32 = u32::MAX;
    let damaged = |table, key: Key| Write::Put { table, key, value: vec![0xc1] };
    let stray = |table| damaged(table, Key::new().u32(STRAY).u32(1));
    let change = damaged(Table::Changes, record::account_key(IMAP).u32(STRAY));
    let mailbox = damaged(Table::Mailboxes, record::mailbox_key(MailboxId(STRAY)));
    // What is behind each: the last number in use is found all the same.
    let message = record::message_key(MessageId { mailbox: MailboxId(902), uid: 1 });
    let used = damaged(Table::Messages, message);
    let provisional = |uid| record::message_key(MessageId { mailbox: REMOTE, uid });
    let coming = damaged(Table::Messages, provisional(PROVISIONAL + 700));
    let traces = [
        (Series::Account, stray(Table::Ledger), IMAP.0),
        (Series::Account, stray(Table::Changes), IMAP.0),
        (Series::Mailbox, mailbox, 902),
        (Series::Mailbox, stray(Table::Messages), 902),
        (Series::Mailbox, stray(Table::Bodies), 902),
        (Series::Change, change, 50),
        (Series::Provisional, damaged(Table::Messages, provisional(STRAY)), 700),
        (Series::Provisional, damaged(Table::Messages, provisional(STRAY - 1)), 700),
        (Series::Outbox, stray(Table::Outbox), 90),
    ];
    let notes = [None, Some(STRAY), Some(STRAY - 1)];
    for ((series, trace, last), note) in
        traces.iter().flat_map(|own| notes.map(|note| (own.clone(), note)))
    {
        let host = busy();
        let note = note.map_or(gone(series), |next| series.put(next));
        put(&host, vec![used.clone(), coming.clone(), trace, note.clone()]);
        block_on(recover(&host.store)).unwrap();
        let (next, _) = block_on(record::next_number(&host.store, series)).unwrap();
        assert!((last + 1..10_000).contains(&next), "{series:?} {note:?}: {next}");
        let known = names(&host.store);
        let made = work(&host);
        assert!(known.iter().all(|(id, _)| *id != made), "{series:?} {note:?}");
    }
}

#[test]
fn a_removed_folder_that_can_be_brought_back_keeps_its_number() {
    let host = busy();
    let made = work(&host);
    let own = accounts(&host.store).remove(0);
    block_on(async {
        let mut editor = Editor::begin(&host, &own, None).await.unwrap();
        editor.remove_mailbox(made).await.unwrap();
    });
    put(&host, vec![gone(Series::Mailbox)]);
    block_on(recover(&host.store)).unwrap();
    assert!(work(&host) > made);
}

#[test]
fn notes_are_mended_in_one_strict_batch() {
    let notes = |store: &MemoryStore| {
        block_on(store.get_many(Table::Meta, &Series::ALL.map(Series::key))).unwrap()
    };
    for writes in 0.. {
        let inner = busy().store.clone();
        block_on(inner.apply(Series::ALL.map(gone).into(), Durability::Strict)).unwrap();
        let failing = FailingStore { inner: inner.clone(), ..FailingStore::default() };
        failing.left.set(Some(writes));
        let ended = block_on(recover(&failing)).is_ok();
        assert_eq!(failing.durability.get(), Some(Durability::Strict));
        assert!(notes(&inner).iter().all(|note| note.is_some() == ended), "write {writes}");
        block_on(recover(&inner)).unwrap();
        assert!(notes(&inner).iter().all(Option::is_some), "write {writes}");
        if ended {
            assert_eq!(writes, 1, "one batch has all of it");
            return;
        }
    }
}
