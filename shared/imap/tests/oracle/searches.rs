//! What is written here as a client to search for messages.

use imap_codec::imap_types::{
    command::CommandBody, core::AString, datetime::NaiveDate, search::SearchKey as TheirKey,
};
use postern_imap::{
    Command,
    command::{SearchKey, SearchReturn, SortBy, SortKey, ThreadAlgorithm},
    response::{Day, Flag},
};

use crate::{
    Noise,
    commands::{CASES, decoded, number, text, uids},
    responses::set_of,
};

#[test]
fn searches_mean_the_same() {
    for seed in 0..CASES {
        let mut noise = Noise(seed);
        let keys: Vec<_> = (0..=noise.below(4)).map(|_| search_key(&mut noise, 4)).collect();
        let search = Command::uid_search(&keys, SearchReturn::Plain).unwrap();
        let CommandBody::Search { criteria, uid: true, .. } = decoded(search) else {
            panic!("another command");
        };
        assert_eq!(criteria.as_ref().iter().map(key).collect::<Vec<_>>(), keys);

        let order = [SortKey { by: SortBy::Date, reverse: true }];
        let sort = Command::uid_sort(&order, &keys).unwrap();
        let CommandBody::Sort { search_criteria, uid: true, .. } = decoded(sort) else {
            panic!("another command");
        };
        assert_eq!(search_criteria.as_ref().iter().map(key).collect::<Vec<_>>(), keys);

        let threads = Command::uid_thread(ThreadAlgorithm::References, &keys).unwrap();
        let CommandBody::Thread { search_criteria, uid: true, .. } = decoded(threads) else {
            panic!("another command");
        };
        assert_eq!(search_criteria.as_ref().iter().map(key).collect::<Vec<_>>(), keys);
    }
}

fn search_key(noise: &mut Noise, depth: u64) -> SearchKey {
    let kinds = if depth == 0 { 22 } else { 25 };
    match noise.below(kinds) {
        0 => SearchKey::All,
        1 => SearchKey::Flag(search_flag(noise)),
        2 => SearchKey::NoFlag(search_flag(noise)),
        3 => SearchKey::Recent,
        4 => SearchKey::Uid(uids(noise)),
        5 => SearchKey::Sequence(uids(noise)),
        6 => SearchKey::Text(text(noise)),
        7 => SearchKey::Body(text(noise)),
        8 => SearchKey::Subject(text(noise)),
        9 => SearchKey::From(text(noise)),
        10 => SearchKey::To(text(noise)),
        11 => SearchKey::Cc(text(noise)),
        12 => SearchKey::Bcc(text(noise)),
        13 => SearchKey::Header { name: text(noise), value: text(noise) },
        14 => SearchKey::Before(day(noise)),
        15 => SearchKey::On(day(noise)),
        16 => SearchKey::Since(day(noise)),
        17 => SearchKey::SentSince(day(noise)),
        18 => SearchKey::Larger(number(noise).into()),
        19 => SearchKey::Smaller(number(noise).into()),
        20 => SearchKey::Older(number(noise)),
        21 => SearchKey::ModSeq(number(noise).into()),
        22 => SearchKey::negate(search_key(noise, depth - 1)),
        23 => SearchKey::or(search_key(noise, depth - 1), search_key(noise, depth - 1)),
        _ => {
            let keys = 2 + noise.below(3);
            SearchKey::And((0..keys).map(|_| search_key(noise, depth - 1)).collect())
        }
    }
}

fn key(theirs: &TheirKey<'_>) -> SearchKey {
    let text = |text: &AString<'_>| String::from_utf8(text.as_ref().to_vec()).unwrap();
    match theirs {
        TheirKey::And(keys) => SearchKey::And(keys.as_ref().iter().map(key).collect()),
        TheirKey::SequenceSet(set) => SearchKey::Sequence(set_of(set).unwrap()),
        TheirKey::All => SearchKey::All,
        TheirKey::Answered => SearchKey::Flag(Flag::Answered),
        TheirKey::Bcc(own) => SearchKey::Bcc(text(own)),
        TheirKey::Before(own) => SearchKey::Before(their_day(own)),
        TheirKey::Body(own) => SearchKey::Body(text(own)),
        TheirKey::Cc(own) => SearchKey::Cc(text(own)),
        TheirKey::Deleted => SearchKey::Flag(Flag::Deleted),
        TheirKey::From(own) => SearchKey::From(text(own)),
        TheirKey::Header(name, value) => SearchKey::Header { name: text(name), value: text(value) },
        TheirKey::Keyword(own) => SearchKey::Flag(Flag::parse(own.as_ref())),
        TheirKey::Larger(bytes) => SearchKey::Larger((*bytes).into()),
        TheirKey::ModSequence { entry: None, modseq } => SearchKey::ModSeq(*modseq),
        TheirKey::Not(own) => SearchKey::negate(key(own)),
        TheirKey::Older(seconds) => SearchKey::Older(seconds.get()),
        TheirKey::On(own) => SearchKey::On(their_day(own)),
        TheirKey::Or(one, other) => SearchKey::or(key(one), key(other)),
        TheirKey::Recent => SearchKey::Recent,
        TheirKey::SentSince(own) => SearchKey::SentSince(their_day(own)),
        TheirKey::Since(own) => SearchKey::Since(their_day(own)),
        TheirKey::Smaller(bytes) => SearchKey::Smaller((*bytes).into()),
        TheirKey::Subject(own) => SearchKey::Subject(text(own)),
        TheirKey::Text(own) => SearchKey::Text(text(own)),
        TheirKey::To(own) => SearchKey::To(text(own)),
        TheirKey::Uid(set) => SearchKey::Uid(set_of(set).unwrap()),
        TheirKey::Unanswered => SearchKey::NoFlag(Flag::Answered),
        TheirKey::Undeleted => SearchKey::NoFlag(Flag::Deleted),
        TheirKey::Unkeyword(own) => SearchKey::NoFlag(Flag::parse(own.as_ref())),
        other => panic!("not asked for: {other:?}"),
    }
}

fn their_day(theirs: &NaiveDate) -> Day {
    let shown = theirs.as_ref().to_string();
    let mut fields = shown.split('-').map(|field| field.parse::<u16>().unwrap());
    let mut next = || fields.next().unwrap();
    Day::new(next(), next() as u8, next() as u8).unwrap()
}

fn day(noise: &mut Noise) -> Day {
    Day::of(i64::from(number(noise)), 0).unwrap()
}

fn search_flag(noise: &mut Noise) -> Flag {
    [Flag::Answered, Flag::Deleted, Flag::Other("$Junk".into()), Flag::Other("a[b".into())]
        [noise.below(4) as usize]
        .clone()
}
