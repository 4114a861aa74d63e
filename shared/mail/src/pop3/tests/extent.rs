//! Messages of which only the header is downloaded, and the rest when it is wanted.

use postern_bridge::{
    Moved,
    Retention::{DeleteAfterDownload, DeleteWhenDeletedHere, Keep},
};

use super::{scripted::Mail, *};
use crate::{
    pop3::{DownloadStep, want_whole},
    record::{Body, CHUNK},
    store::MemoryStore,
    testing::{FailingStore, WriteFault},
};

fn mail(subject: &str, size: usize) -> Vec<u8> {
    let mut raw = format!("From: b@c\r\nSubject: {subject}\r\n\r\n").into_bytes();
    raw.extend(
        "a line of sixty-four bytes, its end included, and so many more\r\n"
            .repeat(size / 64)
            .bytes(),
    );
    raw
}

fn limited(retention: Retention, extent: Extent) -> Account {
    Account { extent, ..account(retention) }
}

const LIMIT: Extent = Extent::UpTo { kibibytes: 1 };

fn mixed() -> Vec<Vec<u8>> {
    vec![mail("small", 64), mail("large", 4096), mail("huge", (1 << 20) + CHUNK)]
}

fn messages(host: &TestHost<Maildrop>) -> Vec<Message> {
    block_on(record::all(&host.store, &KeyRange::all())).unwrap()
}

fn message(host: &TestHost<Maildrop>, subject: &str) -> Message {
    messages(host).into_iter().find(|own| own.subject == subject).unwrap()
}

/// Wants the whole of a message, and downloads; where it was and is.
fn complete(host: &TestHost<Maildrop>, account: &Account, id: MessageId) -> Vec<Moved> {
    block_on(want_whole(&host.store, AccountId(1), id)).unwrap();
    let mut steps = Vec::new();
    let password = Secret::new("secret");
    let job = Job { account, password: &password, inbox: INBOX, safety: SAFE };
    let mut note = |step| {
        if let DownloadStep::Completed { moved } = step {
            steps.extend(moved);
        }
    };
    block_on(download(host, job, &mut note)).unwrap();
    steps
}

#[test]
fn of_messages_beyond_the_limit_only_the_header_comes() {
    let all = mixed();
    let host = prepared(Maildrop::new(&all), MemoryStore::new());
    let account = limited(DeleteAfterDownload, LIMIT);
    let report = run_account(&host, &account, SAFE).unwrap();
    assert_eq!((report.downloaded, report.deleted, report.left_out), (3, 1, 0));
    assert_eq!(host.server.borrow().retrieved, 1);
    let large = message(&host, "large");
    assert_eq!(large.size, all[1].len() as u64);
    assert!(matches!(large.body, Body::Header { .. }));
    assert_eq!(message(&host, "small").body, Body::Whole { size: all[0].len() as u64 });
    let again = run_account(&host, &account, SAFE).unwrap();
    assert_eq!((again.downloaded, again.deleted), (0, 0), "what is not here stays there");
}

#[test]
fn the_rest_comes_when_it_is_wanted_and_takes_the_header_s_place() {
    let all = mixed();
    for subject in ["large", "huge"] {
        let host = prepared(Maildrop::new(&all), MemoryStore::new());
        let account = limited(Keep, LIMIT);
        run_account(&host, &account, SAFE).unwrap();
        let before = message(&host, subject);
        let read =
            Message { flags: postern_bridge::Flags { seen: true, ..before.flags }, ..before };
        let mut inbox: Mailbox =
            block_on(record::get(&host.store, &record::mailbox_key(INBOX))).unwrap().unwrap();
        inbox.unread -= 1;
        let batch = vec![read.put(), inbox.put()];
        block_on(host.store.apply(batch, Durability::Strict)).unwrap();
        let steps = complete(&host, &account, read.id);
        assert_eq!((steps.len(), steps[0].from), (1, read.id));
        let now = message(&host, subject);
        assert_eq!(now.id, steps[0].to);
        assert!(now.flags.seen, "what the person did to it stays");
        let raw = all.iter().find(|raw| raw.len() as u64 == now.size).unwrap();
        assert_eq!(&block_on(body(&host.store, now.id)).unwrap(), raw);
        assert_eq!(messages(&host).len(), 3);
        let rows = ledger(&host.store);
        let row = rows.iter().find(|row| row.message == now.id).unwrap();
        assert!(!row.partial && !row.wanted && row.verified.is_some());
        assert_eq!(rows.len(), 3);
        assert!(run_account(&host, &account, SAFE).is_ok_and(|report| report.downloaded == 0));
    }
}

