//! Stored mail and records that are damaged: nothing is removed on account of it, and nothing is held
//! up.

use std::{cell::RefCell, rc::Rc};

use postern_bridge::{
    DeletionHold,
    Retention::{DeleteAfterDownload, Keep},
};

use super::{
    watched::{Operation, Watched},
    *,
};
use crate::{
    pop3::ServerNotes,
    store::{Key, MemoryStore, Write},
};

fn mail(subject: &str) -> Vec<u8> {
    format!("From: b@c\r\nSubject: {subject}\r\n\r\n{subject}\r\n").into_bytes()
}

fn three() -> Vec<Vec<u8>> {
    ["one", "two", "three"].map(mail).into()
}

/// Replaces the stored bytes of a row's message, as if it had never been read back.
fn damage(store: &impl Store, at: usize) -> MessageId {
    let row = LedgerRow { verified: None, ..ledger(store).remove(at) };
    let mut batch = record::put_body(row.message, b"damaged");
    batch.push(row.put());
    block_on(store.apply(batch, Durability::Strict)).unwrap();
    row.message
}

fn put(store: &impl Store, table: Table, key: Key, value: &[u8]) {
    let write = Write::Put { table, key, value: value.into() };
    block_on(store.apply(vec![write], Durability::Strict)).unwrap();
}

#[test]
fn what_is_left_of_a_damaged_message_stays_where_the_server_does_not_have_it() {
    for ids_fail in [false, true] {
        let host = prepared(Maildrop::new(&three()), MemoryStore::new());
        run(&host, Keep).unwrap();
        let damaged = damage(&host.store, 1);
        // Another program has removed it, which nobody here knows yet.
        host.server.borrow_mut().messages.remove(1);
        host.server.borrow_mut().uidl_fails = ids_fail;
        assert_eq!(run(&host, Keep).unwrap().downloaded, 0);
        assert_eq!(block_on(body(&host.store, damaged)).unwrap(), b"damaged");
        host.server.borrow_mut().uidl_fails = false;
        assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 2, "it holds up no other");
        assert_eq!(block_on(body(&host.store, damaged)).unwrap(), b"damaged");
    }
}

#[test]
fn a_damaged_message_is_mended_where_it_is() {
    for (uidl, extent) in [(true, Extent::Whole), (false, Extent::Whole), (true, Extent::Headers)] {
        let mut server = Maildrop::new(&three());
        server.uidl = uidl;
        let host = prepared(server, MemoryStore::new());
        run(&host, Keep).unwrap();
        let id = block_on(move_message(&host.store, ledger(&host.store)[1].message, TRASH));
        let at = ledger(&host.store).iter().position(|row| row.message == id).unwrap();
        damage(&host.store, at);
        let account = Account { extent, ..account(Keep) };
        let report = run_account(&host, &account, SAFE).unwrap();
        assert_eq!(report.downloaded, 1, "{uidl} {extent:?}");
        assert!(three().contains(&block_on(body(&host.store, id)).unwrap()));
        assert!(ledger(&host.store).iter().all(|row| row.verified.is_some()));
        assert_complete(&host, &three());
    }
}

#[test]
fn a_damaged_message_that_the_server_does_not_hand_out_again_holds_up_no_other() {
    for breaks in [false, true] {
        let host = prepared(Maildrop::new(&three()), MemoryStore::new());
        run(&host, Keep).unwrap();
        let damaged = damage(&host.store, 1);
        let at = host.server.borrow().messages.iter().position(|own| own.raw == three()[1]);
        let number = at.unwrap() + 1;
        if breaks {
            host.server.borrow_mut().hangs_at = Some(three()[1].clone());
            for _ in 0..crate::pop3::limits::TRIES {
                assert!(run(&host, DeleteAfterDownload).is_err());
            }
        } else {
            host.server.borrow_mut().withheld = Some(number);
        }
        let report = run(&host, DeleteAfterDownload).unwrap();
        assert_eq!((report.deleted, report.left_out, report.hold), (2, 1, None), "{breaks}");
        let server = host.server.borrow();
        assert!(server.has(&three()[1]) && server.messages.len() == 1, "it is still there");
        drop(server);
        assert_eq!(block_on(body(&host.store, damaged)).unwrap(), b"damaged", "and what is left");
        // Once the server hands it out, it is mended, and then deleted there like the others.
        let mut server = host.server.borrow_mut();
        (server.withheld, server.hangs_at) = (None, None);
        drop(server);
        host.advance(std::time::Duration::from_secs(86_400));
        let report = run(&host, DeleteAfterDownload).unwrap();
        assert_eq!((report.downloaded, report.deleted, report.left_out), (1, 1, 0), "{breaks}");
        assert_complete(&host, &three());
    }
}

