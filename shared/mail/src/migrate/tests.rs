//! Copies to a server that takes several messages in one command, or does not, and which tells them
//! as they are, or does not.

mod unnamed;

use postern_bridge::{AccountId, MailboxId, MessageId, Protocol};

use super::{Copied, copy, limits};
use crate::{
    MailError, Secret, Store,
    changes::tests::{mailbox, message},
    imap::ImapClient,
    record::{Body, Mailbox, Message, Record, message_key, put_body},
    store::{Durability, Table, Write},
    testing::{Server, TestHost, account, block_on},
};

const INBOX: MailboxId = MailboxId(1);

/// A server with an inbox.
#[derive(Default)]
struct Imap {
    capabilities: &'static str,
    /// From how many messages on it refuses them, and what none may contain.
    refuses: Option<(usize, &'static str)>,
    /// Whether it keeps what comes before a message that it refuses.
    keeps_some: bool,
    /// Whether it has none of them any more once it has listed them.
    forgets: bool,
    /// The messages that it has, as they came.
    taken: Vec<String>,
    /// What it tells of one that it took, if not that its content is its name: of its content and
    /// the time that was handed on.
    tells: Option<fn(&str, &str) -> String>,
    /// The times of those that it took.
    times: Vec<String>,
    /// What it tells of messages that it has besides.
    others: Vec<String>,
    /// How many messages each APPEND had.
    appends: Vec<usize>,
    buffer: Vec<u8>,
}

impl Imap {
    fn command(&mut self, line: &str, messages: Vec<String>) -> String {
        let (tag, command) = line.split_once(' ').unwrap_or((line, ""));
        let mut said = String::new();
        match command.trim_start_matches("UID ").split(' ').next().unwrap_or_default() {
            "CAPABILITY" => said = format!("* CAPABILITY IMAP4rev1 {}\r\n", self.capabilities),
            "LIST" => said = "* LIST () \"/\" \"INBOX\"\r\n".into(),
            "SELECT" => {
                let count = self.others.len() + self.taken.len();
                said = format!("* {count} EXISTS\r\n* OK [UIDVALIDITY 1] -\r\n");
            }
            "SEARCH" => {
                let count = self.others.len() + self.taken.len();
                let uids: Vec<_> = (1..=count).map(|uid| uid.to_string()).collect();
                said = format!("* SEARCH {}\r\n", uids.join(" "));
            }
            "FETCH" => {
                let named = |name: &str| {
                    let envelope = format!("NIL NIL NIL NIL NIL NIL NIL NIL NIL \"<{name}>\"");
                    format!("INTERNALDATE \"01-Jan-2026 00:00:00 +0000\" ENVELOPE ({envelope})")
                };
                let taken = self.taken.iter().enumerate().map(|(at, message)| match self.tells {
                    Some(tells) => tells(message, &self.times[at]),
                    None => named(message.trim_end()),
                });
                for (uid, told) in (1..).zip(self.others.iter().cloned().chain(taken)) {
                    said += &format!("* {uid} FETCH (UID {uid} {told})\r\n");
                }
                if self.forgets {
                    self.taken.clear();
                }
            }
            "APPEND" => {
                self.appends.push(messages.len());
                let refused = self.refuses.is_some_and(|(several, text)| {
                    messages.len() >= several || messages.iter().any(|own| own.contains(text))
                });
                if refused {
                    if self.keeps_some {
                        self.taken.extend(messages.into_iter().take_while(|own| own != "bad"));
                    }
                    return format!("{tag} NO not these\r\n");
                }
                self.times.extend(line.rsplit('"').nth(1).map(str::to_owned));
                self.taken.extend(messages);
            }
            _ => {}
        }
        format!("{said}{tag} OK done\r\n")
    }
}

impl Server for Imap {
    fn connected(&mut self) -> Vec<u8> {
        b"* OK hello\r\n".to_vec()
    }

