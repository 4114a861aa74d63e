//! The download is interrupted at every byte and at every write, and resumed.

use postern_bridge::Retention::DeleteAfterDownload;

use super::*;
use crate::{
    record::CHUNK,
    store::{MemoryStore, StoreError},
    testing::FailingStore,
};

fn small(count: usize) -> Vec<Vec<u8>> {
    let subjects = ["one", "two", "three", "four", "five"];
    let message = |subject: &&str| {
        format!("From: b@c\r\nSubject: {subject}\r\n\r\n.dotted\r\n\r\n{subject}\r\n").into_bytes()
    };
    subjects.iter().take(count).map(message).collect()
}

fn large(seed: u8, size: usize) -> Vec<u8> {
    let mut raw = b"From: b@c\r\nSubject: large\r\n\r\n".to_vec();
    raw.extend((0..size / 64).flat_map(|_| [[b'a' + seed; 62].as_slice(), b"\r\n"].concat()));
    raw
}

#[test]
fn a_drop_after_any_byte_loses_nothing_and_doubles_nothing() {
    for (count, pipelining) in [(4, true), (3, false)] {
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
    let mut all = small(3);
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
fn a_full_store_ends_the_download_before_any_deletion() {
    let all = small(3);
    let host = prepared(Maildrop::new(&all), FailingStore::default());
    host.store.left.set(Some(0));
    let full = Err(MailError::Store(StoreError::QuotaExceeded));
    assert_eq!(run(&host, DeleteAfterDownload), full);
    assert_eq!(host.server.borrow().messages.len(), 3);
    assert!(!host.server.borrow().heard.contains("DELE"));
}
