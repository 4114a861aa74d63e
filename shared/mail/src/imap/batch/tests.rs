//! Batches, beside what changes have done meanwhile.

use postern_bridge::MessageId;

use super::*;
use crate::{
    changes::tests::{mailbox, message},
    record::{Body, put_body},
    testing::{NoServer, TestHost, block_on},
};

#[test]
fn what_a_change_brought_meanwhile_is_not_written_over() {
    let host = TestHost::new(NoServer);
    let id = MessageId { mailbox: MailboxId(1), uid: 8 };
    let brought = Message { body: Body::Whole { size: 1 }, ..message(id) };
    let mut writes = vec![mailbox(1).put()];
    writes.extend(brought.put_listed());
    writes.extend(put_body(id, b"8"));
    block_on(host.store.apply(writes, Durability::Strict)).unwrap();

    let mut steps = Vec::new();
    let mut changed = |step: SyncStep| {
        steps.push((step.stored, step.change.unwrap().added.len()));
        ControlFlow::Continue(())
    };
    let mut sync = Sync::new(&host, id.mailbox, 0, 0, &mut changed);
    let other = MessageId { uid: 9, ..id };
    let uids = block_on(sync.add(vec![message(id), message(other)], |_| {})).unwrap();
    assert_eq!(uids, [8, 9]);
    assert_eq!(steps, [(2, 1)]);
    let stored = block_on(stored_messages(&host.store, id.mailbox, &[8])).unwrap();
    assert_eq!(stored, [Some(brought)]);
}

#[test]
fn what_a_change_brought_before_the_first_look_at_a_mailbox_stays_and_of_another_time_goes() {
    for (uid_validity, stays) in [(7, true), (8, false)] {
        let host = TestHost::new(NoServer);
        let id = MessageId { mailbox: MailboxId(1), uid: 8 };
        let mut writes = vec![Mailbox { uid_validity: 7, ..mailbox(1) }.put()];
        writes.extend(message(id).put_listed());
        block_on(host.store.apply(writes, Durability::Strict)).unwrap();
        let mut cleared = Vec::new();
        let mut changed = |step: SyncStep| {
            cleared.push(step.change.unwrap().cleared);
            ControlFlow::Continue(())
        };
        // The look began when nothing was known of the mailbox.
        let mut sync = Sync::new(&host, id.mailbox, 0, 0, &mut changed);
        let update = |own: &mut Mailbox| {
            (own.uid_validity, own.uid_next) = (uid_validity, 1);
        };
        block_on(sync.clear(uid_validity, update)).unwrap();
        assert_eq!(cleared, [!stays]);
        let stored = block_on(stored_messages(&host.store, id.mailbox, &[8])).unwrap();
        assert_eq!(stored[0].is_some(), stays);
    }
}
