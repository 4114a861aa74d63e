//! Messages that a server refuses to list.

use std::{ops::ControlFlow, time::Duration};

use postern_bridge::{Endpoint, Security, ServerLogin};
use postern_imap::SequenceSet;

use super::{INBOX, inbox, listed};
use crate::{
    MailError, Secret, Store,
    imap::{ImapClient, SyncStep, limits},
    record::{self, Message, Record},
    store::{Durability, KeyRange},
    testing::{Pipe, Server, TestHost, block_on},
};

/// A server with so many messages, which refuses all that is asked about some of them together with
/// these.
#[derive(Default)]
struct Refusing {
    count: u32,
    refused: Vec<u32>,
    /// Whether it tells of the others before it refuses.
    tells_others: bool,
    answer: &'static str,
    fetches: u32,
    /// After how many more refusals it hangs up.
    patience: Option<u32>,
    has_left: bool,
}

impl Refusing {
    fn refuse(&mut self, tag: &str) -> String {
        self.has_left = self.patience == Some(0);
        self.patience = self.patience.and_then(|left| left.checked_sub(1));
        let goodbye = if self.has_left { "* BYE enough\r\n" } else { "" };
        format!("{tag} {}\r\n{goodbye}", self.answer)
    }

    fn answer(&mut self, line: &str) -> String {
        if self.has_left {
            return String::new();
        }
        let (tag, command) = line.split_once(' ').unwrap();
        let count = self.count;
        let told = if let Some(rest) = command.strip_prefix("UID FETCH ") {
            let (set, items) = rest.split_once(' ').unwrap();
            if !items.contains("ENVELOPE") {
                return format!("{tag} OK done\r\n");
            }
            self.fetches += 1;
            let set = set.replace("4294967295", "999");
            let set = SequenceSet::parse(set.as_bytes()).unwrap();
            let asked = set.numbers().filter(|uid| *uid <= count);
            let (bad, good): (Vec<u32>, Vec<u32>) =
                asked.partition(|uid| self.refused.contains(uid));
            let told = listed(good);
            match (bad.is_empty(), self.tells_others) {
                (true, _) => told,
                (false, true) => return told + &self.refuse(tag),
                (false, false) => return self.refuse(tag),
            }
        } else if command.starts_with("SELECT") {
            let next = count + 1;
            format!("* {count} EXISTS\r\n* OK [UIDVALIDITY 9] x\r\n* OK [UIDNEXT {next}] x\r\n")
        } else if command.contains("COUNT") {
            format!("* ESEARCH (TAG \"{tag}\") UID COUNT 0\r\n")
        } else if command.starts_with("UID SEARCH") {
            format!("* ESEARCH (TAG \"{tag}\") UID ALL 1:{count}\r\n")
        } else {
            format!("* {count} EXISTS\r\n")
        };
        format!("{told}{tag} OK done\r\n")
    }
}

impl Server for Refusing {
    fn connected(&mut self) -> Vec<u8> {
        self.has_left = false;
        b"* PREAUTH [CAPABILITY IMAP4rev1 ESEARCH] hi\r\n".into()
    }

    fn received(&mut self, bytes: &[u8]) -> Vec<u8> {
        let text = String::from_utf8(bytes.into()).unwrap();
        text.lines().map(|line| self.answer(line)).collect::<String>().into_bytes()
    }

    fn disconnected(&mut self) {}
}

fn host(server: Refusing) -> TestHost<Refusing> {
    let host = TestHost::new(server);
    block_on(host.store.apply(vec![inbox().put()], Durability::Relaxed)).unwrap();
    host
}

fn connect(host: &TestHost<Refusing>) -> ImapClient<Pipe<Refusing>> {
    let endpoint = Endpoint {
        host: "mail".into(),
        port: 993,
        security: Security::Tls,
        tls_end: Default::default(),
        trusted: None,
    };
    let login = ServerLogin { endpoint, username: "ann".into() };
    block_on(ImapClient::connect(host, &login, &Secret::new("secret"))).unwrap()
}

fn go_on(_: SyncStep) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// What becomes of a first sync, and which messages do not come, and how many commands it took.
fn sync(server: Refusing) -> (Result<(), MailError>, Vec<u32>, u32) {
    let host = host(server);
    let result = block_on(connect(&host).sync_messages(&host, INBOX, &mut go_on));
    let server = host.server.borrow();
    let stored = uids(&host);
    let lacking = (1..=server.count).filter(|uid| !stored.contains(uid)).collect();
    (result.map(drop), lacking, server.fetches)
}

fn uids(host: &TestHost<Refusing>) -> Vec<u32> {
    let messages: Vec<Message> = block_on(record::all(&host.store, &KeyRange::all())).unwrap();
    messages.into_iter().map(|message| message.id.uid).collect()
}

#[test]
fn one_that_is_refused_does_not_hold_up_the_others() {
    let cases = [
        (1, vec![1], 1),
        (2, vec![2], 3),
        // In the first window, and in others.
        (700, vec![700], 15),
        (700, vec![3], 21),
        (700, vec![1, 2, 350, 351, 699], 70),
        (3, vec![1, 2, 3], 6),
    ];
    for (count, refused, most) in cases {
        for tells_others in [false, true] {
            for answer in ["NO [SERVERBUG] Internal error", "BAD Command Error. 12"] {
                let refused = refused.clone();
                let server =
                    Refusing { count, refused, tells_others, answer, ..Refusing::default() };
                let expected = server.refused.clone();
                let (result, lacking, fetches) = sync(server);
                assert_eq!((result, lacking), (Ok(()), expected), "{count} {tells_others}");
                assert!(fetches <= most, "{fetches} of {count}");
            }
        }
    }
}

