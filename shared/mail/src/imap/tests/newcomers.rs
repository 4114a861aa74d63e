//! What comes into a mailbox while it is brought up to date for the first time.

use std::ops::ControlFlow;

use super::{
    INBOX,
    model::{assert_same, connect, host},
    simulated::{Extension, Simulated},
};
use crate::{imap::SyncStep, testing::block_on};

const MANY: u32 = 10_000;

#[test]
fn it_is_told_before_the_older_messages_and_counted_once() {
    for extension in [Extension::None, Extension::Condstore, Extension::Qresync] {
        let host = host(extension);
        host.server.borrow_mut().add(MANY as usize);
        let mut client = connect(&host).unwrap();
        let last = host.server.borrow().messages.last().unwrap().uid;
        let mut told = Vec::new();
        let mut changed = |step: SyncStep| {
            // Twice, and the second time two at once.
            let mut server = host.server.borrow_mut();
            match server.messages.len() as u32 - MANY {
                0 if step.stored > 1_000 => server.add(1),
                1 if step.stored > 5_000 => server.add(2),
                _ => {}
            }
            if step.change.iter().flat_map(|own| &own.added).any(|place| place.uid > last) {
                told.push((step.stored, step.total));
            }
            ControlFlow::Continue(())
        };
        let done = block_on(client.sync_messages(&host, INBOX, &mut changed));
        assert!(done.unwrap().is_continue());
        let [(first, one), (second, three)] = told[..] else { panic!("{extension:?}: {told:?}") };
        assert_eq!((one, three), (MANY + 1, MANY + 3), "{extension:?}");
        assert!(first < 6_000 && second < MANY - 1_000, "{extension:?}: {told:?}");

        let mut go_on = |_| ControlFlow::Continue(());
        let mut same_after = |what: &str, happens: &dyn Fn(&mut Simulated)| {
            happens(&mut host.server.borrow_mut());
            block_on(client.noop(&host)).unwrap();
            assert!(block_on(client.catch_up(&host, INBOX, &mut go_on)).unwrap().is_continue());
            assert_same(&host, &format!("{extension:?}: {what}"));
        };
        let newest = MANY as usize + 2;
        same_after("one that came meanwhile is read", &|server| server.toggle_seen(newest));
        same_after("and goes", &|server| server.expunge(newest));
        same_after("another comes", &|server| server.add(1));
    }
}
