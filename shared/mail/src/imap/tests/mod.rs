//! The client against scripted servers, over a transport and a store in memory.

use std::ops::ControlFlow;

use postern_bridge::{AccountId, Flags, MailboxId, Mark, MessageId, Role, Security};
use scripted::{LOGGED_IN, Script, Scripted, ScriptedHost, connect, now, ok, ready};

use super::*;
use crate::{
    MailError, Store,
    changes::{Entry, Item, Pending, State, Task, tests::queued},
    record::{self, Body, Links, Mailbox, Message, Record, SyncPoint},
    store::{Durability, KeyRange, Table},
};

macro_rules! items {
    ($uids:literal) => {
        concat!(
            "UID FETCH ",
            $uids,
            " (UID FLAGS INTERNALDATE RFC822.SIZE BODYSTRUCTURE ENVELOPE \
             BODY.PEEK[HEADER.FIELDS (REFERENCES)]<0.8192>)"
        )
    };
}

mod appending;
mod asked;
mod bad_input;
mod bodies;
mod bounds;
mod damaged;
mod doubts;
mod find;
mod labels;
mod log_in;
mod model;
mod names;
mod newcomers;
mod opening;
mod parts;
mod pauses;
mod previews;
mod quirks;
mod refused;
mod resync;
mod scripted;
mod silence;
mod simulated;
mod unreadable;
mod watched;
mod windows;

const INBOX: MailboxId = MailboxId(4);

/// A host that knows an inbox.
fn host_with_inbox() -> ScriptedHost {
    let host = ScriptedHost::default();
    now(host.store.apply(vec![inbox().put()], Durability::Relaxed)).unwrap();
    host
}

/// An inbox that was never synced.
fn inbox() -> Mailbox {
    Mailbox {
        path: b"INBOX".to_vec(),
        names: vec!["INBOX".into()],
        role: Some(Role::Inbox),
        delimiter: Some(b'/'),
        ..Mailbox::new(INBOX, AccountId(1))
    }
}

