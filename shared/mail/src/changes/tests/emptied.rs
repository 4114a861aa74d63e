//! Mailboxes that are emptied.

use super::{
    server::{Folder, Letter},
    *,
};
use crate::changes::Task;

fn host() -> TestHost<Imap> {
    prepared(Imap::new("UIDPLUS"), MemoryStore::new())
}

/// The same with so many letters in the inbox, and a server whose answers name `finds` at most.
fn host_of(count: u32, finds: usize) -> TestHost<Imap> {
    let host = host();
    (4..=count).for_each(|_| arrive(&host, "m1"));
    host.server.borrow_mut().finds = Some(finds);
    let known = Mailbox { uid_next: count + 1, total: count, unread: count, ..mailbox(1) };
    block_on(host.store.apply(vec![known.put()], Durability::Strict)).unwrap();
    host
}

/// A letter comes into a mailbox of the server.
fn arrive(host: &TestHost<Imap, MemoryStore>, name: &str) {
    let mut server = host.server.borrow_mut();
    let folder = server.folders.get_mut(name).unwrap();
    let uid = folder.uid_next;
    let message_id = format!("late{uid}@example.org");
    let (flags, labels) = Default::default();
    folder.letters.push(Letter { uid, message_id, size: 5, flags, labels });
    folder.uid_next += 1;
}

#[test]
fn a_mailbox_is_not_emptied_twice_by_the_same_request() {
    let host = host();
    let account = account(Protocol::Imap);
    for _ in 0..2 {
        block_on(async {
            let origin = Some((postern_bridge::ClientId(7), 3));
            let mut editor = Editor::begin(&host, &account, origin).await.unwrap();
            editor.empty(INBOX).await.unwrap();
        });
        let late = super::message(MessageId { mailbox: INBOX, uid: 4 });
        block_on(host.store.apply(late.put_listed().into(), Durability::Strict)).unwrap();
    }
    assert_eq!(uids(&host, INBOX), [4]);
    let empties = |entry: &Entry| matches!(entry.task, Task::Empty { .. });
    assert_eq!(open_entries(&host).into_iter().filter(empties).count(), 1);
}

#[test]
fn an_emptied_mailbox_loses_what_is_not_stored_here_but_not_what_comes_later() {
    // All are told in one answer, or only one in each.
    [usize::MAX, 1].into_iter().for_each(is_emptied_of_what_was_there);
}

fn is_emptied_of_what_was_there(finds: usize) {
    let begin = || {
        let host = host_of(3, finds);
        let unknown = super::message(MessageId { mailbox: INBOX, uid: 2 });
        block_on(host.store.apply(vec![unknown.delete()], Durability::Strict)).unwrap();
        edit(&host, async |editor| editor.empty(INBOX).await).unwrap();
        assert_eq!(counts(&host)[0], (0, 0));
        // Before the server has heard of it.
        arrive(&host, "m1");
        host
    };
    let whole = begin();
    drain(&whole).unwrap();
    assert_eq!(whole.server.borrow().state()["m1"], [("late4@example.org".into(), vec![])]);
    for cut in 0..whole.carried.get() {
        let host = begin();
        host.cut.set(Some(cut));
        assert!(drain(&host).is_err(), "cut at {cut}");
        arrive(&host, "m1");
        host.cut.set(None);
        drain(&host).unwrap();
        let left = [4, 5].map(|uid| (format!("late{uid}@example.org"), vec![]));
        assert_eq!(host.server.borrow().state()["m1"], left, "cut at {cut}");
    }
}

#[test]
fn a_mailbox_that_was_never_opened_is_emptied_of_what_was_counted() {
    // The last one was opened, and its sync broken off before anything was stored.
    for (uid_validity, counted) in [(0, true), (0, false), (1, false)] {
        let host = host();
        let other = Mailbox { uid_validity, uid_next: 0, ..mailbox(2) };
        block_on(host.store.apply(vec![other.put()], Durability::Strict)).unwrap();
        arrive(&host, "m2");
        if counted {
            let account = account(Protocol::Imap);
            block_on(async {
                let secret = Secret::new("secret");
                let mut client =
                    ImapClient::connect(&host, &account.incoming, &secret).await.unwrap();
                client.sync_mailboxes(&host, account.id).await.unwrap();
            });
            assert_eq!(counts(&host)[1], (1, 1));
        }
        edit(&host, async |editor| editor.empty(OTHER).await).unwrap();
        arrive(&host, "m2");
        drain(&host).unwrap();
        // Without a count the server is asked when it hears of it.
        let left = host.server.borrow().state()["m2"].len();
        assert_eq!(left, usize::from(counted));
    }
}

#[test]
fn a_mailbox_that_was_made_anew_since_it_was_emptied_keeps_what_is_in_it() {
    let host = host();
    edit(&host, async |editor| editor.empty(INBOX).await).unwrap();
    let anew = Folder { uid_validity: 7, uid_next: 1, letters: Vec::new() };
    host.server.borrow_mut().folders.insert("m1".into(), anew);
    arrive(&host, "m1");
    drain(&host).unwrap();
    assert_eq!(host.server.borrow().state()["m1"].len(), 1);
}

#[test]
fn what_can_not_be_told_in_one_answer_is_deleted_in_pieces() {
    let host = host_of(100, 20);
    edit(&host, async |editor| editor.empty(INBOX).await).unwrap();
    arrive(&host, "m1");
    drain(&host).unwrap();
    assert_eq!(host.server.borrow().state()["m1"], [("late101@example.org".into(), vec![])]);
}

#[test]
fn a_mailbox_whose_messages_can_not_be_told_does_not_count_as_emptied() {
    let host = host_of(10, 0);
    edit(&host, async |editor| editor.empty(INBOX).await).unwrap();
    let settled = drain(&host).unwrap();
    assert!(settled.iter().any(|settled| settled.unknown.contains(&INBOX)));
    let server = host.server.borrow();
    assert_eq!(server.state()["m1"].len(), 7, "only what is stored here can be named");
    let asked = server.log.iter().filter(|line| line.contains("SEARCH")).count();
    assert!(asked <= crate::imap::limits::RANGES as usize, "{asked}");
}
