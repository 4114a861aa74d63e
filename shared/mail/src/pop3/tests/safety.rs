//! What must be certain before anything is deleted on a server.

use std::time::Duration;

use postern_bridge::{
    DeletionHold,
    Retention::{DeleteAfterDays, DeleteAfterDownload, DeleteWhenDeletedHere, Keep},
};

use super::{
    watched::{Operation, Watched},
    *,
};
use crate::{
    host::StorageState,
    pop3::ServerNotes,
    store::{MemoryStore, StoreError, Write},
};

fn three() -> Vec<Vec<u8>> {
    ["one", "two", "three"].map(|subject| format!("Subject: {subject}\r\n\r\n").into()).into()
}

#[test]
fn nothing_is_deleted_while_the_browser_may_clear_its_storage() {
    let cases = [
        (Safety { persistent: false, ..SAFE }, DeletionHold::NotPersistent),
        (Safety { public_computer: true, ..SAFE }, DeletionHold::PublicComputer),
    ];
    for (safety, hold) in cases {
        let host = prepared(Maildrop::new(&three()), MemoryStore::new());
        let account = account(DeleteAfterDownload);
        let report = run_account(&host, &account, safety).unwrap();
        assert_eq!((report.downloaded, report.deleted, report.hold), (3, 0, Some(hold)));
        let notes = block_on(ServerNotes::load(&host.store, AccountId(1))).unwrap();
        assert_eq!(notes.hold, Some(hold), "it is shown");
        let report = run_account(&host, &account, SAFE).unwrap();
        assert_eq!((report.deleted, report.hold), (3, None));
    }
}

#[test]
fn a_policy_that_deletes_nothing_is_not_held_up() {
    let host = prepared(Maildrop::new(&three()), MemoryStore::new());
    let report = run_account(&host, &account(Keep), Safety { persistent: false, ..SAFE });
    assert_eq!(report.unwrap().hold, None);
    assert!(host.server.borrow().heard.contains("QUIT"));
}

#[test]
fn a_server_that_deletes_what_it_has_handed_out_is_not_told_that_it_may() {
    let mut server = Maildrop::new(&three());
    server.capabilities = "UIDL\r\nSASL PLAIN\r\nEXPIRE 0\r\n";
    let host = prepared(server, MemoryStore::new());
    let unsafe_ = Safety { persistent: false, ..SAFE };
    run_account(&host, &account(Keep), unsafe_).unwrap();
    assert!(!host.server.borrow().heard.contains("QUIT"));
    run_account(&host, &account(Keep), SAFE).unwrap();
    assert!(host.server.borrow().heard.contains("QUIT"));
}

#[test]
fn a_clock_that_jumps_deletes_nothing_too_early() {
    let year = Duration::from_secs(365 * 86400);
    let host = prepared(Maildrop::new(&three()), MemoryStore::new());
    let now = crate::Clock::now(&host);
    run(&host, DeleteAfterDays(14)).unwrap();
    // Rows that come from the future, as after a clock that was set back a year.
    for mut row in ledger(&host.store) {
        row.stored += i64::try_from(year.as_millis()).unwrap();
        block_on(host.store.apply(vec![row.put()], Durability::Strict)).unwrap();
    }
    host.advance(Duration::from_secs(30 * 86400));
    assert_eq!(run(&host, DeleteAfterDays(14)).unwrap().deleted, 0);
    assert!(crate::Clock::now(&host) > now);
    // And a year ahead: the days are over by this clock alone.
    host.advance(year);
    let report = run(&host, DeleteAfterDays(14)).unwrap();
    assert_eq!((report.deleted, report.hold), (0, Some(DeletionHold::Clock)));
    let notes = block_on(ServerNotes::load(&host.store, AccountId(1))).unwrap();
    assert_eq!(notes.hold, Some(DeletionHold::Clock), "it is shown");
    assert_complete(&host, &three());
}

