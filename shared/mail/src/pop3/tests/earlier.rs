//! A mailbox that an earlier version of Postern has downloaded is read, and goes on, as if today's had.

use postern_bridge::{Address, Flags, Retention::DeleteAfterDownload, Retention::Keep};
use serde::Serialize;

use super::*;
use crate::{
    record::{Body, Links, decode, encode},
    store::{MemoryStore, Order, Packed, Write, uncompressed},
};

/// The versions of the database that people may have, but for the newest. The engine's schema says what
/// makes them different.
const VERSIONS: std::ops::RangeInclusive<u32> = 1..=7;

/// A message's record with the names that versions before 7 wrote.
#[derive(Serialize)]
struct LongNamed {
    id: MessageId,
    arrived: i64,
    sent: Option<i64>,
    size: u64,
    flags: Flags,
    keywords: Vec<String>,
    from: Vec<Address>,
    to: Vec<Address>,
    subject: String,
    message_id: String,
    links: Option<Links>,
    preview: String,
    has_attachments: bool,
    body: LongBody,
}

#[derive(Serialize)]
enum LongBody {
    Whole { size: u64 },
}

impl From<Message> for LongNamed {
    fn from(own: Message) -> Self {
        let Message { id, arrived, sent, size, flags, keywords, from, to, .. } = own;
        let Message { subject, message_id, links, preview, has_attachments, body, .. } = own;
        let Body::Whole { size: stored } = body else { panic!("{body:?}") };
        let body = LongBody::Whole { size: stored };
        Self {
            id,
            arrived,
            sent,
            size,
            flags,
            keywords,
            from,
            to,
            subject,
            message_id,
            links,
            preview,
            has_attachments,
            body,
        }
    }
}

/// A row of the ledger with what versions before 3 knew.
#[derive(Serialize)]
struct FirstRow {
    account: AccountId,
    #[serde(with = "serde_bytes")]
    uidl: Vec<u8>,
    message: MessageId,
    listed_size: u64,
    size: u64,
    #[serde(with = "serde_bytes")]
    sha256: [u8; 32],
    first_seen: i64,
    stored: i64,
    verified: Option<i64>,
    deleted_here: Option<i64>,
    delete_asked: Option<i64>,
    delete_confirmed: Option<i64>,
}

impl From<LedgerRow> for FirstRow {
    fn from(own: LedgerRow) -> Self {
        Self {
            account: own.account,
            uidl: own.uidl,
            message: own.message,
            listed_size: own.listed_size,
            size: own.size,
            sha256: own.sha256,
            first_seen: own.first_seen,
            stored: own.stored,
            verified: own.verified,
            deleted_here: own.deleted_here,
            delete_asked: own.delete_asked,
            delete_confirmed: own.delete_confirmed,
        }
    }
}

/// As many, and as large, as come into bundles.
fn letters() -> Vec<Vec<u8>> {
    let letter = |number: usize| {
        let head = format!("From: Ben <b@c>\r\nTo: a@b\r\nSubject: {number}\r\n\r\n");
        [head.into_bytes(), b"The beans are up.\r\n".repeat(1_000)].concat()
    };
    (0..40).map(letter).collect()
}

/// The database as this version has left it, with these messages downloaded.
fn left_by(version: u32, all: &[Vec<u8>]) -> MemoryStore {
    let host = prepared(Maildrop::new(all), MemoryStore::new());
    run(&host, Keep).unwrap();
    let whole = KeyRange::all();
    let (mut alone, mut together) = (Vec::new(), Vec::new());
    for table in Table::ALL {
        // What it knew of servers it keeps there.
        if table == Table::Meta && version < 3 {
            continue;
        }
        let together_since = match table {
            Table::Messages | Table::Arrival => 4,
            Table::Ledger => 5,
            Table::Bodies => 6,
            _ => u32::MAX,
        };
        let rows = host.store.scan(table, &whole, Order::Ascending, usize::MAX);
        for (key, value) in block_on(rows).unwrap() {
            let value = match table {
                Table::Messages if version < 7 => {
                    encode(&LongNamed::from(decode::<Message>(&value).unwrap()))
                }
                Table::Ledger if version < 3 => {
                    encode(&FirstRow::from(decode::<LedgerRow>(&value).unwrap()))
                }
                _ => value,
            };
            let is_together = version >= together_since;
            let writes = if is_together { &mut together } else { &mut alone };
            writes.push(Write::Put { table, key, value });
        }
    }
    let inner = MemoryStore::new();
    block_on(inner.apply(alone, Durability::Strict)).unwrap();
    block_on(Packed::new(inner.clone()).apply(together, Durability::Strict)).unwrap();
    block_on(uncompressed(&inner));
    let has = |table| !block_on(inner.keys(table, &KeyRange::all())).unwrap().is_empty();
    let found = [Table::Blocks, Table::Messages, Table::Ledger, Table::Bundles].map(has);
    assert_eq!(found, [version >= 4, version < 4, version < 5, version >= 6], "{version}");
    inner
}

#[test]
fn what_an_earlier_version_has_downloaded_is_read_and_goes_on() {
    let all = letters();
    for version in VERSIONS {
        let inner = left_by(version, &all);
        let mut more = all.clone();
        more.push(b"Subject: new\r\n\r\nnew\r\n".to_vec());
        // Twice: with what is taken over, and after a restart.
        for downloaded in [1, 0] {
            let store = Packed::new(inner.clone());
            block_on(store.take_lead()).unwrap();
            let host = TestHost::with_store(Maildrop::new(&more), store);
            let report = run(&host, Keep).unwrap();
            assert_eq!((report.downloaded, report.unreadable), (downloaded, 0), "{version}");
            let mut expected = more.clone();
            let mut here = stored(&host.store);
            expected.sort();
            here.sort();
            assert!(here == expected, "version {version}");
            let messages: Vec<Message> =
                block_on(record::all(&host.store, &KeyRange::all())).unwrap();
            let subjects: BTreeSet<&str> = messages.iter().map(|own| &*own.subject).collect();
            assert_eq!(subjects.len(), more.len(), "version {version}");
            assert!(ledger(&host.store).iter().all(|row| row.verified.is_some()));
        }
        // What is known of them is enough to have them deleted on the server.
        let host = TestHost::with_store(Maildrop::new(&more), Packed::new(inner));
        block_on(host.store.take_lead()).unwrap();
        assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted as usize, more.len());
        assert_eq!(stored(&host.store).len(), more.len(), "version {version}");
    }
}
