//! Which messages are of one conversation: by the ids that they name, and what holds of any mail.

use std::collections::HashSet;

use futures_util::FutureExt;
use postern_bridge::{Flags, MailboxId, MessageId};

use super::*;
use crate::{
    Store,
    record::{self, Body, Links, Message, Record, put_body},
    store::{Changed, Durability, MemoryStore},
};

const MAILBOX: MailboxId = MailboxId(1);

/// A letter as the tables have it: UID, Message-ID, References, the server's name.
#[derive(Clone, Debug)]
struct Letter {
    id: MessageId,
    message_id: String,
    references: Vec<String>,
    thread: String,
}

impl Letter {
    fn add_to(&self, conversations: &mut Conversations) {
        let clue = Clue {
            message_id: &self.message_id,
            references: self.references.iter().map(String::as_str).collect(),
            thread: &self.thread,
            arrived: i64::from(self.id.uid),
            ..Clue::default()
        };
        conversations.add(self.id, &clue);
    }
}

fn id(uid: u32) -> MessageId {
    MessageId { mailbox: MAILBOX, uid }
}

/// The id that a short name stands for.
fn whole(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!("{name}@x") }
}

/// A letter of `"id < reference reference"`, in which all may be missing.
fn letter(uid: u32, text: &str) -> Letter {
    let (own, references) = text.split_once('<').unwrap_or((text, ""));
    Letter {
        id: id(uid),
        message_id: whole(own.trim()),
        references: references.split_whitespace().map(whole).collect(),
        thread: String::new(),
    }
}

fn letters(texts: &[&str]) -> Vec<Letter> {
    (1..).zip(texts).map(|(uid, text)| letter(uid, text)).collect()
}

fn conversations(letters: &[Letter]) -> Conversations {
    let mut conversations = Conversations::default();
    letters.iter().for_each(|letter| letter.add_to(&mut conversations));
    conversations
}

/// Who is with whom, as UIDs, sorted.
fn parts(conversations: &Conversations) -> Vec<Vec<u32>> {
    let part = |own: Listed| {
        let id = own.newest.id;
        let mut uids: Vec<u32> = conversations.of(id).iter().map(|own| own.id.uid).collect();
        uids.sort_unstable();
        uids
    };
    let mut parts: Vec<_> = conversations.listed(MAILBOX).into_iter().map(part).collect();
    parts.sort();
    parts
}

