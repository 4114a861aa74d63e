//! Records that are damaged here of messages that the server has.

use std::ops::ControlFlow;

use super::{
    INBOX,
    model::{Host, assert_same, connect, host},
    simulated::Extension,
};
use crate::{
    MailError, Store,
    imap::SyncStep,
    record,
    store::{Durability, KeyRange, Table, Write},
    testing::block_on,
};

/// Brings the inbox up to date over a new connection.
fn sync(host: &Host) -> Result<(), MailError> {
    let mut client = connect(host)?;
    let mut go_on = |_: SyncStep| ControlFlow::Continue(());
    let done = block_on(client.sync_messages(host, INBOX, &mut go_on))?;
    assert!(done.is_continue());
    Ok(())
}

/// A host of which some records are damaged since the inbox was up to date; all messages have another
/// mark on the server by now.
fn damaged(extension: Extension) -> Host {
    let host = host(extension);
    host.server.borrow_mut().add(30);
    sync(&host).unwrap();
    let keys = block_on(host.store.keys(Table::Messages, &KeyRange::all())).unwrap();
    let spoil = |key| Write::Put { table: Table::Messages, key, value: vec![0xc1] };
    let spoilt = keys.into_iter().step_by(7).map(spoil).collect();
    block_on(host.store.apply(spoilt, Durability::Strict)).unwrap();
    (0..30).for_each(|message| host.server.borrow_mut().toggle_seen(message));
    host
}

#[test]
fn messages_whose_records_can_not_be_read_any_more_are_fetched_again_also_if_that_breaks_off() {
    for extension in [Extension::None, Extension::Condstore, Extension::Qresync] {
        for writes in 0.. {
            let host = damaged(extension);
            host.store.left.set(Some(writes));
            let ended_early = sync(&host).is_err();
            host.store.left.set(None);
            let what = format!("{extension:?} after {writes} writes");
            assert_eq!(sync(&host), Ok(()), "{what}");
            assert_same(&host, &what);
            let mailbox = block_on(record::mailbox(&host.store, INBOX)).unwrap();
            assert!(!mailbox.synced.stale, "{what}");
            if !ended_early {
                assert!(writes > 2, "{what}");
                break;
            }
        }
    }
}