    fn received(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.buffer.extend(bytes);
        let mut said = String::new();
        loop {
            let (mut at, mut first, mut messages) = (0, String::new(), Vec::new());
            loop {
                let Some(end) = self.buffer[at..].windows(2).position(|two| two == b"\r\n") else {
                    return said.into_bytes();
                };
                let line = String::from_utf8_lossy(&self.buffer[at..at + end]).into_owned();
                at += end + 2;
                let size = line.strip_suffix('}').and_then(|line| line.rsplit_once('{'));
                if first.is_empty() {
                    first = line.clone();
                }
                let Some((_, size)) = size else { break };
                if self.buffer.len() == at {
                    said += "+ go on\r\n";
                }
                let end = at + size.parse::<usize>().unwrap();
                let Some(literal) = self.buffer.get(at..end) else { return said.into_bytes() };
                messages.push(String::from_utf8_lossy(literal).into_owned());
                at = end;
            }
            self.buffer.drain(..at);
            said += &self.command(&first, messages);
        }
    }

    fn disconnected(&mut self) {}
}

/// Copies letters with these names to a server; each is its own Message-ID and content. One that can't
/// be read, beside them, is counted as missing and not told.
fn copied(server: Imap, names: &[String]) -> (Copied, Imap) {
    let (report, server) = tried(server, names);
    let report = report.unwrap();
    assert!(report.missing > 0, "it is not copied");
    (Copied { missing: report.missing - 1, ..report }, server)
}

/// The same, if the copy ends before its time as well; with the one that can't be read.
fn tried(server: Imap, names: &[String]) -> (Result<Copied, MailError>, Imap) {
    let mut writes = Vec::new();
    for (uid, name) in (1..).zip(names) {
        let id = MessageId { mailbox: INBOX, uid };
        let size = name.len() as u64;
        let message_id = name.trim_end().into();
        let own = Message { message_id, body: Body::Whole { size }, ..message(id) };
        writes.extend(own.put_listed());
        writes.extend(put_body(id, name.as_bytes()));
    }
    // One more, of which the record can't be read.
    let id = MessageId { mailbox: INBOX, uid: 9_000 };
    writes.extend(message(id).put_listed());
    let (table, key) = (Table::Messages, message_key(id));
    writes.push(Write::Put { table, key, value: Vec::new() });
    let ([report], server) = rounds(server, writes);
    (report, server)
}

/// Copies what is stored so in the inbox to a server, so many times.
fn rounds<const N: usize>(
    server: Imap,
    mut writes: Vec<Write>,
) -> ([Result<Copied, MailError>; N], Imap) {
    let host = TestHost::new(server);
    let to = AccountId(2);
    let there = Mailbox { id: MailboxId(2), account: to, path: b"INBOX".into(), ..mailbox(1) };
    writes.extend([mailbox(1).put(), there.put()]);
    let incoming = account(Protocol::Imap).incoming;
    let password = Secret::new("secret");
    block_on(host.store.apply(writes, Durability::Strict)).unwrap();
    let round = |_| {
        block_on(async {
            let mut imap = ImapClient::connect(&host, &incoming, &password).await.unwrap();
            copy(&host, AccountId(1), to, &mut imap, &mut |_| {}).await
        })
    };
    (std::array::from_fn(round), host.server.take())
}

fn letters(count: u32) -> Vec<String> {
    (0..count).map(|number| format!("letter-{number}")).collect()
}

#[test]
fn messages_go_together_if_the_server_takes_several() {
    let names = letters(70);
    let server = |capabilities| Imap { capabilities, ..Imap::default() };
    for (capabilities, appends) in [("MULTIAPPEND", vec![50, 20]), ("", vec![1; 70])] {
        let (report, server) = copied(server(capabilities), &names);
        assert_eq!(report, Copied { copied: 70, present: 0, missing: 0 });
        assert_eq!((server.taken, server.appends), (names.clone(), appends));
    }
}

#[test]
fn one_that_the_server_refuses_holds_no_other_back() {
    let refuses = Some((usize::MAX, "bad"));
    let server = Imap { capabilities: "MULTIAPPEND", refuses, ..Imap::default() };
    let names = ["one", "bad", "two", "one"].map(String::from);
    let (report, server) = copied(server, &names);
    assert_eq!(report, Copied { copied: 3, present: 0, missing: 1 });
    assert_eq!(server.taken, ["one", "two", "one"]);
    assert_eq!(server.appends, [4, 1, 1, 1, 1]);
}

#[test]
fn a_server_that_refuses_several_is_asked_for_several_only_once() {
    let refuses = Some((2, "\0"));
    let server = Imap { capabilities: "MULTIAPPEND", refuses, ..Imap::default() };
    let (report, server) = copied(server, &letters(60));
    assert_eq!(report, Copied { copied: 60, present: 0, missing: 0 });
    assert_eq!(server.appends, [vec![50], vec![1; 60]].concat());
}

#[test]
fn what_a_server_keeps_of_several_that_it_refuses_is_not_sent_again() {
    let refuses = Some((usize::MAX, "bad"));
    let server = Imap { capabilities: "MULTIAPPEND", refuses, keeps_some: true, ..Imap::default() };
    let names = ["one", "one", "bad", "one", "two"].map(String::from);
    let (report, server) = copied(server, &names);
    assert_eq!(report, Copied { copied: 4, present: 0, missing: 1 });
    assert_eq!(server.taken, ["one", "one", "one", "two"]);
}

#[test]
fn messages_that_are_too_large_hold_no_other_back_however_many_they_are() {
    let server = |capabilities| Imap { capabilities, ..Imap::default() };
    let large = (0..30).map(|number| format!("a-letter-that-is-too-large-{number}"));
    let names: Vec<_> = letters(2).into_iter().chain(large).chain(["last".into()]).collect();
    for (capabilities, appends) in
        [("MULTIAPPEND APPENDLIMIT=20", vec![3]), ("APPENDLIMIT=20", vec![1; 3])]
    {
        let (report, server) = copied(server(capabilities), &names);
        assert_eq!(report, Copied { copied: 3, present: 0, missing: 30 });
        assert_eq!((&*server.taken.concat(), server.appends), ("letter-0letter-1last", appends));
    }
}

#[test]
fn a_server_may_refuse_many_messages_one_after_the_other_and_one_more_ends_the_copy() {
    let refuses = Some((usize::MAX, "bad"));
    let bad = |count: u32| (0..count).map(|number| format!("bad-{number}"));
    for beyond in [0, 1] {
        // What it takes in between counts.
        let names = bad(limits::REFUSALS).map(|name| format!("first-{name}")).chain(letters(1));
        let names: Vec<_> = names.chain(bad(limits::REFUSALS + beyond)).collect();
        let (report, server) = tried(Imap { refuses, ..Imap::default() }, &names);
        match beyond {
            0 => assert_eq!(report.unwrap().missing, 2 * limits::REFUSALS + 1),
            _ => assert!(matches!(report, Err(MailError::Refused { .. })), "{report:?}"),
        }
        assert_eq!(server.taken, ["letter-0"]);
    }
}

#[test]
fn messages_go_together_up_to_so_many_bytes_and_not_one_more() {
    // What a letter is padded with does not count as its name.
    let letter = |name: &str, size: u64| name.to_owned() + &" ".repeat(size as usize - name.len());
    let half = limits::TOGETHER_BYTES / 2;
    for (second, appends) in [(half, vec![2]), (half + 1, vec![1, 1])] {
        let server = Imap { capabilities: "MULTIAPPEND", ..Imap::default() };
        let (report, server) = copied(server, &[letter("one", half), letter("two", second)]);
        assert_eq!(report, Copied { copied: 2, present: 0, missing: 0 });
        assert_eq!(server.appends, appends);
    }
}

#[test]
fn what_a_server_had_and_then_has_not_is_told_once() {
    let names = letters(3);
    let server = Imap { forgets: true, taken: names[..2].to_vec(), ..Imap::default() };
    let (report, server) = copied(server, &names);
    // Only the third was sent.
    assert_eq!(server.appends, [1]);
    assert_eq!(report, Copied { copied: 1, present: 0, missing: 2 });
}