#[test]
fn a_server_that_refuses_nearly_everything_is_not_asked_for_ever() {
    let refused: Vec<u32> = (101..=900).collect();
    let server = Refusing { count: 1_000, refused, answer: "NO x", ..Refusing::default() };
    let (result, lacking, fetches) = sync(server);
    assert_eq!(result, Ok(()));
    assert!(lacking.len() < 1_000 - 50 && fetches < limits::HALVES + 10, "{fetches}");

    let refused = (1..=1_000).collect();
    let server = Refusing { count: 1_000, refused, answer: "NO x", ..Refusing::default() };
    let (result, lacking, _) = sync(server);
    assert!(matches!(result, Err(MailError::Refused { .. })), "{result:?}");
    assert_eq!(lacking.len(), 1_000);
}

#[test]
fn a_server_that_takes_no_work_for_now_is_not_asked_again() {
    let server = Refusing {
        count: 9,
        refused: vec![3],
        answer: "NO [UNAVAILABLE] later",
        ..Refusing::default()
    };
    let (result, lacking, fetches) = sync(server);
    assert_eq!(result, Err(MailError::Unavailable("later".into())));
    assert_eq!((lacking.len(), fetches), (9, 1));
}

#[test]
fn what_came_before_the_server_hung_up_over_a_refusal_is_not_fetched_again() {
    for (tells_others, patience, came) in [(true, 0, 49), (false, 1, 25), (false, 2, 38)] {
        let (refused, patience) = (vec![952], Some(patience));
        let server =
            Refusing { count: 1_000, refused, tells_others, patience, ..Refusing::default() };
        let host = host(Refusing { answer: "NO x", ..server });
        let result = block_on(connect(&host).sync_messages(&host, INBOX, &mut go_on));
        assert_eq!(result.map(drop), Err(MailError::Unavailable("enough".into())));
        assert_eq!(uids(&host).len(), came, "{tells_others}");
    }
}

#[test]
fn what_comes_with_the_answer_about_others_is_counted_once() {
    let (refused, tells_others) = (vec![650, 700, 880, 900], true);
    let server =
        Refusing { count: 1_000, refused, tells_others, answer: "NO x", ..Refusing::default() };
    let host = host(server);
    let mut stored = 0;
    let mut changed = |step: SyncStep| {
        stored = step.stored;
        ControlFlow::Continue(())
    };
    let result = block_on(connect(&host).sync_messages(&host, INBOX, &mut changed));
    assert_eq!(result.map(drop), Ok(()));
    assert_eq!((stored as usize, uids(&host).len()), (996, 996));
    // Of each window what did not come is asked for in halves.
    assert_eq!(host.server.borrow().fetches, 3 + 2 + 2);
}

#[test]
fn one_that_arrives_while_the_mailbox_is_watched_does_not_hold_up_those_that_come_with_it() {
    let server = Refusing { count: 3, answer: "NO x", ..Refusing::default() };
    let host = host(server);
    let mut client = connect(&host);
    block_on(client.sync_messages(&host, INBOX, &mut go_on)).map(drop).unwrap();
    host.server.borrow_mut().count = 6;
    host.server.borrow_mut().refused = vec![5];
    block_on(client.noop(&host)).unwrap();
    assert_eq!(block_on(client.catch_up(&host, INBOX, &mut go_on)).map(drop), Ok(()));
    assert_eq!(uids(&host), [1, 2, 3, 4, 6]);
}

#[test]
fn many_that_are_refused_keep_older_ones_away_for_some_syncs_alone() {
    let refused: Vec<u32> = (601..=1_000).collect();
    let server = Refusing { count: 1_000, refused, answer: "NO x", ..Refusing::default() };
    let host = host(server);
    let sync = || {
        host.server.borrow_mut().fetches = 0;
        // With each start anew.
        let result = block_on(connect(&host).sync_messages(&host, INBOX, &mut go_on));
        let fetches = host.server.borrow().fetches;
        assert!(fetches < limits::HALVES + 10, "{fetches}");
        (result.map(drop), fetches)
    };
    assert!(matches!(sync().0, Err(MailError::Refused { .. })));
    assert_eq!((sync().0, uids(&host)), (Ok(()), (1..=600).collect()));
    assert!(sync().0.is_ok());
    let (result, fetches) = sync();
    assert_eq!(result, Ok(()));
    assert!(fetches <= 3, "what is refused is asked for in one go: {fetches}");

    host.advance(Duration::from_millis(limits::REFUSED_FOR.unsigned_abs()));
    assert!(sync().1 > 100, "after a day each is asked for anew");
}

#[test]
fn what_was_refused_for_a_while_comes_with_the_next_sync() {
    let refused = (1..=1_000).collect();
    let server = Refusing { count: 1_000, refused, answer: "NO x", ..Refusing::default() };
    let host = host(server);
    assert!(block_on(connect(&host).sync_messages(&host, INBOX, &mut go_on)).is_err());
    host.server.borrow_mut().refused.clear();
    host.server.borrow_mut().fetches = 0;
    assert_eq!(block_on(connect(&host).sync_messages(&host, INBOX, &mut go_on)).map(drop), Ok(()));
    assert_eq!(uids(&host).len(), 1_000);
    assert!(host.server.borrow().fetches <= 6);
}
