//! Which messages the server should delete, and whether this browser is fit to hold the only copy.

use postern_bridge::{DeletionHold, DeletionPreview, MailboxId, Retention};

use super::{DAY, LedgerRow, elapsed::Elapsed};

/// What decides whether mail may be deleted on a server because it is here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Safety {
    /// Whether the browser has promised not to clear its storage by itself.
    pub persistent: bool,
    /// Whether this is a public computer, which should not hold the only copy.
    pub public_computer: bool,
}

impl Safety {
    /// Why nothing may be deleted on the server; `unverified` is how many stored messages were not
    /// read back and compared.
    pub fn hold(self, unverified: usize) -> Option<DeletionHold> {
        if self.public_computer {
            Some(DeletionHold::PublicComputer)
        } else if !self.persistent {
            Some(DeletionHold::NotPersistent)
        } else {
            (unverified > 0).then_some(DeletionHold::Unverified)
        }
    }
}

/// The rows of the messages that `policy` wants deleted from the server at `now` (milliseconds since
/// 1970, UTC); `inbox` is where they were stored first. What goes by age goes by the time that has
/// certainly passed (`elapsed`).
///
/// Only messages are named that are on the server as far as is known, have a unique id, and were
/// read back from the store and verified. One of which only the header is here is named only if the
/// person has deleted it and the policy follows that.
pub fn due<'row>(
    policy: Retention,
    ledger: impl IntoIterator<Item = &'row LedgerRow>,
    inbox: MailboxId,
    now: i64,
    elapsed: &Elapsed,
) -> Vec<&'row LedgerRow> {
    let verified = ledger.into_iter().filter(|row| row.verified.is_some());
    due_once_verified(policy, verified, inbox, now, elapsed)
}

/// As [`due`], but whether the messages were verified or not.
fn due_once_verified<'row>(
    policy: Retention,
    ledger: impl IntoIterator<Item = &'row LedgerRow>,
    inbox: MailboxId,
    now: i64,
    elapsed: &Elapsed,
) -> Vec<&'row LedgerRow> {
    let is_due = move |row: &&LedgerRow| match policy {
        Retention::Keep | Retention::Secondary => false,
        Retention::DeleteAfterDownload => !row.partial,
        Retention::DeleteAfterDays(days) => {
            !row.partial && elapsed.since(row.stored, now) >= i64::from(days) * DAY
        }
        Retention::DeleteWhenDeletedHere => {
            row.deleted_here.is_some() || (!row.partial && row.message.mailbox != inbox)
        }
    };
    ledger.into_iter().filter(|row| is_deletable(row)).filter(is_due).collect()
}

/// Whether a message may be deleted at all, once it is verified.
fn is_deletable(row: &LedgerRow) -> bool {
    // Nobody has seen what a placeholder stands for.
    row.is_on_server() && !row.uidl.is_empty() && !row.is_placeholder()
}

/// Whether something would be due by this device's clock alone that is not due yet.
pub(super) fn is_held_by_clock<'row>(
    policy: Retention,
    ledger: impl Iterator<Item = &'row LedgerRow> + Clone,
    inbox: MailboxId,
    now: i64,
    elapsed: &Elapsed,
) -> bool {
    let due = |elapsed: &Elapsed| due(policy, ledger.clone(), inbox, now, elapsed).len();
    due(elapsed) < due(&Elapsed::default())
}

/// What `policy` would have deleted at `now`. What was not read back yet counts as well: the next
/// download does that first, and then deletes it with the others.
pub fn preview(
    policy: Retention,
    ledger: &[LedgerRow],
    inbox: MailboxId,
    now: i64,
    safety: Safety,
    elapsed: &Elapsed,
) -> DeletionPreview {
    // What was deleted here needs no reading back.
    let comes_to_it = |row: &&LedgerRow| {
        row.verified.is_some() || row.holds_deletions() || row.deleted_here.is_some()
    };
    let rows = || ledger.iter().filter(comes_to_it);
    let due = due_once_verified(policy, rows(), inbox, now, elapsed);
    let not_here = due.iter().filter(|row| row.deleted_here.is_some()).count();
    let waiting = match policy {
        Retention::DeleteAfterDays(_) => {
            let all = rows().filter(|row| is_deletable(row) && !row.partial).count();
            all - due.len()
        }
        _ => 0,
    };
    let by_clock = is_held_by_clock(policy, ledger.iter(), inbox, now, elapsed);
    let clock = by_clock.then_some(DeletionHold::Clock);
    let unverified = ledger.iter().filter(|row| row.holds_deletions()).count();
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    DeletionPreview {
        messages: count(due.len()),
        not_here: count(not_here),
        later: count(waiting),
        hold: safety.hold(unverified).filter(|_| policy.deletes()).or(clock),
    }
}

