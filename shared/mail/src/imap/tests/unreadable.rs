//! Records that are damaged here of messages that the server has.

use std::ops::ControlFlow;

use super::{
    INBOX, Script, ScriptedHost, all, host_with_inbox, listed,
    model::{Host, assert_same, connect, host},
    now, ok, ready, select,
    simulated::Extension,
    uids, unread,
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

/// A mailbox of many messages is brought up to date while a record comes among them that can't be read,
/// and this is what the server says next while two windows are under way; what became of it, and whether
/// the connection may be used for something else.
fn broken_off(host: &ScriptedHost, script: Script) -> (Result<(), MailError>, bool) {
    let mut begun = vec![
        select(1300, 9, 1301),
        unread(1300),
        all("1:1300"),
        (items!("1251:1300"), ok(&listed(1251..=1300))),
        (items!("1051:1250"), ok(&listed(1051..=1250))),
        (items!("51:1050"), ok(&listed(51..=1050))),
    ];
    begun.extend(script);
    let mut client = ready(host, begun);
    let mut is_first = true;
    let mut spoil = |step: SyncStep| {
        if step.change.is_some() && std::mem::take(&mut is_first) {
            let key = record::message_key(postern_bridge::MessageId { mailbox: INBOX, uid: 1100 });
            let spoilt = Write::Put { table: Table::Messages, key, value: vec![0xc1] };
            now(host.store.apply(vec![spoilt], Durability::Strict)).unwrap();
        }
        ControlFlow::Continue(())
    };
    let done = now(client.sync_messages(host, INBOX, &mut spoil));
    let is_usable = done.as_ref().err().is_none_or(|error| client.is_usable(error));
    (done.map(|flow| assert!(flow.is_continue())), is_usable)
}

#[test]
fn what_was_under_way_when_a_record_could_not_be_read_answers_nothing_that_is_asked_later() {
    let host = host_with_inbox();
    let last = (items!("1:50"), ok(&listed(1..=50)));
    let script = vec![
        last,
        ("NOOP", ok("")),
        select(1300, 9, 1301),
        unread(1300),
        all("1:1300"),
        (items!("1201:1250"), ok(&listed(1201..=1250))),
        (items!("1001:1200"), ok(&listed(1001..=1200))),
        (items!("1:1000"), ok(&listed(1..=1000))),
        ("UID FETCH 1251:1300 (UID FLAGS)", ok("")),
    ];
    assert_eq!(broken_off(&host, script), (Ok(()), true));
    assert!(host.wire.borrow().script.is_empty());
    assert_eq!(uids(&host), (1..=1300).collect::<Vec<_>>());
}

#[test]
fn a_connection_on_which_the_server_comes_to_no_end_is_left() {
    let host = host_with_inbox();
    let script = vec![(items!("1:50"), "* 1 FETCH (UID 1 FLAGS ())\r\n".into()), ("NOOP", ok(""))];
    let (done, is_usable) = broken_off(&host, script);
    assert!(matches!(done, Err(MailError::TimedOut(_))), "{done:?}");
    assert!(!is_usable);
}

#[test]
fn a_connection_on_which_something_is_still_under_way_is_of_no_use_after_a_refusal() {
    let host = host_with_inbox();
    let script = vec![
        select(1300, 9, 1301),
        unread(1300),
        all("1:1300"),
        (items!("1251:1300"), ok(&listed(1251..=1300))),
        (items!("1051:1250"), "{tag} NO [INUSE] Somebody else has it.\r\n".into()),
        (items!("51:1050"), String::new()),
    ];
    let mut client = ready(&host, script);
    let mut go_on = |_: SyncStep| ControlFlow::Continue(());
    let refused = now(client.sync_messages(&host, INBOX, &mut go_on)).unwrap_err();
    assert!(matches!(refused, MailError::Closed(_)), "{refused:?}");
    assert!(!client.is_usable(&refused), "what comes now would answer what is asked next");
}
