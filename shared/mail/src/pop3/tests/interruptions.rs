//! The download is interrupted at every byte and at every write, and resumed.

use std::rc::Rc;

use postern_bridge::Retention::{DeleteAfterDownload, Keep};

use super::{
    identity::mails,
    watched::{Watched, run_or_end},
    *,
};
use crate::{
    record::CHUNK,
    store::{MemoryStore, StoreError},
    testing::{FailingStore, WriteFault},
};

/// Messages of odd and of even lengths.
fn small(count: usize) -> Vec<Vec<u8>> {
    let message = |number| {
        let more = ".".repeat(number % 2);
        format!("Subject: {number}\r\n\r\n.dot {number}{more}\r\n").into_bytes()
    };
    (0..count).map(message).collect()
}

fn large(seed: u8, size: usize) -> Vec<u8> {
    let mut raw = b"From: b@c\r\nSubject: large\r\n\r\n".to_vec();
    raw.extend((0..size / 64).flat_map(|_| [[b'a' + seed; 62].as_slice(), b"\r\n"].concat()));
    raw
}

#[test]
fn a_drop_after_any_byte_loses_nothing_and_doubles_nothing() {
    for (count, pipelining) in [(20, true), (3, false)] {
        let all = small(count);
        let server = || {
            let mut server = Maildrop::new(&all);
            if !pipelining {
                server.capabilities = "UIDL\r\n";
            }
            server
        };
        let whole = prepared(server(), MemoryStore::new());
        run(&whole, DeleteAfterDownload).unwrap();
        for cut in 0..whole.carried.get() {
            let host = prepared(server(), MemoryStore::new());
            host.read_size.set(1 + cut % 37);
            host.cut.set(Some(cut));
            // If only the answer to a last, meaningless QUIT is lost, it succeeds.
            let _ = run(&host, DeleteAfterDownload);
            assert_nothing_lost_or_doubled(&host, &all);
            host.cut.set(None);
            run(&host, DeleteAfterDownload).unwrap();
            assert_complete(&host, &all);
            assert!(host.server.borrow().messages.is_empty(), "cut at {cut}");
            assert!(ledger(&host.store).iter().all(|row| row.delete_confirmed.is_some()));
        }
    }
}

#[test]
fn drops_within_large_messages_leave_no_chunk_behind() {
    let all =
        vec![large(0, (1 << 20) + CHUNK), small(1).remove(0), large(1, (1 << 20) + CHUNK / 2)];
    let whole = prepared(Maildrop::new(&all), MemoryStore::new());
    run(&whole, DeleteAfterDownload).unwrap();
    assert_complete(&whole, &all);
    for cut in (0..whole.carried.get()).step_by(500_001) {
        let host = prepared(Maildrop::new(&all), MemoryStore::new());
        host.read_size.set(64 * 1024);
        host.cut.set(Some(cut));
        let _ = run(&host, DeleteAfterDownload);
        assert_nothing_lost_or_doubled(&host, &all);
        host.cut.set(None);
        run(&host, DeleteAfterDownload).unwrap();
        assert_complete(&host, &all);
    }
}

#[test]
fn a_store_that_fails_at_any_write_loses_nothing_and_doubles_nothing() {
    let mut all = small(20);
    all.insert(1, large(0, (1 << 20) + CHUNK));
    let whole = prepared(Maildrop::new(&all), FailingStore::default());
    let before = whole.store.writes.get();
    run(&whole, DeleteAfterDownload).unwrap();
    let writes = whole.store.writes.get() - before;
    assert!(writes > 5);
    for failing in 0..writes {
        let host = prepared(Maildrop::new(&all), FailingStore::default());
        host.store.left.set(Some(failing));
        let full = Err(MailError::Store(StoreError::QuotaExceeded));
        assert_eq!(run(&host, DeleteAfterDownload), full, "write {failing}");
        assert_nothing_lost_or_doubled(&host, &all);
        host.store.left.set(None);
        run(&host, DeleteAfterDownload).unwrap();
        assert_complete(&host, &all);
        assert!(host.server.borrow().messages.is_empty());
        assert!(ledger(&host.store).iter().all(|row| row.delete_confirmed.is_some()));
    }
}

#[test]
fn a_write_that_fails_once_loses_nothing_and_doubles_nothing() {
    let mut all = small(20);
    all.insert(1, large(0, (1 << 20) + CHUNK));
    let faults = [WriteFault::Full, WriteFault::Aborted, WriteFault::Doubtful];
    // The size of the large one is told, or comes as a surprise.
    for (fault, claims) in faults.into_iter().flat_map(|fault| [(fault, None), (fault, Some(1))]) {
        for at in 0.. {
            let server = Maildrop { claims, ..Maildrop::new(&all) };
            let host = prepared(server, FailingStore::default());
            host.store.fault.set(Some((at, fault)));
            // What it can do without may fail as well.
            let _ = run(&host, DeleteAfterDownload);
            if host.store.fault.take().is_some() {
                assert!(at > 5);
                break;
            }
            assert_nothing_lost_or_doubled(&host, &all);
            run(&host, DeleteAfterDownload).unwrap();
            assert_complete(&host, &all);
            assert!(host.server.borrow().messages.is_empty(), "{fault:?} of write {at}");
            assert!(ledger(&host.store).iter().all(|row| row.delete_confirmed.is_some()));
        }
    }
}