#[test]
fn days_count_that_certainly_passed() {
    let day = Duration::from_secs(86400);
    let after_a_leap = || {
        let host = prepared(Maildrop::new(&three()), MemoryStore::new());
        run(&host, DeleteAfterDays(14)).unwrap();
        host.advance(day * 400);
        host
    };
    // Eleven days more, seen to pass: three of the leap count as well.
    let host = after_a_leap();
    for passed in 0..=11 {
        let report = run(&host, DeleteAfterDays(14)).unwrap();
        assert_eq!(report.deleted, if passed < 11 { 0 } else { 3 }, "{passed}");
        assert_eq!(report.hold.is_some(), passed < 11);
        host.advance(day);
    }
    // Mail of that time tells that it has passed. The host's clock began on 14 November 2023.
    for (date, deleted) in [("17 Dec 2024", 3), ("14 Nov 2023", 0)] {
        let host = after_a_leap();
        let new = format!("Date: {date} 00:00:00 +0000\r\nSubject: new\r\n\r\n").into_bytes();
        let new = scripted::Mail { uidl: "new".into(), raw: new };
        host.server.borrow_mut().messages.push(new);
        assert_eq!(run(&host, DeleteAfterDays(14)).unwrap().deleted, deleted, "{date}");
    }
}

#[test]
fn deletion_follows_the_person_and_undo_comes_in_time() {
    let host = prepared(Maildrop::new(&three()), MemoryStore::new());
    run(&host, DeleteWhenDeletedHere).unwrap();
    let rows = ledger(&host.store);
    block_on(delete_message(&host.store, rows[0].message));
    let moved = block_on(move_message(&host.store, rows[1].message, TRASH));
    block_on(move_message(&host.store, moved, INBOX));
    assert_eq!(run(&host, DeleteWhenDeletedHere).unwrap().deleted, 1);
    assert_eq!(host.server.borrow().messages.len(), 2);
    let moved = ledger(&host.store)[1].message;
    block_on(move_message(&host.store, moved, TRASH));
    assert_eq!(run(&host, DeleteWhenDeletedHere).unwrap().deleted, 1);
    assert_eq!(stored(&host.store).len(), 2);
}

/// What the store of a host does first of all when a message's bytes are read for the first time.
fn when_read_back(act: impl FnOnce(&MemoryStore) + 'static) -> TestHost<Maildrop, Watched> {
    let mut store = Watched::new();
    let inner = store.inner.clone();
    let mut act = Some(act);
    let host = prepared(Maildrop::new(&three()), store.clone());
    drop(host);
    store.watch(move |_, operation| {
        if operation == Operation::Read(Table::Bodies)
            && let Some(act) = act.take()
        {
            act(&inner);
        }
    });
    TestHost::with_store(Maildrop::new(&three()), store)
}

#[test]
fn a_message_that_is_moved_while_it_is_read_back_is_neither_lost_nor_doubled() {
    let host = when_read_back(|store| {
        let rows = ledger(store);
        block_on(move_message(store, rows[1].message, TRASH));
    });
    let report = run(&host, DeleteAfterDownload).unwrap();
    assert_eq!((report.downloaded, report.deleted), (3, 3));
    assert_eq!(ledger(&host.store)[1].message.mailbox, TRASH);
    assert_complete(&host, &three());
}

#[test]
fn a_message_that_is_deleted_while_it_is_read_back_does_not_come_again() {
    let host = when_read_back(|store| {
        let rows = ledger(store);
        block_on(delete_message(store, rows[1].message));
    });
    run(&host, Keep).unwrap();
    assert_eq!(run(&host, Keep).unwrap().downloaded, 0);
    assert_eq!(stored(&host.store).len(), 2);
}

#[test]
fn a_policy_that_is_changed_during_a_download_counts_for_it() {
    let host = when_read_back(|store| {
        let kept = account(Keep);
        block_on(store.apply(vec![kept.put()], Durability::Strict)).unwrap();
    });
    assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 0);
    assert_complete(&host, &three());
}

#[test]
fn a_computer_that_is_called_public_during_a_download_deletes_nothing() {
    let host = when_read_back(|store| {
        let noted = crate::pop3::note_public_computer(true);
        block_on(store.apply(vec![noted], Durability::Strict)).unwrap();
    });
    assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 0);
    assert_eq!(host.server.borrow().messages.len(), 3);
    assert_complete(&host, &three());
}

#[test]
fn a_browser_that_takes_back_its_promise_during_a_download_deletes_nothing() {
    let host = prepared(Maildrop::new(&three()), MemoryStore::new());
    // What the download was begun with says otherwise.
    let storage = host.storage.get();
    host.storage.set(StorageState { persistent: false, ..storage });
    assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 0);
    host.storage.set(storage);
    assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 3);
    assert_complete(&host, &three());
}

