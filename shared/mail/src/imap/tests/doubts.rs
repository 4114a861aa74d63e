//! Marks that the server changed while it was not believed.

use std::ops::ControlFlow;

use postern_bridge::{ChangeId, MailboxId, Protocol};

use super::{
    INBOX,
    model::{Host, assert_same, connect, host},
    simulated::Extension,
};
use crate::{
    Store,
    changes::{self, Editor, tests::mailbox},
    record::{self, Record},
    store::Durability,
    testing::{account, block_on},
};

const OTHER: MailboxId = MailboxId(5);

/// A host that has stored what the server has: ten messages.
fn synced(extension: Extension) -> Host {
    let host = host(extension);
    block_on(host.store.apply(vec![mailbox(OTHER.0).put()], Durability::Relaxed)).unwrap();
    host.server.borrow_mut().add(10);
    sync(&host, &mut || {});
    host
}

/// Syncs the inbox as a whole; `meanwhile` happens after the mailbox was opened.
fn sync(host: &Host, meanwhile: &mut dyn FnMut()) {
    let mut client = connect(host).unwrap();
    let mut is_over = false;
    let done = block_on(client.sync_messages(host, INBOX, &mut |step| {
        if step.change.is_none() && !std::mem::replace(&mut is_over, true) {
            meanwhile();
        }
        ControlFlow::Continue(())
    }));
    assert_eq!(done, Ok(ControlFlow::Continue(())));
}

/// Moves a message away; the server is not told.
fn move_away(host: &Host, uid: u32) -> ChangeId {
    let account = account(Protocol::Imap);
    block_on(async {
        let mut editor = Editor::begin(host, &account, None).await.unwrap();
        editor.transfer(INBOX, &[uid], OTHER, false).await.unwrap();
        editor.finish().change.unwrap()
    })
}

/// Has it back, and looks at what is to be looked at then.
fn take_back(host: &Host, change: ChangeId) {
    let undone = block_on(changes::undo(host, &account(Protocol::Imap), change)).unwrap();
    assert!(undone.cancelled.unknown.contains(&INBOX), "the server is asked");
}

fn is_in_doubt(host: &Host) -> bool {
    !block_on(record::mailbox(&host.store, INBOX)).unwrap().doubts.is_empty()
}

const EXTENSIONS: [Extension; 3] = [Extension::Qresync, Extension::Condstore, Extension::None];

#[test]
fn what_was_marked_by_others_while_it_was_moved_away_is_so_when_it_is_back() {
    for extension in EXTENSIONS {
        let host = synced(extension);
        let uid = host.server.borrow().messages[4].uid;
        let change = move_away(&host, uid);
        host.server.borrow_mut().toggle_seen(4);
        sync(&host, &mut || {});
        take_back(&host, change);
        sync(&host, &mut || {});
        assert_same(&host, &format!("{extension:?}"));
        assert!(!is_in_doubt(&host), "{extension:?}");
    }
}

#[test]
fn what_comes_back_while_a_sync_is_under_way_is_looked_at_with_the_next() {
    for extension in EXTENSIONS {
        let host = synced(extension);
        let [first, second] = [3, 4].map(|at| host.server.borrow().messages[at].uid);
        let changes = [first, second].map(|uid| move_away(&host, uid));
        [3, 4].into_iter().for_each(|at| host.server.borrow_mut().toggle_seen(at));
        sync(&host, &mut || {});
        take_back(&host, changes[0]);
        sync(&host, &mut || take_back(&host, changes[1]));
        assert!(is_in_doubt(&host), "{extension:?}");
        sync(&host, &mut || {});
        assert_same(&host, &format!("{extension:?}"));
        assert!(!is_in_doubt(&host), "{extension:?}");
    }
}

#[test]
fn what_is_in_doubt_stays_so_until_the_server_has_told() {
    let host = synced(Extension::Qresync);
    let uid = host.server.borrow().messages[4].uid;
    let change = move_away(&host, uid);
    host.server.borrow_mut().toggle_seen(4);
    sync(&host, &mut || {});
    take_back(&host, change);
    let mut cuts = 0;
    for cut in (0..).step_by(20) {
        host.cut.set(Some(cut));
        let done = connect(&host).and_then(|mut client| {
            block_on(client.sync_messages(&host, INBOX, &mut |_| ControlFlow::Continue(())))
        });
        host.cut.set(None);
        if done.is_ok() {
            break;
        }
        if is_in_doubt(&host) {
            cuts += 1;
        } else {
            assert_same(&host, &format!("cut at {cut}"));
        }
    }
    assert!(cuts > 5, "{cuts}");
    assert_same(&host, "in the end");
    assert!(!is_in_doubt(&host));
}
