use futures_util::FutureExt;
use postern_bridge::{AccountId, Address, Flags, Role};
use postern_imap::{
    command::SearchKey,
    mailbox_name::Spelling,
    response::{Day, Flag},
};

use super::*;
use crate::{
    record::{Body, Links, Mailbox, Message},
    search::{Asked, Rung, Seen},
    store::{Durability, MemoryStore},
};

const MAILBOX: MailboxId = MailboxId(1);

fn message(uid: u32) -> Message {
    let address =
        |name: &str, address: &str| Address { name: name.into(), address: address.into() };
    Message {
        id: MessageId { mailbox: MAILBOX, uid },
        arrived: 1_717_113_600_000, // 31 May 2024
        sent: None,
        size: 6_000_000,
        flags: Flags { flagged: true, ..Flags::default() },
        keywords: vec!["$Label1".into()],
        from: vec![address("Ada Marsh", "ada@example.org")],
        to: vec![address("", "ben@example.org")],
        subject: "Beans and Größe".into(),
        message_id: String::new(),
        links: Some(Links::default()),
        preview: "The snails".into(),
        has_attachments: false,
        body: Body::Absent,
    }
}

fn store(messages: &[Message]) -> MemoryStore {
    let store = MemoryStore::new();
    let writes = messages.iter().flat_map(Message::put_listed).collect();
    store.apply(writes, Durability::Relaxed).now_or_never().unwrap().unwrap();
    store
}

fn scan(store: &MemoryStore, typed: &str) -> Seen {
    let query = Query::parse(typed);
    let (mut reader, mut catalogue) = (Reader::new(MAILBOX), Catalogue::default());
    let mut all = Seen::default();
    let mut looked_at = 0;
    while reader.next(store, &mut catalogue).now_or_never().unwrap().unwrap() {
        let seen = catalogue.look(looked_at..catalogue.len(), &query);
        looked_at = catalogue.len();
        all.found.extend(seen.found);
        all.undecided.extend(seen.undecided);
    }
    assert_eq!(catalogue.look(0..looked_at, &query), all);
    all
}

#[test]
fn stored_messages_are_found_by_their_records() {
    let store = store(&[message(3)]);
    let cases = [
        ("beans SNAILS marsh ben@", true),
        ("from:ada subject:GRÖSSE", false),
        ("from:ada subject:GRÖßE to:ben", true),
        ("to:ada", false),
        ("is:unread is:starred -is:answered", true),
        ("is:read", false),
        ("has:attachment", false),
        ("-has:attachment", true),
        ("before:2024-05-31", false),
        ("before:2024-06-01 after:2024-05-31", true),
        ("tag:$label1", true),
        ("tag:other", false),
        ("larger:5M smaller:6M", true),
        ("from:zoe OR from:ada", true),
        ("from:zoe OR to:zoe", false),
        ("-from:zoe -to:ada", true),
        ("-beans", false),
    ];
    for (typed, found) in cases {
        assert_eq!(!scan(&store, typed).found.is_empty(), found, "{typed}");
    }
}

#[test]
fn what_only_a_text_decides_that_is_not_stored_is_neither_found_nor_ruled_out() {
    let header = Message { body: Body::Header { size: 1 }, ..message(4) };
    let store = store(&[message(3), header]);
    for typed in ["slugs", "-slugs", "body:slugs", "cc:zoe", "-cc:zoe"] {
        assert_eq!(scan(&store, typed), Seen::default(), "{typed}");
    }
}

#[test]
fn stored_texts_are_looked_into_where_they_decide() {
    let stored = Message { body: Body::Whole { size: 1 }, ..message(3) };
    let store = store(std::slice::from_ref(&stored));
    let raw = b"From: a@x\r\nCc: Zo\xc3\xab <zoe@x>\r\nContent-Transfer-Encoding: base64\r\n\r\n\
                VGhlIFNsdWdz\r\n";
    let writes = record::put_body(stored.id, raw);
    store.apply(writes, Durability::Relaxed).now_or_never().unwrap().unwrap();
    let cases = [
        ("slugs", true),
        ("body:slugs", true),
        ("-slugs", false),
        ("cc:zoë", true),
        ("wasps", false),
    ];
    for (typed, found) in cases {
        let seen = scan(&store, typed);
        assert_eq!((seen.found.len(), seen.undecided.len()), (0, 1), "{typed}");
        let query = Query::parse(typed);
        let inside = looks_inside(&store, stored.id, &query).now_or_never().unwrap();
        assert_eq!(inside.map(|place| place.is_some()), Ok(found), "{typed}");
    }
    assert_eq!(scan(&store, "slugs from:zoe"), Seen::default(), "its record rules it out");
}

#[test]
fn of_a_very_large_message_the_beginning_is_looked_into() {
    let stored = Message { body: Body::Whole { size: 1 }, ..message(3) };
    let store = store(std::slice::from_ref(&stored));
    let line = [&[b'x'; 70][..], b"\r\n"].concat();
    let raw = [b"\r\nslugs\r\n", &line.repeat(limits::INSIDE / 70)[..], b"wasps\r\n"].concat();
    let writes = record::put_body(stored.id, &raw);
    store.apply(writes, Durability::Relaxed).now_or_never().unwrap().unwrap();
    for (typed, found) in [("body:slugs", true), ("body:wasps", false)] {
        let inside = looks_inside(&store, stored.id, &Query::parse(typed)).now_or_never().unwrap();
        assert_eq!(inside.map(|place| place.is_some()), Ok(found), "{typed}");
    }
}

#[test]
fn more_messages_than_one_piece_are_all_looked_at() {
    let count = u32::try_from(limits::PIECE).unwrap() + 1;
    let store = store(&(1..=count).map(message).collect::<Vec<_>>());
    let found = scan(&store, "beans").found;
    assert_eq!((found.len(), found[0].uid), (limits::PIECE + 1, 1));
}

