//! Records that are damaged here of messages that the server has.

use std::ops::ControlFlow;

use super::{
    INBOX,
    model::{assert_same, connect, host},
    simulated::Extension,
};
use crate::{
    Store,
    imap::SyncStep,
    record,
    store::{Durability, Table, Write},
    testing::block_on,
};

#[test]
fn messages_whose_records_can_not_be_read_any_more_are_fetched_again() {
    for extension in [Extension::None, Extension::Condstore, Extension::Qresync] {
        let host = host(extension);
        host.server.borrow_mut().add(30);
        let mut go_on = |_: SyncStep| ControlFlow::Continue(());
        let mut sync = || {
            let mut client = connect(&host).unwrap();
            block_on(client.sync_messages(&host, INBOX, &mut go_on)).map(|done| done.is_continue())
        };
        assert_eq!(sync(), Ok(true));
        let keys = block_on(host.store.keys(Table::Messages, &crate::store::KeyRange::all()));
        let spoilt = keys.unwrap().into_iter().step_by(7).map(|key| Write::Put {
            table: Table::Messages,
            key,
            value: vec![0xc1],
        });
        block_on(host.store.apply(spoilt.collect(), Durability::Strict)).unwrap();
        for message in 0..30 {
            host.server.borrow_mut().toggle_seen(message);
        }
        assert_eq!(sync(), Ok(true), "{extension:?}");
        assert_same(&host, &format!("{extension:?}"));
        let mailbox = block_on(record::mailbox(&host.store, INBOX)).unwrap();
        assert!(!mailbox.synced.stale, "{extension:?}");
    }
}
