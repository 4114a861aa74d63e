//! Lists of mailboxes, reconciled with what is stored.

use super::*;
use crate::{
    changes::{Item, State, Task, tests::queued},
    record::SyncPoint,
};

pub(super) fn whole(mailboxes: impl Into<Vec<Listed>>) -> Listing {
    Listing { mailboxes: mailboxes.into(), is_whole: true, has_labels: false, asked: 0..=0 }
}

pub(super) fn own(path: &str, counts: Option<(u32, u32)>) -> Listed {
    let status = |(unseen, messages)| MailboxStatus {
        unseen: Some(unseen),
        messages: Some(messages),
        ..MailboxStatus::default()
    };
    Listed {
        path: path.into(),
        names: path.split('/').map(Into::into).collect(),
        role: None,
        selectable: true,
        delimiter: Some(b'/'),
        can_nest: true,
        can_take: true,
        rights: None,
        subscribed: None,
        status: counts.map(status),
        identity: None,
    }
}

#[test]
fn of_many_mailboxes_all_have_their_turn_to_be_counted() {
    let names = |all: &str| -> Vec<Vec<u8>> { all.bytes().map(|name| vec![name]).collect() };
    let turn = |last: &str| in_turn(names("cabed"), last.as_bytes(), 2).concat();
    let cases = ["", "b", "d", "e", "bb", "x"].map(turn);
    assert_eq!(cases, [&b"ab"[..], b"cd", b"ea", b"ab", b"cd", b"ab"]);
    // Where there is no need they stay in the server's order.
    assert_eq!(in_turn(names("cab"), b"a", 3), names("cab"));
}

/// A mailbox of this name as a server lists it.
fn entry(name: String) -> ListEntry {
    ListEntry { name: name.into(), delimiter: Some(b'/'), ..ListEntry::default() }
}

#[test]
fn of_too_many_mailboxes_the_last_are_left_out_and_never_the_inbox() {
    for (others, left_out) in [(limits::MAILBOXES - 1, 0), (limits::MAILBOXES, 1)] {
        let names = (0..others).map(|number| format!("{number:05}")).chain(["INBOX".into()]);
        let told = names.map(|name| Response::List(entry(name))).collect();
        let listed = listed(told, Vec::new(), Subscriptions::Unknown);
        assert_eq!(listed.len(), others + 1 - left_out);
        assert!(listed.iter().any(|own| own.path == b"INBOX"), "the inbox of {others} others");
    }
}

#[test]
fn levels_beyond_the_limit_are_shown_as_one() {
    let shown = |levels| names(&entry(vec!["a"; levels].join("/")));
    let most = limits::MAILBOX_DEPTH;
    assert_eq!(shown(most), vec!["a"; most]);
    assert_eq!(shown(most + 1), [vec!["a"; most - 1], vec!["a/a"]].concat());
}

#[test]
fn known_mailboxes_keep_their_numbers_new_ones_get_one_and_others_go() {
    let account = AccountId(3);
    let first =
        reconcile(account, &[], &whole([own("INBOX", Some((1, 5))), own("a", None)]), 7, &[]);
    assert_eq!(first.mailboxes.iter().map(|own| own.id.0).collect::<Vec<_>>(), [7, 8]);
    assert_eq!((first.mailboxes[0].unread, first.mailboxes[0].total), (1, 5));
    assert_eq!((first.next_number, first.writes.len()), (9, 2));

    let listed = whole([own("INBOX", None), own("b", None)]);
    let second = reconcile(account, &first.mailboxes, &listed, first.next_number, &[]);
    assert_eq!(second.mailboxes.iter().map(|own| own.id.0).collect::<Vec<_>>(), [7, 9]);
    assert_eq!(second.mailboxes[0].total, 5, "counts that are not told stay");
    let removed = &first.mailboxes[1];
    let mut expected = vec![second.mailboxes[1].put(), removed.delete()];
    expected.extend(forget_messages(removed.id));
    assert_eq!(second.writes, expected);

    let third = reconcile(account, &second.mailboxes, &listed, second.next_number, &[]);
    assert_eq!(third.writes, [], "nothing changed, nothing is written");
}

#[test]
fn what_the_server_may_have_done_before_it_counted_or_after_that_stays_as_it_is_shown() {
    let inbox = Mailbox {
        path: b"INBOX".to_vec(),
        uid_validity: 7,
        total: 3,
        ..Mailbox::new(MailboxId(1), AccountId(3))
    };
    let items = vec![Item { uid: 4, uid_validity: 7, ..Item::default() }];
    let task = Task::Expunge { mailbox: inbox.id, items };
    let total = |state| {
        let entry = Entry { state, ..queued(1, task.clone()) };
        let mut own = own("INBOX", Some((2, 5)));
        let status = own.status.take().unwrap();
        own.status = Some(MailboxStatus { uid_validity: Some(7), uid_next: Some(12), ..status });
        let listed = Listing { asked: 10..=20, ..whole([own]) };
        let stored = std::slice::from_ref(&inbox);
        let known = &reconcile(AccountId(3), stored, &listed, 2, &[entry]).mailboxes[0];
        // What is not shown does not count as known.
        assert_eq!(known.synced.counted.is_some(), known.total != inbox.total);
        known.total
    };
    assert_eq!([State::Done(9), State::Done(10), State::Tried].map(total), [5, 3, 3]);
    assert_eq!(total(State::Done(20)), 3);
    assert_eq!(total(State::Done(21)), 5, "by a clock that was set back since");
    assert_eq!(total(State::Queued), 4, "the server has not heard of it");
}

#[test]
fn a_quiet_mailbox_of_which_no_labels_are_stored_is_looked_at_once() {
    let synced = SyncPoint { exists: 5, unseen: 2, ..SyncPoint::default() };
    let before = Mailbox {
        path: b"INBOX".to_vec(),
        uid_validity: 7,
        synced,
        ..Mailbox::new(MailboxId(1), AccountId(3))
    };
    let is_stale = |has_labels, labelled| {
        let mut before = before.clone();
        before.synced.labelled = labelled;
        let listed = Listing { has_labels, ..whole([own("INBOX", Some((2, 5)))]) };
        reconcile(AccountId(3), &[before], &listed, 2, &[]).mailboxes[0].synced.stale
    };
    let cases = [(true, false), (true, true), (false, false)];
    assert_eq!(cases.map(|(has, labelled)| is_stale(has, labelled)), [true, false, false]);
}

#[test]
fn a_message_that_is_here_alone_keeps_the_mailbox_that_it_was_moved_to() {
    let first = reconcile(AccountId(3), &[], &whole([own("INBOX", None), own("x", None)]), 1, &[]);
    let (drafts, x) = (first.mailboxes[0].id, first.mailboxes[1].id);
    let item = |uid, to| Item { uid, to, ..Item::default() };
    let moved = |uid| Task::Transfer {
        from: drafts,
        to: x,
        items: vec![item(uid, 90)],
        copy: false,
        step: Default::default(),
    };
    let append = Task::Append { mailbox: drafts, item: item(0, 80), since: None };
    let listed = whole([own("INBOX", None)]);
    let left = |entries: &[Entry]| {
        let second = reconcile(AccountId(3), &first.mailboxes, &listed, 9, entries);
        second.mailboxes.iter().any(|mailbox| mailbox.id == x)
    };
    assert!(left(&[queued(1, append.clone()), queued(2, moved(80))]));
    assert!(!left(&[queued(1, append), queued(2, moved(5))]), "that one is on the server");
}
