//! The last looks before a message is deleted on a server.

use std::rc::Rc;

use postern_bridge::{
    DeletionHold,
    Retention::{self, DeleteAfterDownload, DeleteWhenDeletedHere, Keep, Secondary},
};

use super::{
    watched::{Operation, Watched},
    *,
};
use crate::{
    pop3::{
        ServerNotes,
        limits::{BATCH_MESSAGES, SILENCE},
    },
    store::{MemoryStore, Write},
};

fn mail(subject: &str) -> Vec<u8> {
    format!("From: b@c\r\nSubject: {subject}\r\n\r\n{subject}\r\n").into_bytes()
}

fn mails() -> Vec<Vec<u8>> {
    ["one", "two"].map(mail).into()
}

/// A server that says no more of itself than this.
fn offering(capabilities: &'static str, messages: &[Vec<u8>]) -> Maildrop {
    Maildrop { capabilities, ..Maildrop::new(messages) }
}

#[test]
fn a_used_again_id_is_noticed_before_the_deletion_whatever_the_server_offers() {
    let without_top = || offering("UIDL\r\nPIPELINING\r\n", &mails()[..1]);
    let of_old = |hidden_top| Maildrop { without_capa: true, hidden_top, ..without_top() };
    for server in [without_top(), of_old(true), of_old(false)] {
        for earlier in [false, true] {
            let host = prepared(server_like(&server), MemoryStore::new());
            run(&host, Keep).unwrap();
            if earlier {
                let row = LedgerRow { header: None, ..ledger(&host.store).remove(0) };
                let forget = ServerNotes::forget(AccountId(1));
                block_on(host.store.apply(vec![row.put(), forget], Durability::Strict)).unwrap();
            }
            host.server.borrow_mut().messages[0].raw = mail("two");
            assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 0);
            let report = run(&host, DeleteAfterDownload).unwrap();
            assert_eq!((report.downloaded, report.deleted), (1, 1));
            assert_complete(&host, &mails());
        }
    }
}

/// Another server of the same kind.
fn server_like(server: &Maildrop) -> Maildrop {
    let raw: Vec<Vec<u8>> = server.messages.iter().map(|mail| mail.raw.clone()).collect();
    Maildrop {
        capabilities: server.capabilities,
        without_capa: server.without_capa,
        hidden_top: server.hidden_top,
        ..Maildrop::new(&raw)
    }
}

#[test]
fn what_is_still_the_same_is_deleted_whatever_the_server_offers() {
    for (capabilities, without_capa) in
        [("UIDL\r\n", false), ("UIDL\r\n", true), ("TOP\r\n", false)]
    {
        let server = Maildrop { without_capa, ..offering(capabilities, &mails()) };
        let host = prepared(server, MemoryStore::new());
        run(&host, Keep).unwrap();
        block_on(delete_message(&host.store, ledger(&host.store)[0].message));
        assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 2);
        assert_eq!(stored(&host.store), mails()[1..]);
    }
}

#[test]
fn headers_alone_come_from_a_server_that_does_not_say_what_it_offers() {
    for (hidden_top, expected) in [(true, (2, 0)), (false, (0, 2))] {
        let server = Maildrop { without_capa: true, hidden_top, ..offering("", &mails()) };
        let host = prepared(server, MemoryStore::new());
        let headers = Account { extent: Extent::Headers, ..account(Keep) };
        let report = run_account(&host, &headers, SAFE).unwrap();
        assert_eq!((report.downloaded, report.left_out), expected);
        assert_eq!(host.server.borrow().retrieved, 0);
    }
}

/// Has something happen to the store as soon as a deletion was asked for.
fn when_deleting(host: &TestHost<Maildrop>, act: impl FnOnce(&MemoryStore) + 'static) {
    let (store, mut act) = (host.store.clone(), Some(act));
    host.server.borrow_mut().watcher = Some(Box::new(move |line| {
        if line.starts_with("DELE")
            && let Some(act) = act.take()
        {
            act(&store);
        }
    }));
}

fn put_account(store: &MemoryStore, account: &Account) {
    block_on(store.apply(vec![account.put()], Durability::Strict)).unwrap();
}

#[test]
fn what_the_person_decides_while_deletions_are_asked_for_counts() {
    let elsewhere = || {
        let mut account = account(DeleteAfterDownload);
        account.incoming.endpoint.host = "pop.example.net".into();
        account
    };
    let decisions = [account(Keep), account(Secondary), elsewhere()];
    for decision in decisions {
        let host = prepared(Maildrop::new(&mails()), MemoryStore::new());
        put_account(&host.store, &account(DeleteAfterDownload));
        let decided = decision.clone();
        when_deleting(&host, move |store| put_account(store, &decided));
        assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 0);
        assert_eq!(host.server.borrow().messages.len(), 2, "{decision:?}");
        assert!(ledger(&host.store).iter().all(|row| row.delete_asked.is_none()));
        assert_complete(&host, &mails());
    }
}

