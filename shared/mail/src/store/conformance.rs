//! What every store must do; the in-memory and the IndexedDB store run it, with blocks and without.
//!
//! The cases return what they found instead of panicking, so that a worker can tell the results to
//! its page.

mod reading;
mod writing;

use std::{
    fmt::{Debug, Display},
    panic::Location,
};

use postern_bridge::{MailboxId, MessageId};

use super::{
    Changed,
    Durability::{Relaxed, Strict},
    Key, KeyRange,
    Order::{Ascending, Descending},
    Store, StoreError,
    Table::{self, Arrival, Bodies, Ledger, Messages, Meta},
    Write,
};
use crate::record;
use reading::*;
use writing::*;

/// What came of one case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outcome {
    /// The case; says what must hold.
    pub name: &'static str,
    /// What was found instead, and where; `None` if all is well.
    pub failure: Option<String>,
}

/// Runs every case, each on a database of its own.
///
/// `open` opens a handle to the database of the given name, creating it at first; several handles
/// of one name see the same entries.
pub async fn run<S: Store>(open: impl AsyncFn(&str) -> Result<S, StoreError>) -> Vec<Outcome> {
    macro_rules! outcomes {
        ($($case:ident),* $(,)?) => {
            vec![$({
                let name = stringify!($case);
                let found = $case(async || open(name).await).await;
                Outcome { name, failure: found.err().map(|failure| failure.0) }
            }),*]
        };
    }
    outcomes![
        a_value_is_read_back,
        a_missing_value_is_none,
        an_empty_value_is_a_value,
        an_empty_key_is_the_first_key,
        a_second_put_replaces_the_first,
        tables_are_apart,
        a_value_of_three_megabytes_is_read_back,
        keys_are_ordered_byte_by_byte,
        a_range_has_its_start_but_not_its_end,
        an_empty_range_has_nothing,
        a_prefix_that_ends_in_ff_is_a_range,
        a_scan_goes_both_ways,
        a_scan_stops_at_its_limit,
        a_long_scan_misses_nothing,
        many_values_come_in_the_order_asked,
        a_batch_is_written_in_its_order,
        a_batch_reaches_several_tables,
        a_range_is_deleted_and_no_more,
        deleting_what_is_not_there_is_fine,
        an_empty_batch_is_fine,
        what_a_batch_writes_of_messages_is_noted,
        entries_outlive_their_handle,
        an_earlier_leader_writes_nothing,
        an_earlier_leader_can_still_read,
        the_last_to_take_the_lead_leads,
    ]
}

/// What a case found instead of what it expected.
struct Failure(String);

impl From<StoreError> for Failure {
    #[track_caller]
    fn from(error: StoreError) -> Self {
        failure(error)
    }
}

type Found = Result<(), Failure>;

#[track_caller]
fn failure(found: impl Display) -> Failure {
    let place = Location::caller();
    Failure(format!("{found} (line {})", place.line()))
}

#[track_caller]
fn same<T: Debug + PartialEq>(found: T, expected: T) -> Found {
    if found == expected {
        Ok(())
    } else {
        Err(failure(format_args!("found {found:?} instead of {expected:?}")))
    }
}

fn key(bytes: &[u8]) -> Key {
    Key(bytes.to_vec())
}

fn range(start: &[u8], end: &[u8]) -> KeyRange {
    KeyRange { start: key(start), end: Some(key(end)) }
}

fn put(table: Table, name: &[u8], value: &[u8]) -> Write {
    Write::Put { table, key: key(name), value: value.to_vec() }
}

/// Entries whose value is their key.
fn named(table: Table, names: &[&[u8]]) -> Vec<Write> {
    names.iter().map(|name| put(table, name, name)).collect()
}

async fn keys(store: &impl Store, table: Table, range: &KeyRange) -> Result<Vec<Vec<u8>>, Failure> {
    Ok(store.keys(table, range).await?.into_iter().map(|key| key.0).collect())
}
