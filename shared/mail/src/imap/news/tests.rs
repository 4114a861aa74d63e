//! News of mailboxes in memory.

use postern_imap::response::{GmailItems, Status, StatusKind, Vanished};

use super::*;

fn flags(sequence: u32, uid: Option<u32>) -> Response {
    let flags = Some(vec![Flag::Seen]);
    Response::Fetch(Box::new(Fetch { sequence, uid, flags, ..Fetch::default() }))
}

/// What is told of a mailbox with the messages 10, 20 and 30.
fn told(responses: &[Response]) -> News {
    let mut news = News { exists: 3, ..News::default() };
    news.set_order(vec![10, 20, 30]);
    for response in responses {
        news.note(response);
    }
    news
}

fn vanished(news: &News) -> Vec<u32> {
    news.told.vanished.iter().flat_map(SequenceSet::numbers).collect()
}

fn flagged(news: &News) -> Vec<u32> {
    news.told.marks.keys().copied().collect()
}

#[test]
fn sequence_numbers_become_uids_and_move_up_after_each_expunge() {
    let news = told(&[Response::Expunge(1), Response::Expunge(1), flags(1, None)]);
    assert_eq!((vanished(&news), flagged(&news)), (vec![10, 20], vec![30]));
    assert!(!news.arrived && !news.lost);
}

#[test]
fn what_comes_and_goes_behind_the_known_messages_is_no_loss() {
    let mut news = told(&[Response::Exists(5), flags(4, None), Response::Expunge(5)]);
    assert!(!news.lost && !news.is_empty());
    assert_eq!((vanished(&news).len(), flagged(&news).len()), (0, 0));
    assert_eq!((news.take_arrived(), news.take_arrived()), (Some(4), None));
    news.extend_order([40].into_iter());
    news.note(&Response::Expunge(4));
    assert_eq!(vanished(&news), [40]);
}

#[test]
fn uids_are_taken_where_the_server_tells_them() {
    let uids = SequenceSet::parse(b"20:25").unwrap();
    let gone = Response::Vanished(Vanished { earlier: false, uids });
    let mut news = News::default();
    assert!(news.note(&flags(1, Some(30))) && news.note(&gone));
    assert_eq!(vanished(&news), [20, 21, 22, 23, 24, 25]);
    assert_eq!(flagged(&news), [30]);
    news.take_told();
    assert!(news.is_empty());
}

#[test]
fn what_can_not_be_told_apart_makes_a_comparison_necessary() {
    assert!(told(&[Response::Exists(2)]).lost, "messages went without a word");
    for response in [Response::Expunge(1), flags(1, None)] {
        let mut news = News::default();
        news.note(&response);
        assert!(news.is_lost(), "{response:?}");
    }
    let mut unread = told(&[Response::Exists(5)]);
    unread.extend_order([40].into_iter());
    unread.note(&Response::Expunge(4));
    assert!(unread.lost, "which of the new ones went is not known");
}

#[test]
fn numbers_are_not_trusted_after_a_departure_that_makes_no_sense() {
    let doubted = |defect| {
        let mut news = told(&[]);
        news.doubt(&defect);
        news.note(&Response::Expunge(1));
        (news.lost, vanished(&news))
    };
    let senseless = |name: &str| Defect::Senseless(name.into());
    let nothing = Contradiction::ExpungedNothing { number: 9, exists: 3 };
    for defect in [senseless("EXPUNGE"), senseless("VANISHED"), nothing.into()] {
        assert_eq!(doubted(defect), (true, vec![]));
    }
    assert_eq!(doubted(senseless("FETCH")), (false, vec![10]));
}

#[test]
fn what_happens_behind_the_known_messages_counts_only_while_those_are_asked_for() {
    let mut news = told(&[]);
    news.go_ahead();
    news.note(&Response::Exists(4));
    let mut known = news.clone();
    known.extend_order([40].into_iter());
    for response in [Response::Exists(5), flags(5, None), Response::Expunge(5)] {
        known.note(&response);
    }
    assert!(!known.lost);
    news.note(&flags(4, None));
    assert!(news.lost);
}

#[test]
fn numbers_are_not_trusted_after_one_went_that_was_not_known() {
    let mut news = News { exists: 3, ..News::default() };
    news.note(&Response::Expunge(1));
    news.set_order(vec![10, 20, 30]);
    news.note(&Response::Expunge(1));
    assert!(news.lost && vanished(&news).is_empty(), "it may be 10 or 20");
}

#[test]
fn what_belongs_to_the_mailbox_before_is_dropped() {
    let closed = Status { kind: StatusKind::Ok, code: Some(Code::Closed), text: String::new() };
    let news = told(&[Response::Expunge(1), Response::Status(closed)]);
    assert_eq!(news, News::default());
}

#[test]
fn news_up_to_the_limit_are_kept_and_more_make_a_comparison_necessary() {
    let lost = |count: usize| {
        let mut news = News::default();
        for uid in 0..u32::try_from(count).unwrap() {
            news.note(&flags(1, Some(uid + 1)));
        }
        news.lost
    };
    assert_eq!([lost(limits::NEWS), lost(limits::NEWS + 1)], [false, true]);
}

#[test]
fn news_are_lost_when_they_take_up_too_much() {
    let lost = |count: u32, keyword: usize| {
        let mut news = News::default();
        for uid in 1..=count {
            let flags = Some(vec![Flag::Other("x".repeat(keyword).into())]);
            let fetch = Fetch { uid: Some(uid), flags, ..Fetch::default() };
            news.note(&Response::Fetch(Box::new(fetch)));
        }
        news.lost
    };
    assert_eq!([lost(63, 1 << 20), lost(64, 1 << 20), lost(5_000, 1_000)], [false, true, false]);
}

#[test]
fn labels_stay_told_when_only_flags_follow_and_take_up_room() {
    let mut news = News::default();
    let labels = Some(vec![vec![b'x'; 1 << 20]]);
    let gmail = GmailItems { labels: labels.clone(), ..GmailItems::default() };
    let fetch = |uid| Fetch { uid: Some(uid), flags: Some(Vec::new()), ..Fetch::default() };
    news.fetch(&Fetch { gmail: gmail.clone(), ..fetch(1) });
    news.note(&flags(1, Some(1)));
    assert_eq!(news.told.marks[&1], Marks { flags: vec![Flag::Seen], labels });
    for uid in 2..64 {
        news.fetch(&Fetch { gmail: gmail.clone(), ..fetch(uid) });
    }
    assert!(!news.lost);
    news.fetch(&Fetch { gmail, ..fetch(64) });
    assert!(news.lost);
}

#[test]
fn when_all_is_lost_no_number_is_moved_up_any_more() {
    let count = 100_000;
    let mut news = News { exists: count, ..News::default() };
    news.set_order((1..=count).collect());
    // One after the other from the front, which moves all others.
    let gone = (1..=count).take_while(|_| {
        news.note(&Response::Expunge(1));
        !news.lost
    });
    let gone = gone.count();
    assert!((1_000..10_000).contains(&gone), "{gone}");
    assert_eq!(news.order, None);
    news.note(&Response::Expunge(1));
    assert!(news.lost && news.moved <= limits::MOVED + count as usize);
}

#[test]
fn a_message_that_was_asked_for_is_no_news() {
    let fetch = Fetch { uid: Some(1), envelope: Some(Default::default()), ..Fetch::default() };
    assert!(!News::default().note(&Response::Fetch(Box::new(fetch))));
}