#[test]
fn an_account_that_has_another_server_by_now_deletes_nothing_at_the_old_one() {
    let host = prepared(Maildrop::new(&mails()), MemoryStore::new());
    let mut present = account(DeleteAfterDownload);
    present.incoming.username = "ben".into();
    put_account(&host.store, &present);
    assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 0);
    assert!(!host.server.borrow().heard.contains("DELE"));
}

#[test]
fn a_message_that_is_moved_back_while_its_deletion_is_asked_for_stays_on_the_server() {
    for (without_rset, deletes_at_the_end) in [(false, false), (true, false), (false, true)] {
        let server = Maildrop { without_rset, deletes_at_the_end, ..Maildrop::new(&mails()) };
        let host = prepared(server, MemoryStore::new());
        run(&host, DeleteWhenDeletedHere).unwrap();
        let there = block_on(move_message(&host.store, ledger(&host.store)[0].message, TRASH));
        when_deleting(&host, move |store| {
            block_on(move_message(store, there, INBOX));
        });
        assert_eq!(run(&host, DeleteWhenDeletedHere).unwrap().deleted, 0);
        let left = host.server.borrow().messages.len();
        assert_eq!(left, 2, "{without_rset} {deletes_at_the_end}");
    }
}

#[test]
fn a_server_hears_a_word_while_much_is_read_back_whether_it_knows_the_word_or_not() {
    let many: Vec<Vec<u8>> = (0..=BATCH_MESSAGES).map(|at| mail(&at.to_string())).collect();
    for (pause, without_noop, expected) in [(0, false, 0), (SILENCE, false, 2), (SILENCE, true, 2)]
    {
        let server = Maildrop { without_noop, ..Maildrop::new(&many) };
        let mut host = prepared(server, Watched::new());
        run(&host, Keep).unwrap();
        // What is read once all are compared takes long, or does not.
        let (now, server) = (Rc::clone(&host.now), Rc::clone(&host.server));
        host.store.watch(move |_, operation| {
            let compared = server.borrow().heard.matches("TOP ").count() > BATCH_MESSAGES;
            if compared && operation == Operation::Read(Table::Bodies) {
                now.set(now.get().saturating_add_unsigned(pause));
            }
        });
        let report = run(&host, DeleteAfterDownload).unwrap();
        assert_eq!(report.deleted as usize, many.len(), "{pause} {without_noop}");
        let server = host.server.borrow();
        let (before, _) = server.heard.split_once("DELE ").unwrap();
        assert_eq!(before.matches("NOOP\n").count(), expected, "{pause} {without_noop}");
        drop(server);
        assert_complete(&host, &many);
    }
}

#[test]
fn a_message_whose_bytes_are_gone_is_not_deleted_but_downloaded_again() {
    let range = |id| KeyRange::prefix(message_key(id));
    for table in [Table::Bodies, Table::Messages] {
        let host = prepared(Maildrop::new(&mails()), MemoryStore::new());
        run(&host, Keep).unwrap();
        let row = ledger(&host.store).remove(0);
        if table == Table::Messages {
            block_on(delete_message(&host.store, row.message));
            block_on(host.store.apply(vec![row.put()], Durability::Strict)).unwrap();
        }
        let wipe = Write::DeleteRange { table: Table::Bodies, range: range(row.message) };
        block_on(host.store.apply(vec![wipe], Durability::Strict)).unwrap();
        assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 1);
        assert!(host.server.borrow().has(&mails()[0]));
        let report = run(&host, DeleteAfterDownload).unwrap();
        assert_eq!((report.downloaded, report.deleted), (1, 1));
        assert_complete(&host, &mails());
    }
}

#[test]
fn a_server_that_deletes_what_it_has_handed_out_deletes_nothing_on_a_secondary_computer() {
    let host = prepared(offering("UIDL\r\nEXPIRE 0\r\n", &mails()), MemoryStore::new());
    run(&host, Secondary).unwrap();
    assert_eq!(host.server.borrow().messages.len(), 2);
    run(&host, Secondary).unwrap();
    assert_complete(&host, &mails());
}

#[test]
fn a_hold_is_shown_whenever_something_is_held_back() {
    let unsafe_ = Safety { persistent: false, ..SAFE };
    let hold = |capabilities, policy: Retention| {
        let host = prepared(offering(capabilities, &mails()), MemoryStore::new());
        run_account(&host, &account(policy), unsafe_).unwrap().hold
    };
    let by_itself = "UIDL\r\nEXPIRE 0\r\n";
    assert_eq!(hold(by_itself, Keep), Some(DeletionHold::NotPersistent));
    assert_eq!(hold(by_itself, DeleteAfterDownload), Some(DeletionHold::NotPersistent));
    assert_eq!(hold(by_itself, Secondary), None, "it deletes nothing in any case");
    assert_eq!(hold("UIDL\r\n", Keep), None);
}
