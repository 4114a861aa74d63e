//! How long a server may say nothing.

use std::{future::pending, time::Duration};

use postern_bridge::Protocol;
use postern_imap::{
    SequenceSet,
    command::{
        FetchItem, ListReturn, SearchKey, SearchReturn, StatusItem, StoreMode, ThreadAlgorithm,
    },
    response::{Flag, Response},
};

use super::*;
use crate::{
    Clock, Secret,
    imap::news::News,
    pieces::Pieces,
    record::put_body,
    testing::{Pipe, Server, TestHost, account, block_on},
};

/// A server that says nothing, or answers that all is well.
struct Quiet {
    greeting: &'static str,
    answers: bool,
    /// Whether it lets a message be sent.
    takes: bool,
    /// The commands, without their tags.
    said: Vec<String>,
}

const LOGGED_IN: &str = "* PREAUTH [CAPABILITY IMAP4rev1 LITERAL+ IDLE] hi\r\n";

impl Quiet {
    fn new(greeting: &'static str) -> TestHost<Self> {
        TestHost::new(Self { greeting, answers: false, takes: false, said: Vec::new() })
    }
}

impl Server for Quiet {
    fn connected(&mut self) -> Vec<u8> {
        self.greeting.into()
    }

    fn received(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut answer = String::new();
        for line in String::from_utf8_lossy(bytes).lines() {
            let (tag, command) = line.split_once(' ').unwrap_or((line, ""));
            self.said.push(command.into());
            if self.answers {
                answer += &format!("{tag} OK done\r\n");
            }
            if self.takes && line.ends_with('}') {
                answer += "+ go on\r\n";
            }
        }
        answer.into_bytes()
    }

    fn disconnected(&mut self) {}
}

fn connect(host: &TestHost<Quiet>) -> Result<ImapClient<Pipe<Quiet>>, MailError> {
    block_on(ImapClient::connect(host, &account(Protocol::Imap).incoming, &Secret::new("secret")))
}

/// After how many seconds somebody gives up.
fn seconds<T>(host: &TestHost<Quiet>, work: impl FnOnce() -> Result<T, MailError>) -> i64 {
    let start = host.now();
    assert!(matches!(work(), Err(MailError::TimedOut(_))));
    (host.now() - start) / 1_000
}

/// After how many seconds the answer to a command is given up.
fn waits(command: Result<Command, postern_imap::command::InvalidArgument>) -> i64 {
    let host = Quiet::new(LOGGED_IN);
    let mut client = connect(&host).unwrap();
    seconds(&host, || block_on(client.run(&host, command.unwrap(), "answer")))
}

#[test]
fn what_may_take_long_in_a_large_mailbox_is_waited_for_and_a_dead_connection_shows_soon() {
    let uids = SequenceSet::from(5);
    let references = ThreadAlgorithm::References;
    let long = [
        Command::select(b"INBOX"),
        Command::examine(b"INBOX"),
        Command::list(b"*", &ListReturn::default()),
        Command::status_of(b"INBOX", &[StatusItem::Messages]),
        Command::uid_search(&[SearchKey::All], SearchReturn::Plain),
        Command::uid_thread(references, &[SearchKey::All]),
        Command::uid_copy(&uids, b"Archive"),
        Command::uid_move(&uids, b"Archive"),
        Command::uid_store(&uids, StoreMode::Add, &[Flag::Seen]),
        Ok(Command::uid_expunge(&uids)),
        Command::rename(b"a", b"b"),
        Command::delete(b"a"),
    ];
    assert_eq!(long.map(waits), [300; 12]);
    let short = [
        Ok(Command::noop()),
        Ok(Command::capability()),
        Ok(Command::logout()),
        Command::uid_fetch(&uids, &[FetchItem::Flags]),
        Command::create(b"a"),
    ];
    assert_eq!(short.map(waits), [60; 5]);
}

#[test]
fn a_greeting_a_log_in_and_the_end_of_waiting_for_news_come_soon_or_not_at_all() {
    for greeting in ["", "* OK [CAPABILITY IMAP4rev1] hi\r\n"] {
        let host = Quiet::new(greeting);
        assert_eq!(seconds(&host, || connect(&host)), 60, "{greeting}");
    }
    let host = Quiet::new(LOGGED_IN);
    let mut client = connect(&host).unwrap();
    (client.selected, client.news) = (Some(Selected::new(INBOX)), Some(News::default()));
    let mut never = Box::pin(pending::<()>());
    let minute = Duration::from_secs(60);
    let waiting = || block_on(client.wait_for_news(&host, INBOX, minute, &mut never)).1;
    assert_eq!(seconds(&host, waiting), 60 + 60);
}

/// After how many seconds it is given up to put a message of so many bytes into a mailbox, if the
/// server takes it, and over a connection that breaks without a word after so many.
fn appends(size: usize, takes: bool, cut: Option<usize>) -> i64 {
    let host = Quiet::new(LOGGED_IN);
    host.server.borrow_mut().takes = takes;
    host.cut.set(cut);
    host.breaks_silently.set(true);
    let here = MessageId { mailbox: MailboxId(5), uid: 1 };
    block_on(host.store.apply(put_body(here, &vec![b'x'; size]), Durability::Relaxed)).unwrap();
    let mut client = connect(&host).unwrap();
    let messages = [(Default::default(), Pieces::of_message(here, size as u64))];
    seconds(&host, || block_on(client.append(&host, b"INBOX", &messages, "take the message")))
}

#[test]
fn a_message_may_be_filed_slowly_but_its_bytes_must_not_come_to_a_halt() {
    // So many bytes are sent at its go-ahead alone, which may come late as well.
    for (size, takes) in [(5, false), (1 << 20, false), (1 << 20, true)] {
        assert_eq!(appends(size, takes, None), 300);
    }
    assert_eq!(appends(1 << 20, true, Some(1 << 19)), 60);
}

#[test]
fn who_was_silent_is_asked_first_whether_the_connection_is_still_there() {
    let host = Quiet::new(LOGGED_IN);
    let mut client = connect(&host).unwrap();
    let mut open = |pause: u64| {
        host.advance(Duration::from_secs(pause));
        let command = Command::select(b"INBOX").unwrap();
        block_on(client.run(&host, command, "open the mailbox")).map(drop)
    };
    host.server.borrow_mut().answers = true;
    for pause in [10, 11] {
        open(pause).unwrap();
    }
    assert_eq!(host.server.borrow().said, ["SELECT \"INBOX\"", "NOOP", "SELECT \"INBOX\""]);
    host.server.borrow_mut().answers = false;
    assert_eq!(seconds(&host, || open(11)), 11 + 60);
}

#[test]
fn of_several_commands_none_is_given_before_it_is_known_that_the_connection_is_there() {
    let host = ScriptedHost::default();
    let script = vec![
        ("NOOP", ok("")),
        ("CAPABILITY", ok("* CAPABILITY IMAP4rev1\r\n")),
        ("SELECT \"INBOX\"", ok("* 3 EXISTS\r\n")),
    ];
    let mut client = ready(&host, script);
    host.wire.borrow_mut().now += 11_000;
    let commands = vec![Command::capability(), Command::select(b"INBOX").unwrap()];
    let answer = now(client.run_all(&host, commands, "open the mailbox")).unwrap();
    let told = &answer.responses[..];
    assert!(matches!(told, [Response::Capability(_), Response::Exists(3)]), "{told:?}");
    assert_eq!(answer.ends.len(), 2);
}
