//! Servers whose unique ids are nothing but the messages' numbers, while others delete there.

use std::time::Duration;

use postern_bridge::Retention::{DeleteAfterDownload, Keep};

use super::{identity::mail, *};
use crate::{
    pop3::{
        DownloadStep,
        limits::{BATCH_MESSAGES, MAX_ALIKE},
    },
    store::MemoryStore,
    testing::FailingStore,
};

/// A message of one of two sizes; no other has this letter.
fn sized(letter: char, is_large: bool) -> Vec<u8> {
    mail(&letter.to_string().repeat(if is_large { 20 } else { 10 }))
}

/// Names the messages by where they are, where they are to be named so.
fn name(host: &TestHost<Maildrop>, is_numbered: bool) {
    if is_numbered {
        number(host);
    }
}

/// Names the messages by where they are.
fn number<D>(host: &TestHost<Maildrop, D>) {
    for (mail, number) in host.server.borrow_mut().messages.iter_mut().zip(1..) {
        mail.uidl = number.to_string();
    }
}

fn begun<D: Store + Default + 'static>(all: &[Vec<u8>]) -> TestHost<Maildrop, D> {
    let host = prepared(Maildrop::new(all), D::default());
    number(&host);
    run(&host, Keep).unwrap();
    host
}

/// One message goes and another one comes, at the end or at the beginning.
fn replace<D>(host: &TestHost<Maildrop, D>, at: usize, new: &[u8], newest_first: bool) {
    let messages = &mut host.server.borrow_mut().messages;
    messages.remove(at);
    let place = if newest_first { 0 } else { messages.len() };
    messages.insert(place, scripted::Mail { uidl: String::new(), raw: new.to_vec() });
}

/// Notes that a message is gone, since it was deleted from here.
fn note_deleted<D: Store>(host: &TestHost<Maildrop, D>, raw: &[u8]) {
    let rows = ledger(&host.store).into_iter();
    let mut own = rows.filter(|row| block_on(body(&host.store, row.message)).unwrap() == raw);
    let row = LedgerRow { delete_confirmed: Some(1), ..own.next().unwrap() };
    block_on(host.store.apply(vec![row.put()], Durability::Strict)).unwrap();
}

/// Copies of these come.
fn add_copies(host: &TestHost<Maildrop>, all: &[Vec<u8>]) {
    let copies = (0..).zip(all);
    let copies = copies.map(|(at, raw)| (format!("copy-{at}"), raw.clone()));
    let copies = copies.map(|(uidl, raw)| scripted::Mail { uidl, raw });
    host.server.borrow_mut().messages.extend(copies);
}

/// Each message is here twice.
fn assert_twice(host: &TestHost<Maildrop>, all: &[Vec<u8>]) {
    let (mut here, mut expected) = (stored(&host.store), [all, all].concat());
    here.sort();
    expected.sort();
    assert!(here == expected);
}

fn asked_for_headers(host: &TestHost<Maildrop>) -> usize {
    host.server.borrow().heard.matches("TOP").count()
}

#[test]
fn what_is_here_under_another_id_that_is_listed_as_it_was_puts_ids_in_doubt() {
    for deleted_by_us in [true, false] {
        let mut all = vec![sized('a', false), sized('b', true), sized('c', true)];
        let host = begun::<MemoryStore>(&all);
        if deleted_by_us {
            note_deleted(&host, &all[0]);
        }
        replace(&host, 0, &sized('d', true), false);
        number(&host);
        all.push(sized('d', true));
        // The second one has come under the first id, and is not stored once more.
        for downloaded in [0, 1, 0] {
            assert_eq!(run(&host, Keep).unwrap().downloaded, downloaded, "{deleted_by_us}");
        }
        assert_complete(&host, &all);
        let asked = asked_for_headers(&host);
        run(&host, Keep).unwrap();
        assert_eq!(asked_for_headers(&host), asked, "nothing is in doubt any more");
        assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 3);
        assert_complete(&host, &all);
    }
}

