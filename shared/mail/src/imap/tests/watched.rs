//! Waiting for what the server tells.

use std::{future::pending, time::Duration};

use postern_bridge::{Endpoint, Security, ServerLogin};
use postern_imap::Command;

use super::{INBOX, inbox};
use crate::{
    Clock, Secret, Store,
    imap::{ImapClient, SyncStep, limits},
    record::Record,
    store::Durability,
    testing::{Pipe, Server, TestHost, block_on},
};

/// A server with NOTIFY, an empty inbox, and something to tell.
#[derive(Default)]
struct Telling {
    /// What it tells when it is waited for, once each.
    news: Vec<&'static str>,
    /// What it answers NOTIFY with.
    notify: &'static str,
    /// The commands, without their tags.
    said: Vec<String>,
    idle: String,
}

impl Telling {
    fn answer(&mut self, line: &str) -> String {
        let Some((tag, command)) = line.split_once(' ') else {
            return format!("{} OK done\r\n", self.idle);
        };
        self.said.push(command.into());
        let told = match command.split(' ').next().unwrap_or_default() {
            "IDLE" => {
                self.idle = tag.into();
                let news = if self.news.is_empty() { "" } else { self.news.remove(0) };
                return format!("+ waiting\r\n{news}");
            }
            "NOTIFY" => return format!("{tag} {}\r\n", self.notify),
            "SELECT" => "* 0 EXISTS\r\n* OK [UIDVALIDITY 9] x\r\n* OK [UIDNEXT 1] x\r\n".into(),
            "UID" => format!("* ESEARCH (TAG \"{tag}\") UID COUNT 0\r\n"),
            _ => String::new(),
        };
        format!("{told}{tag} OK done\r\n")
    }
}

impl Server for Telling {
    fn connected(&mut self) -> Vec<u8> {
        b"* PREAUTH [CAPABILITY IMAP4rev1 ESEARCH IDLE NOTIFY] hi\r\n".into()
    }

    fn received(&mut self, bytes: &[u8]) -> Vec<u8> {
        let text = String::from_utf8(bytes.into()).unwrap();
        text.lines().map(|line| self.answer(line)).collect::<String>().into_bytes()
    }

    fn disconnected(&mut self) {}
}

/// A client that watches the inbox of a server with this to tell.
fn watching(
    notify: &'static str,
    news: Vec<&'static str>,
) -> (TestHost<Telling>, ImapClient<Pipe<Telling>>) {
    watching_at(Telling { news, notify, ..Telling::default() })
}

/// A client that watches the inbox of this server.
pub(super) fn watching_at<S: Server + 'static>(server: S) -> (TestHost<S>, ImapClient<Pipe<S>>) {
    let host = TestHost::new(server);
    block_on(host.store.apply(vec![inbox().put()], Durability::Relaxed)).unwrap();
    let endpoint = Endpoint {
        host: "mail".into(),
        port: 993,
        security: Security::Tls,
        tls_end: Default::default(),
        trusted: None,
    };
    let login = ServerLogin { endpoint, username: "ann".into() };
    let mut client = block_on(ImapClient::connect(&host, &login, &Secret::new("secret"))).unwrap();
    let mut changed = |_: SyncStep| std::ops::ControlFlow::Continue(());
    let done = block_on(client.sync_messages(&host, INBOX, &mut changed));
    assert!(done.unwrap().is_continue());
    (host, client)
}

/// Waits for a minute; whether there are news of the inbox, and after how many milliseconds.
pub(super) fn wait<S: Server + 'static>(
    host: &TestHost<S>,
    client: &mut ImapClient<Pipe<S>>,
) -> (bool, i64) {
    let start = host.now();
    let mut never = Box::pin(pending::<()>());
    let minute = Duration::from_secs(60);
    let (came, news) = block_on(client.wait_for_news(host, INBOX, minute, &mut never));
    assert_eq!(came, None);
    (news.unwrap(), host.now() - start)
}

#[test]
fn what_happens_in_other_mailboxes_ends_the_waiting_soon() {
    let told = "* STATUS \"Lists\" (MESSAGES 3 UIDNEXT 4)\r\n";
    let (host, mut client) = watching("OK done", vec![told, ""]);
    assert_eq!(wait(&host, &mut client), (false, super::super::idle::SETTLES));
    assert_eq!(wait(&host, &mut client), (false, 60_000));
    let said = host.server.borrow().said.clone();
    let notified =
        said.iter().filter(|own| own.starts_with("NOTIFY SET (selected-delayed")).count();
    assert_eq!(notified, 1, "{said:?}");
}

#[test]
fn news_of_the_mailbox_come_first_and_the_others_are_not_forgotten() {
    let told = "* STATUS \"Lists\" (MESSAGES 3 UIDNEXT 4)\r\n* 1 EXISTS\r\n";
    let (host, mut client) = watching("OK done", vec![told]);
    assert_eq!(wait(&host, &mut client), (true, 0));
    client.news = Some(super::super::news::News::default());
    assert_eq!(wait(&host, &mut client), (false, 0));
}

#[test]
fn a_server_that_refuses_to_tell_of_all_is_not_asked_again() {
    let (host, mut client) = watching("NO [BADEVENT (MessageNew)] not that", vec!["", ""]);
    assert_eq!(wait(&host, &mut client), (false, 60_000));
    assert_eq!(wait(&host, &mut client), (false, 60_000));
    let said = host.server.borrow().said.clone();
    assert_eq!(said.iter().filter(|own| own.starts_with("NOTIFY")).count(), 1, "{said:?}");
}

#[test]
fn the_end_of_an_earlier_command_does_not_end_the_waiting() {
    let (host, mut client) = watching("OK done", vec!["", "* 1 EXISTS\r\n"]);
    assert_eq!(wait(&host, &mut client), (false, 60_000));
    // Such as a look at another mailbox, whose answer nobody waits for.
    let earlier = client.connection.session.start(Command::noop());
    assert_eq!(wait(&host, &mut client), (true, 0));
    assert!(client.ended.contains_key(&earlier), "who asked can still learn how it ended");
}

#[test]
fn a_server_to_which_it_is_too_much_is_asked_anew_a_few_times_and_what_it_kept_is_looked_at() {
    let most = limits::OVERFLOWS as usize;
    let overflow = "* OK [NOTIFICATIONOVERFLOW] too much\r\n";
    let (host, mut client) = watching("OK done", vec![overflow; most]);
    let mut changed = |_: SyncStep| std::ops::ControlFlow::Continue(());
    for number in 1..=most {
        assert_eq!(wait(&host, &mut client), (true, 0), "the mailbox is compared");
        let done = block_on(client.catch_up(&host, INBOX, &mut changed));
        assert!(done.unwrap().is_continue());
        let said = host.server.borrow().said.clone();
        let count = |command: &str| said.iter().filter(|own| own.starts_with(command)).count();
        assert_eq!((count("NOTIFY"), count("SELECT")), (number, number + 1), "{said:?}");
        // And so are the others.
        assert_eq!(wait(&host, &mut client), (false, 0));
    }
    assert_eq!(wait(&host, &mut client), (false, 60_000));
    let said = host.server.borrow().said.clone();
    assert_eq!(said.iter().filter(|own| own.starts_with("NOTIFY")).count(), most, "{said:?}");
}
