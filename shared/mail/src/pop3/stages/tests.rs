use postern_bridge::MessageId;

use super::{
    super::{
        listing::tests::{listed, listing},
        row::tests::row,
        tests::account,
    },
    *,
};

const INBOX: MailboxId = MailboxId(1);
const NOW: i64 = 5000;

/// How a message stands when deletions begin.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Seen {
    /// Stored in this session.
    Stored,
    /// Handed out in this session, stored by an earlier one.
    HandedOut,
    /// Only listed.
    Listed,
}

/// What the world does with a message on its way.
#[derive(Clone, Copy, Debug)]
struct Way {
    seen: Seen,
    verdict: Option<Verdict>,
    /// Whether all of it was handed out to compare it.
    whole: bool,
    intact: bool,
    marked: bool,
}

impl Way {
    fn all() -> Vec<Self> {
        let mut all = Vec::new();
        let verdicts = [None, Some(Verdict::Same), Some(Verdict::Other), Some(Verdict::Withheld)];
        for seen in [Seen::Stored, Seen::HandedOut, Seen::Listed] {
            for verdict in verdicts {
                for bits in 0..8 {
                    let [whole, intact, marked] = [1, 2, 4].map(|bit| bits & bit != 0);
                    all.push(Self { seen, verdict, whole, intact, marked });
                }
            }
        }
        all
    }

    fn was_handed_out(self) -> bool {
        self.seen != Seen::Listed || (self.whole && self.verdict.is_some())
    }

    /// Whether it is due, and was compared.
    fn is_certain(self) -> bool {
        self.seen != Seen::Listed || self.verdict == Some(Verdict::Same)
    }

    /// Whether it is certain that the server's message can be read here as it came.
    fn is_safe(self) -> bool {
        self.is_certain() && (self.seen == Seen::Stored || self.intact)
    }
}

/// The end of a session.
#[derive(Debug)]
enum End {
    /// QUIT, and what is noted.
    Quit(Vec<LedgerRow>),
    /// QUIT, with nothing to delete.
    Polite,
    /// No QUIT.
    Left,
}