/// A name, letters, and who of them are together.
type Case = (&'static str, &'static [&'static str], &'static [&'static [u32]]);

#[test]
fn the_ids_that_messages_name_say_who_belongs_together() {
    let cases: &[Case] = &[
        ("an answer", &["a", "b < a"], &[&[1, 2]]),
        ("strangers", &["a", "b"], &[&[1], &[2]]),
        ("a branch", &["a", "b < a", "c < a", "d < a c"], &[&[1, 2, 3, 4]]),
        // RFC 5256 section 3, REFERENCES, step 1: messages that are not here stand between.
        ("a parent that is not here", &["a", "c < a b"], &[&[1, 2]]),
        ("two that follow one that is not here", &["b < a", "c < a"], &[&[1, 2]]),
        (
            "a chain of which each names only the one before",
            &["a", "b < a", "c < b"],
            &[&[1, 2, 3]],
        ),
        ("its middle missing", &["a", "c < b"], &[&[1], &[2]]),
        // Step 1: what would go in circles.
        ("its own parent", &["a < a", "b < a"], &[&[1, 2]]),
        ("each the other's parent", &["a < b", "b < a", "c"], &[&[1, 2], &[3]]),
        ("a circle of three", &["a < b", "b < c", "c < a"], &[&[1, 2, 3]]),
        ("the same id twice", &["a", "a", "b < a"], &[&[1, 2, 3]]),
        ("no id at all", &["", "", " < a", "a"], &[&[1], &[2], &[3, 4]]),
    ];
    for (name, texts, expected) in cases {
        assert_eq!(parts(&conversations(&letters(texts))), *expected, "{name}");
    }
}

#[test]
fn what_the_server_says_counts_and_nothing_else() {
    let mut mail = letters(&["a", "b < a", "c", "d < a"]);
    for (letter, thread) in mail.iter_mut().zip(["T1", "T2", "T1", "T2"]) {
        letter.thread = thread.into();
    }
    assert_eq!(parts(&conversations(&mail)), [[1, 3], [2, 4]]);
}

#[test]
fn what_a_server_has_told_of_messages_to_come_is_counted_and_joins_nobody() {
    let mail = letters(&["a", "b", "c < a", "d"]);
    let mut conversations = Conversations::default();
    mail[0].add_to(&mut conversations);
    conversations.tell(MAILBOX, &[1, 3, 4, 9]);
    conversations.tell(MAILBOX, &[2]);
    let awaited = |own: &Conversations| [1, 2, 3, 4].map(|uid| own.awaited(id(uid)));
    assert_eq!(awaited(&conversations), [3, 0, 0, 0]);
    mail[1..].iter().for_each(|letter| letter.add_to(&mut conversations));
    assert_eq!(parts(&conversations), [vec![1, 3], vec![2], vec![4]]);
    assert_eq!(awaited(&conversations), [1, 0, 1, 1]);
    conversations.remove(&[id(3), id(9)]);
    assert_eq!(awaited(&conversations), [0, 0, 0, 0], "what is gone is not waited for");
}

#[test]
fn ten_thousand_references_and_a_huge_conversation_are_no_trouble() {
    let many: Vec<String> = (0..10_000).map(|n| format!("m{n}")).collect();
    let mut conversations = Conversations::default();
    let references = many.iter().map(|own| whole(own)).collect();
    Letter { references, ..letter(1, "x") }.add_to(&mut conversations);
    for (uid, own) in (2..).zip(&many) {
        letter(uid, own).add_to(&mut conversations);
    }
    assert_eq!(parts(&conversations).len(), 1);
    conversations.remove(&[id(1)]);
    assert_eq!(parts(&conversations).len(), 10_000);
}

#[test]
fn what_programs_write_instead_of_an_id_joins_nobody() {
    let named = |uid, message_id: &str, reference: &str| Letter {
        message_id: message_id.into(),
        references: vec![reference.into()],
        ..letter(uid, "")
    };
    for name in ["null", "<>", "@", "undefined", "12345"] {
        let mail = [named(1, "a@x", name), named(2, "b@x", name), named(3, name, "c@x")];
        assert_eq!(parts(&conversations(&mail)).len(), 3, "{name}");
    }
}

#[test]
fn names_and_people_are_held_as_long_as_a_message_has_them() {
    let mut conversations = Conversations::default();
    for round in 0..3 {
        for uid in 1..=100 {
            let own = format!("m{round}-{uid}@x");
            let clue = Clue {
                message_id: &own,
                references: vec!["first@x", "first@x"],
                from: if uid % 2 == 0 { "Ada" } else { "Ben" },
                ..Clue::default()
            };
            conversations.add(id(uid), &clue);
        }
        assert_eq!(conversations.held(), (101, 2));
    }
    let all: Vec<MessageId> = (1..=100).map(id).collect();
    conversations.remove(&all[1..]);
    assert_eq!(conversations.held(), (2, 1));
    conversations.remove(&all);
    assert_eq!(conversations.held(), (0, 0));
}

#[test]
fn newest_first_is_by_the_newest_message_that_is_listed() {
    let sent = |uid, text: &str| {
        let own = letter(uid, text);
        Letter { id: MessageId { mailbox: MailboxId(2), uid }, ..own }
    };
    let mail =
        [letter(1, "a"), letter(2, "b"), letter(3, "c < a"), sent(9, "d < b"), sent(10, "e")];
    let conversations = conversations(&mail);
    let listed = conversations.listed(MAILBOX);
    let ends = listed.iter().map(|own| (own.oldest.id.uid, own.newest.id.uid));
    assert_eq!(ends.collect::<Vec<_>>(), [(2, 2), (1, 3)]);
    let whole: Vec<u32> = conversations.of(id(2)).iter().map(|own| own.id.uid).collect();
    assert_eq!(whole, [2, 9]);
}

/// Numbers that look random and are the same every time.
struct Noise(u64);

impl Noise {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// Letters that have much in common: the same ids again, circles, themselves.
    fn letters(&mut self) -> Vec<Letter> {
        let count = 1 + self.below(14) as u32;
        let names = 1 + self.below(12);
        let name = |noise: &mut Self| format!("m{}@x", noise.below(names));
        let letter = |uid| {
            let references = (0..self.below(4).saturating_sub(1)).map(|_| name(self)).collect();
            Letter {
                id: MessageId { mailbox: MailboxId(1 + self.below(5) as u32 / 4), uid },
                message_id: if self.below(8) == 0 { String::new() } else { name(self) },
                references,
                thread: if self.below(6) == 0 { format!("t{}", self.below(3)) } else { "".into() },
            }
        };
        (1..=count).map(letter).collect()
    }

    fn shuffle<T>(&mut self, things: &mut [T]) {
        for at in (1..things.len()).rev() {
            things.swap(at, self.below(at as u64 + 1) as usize);
        }
    }
}

/// Whether two letters have something in common, by the rules alone.
fn are_linked(one: &Letter, other: &Letter) -> bool {
    if !one.thread.is_empty() || !other.thread.is_empty() {
        return one.thread == other.thread;
    }
    let names = |own: &Letter| {
        let names = own.references.iter().chain([&own.message_id]).filter(|name| !name.is_empty());
        names.cloned().collect::<Vec<_>>()
    };
    names(one).iter().any(|name| names(other).contains(name))
}

/// Who is with whom, found by comparing all with all.
fn expected(letters: &[Letter]) -> Vec<Vec<MessageId>> {
    let mut parts: Vec<Vec<&Letter>> = Vec::new();
    for letter in letters {
        let (with, without): (Vec<_>, Vec<_>) =
            parts.into_iter().partition(|part| part.iter().any(|other| are_linked(letter, other)));
        parts = without;
        parts.push(with.into_iter().flatten().chain([letter]).collect());
    }
    let sorted = |part: Vec<&Letter>| {
        let mut ids: Vec<MessageId> = part.iter().map(|own| own.id).collect();
        ids.sort_unstable();
        ids
    };
    let mut parts: Vec<_> = parts.into_iter().map(sorted).collect();
    parts.sort();
    parts
}

/// How many names letters have.
fn names(letters: &[Letter]) -> usize {
    let names = letters.iter().flat_map(|own| match own.thread.is_empty() {
        true => own.references.iter().chain([&own.message_id]).cloned().collect(),
        false => vec![own.thread.clone()],
    });
    names.filter(|name| !name.is_empty()).collect::<HashSet<_>>().len()
}

fn found(conversations: &Conversations, letters: &[Letter]) -> Vec<Vec<MessageId>> {
    let part = |letter: &Letter| {
        let mut ids: Vec<_> = conversations.of(letter.id).iter().map(|own| own.id).collect();
        ids.sort_unstable();
        ids
    };
    let mut parts: Vec<_> = letters.iter().map(part).collect();
    parts.sort();
    parts.dedup();
    parts
}

#[test]
fn each_message_is_in_one_conversation_whatever_the_order_in_which_they_come_and_go() {
    for seed in 0..3_000 {
        let mut noise = Noise(seed);
        let mut mail = noise.letters();
        let expected_all = expected(&mail);
        assert_eq!(expected_all.iter().flatten().count(), mail.len());
        for _ in 0..3 {
            let conversations = conversations(&mail);
            assert_eq!(found(&conversations, &mail), expected_all, "seed {seed}: {mail:?}");
            noise.shuffle(&mut mail);
        }
        let mut conversations = conversations(&mail);
        while !mail.is_empty() {
            let left = noise.below(mail.len() as u64) as usize;
            let gone: Vec<MessageId> = mail.drain(left..).map(|own| own.id).collect();
            conversations.remove(&gone);
            assert!(gone.iter().all(|id| conversations.of(*id).is_empty()));
            assert_eq!(conversations.held().0, names(&mail), "seed {seed}: {mail:?}");
            assert_eq!(found(&conversations, &mail), expected(&mail), "seed {seed}: {mail:?}");
            // What came back is as it was.
            if let Some(again) = mail.first().filter(|_| noise.below(2) == 0) {
                again.add_to(&mut conversations);
            }
        }
        assert!(conversations.is_empty());
    }
}

fn message(uid: u32, links: Option<Links>, body: Body) -> Message {
    Message {
        id: id(uid),
        arrived: i64::from(uid),
        sent: None,
        size: 9,
        flags: Flags::default(),
        keywords: Vec::new(),
        from: Vec::new(),
        to: Vec::new(),
        subject: "Figs".into(),
        message_id: format!("m{uid}@x"),
        links,
        preview: String::new(),
        has_attachments: false,
        body,
    }
}

#[test]
fn messages_of_an_earlier_version_learn_their_links_from_their_headers() {
    let store = MemoryStore::new();
    let header = b"Subject: Re: Pears\r\nReferences: <m1@x>\r\n\r\nx";
    let mut writes = vec![message(1, Some(Links::default()), Body::Absent).put()];
    writes.push(message(2, None, Body::Whole { size: 9 }).put());
    writes.extend(put_body(id(2), header));
    writes.push(message(3, None, Body::Absent).put());
    store.apply(writes, Durability::Relaxed).now_or_never().unwrap().unwrap();

    let mut conversations = Conversations::default();
    let ids = [1, 2, 3, 4].map(id);
    let mut unlinked =
        read(&store, &ids, &mut conversations).now_or_never().unwrap().unwrap().unlinked;
    assert_eq!((parts(&conversations).len(), &*unlinked), (3, &[id(2)][..]));
    store.written().take();
    adopt(&store, &mut unlinked).now_or_never().unwrap().unwrap();
    assert!(unlinked.is_empty());
    assert_eq!(store.written().take(), Changed::These([id(2)].into()));
    let again = read(&store, &[id(2)], &mut conversations).now_or_never().unwrap().unwrap();
    assert_eq!(again, Read { unlinked: vec![], regrouped: true });
    assert_eq!(parts(&conversations), [vec![1, 2], vec![3]]);
    let again = read(&store, &[id(2)], &mut conversations).now_or_never().unwrap().unwrap();
    assert!(!again.regrouped);
    let stored: Option<Message> =
        record::get(&store, &record::message_key(id(2))).now_or_never().unwrap().unwrap();
    assert_eq!(stored.unwrap().links.unwrap().references, ["m1@x"]);
}