#[test]
fn nothing_is_deleted_while_a_damaged_message_may_be_among_what_did_not_come() {
    for is_damaged in [false, true] {
        let mut server = Maildrop::new(&three()[..2]);
        // Longer than any unique id that can be used.
        server.messages[0].uidl = "x".repeat(300);
        let host = prepared(server, MemoryStore::new());
        run(&host, Keep).unwrap();
        let at = ledger(&host.store).iter().position(|row| row.uidl.is_empty()).unwrap();
        let damaged = is_damaged.then(|| damage(&host.store, at));
        // It is gone, or has an id by now and is the one that is not handed out.
        let mut server = host.server.borrow_mut();
        server.messages.remove(0);
        server.messages.push(scripted::Mail { uidl: "new".into(), raw: mail("three") });
        server.withheld = Some(2);
        drop(server);
        let report = run(&host, DeleteAfterDownload).unwrap();
        let hold = is_damaged.then_some(DeletionHold::Unverified);
        assert_eq!((report.hold, report.deleted), (hold, u32::from(!is_damaged)));
        assert_eq!(host.server.borrow().has(&mail("two")), is_damaged);
        // Once all has come, it is none of it, and holds up nothing.
        host.server.borrow_mut().withheld = None;
        assert_eq!(run(&host, Keep).unwrap().downloaded, 1);
        let report = run(&host, DeleteAfterDownload).unwrap();
        assert_eq!((report.hold, host.server.borrow().messages.len()), (None, 0));
        if let Some(damaged) = damaged {
            assert_eq!(block_on(body(&host.store, damaged)).unwrap(), b"damaged");
        }
    }
}

#[test]
fn a_damaged_header_is_mended_as_a_header() {
    let host = prepared(Maildrop::new(&three()), MemoryStore::new());
    let headers = Account { extent: Extent::Headers, ..account(Keep) };
    run_account(&host, &headers, SAFE).unwrap();
    damage(&host.store, 0);
    run_account(&host, &headers, SAFE).unwrap();
    assert!(ledger(&host.store).iter().all(|row| row.partial && row.verified.is_some()));
    assert_eq!(host.server.borrow().retrieved, 0);
    run(&host, Keep).unwrap();
    assert_complete(&host, &three());
}

#[test]
fn a_drop_while_a_damaged_message_is_mended_loses_nothing() {
    let prepare = || {
        let host = prepared(Maildrop::new(&three()), MemoryStore::new());
        run(&host, Keep).unwrap();
        let id = damage(&host.store, 1);
        (host, id)
    };
    let (whole, _) = prepare();
    run(&whole, DeleteAfterDownload).unwrap();
    for cut in 0..whole.carried.get() {
        let (host, id) = prepare();
        host.cut.set(Some(cut));
        let _ = run(&host, DeleteAfterDownload);
        let left = block_on(body(&host.store, id)).unwrap();
        let is_mended = left == mail("two");
        assert!(is_mended || (left == b"damaged" && host.server.borrow().has(&mail("two"))));
        host.cut.set(None);
        run(&host, DeleteAfterDownload).unwrap();
        assert_complete(&host, &three());
    }
}