/// A mailbox whose message is here as a header, which was moved to the trash; there, its id is that of a
/// large new message now.
fn with_the_id_of_a_header<D: Store + 'static>(store: D) -> (TestHost<Maildrop, D>, Vec<u8>) {
    let (header, new) = (mail("header", 64), mail("new", (1 << 20) + CHUNK));
    let host = prepared(Maildrop::new(&[header]), store);
    run_account(&host, &limited(Keep, Extent::Headers), SAFE).unwrap();
    let message = MessageId { mailbox: INBOX, uid: 1 };
    block_on(move_message(&host.store, message, TRASH));
    host.server.borrow_mut().messages[0].raw.clone_from(&new);
    (host, new)
}

/// Checks that the large message is in the inbox, and nothing of it elsewhere.
fn assert_is_in_inbox<D: Store>(host: &TestHost<Maildrop, D>, new: &[u8], end: &str) {
    let messages: Vec<Message> = block_on(record::all(&host.store, &KeyRange::all())).unwrap();
    let own: Vec<_> = messages.iter().filter(|own| own.subject == "new").collect();
    assert!(own.len() == 1 && own[0].id.mailbox == INBOX, "{end}: {own:?}");
    assert!(messages.iter().any(|own| own.subject == "header" && own.id.mailbox == TRASH), "{end}");
    assert_eq!(block_on(body(&host.store, own[0].id)).unwrap(), new, "{end}");
    let bodies = block_on(host.store.keys(Table::Bodies, &KeyRange::all())).unwrap();
    assert_eq!(bodies.len(), new.len().div_ceil(CHUNK) + 1, "{end}");
}

#[test]
fn a_large_message_with_the_id_of_a_header_that_was_moved_comes_to_the_inbox() {
    let (host, new) = with_the_id_of_a_header(MemoryStore::new());
    assert_eq!(run(&host, DeleteWhenDeletedHere).unwrap().downloaded, 1);
    assert_is_in_inbox(&host, &new, "the first time");
    assert!(host.server.borrow().has(&new), "nobody has seen it");
}

#[test]
fn however_that_ends_it_comes_to_the_inbox() {
    let (whole, new) = with_the_id_of_a_header(FailingStore::default());
    let before = whole.store.writes.get();
    run(&whole, Keep).unwrap();
    for fault in [WriteFault::Full, WriteFault::Aborted, WriteFault::Doubtful] {
        for at in 0..whole.store.writes.get() - before {
            let (host, _) = with_the_id_of_a_header(FailingStore::default());
            host.store.fault.set(Some((at, fault)));
            let _ = run(&host, Keep);
            host.store.fault.take();
            run(&host, Keep).unwrap();
            assert_is_in_inbox(&host, &new, &format!("{fault:?} of write {at}"));
        }
    }
}

#[test]
fn what_takes_more_room_than_there_is_on_its_way_takes_none_in_the_end() {
    let (host, new) = with_the_id_of_a_header(FailingStore::default());
    // Enough for the message, but not for a copy of it.
    host.store.room.set(Some(new.len() + new.len() / 2));
    let told = run(&host, Keep).unwrap_err();
    let size = new.len() as u64;
    let expected = MailError::NoRoom { subject: "new".into(), size, can_be_less: true };
    assert_eq!(told, expected);
    let bodies = block_on(host.store.keys(Table::Bodies, &KeyRange::all())).unwrap();
    assert_eq!(bodies.len(), 1, "nothing of it stays");
    // The id has been taken from the header by now.
    run(&host, Keep).unwrap();
    assert_is_in_inbox(&host, &new, "the next time");
}