#[test]
fn a_process_that_ends_at_any_await_loses_nothing_and_doubles_nothing() {
    let mut all = small(20);
    all.insert(1, large(0, (1 << 20) + CHUNK));
    let ended_at = |moment: Option<usize>| {
        let mut store = Watched::new();
        drop(prepared(Maildrop::new(&[]), store.clone()));
        store.watch(|_, _| {});
        // That a large one comes is a surprise.
        let server = Maildrop { claims: Some(1), ..Maildrop::new(&all) };
        let mut host = TestHost::with_store(server, store.clone());
        host.moments = store.moments.clone();
        store.moments.end.set(moment);
        let account = account(DeleteAfterDownload);
        let ended = run_or_end(run_job(&host, &account, SAFE), &store.moments);
        store.moments.end.set(None);
        (host, ended)
    };
    let (whole, result) = ended_at(None);
    assert!(result.is_some_and(|result| result.is_ok()));
    let moments = whole.store.moments.done.get();
    assert!(moments > 30);
    for moment in 0..moments {
        let (host, ended) = ended_at(Some(moment));
        assert!(ended.is_none(), "moment {moment}");
        // What led has ended with it, and so has its hold on the lock.
        let inner = host.store.inner.clone();
        let server = Rc::clone(&host.server);
        drop(host);
        let mut later = TestHost::with_store(Maildrop::new(&[]), inner);
        later.server = server;
        assert_nothing_lost_or_doubled(&later, &all);
        run(&later, DeleteAfterDownload).unwrap();
        assert_complete(&later, &all);
        assert!(later.server.borrow().messages.is_empty(), "moment {moment}");
    }
}

#[test]
fn messages_come_while_checksums_of_others_are_made() {
    let all = small(20);
    let host = prepared(Maildrop::new(&all), MemoryStore::new());
    run(&host, Keep).unwrap();
    assert_eq!(host.digests.most.get(), all.len());
    assert_complete(&host, &all);
}

#[test]
fn a_drop_while_the_rest_of_messages_comes_keeps_header_or_whole() {
    let all = [large(0, (1 << 20) + CHUNK), large(1, 4096), small(1).remove(0)];
    let headers = Account { extent: Extent::Headers, ..account(Keep) };
    let prepare = || {
        let host = prepared(Maildrop::new(&all), MemoryStore::new());
        run_account(&host, &headers, SAFE).unwrap();
        host
    };
    let whole = prepare();
    run(&whole, DeleteAfterDownload).unwrap();
    assert_complete(&whole, &all);
    for cut in (0..whole.carried.get()).step_by(300_007).chain((0..600).step_by(13)) {
        let host = prepare();
        host.read_size.set(64 * 1024);
        host.cut.set(Some(cut));
        let _ = run(&host, DeleteAfterDownload);
        let messages: Vec<Message> = block_on(record::all(&host.store, &KeyRange::all())).unwrap();
        assert_eq!(messages.len(), all.len(), "each is here once, whole or not");
        host.cut.set(None);
        run(&host, DeleteAfterDownload).unwrap();
        assert_complete(&host, &all);
        assert!(host.server.borrow().messages.is_empty(), "cut at {cut}");
    }
}

#[test]
fn that_an_id_was_given_again_is_remembered_until_others_were_compared() {
    let before = mails(&["one", "two", "three"]);
    // The first gives it away, the second is listed as it was.
    let after = mails(&["a longer one", "six", "three"]);
    let all = [&before[..], &after[..2]].concat();
    let prepare = || {
        let host = prepared(Maildrop::new(&before), FailingStore::default());
        run(&host, Keep).unwrap();
        for (mail, raw) in host.server.borrow_mut().messages.iter_mut().zip(&after) {
            mail.raw.clone_from(raw);
        }
        host
    };
    // What is compared by now at the latest comes the next time.
    ended_anywhere(prepare, |host, end| {
        assert!(stored(&host.store).contains(&after[1]), "{end}");
        assert_complete(host, &all);
    });
}

#[test]
fn a_full_store_ends_the_download_before_any_deletion() {
    let all = small(3);
    let host = prepared(Maildrop::new(&all), FailingStore::default());
    host.store.left.set(Some(0));
    let full = Err(MailError::Store(StoreError::QuotaExceeded));
    assert_eq!(run(&host, DeleteAfterDownload), full);
    assert_eq!(host.server.borrow().messages.len(), 3);
    assert!(!host.server.borrow().heard.contains("DELE"));
}