#[test]
fn a_copy_under_a_new_id_is_a_message_of_its_own() {
    // Where ids are numbers, the first one and the last one are compared, of which it is a copy.
    for (is_numbered, asked) in [(false, 0), (true, 2)] {
        let all = [mail("twin"), mail("other")];
        let host = prepared(Maildrop::new(&all), MemoryStore::new());
        name(&host, is_numbered);
        run(&host, Keep).unwrap();
        add_copies(&host, &all[..1]);
        name(&host, is_numbered);
        for (downloaded, here) in [(1, 3), (0, 3)] {
            assert_eq!(run(&host, Keep).unwrap().downloaded, downloaded);
            assert_eq!((stored(&host.store).len(), ledger(&host.store).len()), (here, here));
        }
        assert_eq!(asked_for_headers(&host), asked, "nothing is compared twice");
        assert_eq!(host.server.borrow().retrieved, 3, "nor fetched twice");
        assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 3);
    }
}

#[test]
fn copies_come_however_soon_the_connection_breaks() {
    for is_numbered in [false, true] {
        let all: Vec<_> = (100..200).map(|at| mail(&at.to_string().repeat(100))).collect();
        let host = prepared(Maildrop::new(&all), MemoryStore::new());
        name(&host, is_numbered);
        run(&host, Keep).unwrap();
        add_copies(&host, &all);
        name(&host, is_numbered);
        // Some thirty messages.
        host.cut.set(Some(24_000));
        assert!((0..10).any(|_| run(&host, Keep).is_ok()), "numbers: {is_numbered}");
        assert_twice(&host, &all);
    }
}

#[test]
fn copies_come_where_the_connection_breaks_at_headers() {
    let all = [mail("twin"), mail("other")];
    let host = begun::<MemoryStore>(&all);
    add_copies(&host, &all);
    number(&host);
    host.server.borrow_mut().hangs_at_top = true;
    let downloads: Vec<bool> = (0..6).map(|_| run(&host, Keep).is_ok()).collect();
    assert!(downloads[5], "{downloads:?}");
    assert_twice(&host, &all);
}

#[test]
fn what_is_held_back_and_compared_is_bounded() {
    let small = || (0..300).map(|at| mail(&at.to_string()));
    let large = |lines: usize| {
        let mail = move |at: usize| [mail(&at.to_string()), b"0123456789abcdef\r\n".repeat(lines)];
        (0..6).map(move |at| mail(at).concat()).collect()
    };
    let cases: [(Vec<Vec<u8>>, usize); 4] = [
        (small().collect(), BATCH_MESSAGES + 2),
        (small().map(|_| mail("same")).collect(), MAX_ALIKE + 2),
        // Four of them are a batch; besides, the first one and the last one are compared.
        (large(50_000), 4 + 1),
        // These are not held in memory.
        (large(65_000), 2),
    ];
    for (all, asked) in cases {
        let host = begun::<MemoryStore>(&all);
        add_copies(&host, &all);
        number(&host);
        run(&host, Keep).unwrap();
        assert_eq!(stored(&host.store).len(), 2 * all.len());
        let own = asked_for_headers(&host);
        assert!((2..=asked).contains(&own), "{own} of {} rather than {asked}", all.len());
    }
}

#[test]
fn what_is_held_back_counts_once_as_fetched() {
    let all = [mail("twin"), mail("other")];
    let host = begun::<MemoryStore>(&all);
    add_copies(&host, &all);
    number(&host);
    let (password, account) = (Secret::new("secret"), account(Keep));
    let job = Job { account: &account, password: &password, inbox: INBOX, safety: SAFE };
    let mut steps = Vec::new();
    block_on(download(&host, job, &mut |step| steps.push(step))).unwrap();
    let is_of_fetch = |step: &DownloadStep| !matches!(step, DownloadStep::LoggedIn { .. });
    steps.retain(is_of_fetch);
    assert_eq!(steps.remove(0), DownloadStep::Found { new: 2 });
    assert!(!steps.is_empty());
    for step in steps {
        assert_eq!(step, DownloadStep::Stored { done: 2, new: 2 });
    }
    assert_twice(&host, &all);
}

#[test]
fn a_copy_under_an_id_that_was_another_ones_puts_the_others_in_doubt() {
    let all = [sized('a', false), sized('x', true), sized('c', true)];
    let host = begun::<MemoryStore>(&all);
    // It was looked today whether messages have moved on.
    run(&host, Keep).unwrap();
    {
        let messages = &mut host.server.borrow_mut().messages;
        messages[0].raw = all[1].clone();
        messages[2].raw = sized('d', true);
    }
    for downloaded in [1, 1, 0] {
        assert_eq!(run(&host, Keep).unwrap().downloaded, downloaded);
    }
    let mut expected = [&all[..], &[sized('d', true), all[1].clone()]].concat();
    let mut here = stored(&host.store);
    expected.sort();
    here.sort();
    assert!(here == expected);
}

