//! Changes that this account may not make in every mailbox.

use postern_bridge::{ClientId, Mark, MessageId, Protocol};

use super::*;
use crate::{
    Store,
    changes::tests::{mailbox, message, queued},
    client::tests::still,
    record::{self, Message, Record},
    store::{Durability, KeyRange, MemoryStore, Table},
    testing::{account, block_on},
};

/// What of changes to messages of two mailboxes is made where the second is like this: a read mark, a
/// star, a copy, a move, what makes a folder first, and a deletion for good.
fn allowed(change: impl Fn(&mut Mailbox)) -> [bool; 6] {
    let ids = [1, 2].map(|own| MessageId { mailbox: MailboxId(own), uid: 1 });
    let messages = || Selection::Messages(ids.into());
    let mark = |mark| Wanted::Mark { messages: messages(), mark, set: true };
    let wanted = [
        mark(Mark::Seen),
        mark(Mark::Flagged),
        Wanted::Copy { messages: messages(), to: MailboxId(3) },
        Wanted::Move { messages: messages(), to: MailboxId(3) },
        Wanted::Archive { messages: messages() },
        Wanted::DeleteForGood { messages: messages() },
    ];
    wanted.map(|wanted| {
        let own = account(Protocol::Imap);
        let store = MemoryStore::new();
        let (client, _) = still(store.clone(), own.clone());
        let mut second = mailbox(2);
        change(&mut second);
        let (_, numbered) =
            block_on(record::next_numbers(&store, record::Series::Mailbox, 3)).unwrap();
        let mut batch = vec![own.put(), mailbox(1).put(), second.put(), mailbox(3).put(), numbered];
        batch.extend(ids.iter().flat_map(|id| message(*id).put_listed()));
        block_on(store.apply(batch, Durability::Strict)).unwrap();
        let here = || {
            let all: Vec<Message> = block_on(record::all(&store, &KeyRange::all())).unwrap();
            let mailboxes = block_on(store.keys(Table::Mailboxes, &KeyRange::all())).unwrap();
            (all, mailboxes, block_on(changes::open(&store, own.id)).unwrap())
        };
        let before = here();
        match block_on(client.change((ClientId(1), 1), wanted)) {
            Ok(_) => assert!(here().2 > 0, "something is queued"),
            Err(refused) => {
                assert!(refused.sentence.contains("may not do that in “m2”"), "{refused:?}");
                assert_eq!(here(), before, "it is refused before anything is done");
                return false;
            }
        }
        true
    })
}

#[test]
fn what_this_account_may_not_do_in_one_mailbox_is_refused_before_anything_is_done_in_another() {
    assert_eq!(allowed(|_| {}), [true; 6]);
    let unread = allowed(|own| own.can_mark_read = false);
    assert_eq!(unread, [false, true, true, true, true, true]);
    let unmarked = allowed(|own| own.can_mark = false);
    assert_eq!(unmarked, [true, false, true, true, true, true]);
    let kept = allowed(|own| own.can_remove = false);
    assert_eq!(kept, [true, true, true, false, false, false]);
    // The server may open it otherwise by now.
    assert_eq!(allowed(|own| own.read_only = true), [true; 6]);
}

#[test]
fn junk_is_moved_without_a_mark_where_this_account_may_give_none() {
    for can_mark in [true, false] {
        let (own, store) = (account(Protocol::Imap), MemoryStore::new());
        let (client, _) = still(store.clone(), own.clone());
        let junk = Mailbox { role: Some(Role::Junk), ..mailbox(2) };
        let id = MessageId { mailbox: MailboxId(1), uid: 1 };
        let mut batch = vec![own.put(), Mailbox { can_mark, ..mailbox(1) }.put(), junk.put()];
        batch.extend(message(id).put_listed());
        block_on(store.apply(batch, Durability::Strict)).unwrap();
        let wanted = Wanted::Junk { messages: Selection::Messages(vec![id]) };
        block_on(client.change((ClientId(1), 1), wanted)).unwrap();
        let parts = block_on(changes::entries(&store, own.id)).unwrap();
        let moves = parts.iter().filter(|own| matches!(own.task, changes::Task::Transfer { .. }));
        assert_eq!((moves.count(), parts.len() > 1), (1, can_mark));
    }
}

#[test]
fn of_a_folder_that_comes_and_goes_here_alone_nothing_stays_to_be_told() {
    let own = account(Protocol::Imap);
    let store = MemoryStore::new();
    let (client, told) = still(store.clone(), own.clone());
    let (_, numbered) = block_on(record::next_numbers(&store, record::Series::Mailbox, 1)).unwrap();
    let batch = vec![own.put(), mailbox(1).put(), numbered];
    block_on(store.apply(batch, Durability::Strict)).unwrap();
    let make = Wanted::CreateMailbox { account: own.id, parent: None, name: "Trips".into() };
    let made = block_on(client.change((ClientId(1), 1), make)).unwrap();
    let mailbox = made.mailbox.unwrap();
    let gone = block_on(client.change((ClientId(1), 2), Wanted::DeleteMailbox { mailbox }));
    assert!(!gone.unwrap().can_undo);
    let told = told.borrow();
    let pending = told.iter().filter_map(|delta| match delta {
        Delta::Pending { changes, .. } => Some(*changes),
        _ => None,
    });
    assert_eq!(pending.collect::<Vec<_>>(), [1, 0]);
}

#[test]
fn as_many_are_told_to_have_stayed_as_did_also_if_they_have_left_the_entry_since() {
    for (left, uncopied, expected) in [
        (3, 3, &["3 messages were not moved to m2"][..]),
        (1, 1, &["1 message was not moved to m2"]),
        (5, 2, &["2 messages were not moved to m2", "3 messages were not moved to m2"]),
    ] {
        let own = account(Protocol::Imap);
        let store = MemoryStore::new();
        let (client, told) = still(store.clone(), own.clone());
        let batch = vec![own.put(), mailbox(1).put(), mailbox(2).put()];
        block_on(store.apply(batch, Durability::Strict)).unwrap();
        let (from, to) = (MailboxId(1), MailboxId(2));
        let (items, step) = (vec![changes::Item::default(); 2], changes::Step::Begun);
        let entry = queued(1, Task::Transfer { from, to, items, copy: false, step });
        let settled = Settled { left, ..Settled::default() };
        let outcome = Outcome { uncopied, ..Outcome::from(settled) };
        block_on(client.tell_outcome(&entry, outcome)).unwrap();
        let told = told.borrow();
        let refused = told.iter().filter_map(|delta| match delta {
            Delta::Refused(refused) => Some(&*refused.sentence),
            _ => None,
        });
        assert_eq!(refused.collect::<Vec<_>>(), expected);
    }
}