#[test]
fn of_what_a_server_finds_that_counts_which_is_known_to_fulfil_the_rest() {
    let attached = Message { has_attachments: true, ..message(4) };
    let store = store(&[message(3), attached]);
    let rest = Query::parse("has:attachment");
    let (places, missing) =
        admitted(&store, MAILBOX, &[3, 4, 9], &rest).now_or_never().unwrap().unwrap();
    assert_eq!(places.iter().map(|place| place.uid).collect::<Vec<_>>(), [4]);
    assert_eq!(missing, [9]);
}

#[test]
fn servers_are_asked_for_what_they_can_look_for() {
    let text = |text: &str| SearchKey::Text(text.into());
    let attachment =
        SearchKey::Header { name: "Content-Type".into(), value: "multipart/mixed".into() };
    let cases = [
        ("snails is:starred", vec![text("snails"), SearchKey::Flag(Flag::Flagged)], ""),
        ("has:attachment", vec![attachment.clone()], "has:attachment"),
        ("-has:attachment x", vec![text("x")], "-has:attachment"),
        ("-x", vec![SearchKey::negate(text("x"))], ""),
        ("is:read", vec![SearchKey::negate(SearchKey::Unseen)], ""),
        ("a OR b OR c", vec![SearchKey::or(text("a"), SearchKey::or(text("b"), text("c")))], ""),
        ("before:2024", vec![SearchKey::Before(Day::new(2024, 1, 1).unwrap())], ""),
        ("tag:größe larger:1k", vec![SearchKey::Larger(1024)], "tag:größe"),
    ];
    for (typed, keys, rest) in cases {
        let asked = Asked { keys, rest: Query::parse(rest) };
        assert_eq!(Query::parse(typed).asked(Rung::All, None), asked, "{typed}");
    }
}

#[test]
fn a_server_with_labels_is_asked_for_those_and_for_keywords() {
    let flag = |name: &str| SearchKey::Flag(Flag::Other(name.into()));
    let label = |name: &str| SearchKey::GmailLabel(name.into());
    for (typed, spelling, key) in [
        ("tag:\"a größe\"", Spelling::ModifiedUtf7, label("a gr&APYA3w-e")),
        ("tag:größe", Spelling::Utf8, label("größe")),
        ("tag:work", Spelling::ModifiedUtf7, SearchKey::or(label("work"), flag("work"))),
        (
            "-tag:work",
            Spelling::Utf8,
            SearchKey::negate(SearchKey::or(label("work"), flag("work"))),
        ),
        ("tag:$Forwarded", Spelling::Utf8, flag("$Forwarded")),
    ] {
        let asked = Query::parse(typed).asked(Rung::All, Some(spelling));
        assert_eq!(asked, Asked { keys: vec![key], rest: Query::default() }, "{typed}");
    }
}

#[test]
fn a_server_that_refuses_is_asked_for_less() {
    let query = Query::parse("grüße beans -from:ada larger:1k");
    let keys = |rung| query.asked(rung, None).keys.len();
    assert_eq!(Rung::ALL.map(keys), [4, 3, 1]);
    assert_eq!(query.asked(Rung::Ascii, None).rest, Query::parse("grüße"));
    assert_eq!(query.asked(Rung::Plain, None).rest, Query::parse("grüße -from:ada larger:1k"));
}

#[test]
fn a_query_that_names_mailboxes_is_settled_for_each() {
    let mailbox = |names: &[&str], role| Mailbox {
        names: names.iter().map(|name| (*name).into()).collect(),
        role,
        uid_next: 1,
        ..Mailbox::new(MAILBOX, AccountId(1))
    };
    let sent = mailbox(&["Gesendet"], Some(Role::Sent));
    let garden = mailbox(&["Lists", "Garden"], None);
    let within = |typed: &str, own: &Mailbox| Query::parse(typed).within(own);
    let x = Some(Query::parse("x"));
    for typed in ["in:garden x", "in:Lists/Garden x", "-in:sent x", "in:all x"] {
        assert_eq!(within(typed, &garden), x, "{typed}");
    }
    for typed in ["in:sent x", "in:gesendet x", "in:sent OR in:garden x", "in:anywhere x"] {
        assert_eq!(within(typed, &sent), x, "{typed}");
    }
    for typed in ["in:sent x", "-in:garden x", "in:lists x"] {
        assert_eq!(within(typed, &garden), None, "{typed}");
    }
    assert!(Query::parse("x in:sent").names_mailboxes() && !Query::parse("x").names_mailboxes());
    assert_eq!(within("in:garden", &garden), Some(Query::default()));
}

#[test]
fn a_record_that_can_not_be_read_keeps_no_other_from_being_found() {
    let store = store(&[3, 4, 5].map(message));
    let (table, key) = (Table::Messages, record::message_key(message(4).id));
    let write = crate::store::Write::Put { table, key, value: Vec::new() };
    store.apply(vec![write], Durability::Relaxed).now_or_never().unwrap().unwrap();
    let uids = |places: &[Place]| places.iter().map(|place| place.uid).collect::<Vec<_>>();
    assert_eq!(uids(&scan(&store, "beans").found), [3, 5]);
    let query = Query::parse("beans");
    let found = admitted(&store, MAILBOX, &[3, 4, 5, 6], &query).now_or_never().unwrap();
    let (places, missing) = found.unwrap();
    assert_eq!((uids(&places), missing), (vec![3, 5], vec![6]));
    let inside = looks_inside(&store, message(4).id, &query).now_or_never().unwrap();
    assert_eq!(inside, Ok(None));
}
