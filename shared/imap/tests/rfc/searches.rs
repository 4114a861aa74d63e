//! RFC 4731, RFC 5182, RFC 5256, RFC 9394, RFC 5032.

use postern_imap::{
    Command, Response,
    command::{
        FetchItem, FetchOptions, SearchKey, SearchOptions, SearchReturn, SortBy, SortKey,
        ThreadAlgorithm, Uids, Window,
    },
    response::{Code, Day, Flag, PartialResult},
};

use crate::{ended, found, response, said, set};

fn search(options: SearchOptions, keys: &[SearchKey]) -> String {
    said(Command::uid_search(keys, SearchReturn::Options(options)).unwrap())
}

fn flagged_since() -> [SearchKey; 3] {
    [
        SearchKey::Flag(Flag::Flagged),
        SearchKey::Since(Day::new(1994, 2, 1).unwrap()),
        SearchKey::negate(SearchKey::From("Smith".into())),
    ]
}

#[test]
fn bounds_and_counts_are_asked_for() {
    let options = SearchOptions { min: true, count: true, ..SearchOptions::default() };
    assert_eq!(
        search(options, &flagged_since()),
        r#"UID SEARCH RETURN (MIN COUNT) FLAGGED SINCE 1-Feb-1994 NOT FROM "Smith""#
    );
    let result = found(r#"* ESEARCH (TAG "A282") MIN 2 COUNT 3"#);
    assert_eq!((result.tag.as_deref(), result.min, result.count), (Some("A1"), Some(2), Some(3)));
    assert_eq!(found(r#"* ESEARCH (TAG "A283") ALL 2,10:11"#).all, Some(set("2,10:11")));
    let result = found(r#"* ESEARCH (TAG "A285") UID MIN 7 MAX 3800"#);
    assert_eq!((result.uid, result.min, result.max), (true, Some(7), Some(3800)));
}

#[test]
fn a_result_is_kept_and_used() {
    let options = SearchOptions { save: true, ..SearchOptions::default() };
    assert_eq!(
        search(options, &flagged_since()),
        r#"UID SEARCH RETURN (SAVE) FLAGGED SINCE 1-Feb-1994 NOT FROM "Smith""#
    );
    let fetch = Command::uid_fetch(Uids::Saved, &[FetchItem::Flags]).unwrap();
    assert_eq!(said(fetch), "UID FETCH $ (UID FLAGS)");
    let copy = Command::uid_copy(Uids::Saved, b"Other Messages").unwrap();
    assert_eq!(said(copy), r#"UID COPY $ "Other Messages""#);
    let again = [SearchKey::Saved, SearchKey::Smaller(4096)];
    assert_eq!(search(SearchOptions::default(), &again), "UID SEARCH RETURN () $ SMALLER 4096");
    let end = ended("A304 NO [NOTSAVED] The search result variable is too large");
    assert_eq!(end.code, Some(Code::NotSaved));
}

#[test]
fn messages_are_sorted() {
    let by = |by, reverse| SortKey { by, reverse };
    let sort =
        Command::uid_sort(&[by(SortBy::Subject, false), by(SortBy::Date, true)], &[SearchKey::All])
            .unwrap();
    assert_eq!(said(sort), "UID SORT (SUBJECT REVERSE DATE) UTF-8 ALL");
    let Response::Sort(result) = response("* SORT 2 84 882") else { panic!("not sorted") };
    assert_eq!(result.numbers, [2, 84, 882]);
    let Response::Sort(result) = response("* SORT") else { panic!("not sorted") };
    assert!(result.numbers.is_empty());
}

#[test]
fn messages_are_put_into_threads() {
    let keys = [SearchKey::Since(Day::new(2000, 3, 5).unwrap()), SearchKey::Text("gewp".into())];
    let thread = Command::uid_thread(ThreadAlgorithm::References, &keys).unwrap();
    assert_eq!(said(thread), r#"UID THREAD REFERENCES UTF-8 SINCE 5-Mar-2000 TEXT "gewp""#);
    let Response::Threads(threads) = response(
        "* THREAD (166)(167)(168)(169)(172)((170)(179))(171)(173)(174 (175)(176)(178)(181)(180))\
         ((177)(183)(182)(188 (184)(189))(185 186)(187))(190)(191)(192)(193)((194)(195 196))\
         (197 198)(199)(200 202)(201)(203)(204)(205 206 207)(208)",
    ) else {
        panic!("no threads");
    };
    assert_eq!(threads.len(), 23);
    assert_eq!(threads.iter().map(|thread| thread.messages.len()).sum::<usize>(), 43);
    // 184 and 189 answer 188, which has no parent here.
    let answers: Vec<_> = threads[9]
        .messages
        .iter()
        .filter_map(|own| Some((own.number, threads[9].messages[own.parent?].number)))
        .collect();
    assert_eq!(answers, [(184, 188), (189, 188), (186, 185)]);
}

#[test]
fn results_come_in_windows() {
    let options =
        SearchOptions { window: Some(Window::newest(1..=100)), ..SearchOptions::default() };
    let keys = [SearchKey::NoFlag(Flag::Deleted), SearchKey::NoFlag(Flag::Other("$Junk".into()))];
    assert_eq!(
        search(options, &keys),
        "UID SEARCH RETURN (PARTIAL -1:-100) UNDELETED UNKEYWORD $Junk"
    );
    let result = found(r#"* ESEARCH (TAG "A01") UID PARTIAL (-1:-100 200:250,252:300)"#);
    let found_there = Some(set("200:250,252:300"));
    assert_eq!(result.partial, Some(PartialResult { first: -1, last: -100, found: found_there }));
    let result = found(r#"* ESEARCH (TAG "A04") UID PARTIAL (24000:24500 NIL)"#);
    assert_eq!(result.partial.unwrap().found, None);
    let options = FetchOptions {
        changed_since: Some(98305),
        window: Some(Window::newest(1..=30)),
        ..FetchOptions::default()
    };
    let fetch =
        Command::uid_fetch_with(&set("25900:26600"), &[FetchItem::Flags], &options).unwrap();
    assert_eq!(
        said(fetch),
        "UID FETCH 25900:26600 (UID FLAGS) (CHANGEDSINCE 98305 PARTIAL -1:-30)"
    );
}

#[test]
fn ages_are_searched_for() {
    let keys = [SearchKey::Unseen, SearchKey::Younger(259_200)];
    let search = Command::uid_search(&keys, SearchReturn::Plain).unwrap();
    assert_eq!(said(search), "UID SEARCH UNSEEN YOUNGER 259200");
}
