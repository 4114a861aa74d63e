//! Messages without a unique id: nothing but their content tells which ones they are.
//!
//! So all of them come at each download. But where a list is, number by number and size by size, the one
//! at which all of them came, they are taken for the same for a day, or until the person asks for mail:
//! most often nothing has happened, and a mailbox would be downloaded every few minutes. A message in the
//! place of another one of the very same size is seen that much later; none is deleted on the server on
//! such a ground, since none without a unique id ever is.
//!
//! That all came is noted once they are stored and read back: if a download ends before, they come again.

use std::collections::BTreeSet;

use postern_bridge::Extent;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{DAY, LedgerRow, ledger::Ledger, listing::Listing};
use crate::record;

/// A download at which all messages without a unique id came, and were stored and read back.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct AllCame {
    /// When the server was asked, in milliseconds since 1970 (UTC).
    at: i64,
    /// What it listed, and how much of each message was wanted.
    #[serde(with = "serde_bytes")]
    digest: [u8; 32],
}

impl AllCame {
    /// They came at `at`.
    pub(super) fn new(listing: &Listing, extent: Extent, at: i64) -> Self {
        Self { at, digest: digest(listing, extent) }
    }

    /// Whether they are taken for the same at `now`. Where a clock was set back, where one is damaged
    /// here, or where there is no row for one of its size, they have to come.
    pub(super) fn holds(
        &self,
        listing: &Listing,
        ledger: &Ledger,
        extent: Extent,
        now: i64,
    ) -> bool {
        // The id that a row has may be of no use by now.
        let unnamed = || ledger.rows().filter(move |row| !listing.tells(&row.uidl));
        let known: BTreeSet<u64> = unnamed().map(|row| row.listed_size).collect();
        let mut listed = listing.messages.iter().filter(|listed| listed.uidl.is_none());
        (self.at..self.at.saturating_add(DAY)).contains(&now)
            && listing.defects == 0
            && !unnamed().any(LedgerRow::is_damaged)
            && self.digest == digest(listing, extent)
            && listed.all(|listed| known.contains(&listed.size))
    }
}

fn digest(listing: &Listing, extent: Extent) -> [u8; 32] {
    let messages = listing.messages.iter().map(|own| (own.number, own.size, &own.uidl));
    Sha256::digest(record::encode(&(extent, messages.collect::<Vec<_>>()))).into()
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            listing::tests::{listed, listing},
            row::tests::row,
        },
        *,
    };

    #[test]
    fn they_are_taken_for_the_same_for_a_day_and_while_the_list_stays_as_it_is() {
        let unnamed = || LedgerRow { listed_size: 5, ..row("") };
        let ledger: Ledger = [unnamed()].into_iter().collect();
        let other: Ledger =
            [row("a"), LedgerRow { listed_size: 6, ..row("") }].into_iter().collect();
        let lost_its_id: Ledger =
            [row("a"), LedgerRow { listed_size: 5, ..row("b") }].into_iter().collect();
        let damaged: Ledger = [LedgerRow { verified: None, ..unnamed() }].into_iter().collect();
        let list = || listing(&[listed(1, 5, ""), listed(2, 7, "a")]);
        let came = AllCame::new(&list(), Extent::Whole, 10);
        let holds = |listing: &Listing, now| came.holds(listing, &ledger, Extent::Whole, now);
        assert_eq!(
            [9, 10, 9 + DAY, 10 + DAY].map(|now| holds(&list(), now)),
            [false, true, true, false]
        );
        for changed in [
            &[listed(1, 5, ""), listed(2, 8, "a")][..],
            &[listed(1, 5, ""), listed(2, 7, "b")],
            &[listed(1, 5, ""), listed(2, 7, "a"), listed(3, 5, "")],
            &[listed(1, 5, "")],
            &[listed(1, 7, "a"), listed(2, 5, "")],
        ] {
            assert!(!holds(&listing(changed), 10), "{changed:?}");
        }
        assert!(!holds(&Listing { defects: 1, ..list() }, 10));
        assert!(!came.holds(&list(), &other, Extent::Whole, 10), "there is no row");
        assert!(came.holds(&list(), &lost_its_id, Extent::Whole, 10));
        assert!(!came.holds(&list(), &damaged, Extent::Whole, 10));
        assert!(!came.holds(&list(), &ledger, Extent::Headers, 10));
    }
}