#[test]
fn a_row_that_can_not_be_read_holds_up_nothing_and_deletes_nothing() {
    for uidl in [true, false] {
        let mut server = Maildrop::new(&three());
        server.uidl = uidl;
        let host = prepared(server, MemoryStore::new());
        run(&host, Keep).unwrap();
        let row = ledger(&host.store).remove(1);
        put(&host.store, Table::Ledger, row.key(), b"\xc1 no record");
        let mut all = three();
        all.push(mail("four"));
        let new = scripted::Mail { uidl: "new".into(), raw: mail("four") };
        host.server.borrow_mut().messages.push(new);
        let report = run(&host, DeleteAfterDownload).unwrap();
        let deleted = if uidl { 3 } else { 0 };
        let told = (report.downloaded, report.deleted, report.unreadable);
        assert_eq!(told, (1, deleted, 1));
        let raw = block_on(body(&host.store, row.message)).unwrap();
        assert!(host.server.borrow().has(&raw));
        let report = run(&host, DeleteAfterDownload).unwrap();
        assert_eq!((report.downloaded, report.vanished, report.unreadable), (0, 0, 1));
        assert_eq!(stored(&host.store).len(), all.len());
        let notes = block_on(ServerNotes::load(&host.store, AccountId(1))).unwrap();
        assert_eq!(notes.view().unreadable, 1, "it is told");
    }
}

#[test]
fn other_records_that_can_not_be_read_hold_up_nothing() {
    let marker = Key::new().bytes(b"pop3-partial-").u32(1);
    let notes = Key::new().bytes(b"pop3-server-").u32(1);
    for key in [marker, notes] {
        let host = prepared(Maildrop::new(&three()), MemoryStore::new());
        run(&host, Keep).unwrap();
        put(&host.store, Table::Meta, key, b"\xc1");
        let report = run(&host, DeleteAfterDownload).unwrap();
        assert_eq!((report.downloaded, report.deleted, report.vanished), (0, 3, 0));
        assert_complete(&host, &three());
    }
}

#[test]
fn damage_that_is_found_while_messages_are_deleted_is_mended_next_time() {
    let mut store = Watched::new();
    let host = prepared(Maildrop::new(&three()), store.clone());
    run(&host, Keep).unwrap();
    let first = ledger(&host.store)[0].message;
    drop(host);
    store.watch(|_, _| {});
    let wipe =
        Write::DeleteRange { table: Table::Bodies, range: KeyRange::prefix(message_key(first)) };
    block_on(store.apply(vec![wipe], Durability::Strict)).unwrap();
    let host = TestHost::with_store(Maildrop::new(&three()), store);
    assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 2);
    let report = run(&host, DeleteAfterDownload).unwrap();
    assert_eq!((report.downloaded, report.deleted), (1, 1));
    assert_complete(&host, &three());
}

/// What a record behind the damage in a block has left.
fn make_unreadable(store: &impl Store, id: MessageId) {
    put(store, Table::Messages, message_key(id), b"");
}

#[test]
fn a_message_whose_record_can_not_be_read_is_not_deleted_on_the_server_but_comes_again() {
    for (extent, uidl) in [(Extent::Whole, true), (Extent::Headers, true), (Extent::Whole, false)] {
        let mut server = Maildrop::new(&three());
        server.uidl = uidl;
        let host = prepared(server, MemoryStore::new());
        run(&host, Keep).unwrap();
        let first = ledger(&host.store).remove(0);
        let id = block_on(move_message(&host.store, first.message, TRASH));
        make_unreadable(&host.store, id);
        let raw = block_on(body(&host.store, id)).unwrap();
        let account = Account { extent, ..account(DeleteAfterDownload) };
        let report = run_account(&host, &account, SAFE).unwrap();
        let deleted = if uidl { 2 } else { 0 };
        assert_eq!((report.downloaded, report.deleted), (0, deleted));
        assert!(host.server.borrow().has(&raw));
        assert_eq!(block_on(body(&host.store, id)).unwrap(), raw, "what is left of it stays");
        // Without unique ids nothing is deleted, and the damage is noted when it is opened.
        block_on(crate::pop3::doubt(&host.store, AccountId(1), id)).unwrap();
        // It comes at another time than before.
        host.advance(std::time::Duration::from_secs(60));
        let report = run_account(&host, &account, SAFE).unwrap();
        assert_eq!((report.downloaded, report.deleted), (1, u32::from(uidl)));
        let row = ledger(&host.store).into_iter().find(|row| row.message == id).unwrap();
        assert!(row.verified.is_some(), "it is where it was");
        assert_complete(&host, &three());
    }
}