#[cfg(test)]
mod tests {
    use postern_bridge::MessageId;

    use super::{super::row::tests, *};

    const INBOX: MailboxId = MailboxId(1);
    const SAFE: Safety = Safety { persistent: true, public_computer: false };

    fn row() -> LedgerRow {
        tests::row("u")
    }

    fn is_due(policy: Retention, row: &LedgerRow, now: i64) -> bool {
        !due(policy, [row], INBOX, now, &Elapsed::default()).is_empty()
    }

    #[test]
    fn the_policy_decides_what_is_due() {
        use Retention as R;
        let cases = [
            (R::Keep, i64::MAX, false),
            (R::Secondary, i64::MAX, false),
            (R::DeleteWhenDeletedHere, i64::MAX, false),
            (R::DeleteAfterDownload, 1000, true),
            (R::DeleteAfterDays(0), 1000, true),
            (R::DeleteAfterDays(14), 1000 + 14 * DAY - 1, false),
            (R::DeleteAfterDays(14), 1000 + 14 * DAY, true),
            (R::DeleteAfterDays(u16::MAX), 1000 + 365 * DAY, false),
            // A clock that was set back deletes nothing.
            (R::DeleteAfterDays(1), 0, false),
            (R::DeleteAfterDays(1), i64::MIN, false),
        ];
        for (policy, now, expected) in cases {
            assert_eq!(is_due(policy, &row(), now), expected, "{policy:?} at {now}");
        }
    }

    #[test]
    fn deleting_follows_what_was_deleted_here_or_moved_out_of_the_inbox() {
        let moved = MessageId { mailbox: MailboxId(2), uid: 1 };
        let moved = LedgerRow { message: moved, ..row() };
        let deleted = LedgerRow { deleted_here: Some(1), ..row() };
        for row in [&moved, &deleted] {
            assert!(is_due(Retention::DeleteWhenDeletedHere, row, 0));
            assert!(!is_due(Retention::Keep, row, 0));
            assert!(!is_due(Retention::Secondary, row, 0));
        }
    }

    #[test]
    fn a_message_of_which_only_the_header_is_here_is_due_only_when_the_person_deletes_it() {
        let partial = LedgerRow { partial: true, ..row() };
        let moved = MessageId { mailbox: MailboxId(2), uid: 1 };
        let moved = LedgerRow { message: moved, ..partial.clone() };
        let deleted = LedgerRow { deleted_here: Some(1), ..partial.clone() };
        use Retention as R;
        for policy in [R::DeleteAfterDownload, R::DeleteAfterDays(0), R::DeleteWhenDeletedHere] {
            for row in [&partial, &moved] {
                assert!(!is_due(policy, row, i64::MAX), "{policy:?}");
            }
        }
        assert!(is_due(R::DeleteWhenDeletedHere, &deleted, 0));
        assert!(!is_due(R::DeleteAfterDownload, &deleted, 0));
    }

    #[test]
    fn only_what_is_verified_named_and_still_there_is_ever_due() {
        for row in [
            LedgerRow { verified: None, ..row() },
            LedgerRow { uidl: Vec::new(), ..row() },
            LedgerRow { delete_confirmed: Some(1), ..row() },
            LedgerRow { gone: Some(1), ..row() },
            LedgerRow { partial: true, size: 0, deleted_here: Some(1), ..row() },
        ] {
            assert!(!is_due(Retention::DeleteWhenDeletedHere, &row, i64::MAX), "{row:?}");
            assert!(!is_due(Retention::DeleteAfterDownload, &row, i64::MAX), "{row:?}");
        }
    }

    #[test]
    fn a_leap_of_the_clock_makes_nothing_due() {
        let year = 365 * DAY;
        let mut elapsed = Elapsed::default();
        elapsed.observe(1000, None);
        elapsed.observe(1000 + year, None);
        let policy = Retention::DeleteAfterDays(14);
        let (row, now) = (row(), 1000 + year);
        let is_due = |now| !due(policy, [&row], INBOX, now, &elapsed).is_empty();
        let rows = std::slice::from_ref(&row);
        assert!(!is_due(now) && !is_due(now + 11 * DAY - 1) && is_due(now + 11 * DAY));
        assert!(is_held_by_clock(policy, rows.iter(), INBOX, now, &elapsed));
        assert!(!is_held_by_clock(policy, rows.iter(), INBOX, now + 11 * DAY, &elapsed));
        assert!(!is_held_by_clock(Retention::Keep, rows.iter(), INBOX, now, &elapsed));
        let told = preview(policy, rows, INBOX, now, SAFE, &elapsed);
        assert_eq!((told.messages, told.later, told.hold), (0, 1, Some(DeletionHold::Clock)));
    }

