//! The store's conformance suite in a real browser, and what else only a browser can show.
//!
//! A worker whose address ends in `#conformance` runs it instead of the engine, and posts one
//! message `{name, error}` for each case, with `error` null if it passed; then one whose `name` is
//! null: all cases have run.

use indexed_db_futures::database::Database;
use js_sys::{JsString, Object, Reflect};
use postern_mail::{
    Clock, Digests, Store,
    store::{
        Durability, Key, Packed, StoreError, Table, Write,
        conformance::{self, Outcome},
    },
};
use wasm_bindgen::prelude::*;

use crate::{
    clock::BrowserClock,
    digests::{BrowserDigests, WORTH_ASKING},
    store::IndexedDbStore,
    worker::Worker,
};

/// Runs the suite if the worker was started for it; says whether it was.
pub(crate) async fn run_if_asked(worker: &Worker) -> bool {
    if worker.hash() != "#conformance" {
        return false;
    }
    // New databases each time: those of an earlier run may be there still.
    let run = BrowserClock.now();
    let open = async |name: &str| IndexedDbStore::open(&format!("{run}-{name}")).await;
    let mut outcomes = conformance::run(open).await;
    let open = async |name: &str| Ok(Packed::new(open(&format!("packed-{name}")).await?));
    outcomes.extend(conformance::run(open).await);
    outcomes.push(a_newer_schema_is_refused_and_left_alone(&format!("{run}-newer")).await);
    outcomes.push(the_first_version_is_brought_up_to_date(&format!("{run}-first")).await);
    outcomes.push(earlier_code_is_kept_out(&format!("{run}-earlier")).await);
    outcomes.push(an_upgrade_by_another_page_is_not_blocked(&format!("{run}-upgrade")).await);
    outcomes.push(digests_are_made_of_what_is_worth_it(worker).await);
    for case in outcomes {
        post(worker, Some(case.name), case.failure.as_deref());
    }
    post(worker, None, None);
    true
}

fn post(worker: &Worker, name: Option<&str>, error: Option<&str>) {
    let message = Object::new();
    for (field, text) in [("name", name), ("error", error)] {
        let text = text.map_or(JsValue::NULL, |text| JsString::from(text).into());
        Reflect::set(&message, &field.into(), &text).expect("a new object takes any field");
    }
    worker.post(&message);
}

/// SHA-256 of a million times `a`, of NIST's examples for FIPS 180-4.
const MILLION: &str = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

async fn digests_are_made_of_what_is_worth_it(worker: &Worker) -> Outcome {
    let digests = BrowserDigests(worker.crypto());
    let found = async {
        let (first, second) = (vec![b'a'; 1_000_000], [b'b'; WORTH_ASKING]);
        // Both are in the making before the first is awaited.
        let (first, second) = (digests.sha256(&first), digests.sha256(&second));
        let words = |digest: Option<[u8; 32]>| {
            digest.map(|own| own.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
        };
        same(words(first.await).as_deref(), Some(MILLION))?;
        same(second.await.is_some(), true)?;
        same(digests.sha256(&[b'b'; WORTH_ASKING - 1]).await, None)
    };
    Outcome { name: "digests_are_made_of_what_is_worth_it", failure: found.await.err() }
}

/// A version that no Postern ever had.
const NEWER: u32 = 1_000;

async fn a_newer_schema_is_refused_and_left_alone(database: &str) -> Outcome {
    let found = async {
        Database::open(database)
            .with_version(NEWER)
            .await
            .map_err(|error| error.to_string())?
            .close();
        let refused = IndexedDbStore::open(database).await.err();
        same(refused, Some(StoreError::NewerSchema))?;
        let database = Database::open(database).await.map_err(|error| error.to_string())?;
        let version = database.version();
        database.close();
        same(version, f64::from(NEWER))
    };
    Outcome { name: "a_newer_schema_is_refused_and_left_alone", failure: found.await.err() }
}

async fn the_first_version_is_brought_up_to_date(database: &str) -> Outcome {
    let put = |table| Write::Put { table, key: Key::new().u32(7), value: vec![7] };
    let found = async {
        let words = |error: StoreError| error.to_string();
        let first = IndexedDbStore::open_version(database, 1).await.map_err(words)?;
        first.take_lead().await.map_err(words)?;
        let earlier = [Table::Messages, Table::Ledger, Table::Bodies];
        let batch = earlier.map(put).into();
        first.apply(batch, Durability::Strict).await.map_err(words)?;
        drop(first);
        let newest = Packed::new(IndexedDbStore::open(database).await.map_err(words)?);
        newest.take_lead().await.map_err(words)?;
        newest.apply(vec![put(Table::Changes)], Durability::Strict).await.map_err(words)?;
        for table in earlier.into_iter().chain([Table::Changes]) {
            same(newest.get(table, &Key::new().u32(7)).await, Ok(Some(vec![7])))?;
        }
        Ok(())
    };
    Outcome { name: "the_first_version_is_brought_up_to_date", failure: found.await.err() }
}

async fn earlier_code_is_kept_out(database: &str) -> Outcome {
    let found = async {
        drop(IndexedDbStore::open(database).await.map_err(|error| error.to_string())?);
        for version in 1..IndexedDbStore::NEWEST_VERSION {
            let refused = IndexedDbStore::open_version(database, version).await.err();
            same(refused, Some(StoreError::NewerSchema))?;
        }
        Ok(())
    };
    Outcome { name: "earlier_code_is_kept_out", failure: found.await.err() }
}

async fn an_upgrade_by_another_page_is_not_blocked(database: &str) -> Outcome {
    let found = async {
        let store = IndexedDbStore::open(database).await.map_err(|error| error.to_string())?;
        let upgraded = Database::open(database).with_version(NEWER).await;
        upgraded.map_err(|error| error.to_string())?.close();
        let put = Write::Put { table: Table::Meta, key: Key::new(), value: Vec::new() };
        let written = store.apply(vec![put], Durability::Strict).await;
        same(written, Err(StoreError::NewerSchema))
    };
    Outcome { name: "an_upgrade_by_another_page_is_not_blocked", failure: found.await.err() }
}

fn same<T: std::fmt::Debug + PartialEq>(found: T, expected: T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("found {found:?} instead of {expected:?}")) }
}