#[test]
fn a_record_that_can_not_be_read_when_the_server_is_about_to_delete_keeps_it_from_that() {
    let mut store = Watched::new();
    drop(prepared(Maildrop::new(&three()), store.clone()));
    let server = Rc::new(RefCell::new(Maildrop::new(&three())));
    let (inner, heard) = (store.inner.clone(), Rc::clone(&server));
    store.watch(move |_, operation| {
        if operation == Operation::Read(Table::Messages) && heard.borrow().heard.contains("DELE") {
            make_unreadable(&inner, ledger(&inner)[1].message);
        }
    });
    let mut host = TestHost::with_store(Maildrop::new(&[]), store);
    host.server = server;
    assert!(matches!(run(&host, DeleteAfterDownload), Err(MailError::Store(_))));
    assert_eq!(host.server.borrow().messages.len(), 3);
}

#[test]
fn a_header_whose_record_can_not_be_read_is_completed_in_its_place() {
    let host = prepared(Maildrop::new(&three()), MemoryStore::new());
    let headers = Account { extent: Extent::Headers, ..account(Keep) };
    run_account(&host, &headers, SAFE).unwrap();
    make_unreadable(&host.store, ledger(&host.store)[1].message);
    run(&host, Keep).unwrap();
    assert_complete(&host, &three());
}

#[test]
fn a_drop_while_a_record_that_can_not_be_read_is_written_anew_loses_nothing() {
    let prepare = || {
        let host = prepared(Maildrop::new(&three()), MemoryStore::new());
        run(&host, Keep).unwrap();
        let row = LedgerRow { verified: None, ..ledger(&host.store).remove(1) };
        make_unreadable(&host.store, row.message);
        block_on(host.store.apply(vec![row.put()], Durability::Strict)).unwrap();
        (host, row.message)
    };
    let (whole, _) = prepare();
    run(&whole, DeleteAfterDownload).unwrap();
    for cut in 0..whole.carried.get() {
        let (host, id) = prepare();
        host.cut.set(Some(cut));
        let _ = run(&host, DeleteAfterDownload);
        assert_eq!(block_on(body(&host.store, id)).unwrap(), mail("two"));
        let record = block_on(host.store.get(Table::Messages, &message_key(id))).unwrap();
        let is_mended = record.is_some_and(|record| !record.is_empty());
        assert!(is_mended || host.server.borrow().has(&mail("two")));
        host.cut.set(None);
        run(&host, DeleteAfterDownload).unwrap();
        assert_complete(&host, &three());
    }
}

#[test]
fn a_record_that_can_not_be_read_is_made_anew_from_its_bytes_where_the_server_has_it_no_more() {
    let host = prepared(Maildrop::new(&three()), MemoryStore::new());
    run(&host, Keep).unwrap();
    let before: Vec<Message> = block_on(record::all(&host.store, &KeyRange::all())).unwrap();
    let lost = ledger(&host.store)[1].message;
    make_unreadable(&host.store, lost);
    block_on(crate::pop3::doubt(&host.store, AccountId(1), lost)).unwrap();
    host.server.borrow_mut().messages.remove(1);
    // Once to notice it, and once to read it back.
    assert_eq!(run(&host, Keep).unwrap().downloaded, 0);
    assert_eq!(run(&host, Keep).unwrap().downloaded, 0);
    let after: Vec<Message> = block_on(record::all(&host.store, &KeyRange::all())).unwrap();
    assert_eq!(after, before);
    assert!(ledger(&host.store).iter().all(|row| row.verified.is_some()));
    assert_complete(&host, &three());
    // Of one of which bytes are lost as well, no more is made than there is.
    make_unreadable(&host.store, lost);
    put(&host.store, Table::Bodies, message_key(lost).u32(0), b"torn");
    block_on(crate::pop3::doubt(&host.store, AccountId(1), lost)).unwrap();
    run(&host, Keep).unwrap();
    assert_eq!(block_on(body(&host.store, lost)).unwrap(), b"torn");
    let record = block_on(host.store.get(Table::Messages, &message_key(lost))).unwrap();
    assert_eq!(record, Some(Vec::new()));
}