/// Takes messages through all stages; `last_look` may find something else than is there.
fn walk(
    ways: &[Way],
    deletes_by_itself: bool,
    last_look: impl Fn(Marked, Look<'_>) -> Option<Noted>,
) -> End {
    let name = |at: usize| format!("u{at}");
    let number = |at: usize| u32::try_from(at).unwrap() + 1;
    let listed: Vec<_> = (0..ways.len()).map(|at| listed(number(at), 1, &name(at))).collect();
    let ledger: Ledger = (0..ways.len()).map(|at| row(&name(at))).collect();
    let select = |is: &dyn Fn(&Way) -> bool| -> Vec<usize> {
        ways.iter().enumerate().filter(|(_, way)| is(way)).map(|(at, _)| at).collect()
    };
    let names = |is: &dyn Fn(&Way) -> bool| -> Names {
        select(is).into_iter().map(|at| name(at).into_bytes()).collect()
    };
    let numbers = |is: &dyn Fn(&Way) -> bool| -> BTreeSet<u32> {
        select(is).into_iter().map(number).collect()
    };
    let known = Known {
        compared: names(&|way| way.seen != Seen::Listed),
        stored: names(&|way| way.seen == Seen::Stored),
        ..Known::default()
    };
    let elapsed = Elapsed::default();
    let rule = Rule { policy: Retention::DeleteAfterDownload, inbox: INBOX, elapsed: &elapsed };
    let due = Due::new(rule, &ledger, &listing(&listed), &known, deletes_by_itself, NOW);
    let verdicts = ways.iter().enumerate();
    let verdicts = verdicts.filter_map(|(at, way)| Some((number(at), way.verdict?))).collect();
    let whole = numbers(&|way| way.whole && way.verdict.is_some());
    let (compared, others) = due.compared(&verdicts, &whole);
    let is_other = |way: &Way| way.seen == Seen::Listed && way.verdict == Some(Verdict::Other);
    assert_eq!(others.iter().map(LedgerRow::name).collect::<Names>(), names(&is_other));
    let Some(intact) = compared.read_back(&names(&|way| way.intact)) else { return End::Left };
    let marked = intact.marked(&numbers(&|way| way.marked));
    if marked.is_empty() {
        return End::Polite;
    }
    let rows: Vec<LedgerRow> =
        marked.names().filter_map(|name| ledger.named(name).cloned()).collect();
    let account = account(Retention::DeleteAfterDownload);
    let found = Look {
        begun: &account,
        present: &account,
        hold: None,
        rows: &rows,
        inbox: INBOX,
        elapsed: &elapsed,
        now: NOW,
    };
    match last_look(marked, found) {
        Some(noted) => End::Quit(noted.rows().to_vec()),
        None => End::Left,
    }
}

/// Each way of two messages through all stages, at servers of both kinds.
#[test]
fn quit_deletes_nothing_but_what_is_compared_intact_and_noted() {
    let mut quits = 0;
    for first in Way::all() {
        for second in Way::all() {
            for by_itself in [false, true] {
                let ways = [first, second];
                let end = walk(&ways, by_itself, Marked::looked);
                let goes_anyway = |way: &Way| by_itself && way.was_handed_out();
                let deleted: Vec<Vec<u8>> = match &end {
                    End::Left => {
                        assert!(by_itself, "{ways:?}: an ordinary server may always be told");
                        let harm = |way: &Way| {
                            (way.was_handed_out() || way.is_certain()) && !way.is_safe()
                        };
                        assert!(ways.iter().any(harm), "{ways:?}: nothing speaks against it");
                        continue;
                    }
                    End::Polite => Vec::new(),
                    End::Quit(rows) => rows.iter().map(LedgerRow::name).collect(),
                };
                quits += usize::from(matches!(end, End::Quit(_)));
                for (at, way) in ways.iter().enumerate() {
                    let is_deleted = deleted.contains(&format!("u{at}").into_bytes());
                    assert_eq!(is_deleted, way.is_safe() && way.marked, "{ways:?}, {end:?}");
                    if goes_anyway(way) {
                        assert!(way.is_safe(), "{ways:?}: QUIT would lose message {at}");
                    }
                }
                if let End::Quit(rows) = end {
                    assert!(rows.iter().all(|row| row.delete_asked == Some(NOW)));
                }
            }
        }
    }
    assert!(quits > 1000, "{quits}");
}

#[test]
fn what_the_last_look_finds_holds_it_up() {
    let way = Way { seen: Seen::Stored, verdict: None, whole: false, intact: true, marked: true };
    let ways = [way, way];
    assert!(matches!(walk(&ways, false, Marked::looked), End::Quit(rows) if rows.len() == 2));
    let policy = |retention| account(retention);
    let (kept, secondary) = (policy(Retention::Keep), policy(Retention::Secondary));
    let elsewhere = {
        let mut account = account(Retention::DeleteAfterDownload);
        account.incoming.username.push('x');
        account
    };
    for present in [&kept, &secondary, &elsewhere] {
        let end = walk(&ways, false, |marked, look| marked.looked(Look { present, ..look }));
        assert!(matches!(end, End::Left), "{present:?}: {end:?}");
    }
    let hold = Some(DeletionHold::NotPersistent);
    let end = walk(&ways, false, |marked, look| marked.looked(Look { hold, ..look }));
    assert!(matches!(end, End::Left), "{end:?}");
    let end =
        walk(&ways, false, |marked, look| marked.looked(Look { rows: &look.rows[1..], ..look }));
    assert!(matches!(end, End::Left), "{end:?}");
    let [damaged, other] = ["u0", "u1"].map(row);
    let rows = [LedgerRow { verified: None, ..damaged }, other];
    let end = walk(&ways, false, |marked, look| marked.looked(Look { rows: &rows, ..look }));
    assert!(matches!(end, End::Left), "{end:?}");
}

/// One that was moved back while the session went on is not deleted, nor are the others with it: the
/// next session asks for them again.
#[test]
fn a_message_that_is_moved_back_keeps_all_from_being_deleted() {
    let follows = account(Retention::DeleteWhenDeletedHere);
    let elapsed = Elapsed::default();
    let moved = |uidl| {
        let message = MessageId { mailbox: MailboxId(2), uid: 1 };
        LedgerRow { message, ..row(uidl) }
    };
    let known = Known::default();
    let rule = Rule { policy: follows.retention, inbox: INBOX, elapsed: &elapsed };
    let look = |rows: &[LedgerRow]| {
        let ledger: Ledger = ["a", "b"].map(moved).into_iter().collect();
        let listing = listing(&[listed(1, 1, "a"), listed(2, 1, "b")]);
        let due = Due::new(rule, &ledger, &listing, &known, false, NOW);
        let verdicts = [(1, Verdict::Same), (2, Verdict::Same)].into();
        let (compared, _) = due.compared(&verdicts, &BTreeSet::new());
        let unread = compared.unread();
        assert_eq!(unread.len(), 2);
        let marked = compared.read_back(&unread).unwrap().marked(&[1, 2].into());
        let (begun, present) = (&follows, &follows);
        let elapsed = &elapsed;
        marked.looked(Look { begun, present, hold: None, rows, inbox: INBOX, elapsed, now: NOW })
    };
    let noted = look(&["a", "b"].map(moved)).unwrap();
    assert!(noted.confirmed(NOW + 1).iter().all(|row| row.delete_confirmed == Some(NOW + 1)));
    assert!(look(&[moved("a"), row("b")]).is_none());
}

#[test]
fn what_may_be_deleted_is_decided_with_the_account_as_it_is_now() {
    use Retention::{DeleteAfterDownload, Keep, Secondary};
    let begun = account(DeleteAfterDownload);
    let hold = Some(DeletionHold::Unverified);
    let cases = [
        // Policy, hold, a server that deletes by itself; the policy that holds, and what is told.
        (DeleteAfterDownload, None, false, Some(DeleteAfterDownload), None),
        (DeleteAfterDownload, hold, false, Some(Keep), hold),
        (Keep, hold, false, Some(Keep), None),
        (Secondary, hold, false, Some(Keep), None),
        (DeleteAfterDownload, None, true, Some(DeleteAfterDownload), None),
        (Keep, None, true, Some(Keep), None),
        (DeleteAfterDownload, hold, true, None, hold),
        (Keep, hold, true, None, hold),
        (Secondary, None, true, None, None),
        (Secondary, hold, true, None, None),
    ];
    for (policy, hold, deletes_by_itself, expected, told) in cases {
        let present = account(policy);
        let fetched = Fetched { begun: &begun, present: &present, hold, deletes_by_itself };
        let found = (fetched.policy(), fetched.told_hold());
        assert_eq!(found, (expected, told), "{policy:?}, {hold:?}, {deletes_by_itself}");
    }
    let mut elsewhere = account(DeleteAfterDownload);
    elsewhere.incoming.username.push('x');
    for (deletes_by_itself, expected) in [(false, Some(Keep)), (true, None)] {
        let present = &elsewhere;
        let fetched = Fetched { begun: &begun, present, hold: None, deletes_by_itself };
        assert_eq!(fetched.policy(), expected);
    }
}