    #[test]
    fn what_was_asked_but_not_confirmed_is_asked_again() {
        let asked = LedgerRow { delete_asked: Some(1), ..row() };
        assert!(is_due(Retention::DeleteAfterDownload, &asked, 1000));
    }

    #[test]
    fn a_preview_counts_what_goes_now_what_goes_later_and_what_is_nowhere_else() {
        let rows = [
            LedgerRow { stored: 0, ..row() },
            LedgerRow { stored: 0, deleted_here: Some(1), ..row() },
            LedgerRow { stored: 10 * DAY, ..row() },
            LedgerRow { stored: 0, partial: true, ..row() },
            LedgerRow { stored: 0, delete_confirmed: Some(1), ..row() },
        ];
        let preview = |policy| preview(policy, &rows, INBOX, 14 * DAY, SAFE, &Elapsed::default());
        let expected = DeletionPreview { messages: 2, not_here: 1, later: 1, hold: None };
        assert_eq!(preview(Retention::DeleteAfterDays(14)), expected);
        let expected = DeletionPreview { messages: 3, not_here: 1, later: 0, hold: None };
        assert_eq!(preview(Retention::DeleteAfterDownload), expected);
        assert_eq!(preview(Retention::Keep), DeletionPreview::default());
    }

    #[test]
    fn a_preview_counts_what_is_deleted_as_soon_as_it_was_read_back() {
        let unverified = LedgerRow { verified: None, stored: 0, ..row() };
        let rows = [
            LedgerRow { stored: 0, ..row() },
            unverified.clone(),
            LedgerRow { deleted_here: Some(1), ..unverified.clone() },
            LedgerRow { stored: 10 * DAY, ..unverified.clone() },
            // Damaged, as far as is known, and not handed out again.
            LedgerRow { refused: Some(1), ..unverified.clone() },
            // But deleted here, for which nothing is read back.
            LedgerRow { refused: Some(1), deleted_here: Some(1), ..unverified.clone() },
            // What is never deleted.
            LedgerRow { uidl: Vec::new(), ..unverified.clone() },
            LedgerRow { gone: Some(1), ..unverified.clone() },
            LedgerRow { partial: true, size: 0, ..unverified },
        ];
        let preview = |policy| preview(policy, &rows, INBOX, 14 * DAY, SAFE, &Elapsed::default());
        let hold = Some(DeletionHold::Unverified);
        let expected = DeletionPreview { messages: 4, not_here: 2, later: 1, hold };
        assert_eq!(preview(Retention::DeleteAfterDays(14)), expected);
        let expected = DeletionPreview { messages: 5, not_here: 2, later: 0, hold };
        assert_eq!(preview(Retention::DeleteAfterDownload), expected);
        let expected = DeletionPreview { messages: 2, not_here: 2, later: 0, hold };
        assert_eq!(preview(Retention::DeleteWhenDeletedHere), expected);
        assert_eq!(preview(Retention::Keep), DeletionPreview::default());
    }

    #[test]
    fn nothing_is_deleted_where_the_only_copy_would_not_be_safe() {
        let unsafe_ = |persistent, public_computer| Safety { persistent, public_computer };
        let cases = [
            (SAFE, 0, None),
            (SAFE, 1, Some(DeletionHold::Unverified)),
            (unsafe_(false, false), 0, Some(DeletionHold::NotPersistent)),
            (unsafe_(true, true), 0, Some(DeletionHold::PublicComputer)),
            (unsafe_(false, true), 1, Some(DeletionHold::PublicComputer)),
        ];
        for (safety, unverified, expected) in cases {
            assert_eq!(safety.hold(unverified), expected, "{safety:?}, {unverified}");
        }
        let unverified = [LedgerRow { verified: None, ..row() }];
        let held = |policy| preview(policy, &unverified, INBOX, 0, SAFE, &Elapsed::default()).hold;
        assert_eq!(held(Retention::DeleteAfterDownload), Some(DeletionHold::Unverified));
        assert_eq!(held(Retention::Keep), None, "what deletes nothing is not held up");
        let refused = [LedgerRow { verified: None, refused: Some(1), ..row() }];
        let preview =
            preview(Retention::DeleteAfterDownload, &refused, INBOX, 0, SAFE, &Elapsed::default());
        assert_eq!((preview.hold, preview.messages), (None, 0), "only the damaged one is held");
    }
}
