//! The transmission is interrupted at every byte and at every write, and resumed.

use postern_bridge::{MailboxId, MessageId, Role};

use super::{
    super::{file_locally, raw, recover, retry},
    *,
};
use crate::{
    record::{Mailbox, body},
    store::{KeyRange, Table},
    testing::FailingStore,
};

/// What must hold at any moment: the server has the message at most once, and if it has it, the
/// outbox does not think that it may simply be sent.
fn assert_never_twice<D: Store + 'static>(host: &TestHost<Submission, D>) {
    let taken = host.server.borrow().taken.len();
    assert!(taken <= 1, "the message was handed over twice");
    let state = entry(host).state;
    match state {
        State::Queued | State::Sending | State::Failed(_) => assert_eq!(taken, 0, "{state:?}"),
        State::Sent | State::Unfiled(_) => assert_eq!(taken, 1),
        State::Committing | State::Uncertain => {}
    }
}

#[test]
fn a_drop_after_any_byte_never_sends_twice_and_never_loses_the_message() {
    let whole = TestHost::new(Submission::new());
    let id = queue(&whole);
    send(&whole, id).unwrap();
    let mut uncertain = 0;
    for cut in 0..whole.carried.get() {
        let host = TestHost::new(Submission::new());
        let id = queue(&host);
        host.read_size.set(1 + cut % 11);
        host.cut.set(Some(cut));
        let outcome = send(&host, id);
        assert_never_twice(&host);
        assert_eq!(outcome.is_err(), entry(&host).state == State::Queued, "cut at {cut}");

        host.cut.set(None);
        assert_eq!(block_on(recover(&host, None)).unwrap(), []);
        if entry(&host).state == State::Uncertain {
            uncertain += 1;
            send(&host, id).unwrap();
            assert_eq!(entry(&host).state, State::Uncertain, "nothing is sent on a guess");
            assert_never_twice(&host);
            continue;
        }
        if entry(&host).state == State::Queued {
            send(&host, id).unwrap();
        }
        assert_eq!(entry(&host).state, State::Sent);
        assert_never_twice(&host);
    }
    // The dot's own line, and its answer.
    let window = ".\r\n".len() + "250 2.0.0 queued\r\n".len();
    assert_eq!(uncertain, window, "uncertain only between the dot and its answer");
}

#[test]
fn a_page_that_dies_at_any_write_never_sends_twice_and_never_loses_the_message() {
    let whole = TestHost::with_store(Submission::new(), FailingStore::default());
    let id = queue(&whole);
    let before = whole.store.writes.get();
    send(&whole, id).unwrap();
    let writes = whole.store.writes.get() - before;
    assert_eq!(writes, 3, "Sending, Committing, Sent");
    for failing in 0..writes {
        let host = TestHost::with_store(Submission::new(), FailingStore::default());
        let id = queue(&host);
        host.store.left.set(Some(failing));
        assert!(matches!(send(&host, id), Err(MailError::Store(_))));
        host.store.left.set(None);
        block_on(recover(&host, None)).unwrap();
        assert_never_twice(&host);
        let uncertain = failing == 2;
        assert_eq!(entry(&host).state == State::Uncertain, uncertain, "write {failing}");
        if !uncertain {
            send(&host, id).unwrap();
            assert_eq!(entry(&host).state, State::Sent);
            assert_never_twice(&host);
        }
    }
}

#[test]
fn only_the_person_sends_an_uncertain_message_again_and_it_keeps_its_id() {
    let host = TestHost::new(Submission::new());
    let id = queue(&host);
    host.server.borrow_mut().answers.insert(".", "");
    send(&host, id).unwrap();
    assert_eq!(entry(&host).state, State::Uncertain, "a server that never answers the dot");
    let message_id = entry(&host).message_id;
    host.server.borrow_mut().answers.clear();
    send(&host, id).unwrap();
    assert_eq!(entry(&host).state, State::Uncertain, "nothing is sent on a guess");
    block_on(retry(&host, id)).unwrap();
    send(&host, id).unwrap();
    assert_eq!(entry(&host).state, State::Sent);
    assert!(host.server.borrow().taken[0].raw.contains(&message_id));
}

#[test]
fn a_page_that_dies_while_it_files_a_copy_makes_one_copy_in_the_end() {
    let host = TestHost::with_store(Submission::new(), FailingStore::default());
    let id = queue(&host);
    send(&host, id).unwrap();
    let sent = sent_mailbox();
    block_on(host.store.apply(vec![sent.put()], Durability::Strict)).unwrap();
    let copies = || block_on(host.store.keys(Table::Messages, &KeyRange::all())).unwrap().len();

    host.store.left.set(Some(0));
    assert!(block_on(file_locally(&host, id, sent.id)).is_err());
    host.store.left.set(None);
    assert_eq!(copies(), 0);
    let raw = block_on(raw(&host, id)).expect("the message is kept until its copy is there");

    for _ in 0..2 {
        block_on(file_locally(&host, id, sent.id)).unwrap();
        assert_eq!(copies(), 1, "filed once, however often it is asked for");
    }
    let copy = MessageId { mailbox: sent.id, uid: sent.uid_next };
    assert_eq!(block_on(body(&host.store, copy)).unwrap(), raw);
}

fn sent_mailbox() -> Mailbox {
    Mailbox {
        path: b"Sent".to_vec(),
        names: vec!["Sent".into()],
        role: Some(Role::Sent),
        delimiter: Some(b'/'),
        uid_validity: 1,
        uid_next: 1,
        ..Mailbox::new(MailboxId(1), AccountId(1))
    }
}