#[test]
fn where_an_unannounced_large_message_goes_is_found_out_before_it_comes() {
    let (header, new) = (mail("header", 64), mail("new", (1 << 20) + CHUNK));
    let host = prepared(Maildrop::new(std::slice::from_ref(&header)), MemoryStore::new());
    run_account(&host, &limited(Keep, Extent::Headers), SAFE).unwrap();
    block_on(move_message(&host.store, message(&host, "header").id, TRASH));
    let named = |uidl: &str, raw: &Vec<u8>| Mail { uidl: uidl.into(), raw: raw.clone() };
    {
        let mut server = host.server.borrow_mut();
        server.messages = vec![named("uidl-1", &header), named("uidl-0", &new)];
        server.claims = Some(1_000);
    }
    run(&host, Keep).unwrap();
    assert_is_in_inbox(&host, &new, "at once");
    let trash = record::mailbox_key(TRASH);
    let trash: Mailbox = block_on(record::get(&host.store, &trash)).unwrap().unwrap();
    assert_eq!(trash.uid_next, 2, "it was never there");
}

#[test]
fn a_header_that_was_moved_is_completed_where_it_is() {
    let all = mixed();
    let host = prepared(Maildrop::new(&all), MemoryStore::new());
    let account = limited(Keep, LIMIT);
    run_account(&host, &account, SAFE).unwrap();
    for subject in ["large", "huge"] {
        let there = block_on(move_message(&host.store, message(&host, subject).id, TRASH));
        let steps = complete(&host, &account, there);
        assert_eq!(steps[0].to.mailbox, TRASH);
        assert!(matches!(message(&host, subject).body, Body::Whole { .. }));
    }
    assert_complete(&host, &all);
}

#[test]
fn a_wider_limit_brings_what_it_lets_through() {
    let all = mixed();
    let host = prepared(Maildrop::new(&all), MemoryStore::new());
    run_account(&host, &limited(Keep, Extent::Headers), SAFE).unwrap();
    assert_eq!(host.server.borrow().retrieved, 0);
    run_account(&host, &limited(Keep, LIMIT), SAFE).unwrap();
    assert_eq!(host.server.borrow().retrieved, 1);
    run_account(&host, &limited(Keep, Extent::Whole), SAFE).unwrap();
    assert_complete(&host, &all);
}

#[test]
fn headers_are_known_again_where_there_are_no_unique_ids() {
    let all = mixed();
    let mut server = Maildrop::new(&all);
    server.uidl = false;
    let host = prepared(server, MemoryStore::new());
    let account = limited(Keep, LIMIT);
    for downloaded in [3, 0, 0] {
        let report = run_account(&host, &account, SAFE).unwrap();
        assert_eq!(report.downloaded, downloaded);
    }
    let steps = complete(&host, &account, message(&host, "huge").id);
    assert_eq!(steps.len(), 1);
    assert_eq!(run_account(&host, &account, SAFE).unwrap().downloaded, 0);
    run_account(&host, &limited(Keep, Extent::Whole), SAFE).unwrap();
    assert_complete(&host, &all);
}

#[test]
fn a_server_that_can_not_give_headers_alone_gives_the_rest_all_the_same() {
    let all = mixed();
    let mut server = Maildrop::new(&all);
    server.capabilities = "UIDL\r\nPIPELINING\r\n";
    let host = prepared(server, MemoryStore::new());
    let report = run_account(&host, &limited(DeleteAfterDownload, LIMIT), SAFE).unwrap();
    assert_eq!((report.downloaded, report.left_out, report.deleted), (1, 2, 1));
    run_account(&host, &account(Keep), SAFE).unwrap();
    assert_complete(&host, &all);
}

#[test]
fn deleting_a_header_here_deletes_the_message_only_where_that_was_chosen() {
    for (policy, left) in [(DeleteWhenDeletedHere, 2), (DeleteAfterDownload, 2), (Keep, 3)] {
        let host = prepared(Maildrop::new(&mixed()), MemoryStore::new());
        let account = limited(policy, LIMIT);
        run_account(&host, &account, SAFE).unwrap();
        block_on(delete_message(&host.store, message(&host, "large").id));
        run_account(&host, &account, SAFE).unwrap();
        assert_eq!(host.server.borrow().messages.len(), left, "{policy:?}");
        assert_eq!(host.server.borrow().has(&mixed()[1]), policy != DeleteWhenDeletedHere);
    }
}