#[test]
fn what_was_not_verified_and_moved_since_is_verified_where_it_is() {
    let host = prepared(Maildrop::new(&three()), MemoryStore::new());
    run(&host, Keep).unwrap();
    let mut row = ledger(&host.store).remove(0);
    row.verified = None;
    block_on(host.store.apply(vec![row.put()], Durability::Strict)).unwrap();
    block_on(move_message(&host.store, row.message, TRASH));
    let report = run(&host, DeleteAfterDownload).unwrap();
    assert_eq!((report.downloaded, report.deleted), (0, 3));
    assert_complete(&host, &three());
}

#[test]
fn what_another_row_is_about_is_not_removed_with_a_damaged_one() {
    let host = prepared(Maildrop::new(&three()), MemoryStore::new());
    run(&host, Keep).unwrap();
    let rows = ledger(&host.store);
    let stray =
        LedgerRow { uidl: b"stray".to_vec(), sha256: [7; 32], verified: None, ..rows[1].clone() };
    block_on(host.store.apply(vec![stray.put()], Durability::Strict)).unwrap();
    assert_eq!(run(&host, Keep).unwrap().downloaded, 0);
    assert_eq!(ledger(&host.store), rows);
    assert_complete(&host, &three());
}

#[test]
fn what_is_damaged_stays_if_the_server_has_it_no_more() {
    let host = prepared(Maildrop::new(&three()), MemoryStore::new());
    run(&host, DeleteAfterDownload).unwrap();
    let row = LedgerRow { verified: None, ..ledger(&host.store).remove(1) };
    let mut batch = record::put_body(row.message, b"damaged");
    batch.push(row.put());
    block_on(host.store.apply(batch, Durability::Strict)).unwrap();
    run(&host, Keep).unwrap();
    assert_eq!(block_on(body(&host.store, row.message)).unwrap(), b"damaged");
    assert_eq!(ledger(&host.store).len(), 2);
}

#[test]
fn a_database_that_vanishes_at_any_moment_takes_no_message_with_it() {
    let operations = {
        let store = Watched::new();
        let host = prepared(Maildrop::new(&three()), store.clone());
        run(&host, DeleteAfterDownload).unwrap();
        store.moments.done.get()
    };
    assert!(operations > 10);
    for at in 0..operations {
        let mut store = Watched::new();
        drop(prepared(Maildrop::new(&three()), store.clone()));
        let inner = store.inner.clone();
        store.watch(move |number, _| {
            if number == at {
                let wipe = Table::ALL
                    .map(|table| Write::DeleteRange { table, range: KeyRange::all() })
                    .to_vec();
                block_on(inner.apply(wipe, Durability::Strict)).unwrap();
            }
        });
        let host = TestHost::with_store(Maildrop::new(&three()), store);
        let _ = run(&host, DeleteAfterDownload);
        let server = host.server.borrow();
        let safe: Vec<Vec<u8>> = ledger(&host.store)
            .iter()
            .filter(|row| row.verified.is_some())
            .map(|row| block_on(body(&host.store, row.message)).unwrap())
            .collect();
        for message in three() {
            // Only after the server was told to delete can the database take the only copy along.
            let told = server.heard.contains("DELE") && server.heard.contains("QUIT");
            assert!(server.has(&message) || safe.contains(&message) || told, "wiped at {at}");
        }
    }
}

#[test]
fn a_second_tab_that_takes_the_lead_at_any_moment_goes_on_and_doubles_nothing() {
    let operations = {
        let store = Watched::new();
        run(&prepared(Maildrop::new(&three()), store.clone()), DeleteAfterDownload).unwrap();
        store.moments.done.get()
    };
    for at in 0..operations {
        let mut store = Watched::new();
        block_on(store.take_lead()).unwrap();
        drop(prepared(Maildrop::new(&three()), store.clone()));
        let second = store.inner.clone();
        let taker = second.clone();
        store.watch(move |number, _| {
            if number == at {
                block_on(taker.take_lead()).unwrap();
            }
        });
        let host = TestHost::with_store(Maildrop::new(&three()), store);
        match run(&host, DeleteAfterDownload) {
            Ok(_) | Err(MailError::Store(StoreError::Fenced)) => {}
            Err(other) => panic!("{other:?} at {at}"),
        }
        assert_nothing_lost_or_doubled(&host, &three());
        block_on(second.take_lead()).unwrap();
        let server = std::rc::Rc::clone(&host.server);
        drop(host);
        let mut later = TestHost::with_store(Maildrop::new(&[]), second);
        later.server = server;
        run(&later, DeleteAfterDownload).unwrap();
        assert_complete(&later, &three());
        assert!(later.server.borrow().messages.is_empty(), "at {at}");
    }
}
