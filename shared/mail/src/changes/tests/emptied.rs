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

/// The same, and all of them are stored here.
fn host_with(count: u32) -> TestHost<Imap> {
    let host = host_of(count, usize::MAX);
    for uid in 4..=count {
        let known = super::message(MessageId { mailbox: INBOX, uid });
        let known = Message { message_id: format!("late{uid}@example.org"), ..known };
        block_on(host.store.apply(known.put_listed().into(), Durability::Strict)).unwrap();
    }
    host
}

/// A letter comes into a mailbox of the server.
fn arrive(host: &TestHost<Imap, MemoryStore>, name: &str) {
    let mut server = host.server.borrow_mut();
    let folder = server.folders.get_mut(name).unwrap();
    let uid = folder.uid_next;
    let message_id = format!("late{uid}@example.org");
    folder.add(Letter { message_id, size: 5, ..Letter::default() });
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
    cut_anywhere(begin, |host, cut| {
        arrive(host, "m1");
        drain(host).unwrap();
        let left = [4, 5].map(|uid| (format!("late{uid}@example.org"), vec![]));
        assert_eq!(host.server.borrow().state()["m1"], left, "cut at {cut}");
    });
}

#[test]
fn what_goes_with_an_emptied_mailbox_does_not_come_back_before_the_server_has_heard_of_it() {
    for stored in [3, 20] {
        let host = host_with(stored);
        edit(&host, async |editor| editor.empty(INBOX).await).unwrap();
        arrive(&host, "m1");
        sync(&host).unwrap();
        assert_eq!((uids(&host, INBOX), counts(&host)[0]), (vec![stored + 1], (1, 1)));
        drain(&host).unwrap();
        sync(&host).unwrap();
        assert_eq!((uids(&host, INBOX), counts(&host)[0]), (vec![stored + 1], (1, 1)));
    }
}

#[test]
fn a_mailbox_that_was_never_opened_is_emptied_of_what_was_counted() {
    // The last one was opened, and its sync broken off before anything was stored.
    for (uid_validity, counted) in [(0, true), (0, false), (2, false)] {
        let host = host();
        host.server.borrow_mut().folders.get_mut("m2").unwrap().uid_validity = 2;
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
fn a_mailbox_that_was_made_anew_since_is_not_emptied_when_the_same_request_comes_again() {
    for stored in [3, 20] {
        let host = host_with(stored);
        let account = account(Protocol::Imap);
        let ask = || {
            let origin = Some((postern_bridge::ClientId(7), 3));
            block_on(async {
                let mut editor = Editor::begin(&host, &account, origin).await.unwrap();
                editor.empty(INBOX).await.unwrap();
            });
        };
        ask();
        let anew = Folder { uid_validity: 7, uid_next: 1, letters: Vec::new() };
        host.server.borrow_mut().folders.insert("m1".into(), anew);
        (0..stored).for_each(|_| arrive(&host, "m1"));
        for letter in &mut host.server.borrow_mut().folders.get_mut("m1").unwrap().letters {
            letter.message_id = format!("other{}@example.org", letter.uid);
        }
        drain(&host).unwrap();
        sync(&host).unwrap();
        // The page has had no answer.
        ask();
        assert_eq!(uids(&host, INBOX), Vec::from_iter(1..=stored));
        drain(&host).unwrap();
        assert_eq!(host.server.borrow().state()["m1"].len(), stored as usize);
    }
}

#[test]
fn what_was_named_of_an_emptied_mailbox_is_found_where_it_has_other_uids_by_now() {
    for stored in [3, 20] {
        let host = host_with(stored);
        edit(&host, async |editor| editor.empty(INBOX).await).unwrap();
        {
            let mut server = host.server.borrow_mut();
            let inbox = server.folders.get_mut("m1").unwrap();
            inbox.uid_validity = 7;
            inbox.uid_next += 100;
            inbox.letters.iter_mut().for_each(|own| own.uid += 100);
        }
        arrive(&host, "m1");
        drain(&host).unwrap();
        let late = format!("late{}@example.org", stored + 101);
        assert_eq!(host.server.borrow().state()["m1"], [(late, vec![])]);
    }
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

/// Both mailboxes change their names, which have the same UIDVALIDITY.
fn swap(host: &TestHost<Imap, MemoryStore>) {
    let mut server = host.server.borrow_mut();
    let [one, two] = ["m1", "m2"].map(|name| server.folders.remove(name).unwrap());
    server.folders.extend([("m1".into(), two), ("m2".into(), one)]);
}

#[test]
fn a_mailbox_that_has_the_name_of_an_emptied_one_by_now_keeps_what_is_in_it() {
    for stored in [3, 20] {
        let host = host_with(stored);
        (0..5).for_each(|_| arrive(&host, "m2"));
        for letter in &mut host.server.borrow_mut().folders.get_mut("m2").unwrap().letters {
            letter.message_id = format!("other{}@example.org", letter.uid);
        }
        edit(&host, async |editor| editor.empty(INBOX).await).unwrap();
        swap(&host);
        assert!(matches!(drain(&host), Err(MailError::Input(_))));
        let left = host.server.borrow().state();
        assert_eq!((left["m1"].len(), left["m2"].len()), (5, stored as usize));
    }
}

#[test]
fn of_a_mailbox_of_which_no_message_was_known_another_one_of_its_uidvalidity_is_not_told() {
    let host = host();
    let other = Mailbox { uid_next: 9, ..mailbox(2) };
    block_on(host.store.apply(vec![other.put()], Durability::Strict)).unwrap();
    edit(&host, async |editor| editor.empty(OTHER).await).unwrap();
    swap(&host);
    assert!(matches!(drain(&host), Err(MailError::Input(_))));
    assert_eq!(host.server.borrow().state()["m2"].len(), 3);
}

#[test]
fn what_an_earlier_version_has_queued_is_still_read() {
    #[derive(serde::Serialize)]
    enum Earlier {
        Empty { mailbox: MailboxId, until: Option<(u32, u32)> },
    }
    let until = Some((1, 4));
    let queued = record::encode(&Earlier::Empty { mailbox: INBOX, until });
    let task = Task::Empty { mailbox: INBOX, until, items: vec![] };
    assert_eq!(record::decode(&queued), Ok(task));
}
