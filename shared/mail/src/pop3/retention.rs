//! Which messages the server should delete.

use postern_bridge::Retention;

use super::LedgerRow;

const DAY: i64 = 24 * 60 * 60 * 1000;

/// The unique ids of the messages that `policy` wants deleted from the server at `now`
/// (milliseconds since 1970, UTC).
///
/// Only messages that were read back from the store and verified are ever named, and none without
/// a unique id.
pub fn due<'row>(
    policy: Retention,
    ledger: impl IntoIterator<Item = &'row LedgerRow>,
    now: i64,
) -> Vec<Vec<u8>> {
    let is_due = |row: &LedgerRow| match policy {
        Retention::Keep => false,
        Retention::DeleteAfterDownload => true,
        Retention::DeleteAfterDays(days) => now >= row.stored + i64::from(days) * DAY,
    };
    ledger
        .into_iter()
        .filter(|row| row.verified.is_some() && row.delete_confirmed.is_none())
        .filter(|row| !row.uidl.is_empty() && is_due(row))
        .map(|row| row.uidl.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use postern_bridge::{AccountId, MailboxId, MessageId};

    use super::*;

    fn row() -> LedgerRow {
        LedgerRow {
            account: AccountId(1),
            uidl: b"u".to_vec(),
            message: MessageId { mailbox: MailboxId(1), uid: 1 },
            listed_size: 1,
            size: 1,
            sha256: [0; 32],
            first_seen: 0,
            stored: 1000,
            verified: Some(1000),
            deleted_here: None,
            delete_asked: None,
            delete_confirmed: None,
        }
    }

    #[test]
    fn the_policy_decides_what_is_due() {
        use Retention as R;
        let cases = [
            (R::Keep, i64::MAX, false),
            (R::DeleteAfterDownload, 1000, true),
            (R::DeleteAfterDays(0), 1000, true),
            (R::DeleteAfterDays(14), 1000 + 14 * DAY - 1, false),
            (R::DeleteAfterDays(14), 1000 + 14 * DAY, true),
            (R::DeleteAfterDays(u16::MAX), 1000 + 365 * DAY, false),
            // A clock that was set back deletes nothing.
            (R::DeleteAfterDays(1), 0, false),
        ];
        for (policy, now, expected) in cases {
            assert_eq!(!due(policy, [&row()], now).is_empty(), expected, "{policy:?} at {now}");
        }
    }

    #[test]
    fn only_what_is_verified_named_and_still_there_is_ever_due() {
        let rows = [
            LedgerRow { verified: None, ..row() },
            LedgerRow { uidl: Vec::new(), ..row() },
            LedgerRow { delete_confirmed: Some(1), ..row() },
        ];
        assert!(due(Retention::DeleteAfterDownload, &rows, i64::MAX).is_empty());
    }

    #[test]
    fn what_was_asked_but_not_confirmed_is_asked_again() {
        let asked = LedgerRow { delete_asked: Some(1), ..row() };
        assert_eq!(due(Retention::DeleteAfterDownload, [&asked], 1000), [b"u".to_vec()]);
    }
}
