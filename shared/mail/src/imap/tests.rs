//! The client against scripted servers, over a transport and a store in memory.

use std::{
    cell::RefCell,
    collections::VecDeque,
    ops::ControlFlow,
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use postern_bridge::{
    AccountId, Discovery, Endpoint, MailboxId, MessageId, Role, Security, ServerLogin, TlsSession,
};

use super::*;
use crate::{
    Admission, Clock, Connector, Discover, Random, Secret, Storage, Store, TransportError, Vault,
    host::VaultError,
    record::{self, Body, Links, Mailbox, Message, Record},
    store::{Durability, KeyRange, MemoryStore, Table},
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

mod find;
mod model;
mod resync;
mod simulated;

/// What the client must say (without its tag), and what is answered; `{tag}` stands for its tag.
type Script = Vec<(&'static str, String)>;

#[derive(Default)]
struct Wire {
    script: VecDeque<(&'static str, String)>,
    to_client: VecDeque<Vec<u8>>,
    said: String,
    tls: bool,
}

struct Scripted(Rc<RefCell<Wire>>);

impl Transport for Scripted {
    async fn read(&mut self) -> Result<Vec<u8>, TransportError> {
        Ok(self.0.borrow_mut().to_client.pop_front().unwrap_or_default())
    }

    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), TransportError> {
        let wire = &mut *self.0.borrow_mut();
        let said = String::from_utf8(bytes).unwrap();
        wire.said.push_str(&said);
        for line in said.lines() {
            let (tag, command) = line.split_once(' ').unwrap_or(("", line));
            let (expected, answer) = wire.script.pop_front().expect(line);
            assert_eq!(command, expected);
            // An empty read would be the end of the stream.
            if !answer.is_empty() {
                wire.to_client.push_back(answer.replace("{tag}", tag).into_bytes());
            }
        }
        Ok(())
    }

    async fn start_tls(&mut self) -> Result<(), TransportError> {
        self.0.borrow_mut().tls = true;
        Ok(())
    }

    fn tls(&self) -> Option<TlsSession> {
        None
    }

    async fn close(&mut self) {}
}

/// A host whose only server follows a script.
#[derive(Default)]
struct ScriptedHost {
    wire: Rc<RefCell<Wire>>,
    store: MemoryStore,
}

impl Connector for ScriptedHost {
    type Transport = Scripted;

    async fn connect(&self, _: &Endpoint) -> Result<Scripted, TransportError> {
        Ok(Scripted(self.wire.clone()))
    }
}

impl Discover for ScriptedHost {
    async fn discover(&self, _: &str) -> Result<Discovery, MailError> {
        Ok(Discovery::default())
    }
}

impl Clock for ScriptedHost {
    fn now(&self) -> i64 {
        0
    }

    async fn sleep(&self, _: Duration) {
        std::future::pending().await
    }
}

impl Random for ScriptedHost {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

impl Vault for ScriptedHost {
    async fn seal(&self, secret: &Secret) -> Result<Vec<u8>, VaultError> {
        Ok(secret.expose().into())
    }

    async fn unseal(&self, _: &[u8]) -> Result<Secret, VaultError> {
        Err(VaultError("nothing is sealed here".into()))
    }
}

impl Admission for ScriptedHost {}

impl Storage for ScriptedHost {}

impl Host for ScriptedHost {
    type Store = MemoryStore;

    fn store(&self) -> &MemoryStore {
        &self.store
    }

    fn spawn(&self, _: impl Future<Output = ()> + 'static) {}
}

/// Runs what never has to wait, since everything is in memory.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the client waits for something that does not come"),
    }
}

fn connect(
    host: &ScriptedHost,
    security: Security,
    greeting: &str,
    script: Script,
) -> Result<ImapClient<Scripted>, MailError> {
    let to_client = VecDeque::from([greeting.into()]);
    host.wire.replace(Wire { script: script.into(), to_client, ..Wire::default() });
    let endpoint = Endpoint {
        host: "mail".into(),
        port: 143,
        security,
        tls_end: Default::default(),
        trusted: None,
    };
    let login = ServerLogin { endpoint, username: "ann".into() };
    now(ImapClient::connect(host, &login, &Secret::new("secret")))
}

const LOGGED_IN: &str = "* PREAUTH [CAPABILITY IMAP4rev1 ESEARCH] hi\r\n";

/// A client that is logged in and a server that follows `script` from there.
fn ready(host: &ScriptedHost, script: Script) -> ImapClient<Scripted> {
    connect(host, Security::Tls, LOGGED_IN, script).unwrap()
}

fn ok(answer: &str) -> String {
    format!("{answer}{{tag}} OK done\r\n")
}

#[test]
fn after_starttls_everything_is_asked_anew_and_only_then_comes_the_password() {
    let host = ScriptedHost::default();
    let script = vec![
        ("STARTTLS", ok("")),
        ("CAPABILITY", ok("* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR\r\n")),
        ("AUTHENTICATE PLAIN AGFubgBzZWNyZXQ=", ok("* CAPABILITY IMAP4rev1\r\n")),
    ];
    let greeting = "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hi\r\n";
    assert!(connect(&host, Security::StartTls, greeting, script).is_ok());
    assert!(host.wire.borrow().tls);
}

#[test]
fn where_starttls_can_not_be_had_the_password_is_not_sent() {
    let injected = "{tag} OK go\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n";
    let cases: Vec<(&str, Script)> = vec![
        ("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n", vec![]),
        ("* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n", vec![]),
        (
            "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n",
            vec![("STARTTLS", "{tag} NO not now\r\n".into())],
        ),
        ("* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n", vec![("STARTTLS", injected.into())]),
    ];
    for (greeting, script) in cases {
        let host = ScriptedHost::default();
        assert!(connect(&host, Security::StartTls, greeting, script).is_err(), "{greeting}");
        assert!(!host.wire.borrow().tls);
        assert!(!host.wire.borrow().said.contains("AUTHENTICATE"));
    }
}

#[test]
fn log_in_is_used_where_no_mechanism_is_offered_and_a_refusal_is_told_in_the_servers_words() {
    let script = || vec![(r#"LOGIN "ann" "secret""#, "{tag} NO [X] Wrong, Ann.\r\n".to_owned())];
    let greeting = "* OK [CAPABILITY IMAP4rev1 AUTH=GSSAPI] hi\r\n";
    let host = ScriptedHost::default();
    let error = connect(&host, Security::Tls, greeting, script()).err().unwrap();
    assert_eq!(error, MailError::Login("Wrong, Ann.".into()));
    let disabled = "* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\r\n";
    let error = connect(&host, Security::Tls, disabled, vec![]).err().unwrap();
    assert!(matches!(error, MailError::Unsupported(_)));
}

#[test]
fn mailboxes_are_listed_with_counts_asked_for_one_by_one_where_need_be() {
    let host = ScriptedHost::default();
    let list = "* LIST (\\HasChildren) \"/\" INBOX\r\n* LIST (\\Noselect) \"/\" a\r\n\
                * LIST (\\Sent) \"/\" \"Gesendet &APw-\"\r\n";
    let counts = "* STATUS \"Gesendet &APw-\" (MESSAGES 7 UNSEEN 0)\r\n";
    let script = vec![
        (r#"LIST "" "*""#, ok(list)),
        (r#"STATUS "INBOX" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)"#, "{tag} NO x\r\n".into()),
        (r#"STATUS "Gesendet &APw-" (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)"#, ok(counts)),
    ];
    let mut client = ready(&host, script);
    let mailboxes = now(client.sync_mailboxes(&host, AccountId(1))).unwrap();
    let told: Vec<_> = mailboxes
        .iter()
        .map(|own| (own.names.join("/"), own.role, own.selectable, own.total))
        .collect();
    let expected = [
        ("INBOX".into(), Some(Role::Inbox), true, 0),
        ("Gesendet ü".into(), Some(Role::Sent), true, 7),
        ("a".into(), None, false, 0),
    ];
    assert_eq!(told, expected);
}

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
        id: INBOX,
        account: AccountId(1),
        path: b"INBOX".to_vec(),
        names: vec!["INBOX".into()],
        role: Some(Role::Inbox),
        selectable: true,
        delimiter: Some(b'/'),
        can_nest: true,
        subscribed: true,
        uid_validity: 0,
        uid_next: 0,
        unread: 0,
        total: 0,
        conversations: false,
        synced: Default::default(),
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
        steps.push((step.stored, step.total, step.unread));
        ControlFlow::Continue(())
    };
    assert!(now(client.sync_messages(host, INBOX, &mut changed)).unwrap().is_continue());
    assert!(host.wire.borrow().script.is_empty());
    steps
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
    let mut urgent = |_: SyncStep| ControlFlow::Break(());
    assert!(now(client.sync_messages(&host, INBOX, &mut urgent)).unwrap().is_break());
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
    script.extend(threads.map(|answer| ("UID THREAD REFERENCES US-ASCII ALL", answer)));
    script.push((items!("1:10"), ok(&listed(1..=10))));
    let greeting = format!("* PREAUTH [CAPABILITY IMAP4rev1 ESEARCH {capability}] hi\r\n");
    let mut client = connect(&host, Security::Tls, &greeting, script).unwrap();
    let mut together = Vec::new();
    let mut changed = |step: SyncStep| {
        together.extend(step.change.together);
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
fn a_search_without_a_result_drops_nothing() {
    let host = host_with_messages();
    let script = vec![select(2, 9, 7), unread(1), ("UID SEARCH RETURN (ALL) ALL", ok(""))];
    let mut client = ready(&host, script);
    assert!(now(client.sync_messages(&host, INBOX, &mut |_| ControlFlow::Continue(()))).is_err());
    assert_eq!(uids(&host), [2, 5, 6]);
}

#[test]
fn a_small_message_is_stored_whole_with_its_preview() {
    let host = host_with_messages();
    let raw = "Subject: x\r\n\r\nHello there\r\n";
    let answer = format!("* 1 FETCH (UID 5 BODY[]<0> {{{}}}\r\n{raw})\r\n", raw.len());
    let script = vec![select(3, 9, 7), ("UID FETCH 5 (UID BODY.PEEK[]<0.67108864>)", ok(&answer))];
    let id = MessageId { mailbox: INBOX, uid: 5 };
    let mut client = ready(&host, script);
    now(client.fetch_body(&host, id)).unwrap();
    let message = stored(&host)[1].clone();
    assert_eq!(message.body, Body::Whole { size: raw.len() as u64 });
    assert_eq!(message.preview, "Hello there");
    assert_eq!(now(record::body(&host.store, id)).unwrap(), raw.as_bytes());
}

#[test]
fn an_attachment_is_fetched_and_decoded() {
    let host = host_with_messages();
    let answer = "* 1 FETCH (UID 5 BODYSTRUCTURE ((\"text\" \"plain\" NIL NIL NIL \"7bit\" 3 1)\
                  (\"image\" \"png\" NIL NIL NIL \"base64\" 8) \"mixed\") BODY[2]<0> \"aGVsbG8=\")\r\n";
    let script = vec![
        select(3, 9, 7),
        ("UID FETCH 5 (UID BODYSTRUCTURE BODY.PEEK[2]<0.1048576>)", ok(answer)),
    ];
    let id = MessageId { mailbox: INBOX, uid: 5 };
    let mut told = Vec::new();
    let mut client = ready(&host, script);
    now(client.fetch_part(&host, id, "2", &mut |done, total| told.push((done, total)))).unwrap();
    assert_eq!(told, [(8, 8)]);
    assert_eq!(now(stored_part(&host.store, id, "2")).unwrap().unwrap(), b"hello");
    now(client.fetch_part(&host, id, "2", &mut |_, _| panic!("it is stored"))).unwrap();
    assert!(now(record::body(&host.store, id)).unwrap().is_empty(), "it is no part of the body");
}

#[test]
fn a_large_attachment_comes_in_windows_and_goes_on_where_it_broke_off() {
    let host = host_with_messages();
    let (first, last) = ("QUJD".repeat(limits::PART_WINDOW as usize / 4), "REVG");
    let structure = format!(
        "BODYSTRUCTURE ((\"text\" \"plain\" NIL NIL NIL \"7bit\" 3 1)(\"image\" \"png\" NIL NIL \
         NIL \"base64\" {}) \"mixed\")",
        first.len() + last.len()
    );
    let answer =
        format!("* 1 FETCH (UID 5 {structure} BODY[2]<0> {{{}}}\r\n{first})\r\n", first.len());
    let rest = format!("* 1 FETCH (UID 5 {structure} BODY[2]<1048576> \"{last}\")\r\n");
    let id = MessageId { mailbox: INBOX, uid: 5 };
    let script = vec![
        select(3, 9, 7),
        ("UID FETCH 5 (UID BODYSTRUCTURE BODY.PEEK[2]<0.1048576>)", ok(&answer)),
        ("UID FETCH 5 (UID BODY.PEEK[2]<1048576.1048576>)", String::new()),
    ];
    let mut client = ready(&host, script);
    assert!(now(client.fetch_part(&host, id, "2", &mut |_, _| {})).is_err());
    assert_eq!(now(stored_part(&host.store, id, "2")), Ok(None));

    let script = vec![
        select(3, 9, 7),
        ("UID FETCH 5 (UID BODYSTRUCTURE BODY.PEEK[2]<1048576.1048576>)", ok(&rest)),
    ];
    now(ready(&host, script).fetch_part(&host, id, "2", &mut |_, _| {})).unwrap();
    let content = now(stored_part(&host.store, id, "2")).unwrap().unwrap();
    assert_eq!(content.len(), (first.len() + last.len()) / 4 * 3);
    assert!(content.starts_with(b"ABC") && content.ends_with(b"CDEF"));
}

#[test]
fn a_message_whose_mailbox_was_made_anew_is_gone() {
    let host = host_with_messages();
    let mut client = ready(&host, vec![select(3, 10, 7)]);
    let id = MessageId { mailbox: INBOX, uid: 5 };
    assert_eq!(now(client.fetch_body(&host, id)), Err(MailError::Gone("message")));
}
