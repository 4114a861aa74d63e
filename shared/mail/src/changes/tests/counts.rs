//! How many messages a mailbox is shown to have while changes are queued, and while they end.

use std::time::Duration;

use super::*;
use crate::imap::SyncStep;

fn host(capabilities: &'static str) -> TestHost<Imap, MemoryStore> {
    prepared(Imap::new(capabilities), MemoryStore::new())
}

#[test]
fn what_is_on_its_way_is_counted_as_it_is_by_now() {
    let host = host("MOVE UIDPLUS");
    let there = move_to(&host, INBOX, &[2], OTHER).unwrap().moved[0].to.uid;
    edit(&host, async |editor| editor.mark(OTHER, &[there], &Mark::Seen, true).await).unwrap();
    sync(&host).unwrap();
    assert_eq!(counts(&host), [(2, 2), (0, 1)]);
    edit(&host, async |editor| editor.mark(OTHER, &[there], &Mark::Seen, false).await).unwrap();
    let back = move_to(&host, OTHER, &[there], INBOX).unwrap().moved[0].to.uid;
    sync(&host).unwrap();
    assert_eq!(counts(&host), [(3, 3), (0, 0)]);
    edit(&host, async |editor| editor.expunge(INBOX, &[back]).await).unwrap();
    sync(&host).unwrap();
    assert_eq!(counts(&host), [(2, 2), (0, 0)]);
}

#[test]
fn a_move_that_ends_while_a_mailbox_is_brought_up_to_date_is_counted_once() {
    // Without UIDPLUS the server is asked in the other mailbox where the message is.
    for (mailbox, capabilities) in [(INBOX, "MOVE UIDPLUS"), (OTHER, "MOVE")] {
        // After the mailbox was opened, and after its unread messages were counted.
        for ends_at in 1..=2 {
            let host = host(capabilities);
            move_to(&host, INBOX, &[2], OTHER).unwrap();
            let mut looks = 0;
            let mut changed = |step: SyncStep| {
                looks += u32::from(step.change.is_none());
                if step.change.is_none() && looks == ends_at {
                    host.advance(Duration::from_millis(1));
                    drain(&host).unwrap();
                    host.advance(Duration::from_millis(1));
                }
                ControlFlow::Continue(())
            };
            block_on(async {
                let login = account(Protocol::Imap).incoming;
                let secret = Secret::new("secret");
                let mut client = ImapClient::connect(&host, &login, &secret).await.unwrap();
                let done = client.sync_messages(&host, mailbox, &mut changed).await;
                assert_eq!(done, Ok(ControlFlow::Continue(())));
            });
            assert!(open_entries(&host).is_empty());
            assert_eq!(counts(&host), [(2, 2), (1, 1)], "{mailbox:?} {ends_at}");
        }
    }
}

#[test]
fn what_leaves_while_a_mailbox_is_brought_up_to_date_is_counted_once_before_that_is_known() {
    for capabilities in ["MOVE UIDPLUS", "MOVE", "UIDPLUS"] {
        let begin = || {
            let host = host(capabilities);
            move_to(&host, INBOX, &[2], OTHER).unwrap();
            // All messages are compared.
            let own = block_on(record::mailbox(&host.store, INBOX)).unwrap();
            let own = Mailbox { uid_next: 0, ..own };
            block_on(host.store.apply(vec![own.put()], Durability::Strict)).unwrap();
            host
        };
        let whole = begin();
        drain(&whole).unwrap();
        // After the mailbox was opened, and after its unread messages were counted.
        for (cut, ends_at) in (0..whole.carried.get()).flat_map(|cut| [(cut, 1), (cut, 2)]) {
            let host = begin();
            let mut looks = 0;
            let mut changed = |step: SyncStep| {
                looks += u32::from(step.change.is_none());
                if step.change.is_none() && looks == ends_at {
                    host.advance(Duration::from_millis(1));
                    let selected = host.server.borrow().selected.clone();
                    host.cut.set(Some(cut));
                    assert!(drain(&host).is_err());
                    host.cut.set(None);
                    // The other connection goes on.
                    host.server.borrow_mut().selected = selected;
                    host.server.borrow_mut().buffer.clear();
                    host.advance(Duration::from_millis(1));
                }
                ControlFlow::Continue(())
            };
            block_on(async {
                let login = account(Protocol::Imap).incoming;
                let secret = Secret::new("secret");
                let mut client = ImapClient::connect(&host, &login, &secret).await.unwrap();
                let done = client.sync_messages(&host, INBOX, &mut changed).await;
                assert_eq!(done, Ok(ControlFlow::Continue(())));
            });
            assert_eq!(counts(&host)[0], (2, 2), "{capabilities} {ends_at}, cut at {cut}");
        }
    }
}

/// Has the server asked about all mailboxes.
fn look(host: &TestHost<Imap, MemoryStore>) {
    let account = account(Protocol::Imap);
    block_on(async {
        let secret = Secret::new("secret");
        let mut client = ImapClient::connect(host, &account.incoming, &secret).await.unwrap();
        client.sync_mailboxes(host, account.id).await.unwrap();
    });
}

/// Checks what is known after a move that broke off, at every byte that is carried for it in turn.
fn after_a_move_that_broke_off(check: impl Fn(&TestHost<Imap, MemoryStore>, &str)) {
    for capabilities in ["MOVE UIDPLUS", "MOVE", "UIDPLUS"] {
        let begin = || {
            let host = host(capabilities);
            move_to(&host, INBOX, &[2], OTHER).unwrap();
            host
        };
        cut_anywhere(begin, |host, cut| check(host, &format!("{capabilities}, cut at {cut}")));
    }
}

#[test]
fn a_move_that_the_server_has_heard_of_is_counted_once_wherever_it_breaks_off() {
    after_a_move_that_broke_off(|host, what| {
        look(host);
        assert_eq!(counts(host), [(2, 2), (1, 1)], "{what}");
        host.advance(Duration::from_millis(1));
        drain(host).unwrap();
        host.advance(Duration::from_millis(1));
        look(host);
        assert_eq!(counts(host), [(2, 2), (1, 1)], "{what}, and done");
    });
}

#[test]
fn what_has_left_a_folder_is_counted_once_also_if_its_messages_are_compared_before_that_is_known() {
    after_a_move_that_broke_off(|host, what| {
        sync(host).unwrap();
        assert_eq!(counts(host)[0], (2, 2), "{what}");
        host.advance(Duration::from_millis(1));
        drain(host).unwrap();
        assert_eq!(counts(host), [(2, 2), (1, 1)], "{what}, and done");
    });
}
