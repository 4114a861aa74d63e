//! Asking for news now and then, where a server does not tell.

use std::{future::ready, time::Duration};

use super::{
    INBOX,
    watched::{wait, watching_at},
};
use crate::testing::{Server, block_on};

/// A server with an empty inbox, to which a message comes.
struct Asked {
    capabilities: &'static str,
    /// What it answers IDLE with; `{tag}` stands for its tag.
    idle: &'static str,
    /// At which question it tells of the message.
    news_at: usize,
    /// The commands, without their tags.
    said: Vec<String>,
}

impl Asked {
    fn new(capabilities: &'static str, idle: &'static str, news_at: usize) -> Self {
        Self { capabilities, idle, news_at, said: Vec::new() }
    }

    fn answer(&mut self, line: &str) -> String {
        let (tag, command) = line.split_once(' ').unwrap_or((line, line));
        self.said.push(command.into());
        let told = match command.split(' ').next().unwrap_or_default() {
            "IDLE" => return self.idle.replace("{tag}", tag),
            "NOOP" if self.count("NOOP") == self.news_at => "* 1 EXISTS\r\n".into(),
            "SELECT" => "* 0 EXISTS\r\n* OK [UIDVALIDITY 9] x\r\n* OK [UIDNEXT 1] x\r\n".into(),
            "UID" => format!("* ESEARCH (TAG \"{tag}\") UID COUNT 0\r\n"),
            "DONE" => return format!("{tag} BAD what?\r\n"),
            _ => String::new(),
        };
        format!("{told}{tag} OK done\r\n")
    }

    /// How often a command was given.
    fn count(&self, command: &str) -> usize {
        self.said.iter().filter(|own| *own == command).count()
    }
}

impl Server for Asked {
    fn connected(&mut self) -> Vec<u8> {
        format!("* PREAUTH [CAPABILITY IMAP4rev1 ESEARCH{}] hi\r\n", self.capabilities).into()
    }

    fn received(&mut self, bytes: &[u8]) -> Vec<u8> {
        let text = String::from_utf8(bytes.into()).unwrap();
        text.lines().map(|line| self.answer(line)).collect::<String>().into_bytes()
    }

    fn disconnected(&mut self) {}
}

#[test]
fn a_server_without_idle_is_asked_every_twenty_seconds() {
    let (host, mut client) = watching_at(Asked::new("", "", 5));
    assert_eq!(wait(&host, &mut client), (false, 60_000));
    assert_eq!(host.server.borrow().count("NOOP"), 3);
    assert_eq!(wait(&host, &mut client), (true, 40_000), "the second question brings it");
    let server = host.server.borrow();
    assert_eq!((server.count("NOOP"), server.count("IDLE")), (5, 0), "{:?}", server.said);
}

#[test]
fn a_server_that_refuses_idle_is_asked_instead_and_not_told_to_again() {
    for refusal in ["{tag} NO not now\r\n", "{tag} BAD what?\r\n", "+ well\r\n{tag} NO\r\n"] {
        let (host, mut client) = watching_at(Asked::new(" IDLE", refusal, 4));
        assert_eq!(wait(&host, &mut client), (false, 60_000), "{refusal}");
        assert_eq!(wait(&host, &mut client), (true, 20_000), "{refusal}");
        let server = host.server.borrow();
        assert_eq!((server.count("NOOP"), server.count("IDLE")), (4, 1), "{:?}", server.said);
        assert_eq!(server.count("DONE"), 0, "{:?}", server.said);
    }
}

#[test]
fn a_server_that_ends_idle_on_its_own_is_asked_until_it_is_told_to_the_next_time() {
    let ended = "+ waiting\r\n{tag} OK that was long\r\n";
    let (host, mut client) = watching_at(Asked::new(" IDLE", ended, 4));
    assert_eq!(wait(&host, &mut client), (false, 60_000));
    assert_eq!((host.server.borrow().count("NOOP"), host.server.borrow().count("IDLE")), (3, 1));
    assert_eq!(wait(&host, &mut client), (true, 20_000));
    let server = host.server.borrow();
    assert_eq!((server.count("NOOP"), server.count("IDLE")), (4, 2), "{:?}", server.said);
    assert_eq!(server.count("DONE"), 0, "{:?}", server.said);
}

#[test]
fn a_server_that_tells_news_and_ends_idle_in_one_breath_is_understood() {
    let ended = "+ waiting\r\n* 1 EXISTS\r\n{tag} OK that was long\r\n";
    let (host, mut client) = watching_at(Asked::new(" IDLE", ended, 0));
    assert_eq!(wait(&host, &mut client), (true, 0));
    block_on(client.noop(&host)).unwrap();
    assert_eq!(host.server.borrow().count("NOOP"), 1);
}

#[test]
fn whoever_wants_something_meanwhile_does_not_wait_for_the_next_question() {
    let (host, mut client) = watching_at(Asked::new("", "", 1));
    let mut wanted = Box::pin(ready("a message"));
    let minute = Duration::from_secs(60);
    let (came, news) = block_on(client.wait_for_news(&host, INBOX, minute, &mut wanted));
    assert_eq!((came, news.unwrap()), (Some("a message"), false));
    assert_eq!(host.server.borrow().count("NOOP"), 0);
}
