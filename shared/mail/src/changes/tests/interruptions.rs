//! What was changed is told to a server that drops the connection after every byte, from a store of
//! which every write fails once. The end is always the same.

use super::*;

/// From everything to nothing that makes moving easy.
const SERVERS: [&str; 4] = ["MOVE UIDPLUS", "MOVE", "UIDPLUS", ""];

/// Moves two letters, marks one of them where it is now, copies it back, deletes a third.
fn change_much<D: Store + 'static>(host: &TestHost<Imap, D>) -> Result<(), MailError> {
    flag(host, INBOX, &[3])?;
    let made = move_to(host, INBOX, &[1, 2], OTHER)?;
    flag(host, OTHER, &[made.moved[1].to.uid])?;
    edit(host, async |editor| editor.transfer(INBOX, &[3], OTHER, true).await)?;
    edit(host, async |editor| editor.expunge(INBOX, &[3]).await)?;
    Ok(())
}

/// Takes what was left undone until nothing is left.
fn finish<D: Store + 'static>(host: &TestHost<Imap, D>) {
    host.cut.set(None);
    drain(host).unwrap();
    assert!(open_entries(host).is_empty());
    sync(host).unwrap();
}

#[test]
fn a_drop_after_any_byte_neither_loses_nor_doubles_a_message_where_it_is_moved_at_once() {
    drop_after_any_byte("MOVE UIDPLUS");
}

#[test]
fn a_drop_after_any_byte_neither_loses_nor_doubles_a_message_where_moves_tell_no_uids() {
    drop_after_any_byte("MOVE");
}

#[test]
fn a_drop_after_any_byte_neither_loses_nor_doubles_a_message_where_it_is_copied_and_removed() {
    drop_after_any_byte("UIDPLUS");
}

#[test]
fn a_drop_after_any_byte_neither_loses_nor_doubles_a_message_where_nothing_is_offered() {
    drop_after_any_byte("");
}

#[test]
fn a_drop_after_any_byte_neither_loses_nor_doubles_a_message_where_one_is_not_copied() {
    for capabilities in ["UIDPLUS", ""] {
        for tells_validity in [None, Some(77)] {
            let server = || Imap { tells_validity, ..uncopied::server(capabilities) };
            let change = |host: &TestHost<Imap>| move_to(host, INBOX, &[1, 2], OTHER).map(drop);
            let state = drop_after_any_byte_of(server, change);
            assert!(state["m1"].contains(&("2@example.org".into(), vec![])), "{state:?}");
            assert_eq!(state["m2"].len(), 1, "{state:?}");
        }
    }
}

fn drop_after_any_byte(capabilities: &'static str) {
    drop_after_any_byte_of(|| Imap::new(capabilities), change_much);
}

/// How a change ends, each time.
fn drop_after_any_byte_of(
    server: impl Fn() -> Imap,
    change: impl Fn(&TestHost<Imap>) -> Result<(), MailError>,
) -> BTreeMap<String, Vec<(String, Vec<String>)>> {
    let whole = prepared(server(), MemoryStore::new());
    change(&whole).unwrap();
    drain(&whole).unwrap();
    let expected = whole.server.borrow().state();
    for cut in 0..whole.carried.get() {
        let host = prepared(server(), MemoryStore::new());
        host.read_size.set(1 + cut % 13);
        change(&host).unwrap();
        host.cut.set(Some(cut));
        assert!(drain(&host).is_err(), "cut at {cut}");
        host.read_size.set(usize::MAX);
        finish(&host);
        assert_eq!(host.server.borrow().state(), expected, "cut at {cut}");
        assert_eq!(stored(&host.store), expected, "cut at {cut}");
    }
    expected
}

#[test]
fn a_write_that_fails_at_any_time_neither_loses_nor_doubles_a_message() {
    for capabilities in SERVERS {
        let store = FailingStore::default();
        let whole = prepared(Imap::new(capabilities), store.clone());
        change_much(&whole).unwrap();
        let before = store.writes.get();
        drain(&whole).unwrap();
        let expected = whole.server.borrow().state();
        for failing in 0..store.writes.get() - before {
            let store = FailingStore::default();
            let host = prepared(Imap::new(capabilities), store.clone());
            change_much(&host).unwrap();
            store.left.set(Some(failing));
            assert!(drain(&host).is_err(), "{capabilities:?} write {failing}");
            // A new life of the page: nothing but the store is left.
            store.left.set(None);
            let host = TestHost::with_store(host.server.borrow().clone(), store.clone());
            finish(&host);
            assert_eq!(host.server.borrow().state(), expected, "{capabilities:?} {failing}");
            assert_eq!(stored(&store.inner), expected, "{capabilities:?} write {failing}");
        }
    }
}

#[test]
fn a_change_that_can_not_be_stored_is_not_made() {
    let store = FailingStore::default();
    let host = prepared(Imap::new("MOVE UIDPLUS"), store.clone());
    let before = stored(&store.inner);
    store.left.set(Some(0));
    assert!(move_to(&host, INBOX, &[1], OTHER).is_err());
    assert_eq!(stored(&store.inner), before);
    assert!(open_entries(&host).is_empty());
}