#[test]
fn what_the_server_has_no_more_can_not_be_wanted() {
    let host = prepared(Maildrop::new(&mixed()), MemoryStore::new());
    let account = limited(Keep, LIMIT);
    run_account(&host, &account, SAFE).unwrap();
    host.server.borrow_mut().messages.clear();
    run_account(&host, &account, SAFE).unwrap();
    let wanted = block_on(want_whole(&host.store, AccountId(1), message(&host, "large").id));
    assert!(matches!(wanted, Err(MailError::Gone(_))));
}

/// Gives the messages these ids, in their order.
fn name(host: &TestHost<Maildrop>, uidls: &[&str]) {
    for (mail, uidl) in host.server.borrow_mut().messages.iter_mut().zip(uidls) {
        mail.uidl = (*uidl).into();
    }
}

fn sized() -> Vec<Vec<u8>> {
    (1..5).map(|number| mail(&format!("letter {number}"), number * 128)).collect()
}

/// Headers of all but the first, at a server that counts its messages.
fn headers_alone() -> TestHost<Maildrop> {
    let host = prepared(Maildrop::new(&sized()[1..]), MemoryStore::new());
    name(&host, &["1", "2", "3"]);
    run_account(&host, &limited(Keep, Extent::Headers), SAFE).unwrap();
    host
}

#[test]
fn headers_whose_ids_move_on_are_completed_and_nothing_is_doubled() {
    let all = sized();
    let host = headers_alone();
    host.server.borrow_mut().messages = Maildrop::new(&all).messages;
    name(&host, &["1", "2", "3", "4"]);
    run_account(&host, &limited(Keep, Extent::Whole), SAFE).unwrap();
    assert_complete(&host, &all);
    assert_eq!(ledger(&host.store).len(), 4);
    let again = run_account(&host, &limited(Keep, Extent::Whole), SAFE).unwrap();
    assert_eq!(again.downloaded, 0);
    assert_complete(&host, &all);
}

#[test]
fn headers_that_exchange_their_ids_are_completed_and_nothing_is_doubled() {
    let all = &sized()[1..];
    // Of all of them the header, or of the small ones the whole.
    for first in [Extent::Headers, LIMIT] {
        let mut all = all.to_vec();
        all.push(mail("large", 4096));
        let host = prepared(Maildrop::new(&all), MemoryStore::new());
        name(&host, &["1", "2", "3", "4"]);
        run_account(&host, &limited(Keep, first), SAFE).unwrap();
        for ids in [["2", "1", "4", "3"], ["4", "3", "2", "1"]] {
            name(&host, &ids);
            run_account(&host, &limited(Keep, Extent::Whole), SAFE).unwrap();
            assert_complete(&host, &all);
            let again = run_account(&host, &limited(Keep, Extent::Whole), SAFE).unwrap();
            assert_eq!(again.downloaded, 0);
        }
    }
}

#[test]
fn a_header_that_takes_the_id_of_one_that_is_completed_keeps_its_own_text() {
    let (small, large) = (mail("small", 512), mail("large", 4096));
    let all = [large, small];
    let host = prepared(Maildrop::new(&all), MemoryStore::new());
    name(&host, &["1", "2"]);
    run_account(&host, &limited(Keep, Extent::Headers), SAFE).unwrap();
    name(&host, &["2", "1"]);
    run_account(&host, &limited(Keep, LIMIT), SAFE).unwrap();
    assert!(matches!(message(&host, "large").body, Body::Header { .. }));
    let whole = message(&host, "small");
    assert_eq!(block_on(body(&host.store, whole.id)).unwrap(), all[1]);
    assert_eq!(messages(&host).len(), 2);
    run_account(&host, &limited(Keep, Extent::Whole), SAFE).unwrap();
    assert_complete(&host, &all);
}