#[test]
fn a_doubt_that_comes_with_the_last_try_gets_its_own() {
    let mut all: Vec<_> = ('a'..='c').map(|letter| sized(letter, false)).collect();
    let host = prepared(Maildrop::new(&all), MemoryStore::new());
    run(&host, Keep).unwrap();
    let mut give_again = |at: usize, letter, is_large| {
        let raw = sized(letter, is_large);
        host.server.borrow_mut().messages[at].raw = raw.clone();
        all.push(raw);
    };
    give_again(0, 'x', true);
    host.server.borrow_mut().hangs_at_top = true;
    for _ in 0..3 {
        run(&host, Keep).unwrap_err();
    }
    give_again(1, 'y', true);
    give_again(2, 'z', false);
    run(&host, Keep).unwrap_err();
    host.server.borrow_mut().hangs_at_top = false;
    for _ in 0..2 {
        run(&host, Keep).unwrap();
    }
    assert_complete(&host, &all);
}

#[test]
fn whoever_deletes_whatever_in_between_nothing_stays_unseen_for_more_than_a_day() {
    let sizes = |number: usize| (0..3).map(move |at| number >> at & 1 == 1);
    for pattern in 0..8 {
        for (first, second) in (0..3).flat_map(|first| (0..3).map(move |second| (first, second))) {
            for choice in 0..16 {
                let [by_us, newest_first, large, other] = [1, 2, 4, 8].map(|bit| choice & bit > 0);
                let letters = ('a'..).zip(sizes(pattern));
                let mut all: Vec<_> = letters.map(|(own, large)| sized(own, large)).collect();
                let host = begun::<MemoryStore>(&all);
                for (at, letter, large) in [(first, 'x', large), (second, 'y', other)] {
                    let going = host.server.borrow().messages[at].raw.clone();
                    if by_us {
                        note_deleted(&host, &going);
                    }
                    replace(&host, at, &sized(letter, large), newest_first);
                    number(&host);
                    all.push(sized(letter, large));
                    host.advance(Duration::from_secs(24 * 60 * 60));
                    for _ in 0..3 {
                        run(&host, Keep).unwrap();
                    }
                    assert_complete(&host, &all);
                }
                assert_eq!(run(&host, DeleteAfterDownload).unwrap().deleted, 3);
                assert_complete(&host, &all);
            }
        }
    }
}

#[test]
fn ids_that_are_numbers_have_two_headers_compared_a_day() {
    let all: Vec<_> = ('a'..='f').map(|letter| sized(letter, false)).collect();
    let host = begun::<MemoryStore>(&all);
    for (hours, asked) in [(0, 2), (1, 2), (22, 2), (1, 4)] {
        host.advance(Duration::from_secs(hours * 60 * 60));
        run(&host, Keep).unwrap();
        assert_eq!(asked_for_headers(&host), asked, "{hours}");
    }
}

#[test]
fn a_server_that_breaks_off_at_headers_is_left_alone_with_them_in_the_end() {
    let mut all = vec![sized('a', false), sized('b', true), sized('c', true)];
    let host = begun::<MemoryStore>(&all);
    replace(&host, 0, &sized('d', false), false);
    number(&host);
    all.push(sized('d', false));
    host.server.borrow_mut().hangs_at_top = true;
    let downloads: Vec<bool> = (0..12).map(|_| run(&host, Keep).is_ok()).collect();
    assert!(downloads[10] && downloads[11], "{downloads:?}");
    let here = stored(&host.store);
    assert!(all.iter().all(|raw| here.contains(raw)), "none is lost");
}

#[test]
fn where_ids_are_put_in_doubt_an_end_anywhere_loses_and_doubles_nothing() {
    let before = [sized('a', false), sized('b', true), sized('c', true)];
    let all = [&before[..], &[sized('d', true)]].concat();
    let prepare = || {
        let host = begun::<FailingStore>(&before);
        note_deleted(&host, &before[0]);
        replace(&host, 0, &all[3], false);
        number(&host);
        host
    };
    // What is put in doubt by now at the latest comes the next time.
    ended_anywhere(prepare, |host, end| {
        assert_complete(host, &all);
        assert_eq!(run(host, DeleteAfterDownload).unwrap().deleted, 3, "{end}");
        assert_complete(host, &all);
    });
}