fn select(exists: u32, validity: u32, next: u32) -> (&'static str, String) {
    let answer = format!(
        "* {exists} EXISTS\r\n* OK [UIDVALIDITY {validity}] x\r\n* OK [UIDNEXT {next}] x\r\n"
    );
    (r#"SELECT "INBOX""#, ok(&answer))
}

fn unread(count: u32) -> (&'static str, String) {
    let answer = format!("* ESEARCH (TAG \"{{tag}}\") UID COUNT {count}\r\n");
    ("UID SEARCH RETURN (COUNT) UNSEEN", ok(&answer))
}

fn all(set: &str) -> (&'static str, String) {
    let answer = format!("* ESEARCH (TAG \"{{tag}}\") UID ALL {set}\r\n");
    ("UID SEARCH RETURN (ALL) ALL", ok(&answer))
}

fn listed(uids: impl IntoIterator<Item = u32>) -> String {
    let line = |uid| {
        format!(
            "* {uid} FETCH (UID {uid} FLAGS () INTERNALDATE \"01-Jan-2024 00:00:00 +0000\" \
             RFC822.SIZE 100 ENVELOPE (NIL \"Letter {uid}\" NIL NIL NIL NIL NIL NIL NIL NIL) \
             BODYSTRUCTURE (\"text\" \"plain\" NIL NIL NIL \"7bit\" 10 1))\r\n"
        )
    };
    uids.into_iter().map(line).collect()
}

fn sync(client: &mut ImapClient<Scripted>, host: &ScriptedHost) -> Vec<(u32, u32, u32)> {
    let mut steps = Vec::new();
    let mut changed = |step: SyncStep| {
        if step.change.is_some() {
            steps.push((step.stored, step.total, step.unread));
        }
        ControlFlow::Continue(())
    };
    assert!(now(client.sync_messages(host, INBOX, &mut changed)).unwrap().is_continue());
    assert!(host.wire.borrow().script.is_empty());
    steps
}

/// Something more urgent comes up as soon as something is stored.
fn break_off(step: SyncStep) -> ControlFlow<()> {
    match step.change {
        Some(_) => ControlFlow::Break(()),
        None => ControlFlow::Continue(()),
    }
}

fn stored(host: &ScriptedHost) -> Vec<Message> {
    now(record::all(&host.store, &KeyRange::all())).unwrap()
}

fn uids(host: &ScriptedHost) -> Vec<u32> {
    stored(host).iter().map(|message| message.id.uid).collect()
}

/// A host whose inbox holds the messages 2, 5 and 6.
fn host_with_messages() -> ScriptedHost {
    let host = host_with_inbox();
    let script =
        vec![select(3, 9, 7), unread(3), all("2,5:6"), (items!("2,5:6"), ok(&listed([2, 5, 6])))];
    assert_eq!(sync(&mut ready(&host, script), &host), [(0, 3, 3), (3, 3, 3), (3, 3, 3)]);
    assert_eq!(uids(&host), [2, 5, 6]);
    host
}

#[test]
fn what_the_server_may_have_counted_already_or_not_is_counted_here() {
    let host = host_with_messages();
    let messages = stored(&host);
    let item = Item { uid: 5, uid_validity: 9, ..Item::default() };
    let task = Task::Mark { mailbox: INBOX, items: vec![item], mark: Mark::Seen, set: true };
    let entry = Entry { state: State::Tried, ..queued(1, task) };
    let flags = Flags { seen: true, ..messages[1].flags };
    let read = Message { flags, ..messages[1].clone() };
    now(host.store.apply(vec![entry.put(), read.put()], Durability::Strict)).unwrap();

    let others = ok("* ESEARCH (TAG \"{tag}\") UID COUNT 2\r\n");
    let script = vec![select(3, 9, 7), ("UID SEARCH RETURN (COUNT) UNSEEN NOT UID 5", others)];
    let mut client = ready(&host, script);
    let mailbox = now(record::mailbox(&host.store, INBOX)).unwrap();
    now(client.select(&host, &mailbox)).unwrap();
    let unread = now(client.count_unread(&host, INBOX)).unwrap();
    assert_eq!(unread, 3, "as if nothing had been done yet");
    let pending = now(Pending::of(&host.store, INBOX, 0)).unwrap();
    assert_eq!(pending.unread(unread), 2);
}

#[test]
fn of_more_changes_than_a_command_may_name_none_is_left_out_of_what_is_counted() {
    let most = u32::try_from(limits::UNSETTLED).unwrap();
    let others = format!("UID SEARCH RETURN (COUNT) UNSEEN NOT UID 1:{most}");
    for (count, asked) in [(most, &*others), (most + 1, "UID SEARCH RETURN (COUNT) UNSEEN")] {
        let host = host_with_messages();
        let item = |uid| Item { uid, uid_validity: 9, ..Item::default() };
        let items = (1..=count).map(item).collect();
        let task = Task::Mark { mailbox: INBOX, items, mark: Mark::Seen, set: true };
        now(host.store.apply(vec![queued(1, task).put()], Durability::Strict)).unwrap();
        let asked = (asked.to_owned().leak() as &'static str, ok("* ESEARCH UID COUNT 0\r\n"));
        let mut client = ready(&host, vec![select(3, 9, 7), asked]);
        let mailbox = now(record::mailbox(&host.store, INBOX)).unwrap();
        now(client.select(&host, &mailbox)).unwrap();
        now(client.count_unread(&host, INBOX)).unwrap();
        assert!(host.wire.borrow().script.is_empty());
    }
}

#[test]
fn what_is_new_gone_or_changed_is_stored() {
    let host = host_with_messages();
    let script = vec![
        select(3, 9, 9),
        unread(1),
        (items!("7:8"), ok(&listed([8]))),
        all("2,6,8"),
        (
            "UID FETCH 2,6 (UID FLAGS)",
            ok("* 1 FETCH (UID 2 FLAGS (\\Seen))\r\n* 2 FETCH (UID 6 FLAGS ())\r\n"),
        ),
    ];
    sync(&mut ready(&host, script), &host);
    let messages = stored(&host);
    let told: Vec<_> = messages.iter().map(|own| (own.id.uid, own.flags.seen)).collect();
    assert_eq!(told, [(2, true), (6, false), (8, false)]);
    assert_eq!(messages[2].subject, "Letter 8");
    let places = now(host.store.keys(Table::Arrival, &KeyRange::all())).unwrap();
    assert_eq!(places.len(), 3);
}

#[test]
fn when_nothing_came_or_went_only_flags_are_asked_for_and_nothing_is_written() {
    let host = host_with_messages();
    let script = vec![select(3, 9, 7), unread(3), ("UID FETCH 2,5:6 (UID FLAGS)", ok(""))];
    assert_eq!(sync(&mut ready(&host, script), &host), []);
}

#[test]
fn a_change_of_uidvalidity_drops_what_is_stored_of_this_mailbox_only() {
    let host = host_with_messages();
    let elsewhere = MessageId { mailbox: MailboxId(5), uid: 2 };
    let other = Message { id: elsewhere, ..stored(&host)[0].clone() };
    now(host.store.apply(other.put_listed().into(), Durability::Relaxed)).unwrap();
    let script = vec![select(1, 10, 3), unread(0), all("2"), (items!("2"), ok(&listed([2])))];
    sync(&mut ready(&host, script), &host);
    let left: Vec<_> = stored(&host).iter().map(|own| (own.id.mailbox.0, own.id.uid)).collect();
    assert_eq!(left, [(4, 2), (5, 2)]);
}

#[test]
fn what_says_who_belongs_together_is_stored_with_each_message() {
    let host = host_with_inbox();
    let answer = "* 1 FETCH (UID 2 FLAGS () ENVELOPE (NIL \"Re: x\" NIL NIL NIL NIL NIL NIL \
                  \"<b@x>\" \"<c@x>\") BODY[HEADER.FIELDS (REFERENCES)]<0> {27}\r\nReferences: \
                  <a@x> <b@x>\r\n\r\n THREADID (T1) EMAILID (M1))\r\n";
    let items = "UID FETCH 2 (UID FLAGS INTERNALDATE RFC822.SIZE BODYSTRUCTURE ENVELOPE \
                 BODY.PEEK[HEADER.FIELDS (REFERENCES)]<0.8192> THREADID EMAILID)";
    let script = vec![select(1, 9, 3), unread(1), all("2"), (items, ok(answer))];
    let greeting = "* PREAUTH [CAPABILITY IMAP4rev1 ESEARCH OBJECTID] hi\r\n";
    let mut client = connect(&host, Security::Tls, greeting, script).unwrap();
    sync(&mut client, &host);
    let references = vec!["a@x".into(), "b@x".into()];
    let links = Links { message: "M1".into(), ..Links::new(references, "T1".into()) };
    assert_eq!(stored(&host)[0].links, Some(links));
}

#[test]
fn what_an_earlier_version_did_not_ask_for_is_asked_for_once() {
    let host = host_with_messages();
    let mut writes: Vec<_> = stored(&host)
        .into_iter()
        .filter(|own| own.id.uid != 5)
        .map(|own| Message { links: None, ..own }.put())
        .collect();
    let mut mailbox = now(record::mailbox(&host.store, INBOX)).unwrap();
    mailbox.synced.linked = false;
    writes.push(mailbox.put());
    now(host.store.apply(writes, Durability::Relaxed)).unwrap();

    let answer = "* 1 FETCH (UID 2 ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL \"<b@x>\" NIL))\r\n\
                  * 3 FETCH (FLAGS ())\r\n";
    let asked = "UID FETCH 2,6 (UID ENVELOPE BODY.PEEK[HEADER.FIELDS (REFERENCES)]<0.8192>)";
    let flags = ("UID FETCH 2,5:6 (UID FLAGS)", ok(""));
    let script = vec![select(3, 9, 7), unread(3), (asked, ok(answer)), flags.clone()];
    assert_eq!(sync(&mut ready(&host, script), &host).len(), 2);
    let linked: Vec<_> = stored(&host).into_iter().map(|own| own.links).collect();
    let told = Links::new(vec!["b@x".into()], String::new());
    assert_eq!(linked, [Some(told), Some(Links::default()), None]);
    assert_eq!(sync(&mut ready(&host, vec![select(3, 9, 7), unread(3), flags]), &host), []);
}

#[test]
fn learning_it_is_broken_off_for_something_more_urgent_and_goes_on_below() {
    let host = host_with_messages();
    let mut writes: Vec<_> = stored(&host)
        .into_iter()
        .filter(|own| own.id.uid != 6)
        .map(|own| Message { links: None, ..own }.put())
        .collect();
    let mut mailbox = now(record::mailbox(&host.store, INBOX)).unwrap();
    (mailbox.synced.linked, mailbox.synced.linked_from) = (false, 6);
    writes.push(mailbox.put());
    now(host.store.apply(writes, Durability::Relaxed)).unwrap();

    let answer = "* 1 FETCH (UID 2 ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL \"<b@x>\" NIL))\r\n";
    let asked = "UID FETCH 2,5 (UID ENVELOPE BODY.PEEK[HEADER.FIELDS (REFERENCES)]<0.8192>)";
    let script = vec![select(3, 9, 7), unread(3), (asked, ok(answer))];
    let mut client = ready(&host, script);
    assert!(now(client.sync_messages(&host, INBOX, &mut break_off)).unwrap().is_break());
    let synced = || now(record::mailbox(&host.store, INBOX)).unwrap().synced;
    assert_eq!((synced().linked, synced().linked_from), (false, 2));

    let flags = ("UID FETCH 2,5:6 (UID FLAGS)", ok(""));
    sync(&mut ready(&host, vec![select(3, 9, 7), unread(3), flags]), &host);
    assert_eq!((synced().linked, synced().linked_from), (true, 0));
}

/// A host whose inbox shows conversations and was never synced.
fn host_with_conversations() -> ScriptedHost {
    let host = host_with_inbox();
    let mailbox = Mailbox { conversations: true, ..inbox() };
    now(host.store.apply(vec![mailbox.put()], Durability::Relaxed)).unwrap();
    host
}

/// What a first sync of sixty messages is told to belong together, when THREAD is answered so.
fn told_together(capability: &str, threads: Option<String>) -> Vec<Vec<u32>> {
    let host = host_with_conversations();
    let mut script =
        vec![select(60, 9, 61), unread(0), all("1:60"), (items!("11:60"), ok(&listed(11..=60)))];
    script.extend(threads.map(|answer| ("UID THREAD REFERENCES UTF-8 ALL", answer)));
    script.push((items!("1:10"), ok(&listed(1..=10))));
    let greeting = format!("* PREAUTH [CAPABILITY IMAP4rev1 ESEARCH {capability}] hi\r\n");
    let mut client = connect(&host, Security::Tls, &greeting, script).unwrap();
    let mut together = Vec::new();
    let mut changed = |step: SyncStep| {
        together.extend(step.change.unwrap_or_default().together);
        ControlFlow::Continue(())
    };
    assert!(now(client.sync_messages(&host, INBOX, &mut changed)).unwrap().is_continue());
    assert!(host.wire.borrow().script.is_empty());
    assert_eq!(uids(&host).len(), 60);
    together
}

#[test]
fn a_server_that_knows_what_belongs_together_is_asked_before_all_is_here() {
    let answer = ok("* THREAD (2 60)(3 (4)(5 6))(7)\r\n");
    let told = told_together("THREAD=REFERENCES", Some(answer));
    assert_eq!(told, [vec![2, 60], vec![3, 4, 5, 6], vec![7]]);
    assert!(told_together("THREAD=ORDEREDSUBJECT", None).is_empty());
    for refusal in ["NO [CANNOT] too many", "BAD what?"] {
        let answer = format!("{{tag}} {refusal}\r\n");
        assert!(told_together("THREAD=REFERENCES", Some(answer)).is_empty());
    }
    assert!(told_together("THREAD=REFERENCES", Some(ok(""))).is_empty());
}

#[test]
fn windows_may_be_answered_in_another_order() {
    let host = host_with_inbox();
    let script = vec![
        select(750, 9, 751),
        unread(0),
        all("1:750"),
        (items!("701:750"), ok(&listed(701..=750))),
        (items!("501:700"), String::new()),
        (items!("1:500"), ok(&listed(1..=700)) + "A5 OK late\r\n"),
    ];
    let mut client = ready(&host, script);
    let steps = sync(&mut client, &host);
    assert_eq!(steps[1], (50, 750, 0));
    assert_eq!(uids(&host).len(), 750);
}

#[test]
fn a_message_that_comes_again_with_the_answer_about_others_is_counted_once() {
    let host = host_with_inbox();
    let script = vec![
        select(60, 9, 61),
        unread(0),
        all("1:60"),
        (items!("11:60"), ok(&listed(11..=60))),
        (items!("1:10"), ok(&listed([60, 20].into_iter().chain(1..=10)))),
    ];
    let steps = sync(&mut ready(&host, script), &host);
    assert_eq!(steps, [(0, 60, 0), (50, 60, 0), (60, 60, 0), (60, 60, 0)]);
}

#[test]
fn a_search_without_a_result_drops_nothing() {
    let host = host_with_messages();
    let script = vec![select(2, 9, 7), unread(1), ("UID SEARCH RETURN (ALL) ALL", ok(""))];
    let mut client = ready(&host, script);
    assert!(now(client.sync_messages(&host, INBOX, &mut |_| ControlFlow::Continue(()))).is_err());
    assert_eq!(uids(&host), [2, 5, 6]);
}
