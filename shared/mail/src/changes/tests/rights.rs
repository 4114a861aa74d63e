//! Mailboxes of which the account may not do everything with the messages.

use super::*;

/// What of a change of each kind is queued in a mailbox like this: a read mark, a star, a copy, a move, a
/// deletion, and all of it deleted.
fn allowed(change: impl Fn(&mut Mailbox)) -> [bool; 6] {
    let host = prepared(Imap::new("MOVE UIDPLUS"), MemoryStore::new());
    let mut inbox = block_on(record::mailbox(&host.store, INBOX)).unwrap();
    change(&mut inbox);
    block_on(host.store.apply(vec![inbox.put()], Durability::Strict)).unwrap();
    let before = || {
        let messages: Vec<Message> =
            block_on(record::all(&host.store, &KeyRange::prefix(record::mailbox_key(INBOX))))
                .unwrap();
        (messages, block_on(changes::open(&host.store, AccountId(1))).unwrap())
    };
    let mut queued = 0;
    let mut is_made = |made: Result<Made, MailError>, was: (Vec<Message>, u32)| {
        if let Err(refused) = made {
            let sentence = refused.problem("").sentence;
            assert!(sentence.contains("may not do that in “m1”"), "{sentence}");
            assert_eq!(before(), was, "it is refused before anything is done");
            return false;
        }
        let (_, now) = before();
        assert!(now > queued, "something is queued");
        queued = now;
        true
    };
    let mark = |mark: Mark| edit(&host, async |editor| editor.mark(INBOX, &[1], &mark, true).await);
    let was = before();
    let seen = is_made(mark(Mark::Seen), was);
    let was = before();
    let starred = is_made(mark(Mark::Flagged), was);
    let was = before();
    let copied = edit(&host, async |editor| editor.transfer(INBOX, &[1], OTHER, true).await);
    let copied = is_made(copied, was);
    let was = before();
    let moved = is_made(move_to(&host, INBOX, &[1], OTHER), was);
    let was = before();
    let expunged = edit(&host, async |editor| editor.expunge(INBOX, &[2]).await);
    let expunged = is_made(expunged, was);
    let was = before();
    let emptied = is_made(edit(&host, async |editor| editor.empty(INBOX).await), was);
    [seen, starred, copied, moved, expunged, emptied]
}

#[test]
fn what_this_account_may_not_do_is_refused_before_anything_is_queued() {
    assert_eq!(allowed(|_| {}), [true; 6]);
    let unread = allowed(|own| own.can_mark_read = false);
    assert_eq!(unread, [false, true, true, true, true, true]);
    let kept = allowed(|own| own.can_remove = false);
    assert_eq!(kept, [true, true, true, false, false, false]);
    let closed = allowed(|own| own.read_only = true);
    assert_eq!(closed, [false, false, true, false, false, false]);
}
