//! Servers that don't take a copy.

use std::collections::VecDeque;

use futures_channel::mpsc;
use postern_bridge::{Address, Delta, OutgoingMessage, Protocol, SendState};

use super::*;
use crate::{
    changes::tests::mailbox,
    client::tests::{Told, still_at},
    record::{Account, Record, Series},
    store::{Durability, MemoryStore, Store},
    testing::{Server, TestHost, account, block_on},
};

/// A server with an empty mailbox for sent messages.
struct Picky {
    offers: &'static str,
    /// What it says to a log-in.
    login: &'static str,
    /// Where that mailbox is; nowhere if this is empty.
    sent: &'static str,
    /// What it says to each copy, the first one first; the others it takes.
    refusals: VecDeque<&'static str>,
    /// Of a copy that is coming: the command's tag, and how many bytes are missing.
    coming: Option<(String, usize)>,
    /// The commands that it was given, without tags.
    asked: Vec<String>,
}

impl Picky {
    /// One that refuses the first copies so.
    fn refusing<const N: usize>(refusals: [&'static str; N]) -> Self {
        Self {
            offers: "",
            login: "OK done",
            sent: "Sent",
            refusals: refusals.into(),
            coming: None,
            asked: Vec::new(),
        }
    }
}

impl Server for Picky {
    fn connected(&mut self) -> Vec<u8> {
        b"* OK hello\r\n".to_vec()
    }

    fn received(&mut self, bytes: &[u8]) -> Vec<u8> {
        if let Some((tag, left)) = &mut self.coming {
            *left -= bytes.len();
            let end = (*left == 0).then(|| format!("{tag} OK done\r\n"));
            if end.is_some() {
                self.coming = None;
            }
            return end.unwrap_or_default().into_bytes();
        }
        let line = String::from_utf8_lossy(bytes);
        let (tag, command) = line.trim_end().split_once(' ').unwrap();
        self.asked.push(command.to_owned());
        let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
        let place = rest.split('"').nth(1).unwrap_or_default();
        let is_there = place == "INBOX" || !place.is_empty() && place == self.sent;
        let said = match name {
            "CAPABILITY" => format!("* CAPABILITY IMAP4rev1 {}\r\n", self.offers),
            "LIST" if self.sent.is_empty() => "* LIST () \"/\" INBOX\r\n".into(),
            "LIST" => {
                let sent = self.sent;
                format!("* LIST () \"/\" INBOX\r\n* LIST (\\Sent) \"/\" \"{sent}\"\r\n")
            }
            "CREATE" => {
                self.sent = "Sent";
                String::new()
            }
            "SELECT" if !is_there => return format!("{tag} NO no such folder\r\n").into_bytes(),
            "SELECT" => "* 0 EXISTS\r\n* OK [UIDVALIDITY 1] -\r\n".into(),
            "UID" => "* SEARCH\r\n".into(),
            "LOGIN" => return format!("{tag} {}\r\n", self.login).into_bytes(),
            "APPEND" => {
                if let Some(refusal) = self.refusals.pop_front() {
                    return format!("{tag} {refusal}\r\n").into_bytes();
                }
                let size = rest.rsplit_once('{').unwrap().1.trim_end_matches('}');
                // The line's end comes as well.
                self.coming = Some((tag.to_owned(), size.parse::<usize>().unwrap() + 2));
                return b"+ go on\r\n".to_vec();
            }
            _ => String::new(),
        };
        format!("{said}{tag} OK done\r\n").into_bytes()
    }

    fn disconnected(&mut self) {}
}

/// A client of that server, which has sent a message of which the copy is still to be filed: its account
/// and its number.
fn sent(server: Picky) -> (Client<TestHost<Picky, MemoryStore>>, Told, Account, u32) {
    let own = Account { sealed_password: b"x".to_vec(), ..account(Protocol::Imap) };
    let (client, told) = still_at(server, MemoryStore::new(), own.clone());
    let host = &*client.inner.host;
    let message = OutgoingMessage {
        to: vec![Address { name: String::new(), address: "bob@example.org".into() }],
        subject: "Figs".into(),
        ..OutgoingMessage::empty(own.id)
    };
    let inbox = Mailbox { role: Some(Role::Inbox), path: b"INBOX".to_vec(), ..mailbox(1) };
    let known = vec![own.put(), inbox.put(), Series::Mailbox.put(3)];
    block_on(host.store.apply(known, Durability::Strict)).unwrap();
    let id = block_on(outbox::enqueue(host, &own, &message, None)).unwrap();
    let queued = block_on(outbox::entries(host)).unwrap().pop().unwrap();
    let sent = outbox::Entry { state: State::Sent, ..queued };
    let folder = Mailbox { role: Some(Role::Sent), path: b"Sent".to_vec(), ..mailbox(2) };
    block_on(host.store.apply(vec![sent.put(), folder.put()], Durability::Strict)).unwrap();
    (client, told, own, id)
}

#[test]
fn a_log_in_that_is_refused_says_nothing_about_a_copy() {
    let server = Picky { login: "NO [EXPIRED] choose another password", ..Picky::refusing([]) };
    let (client, _, own, id) = sent(server);
    let mut link = Link::new(&client, own.id);
    let mut queue = Queue::new(mpsc::unbounded().1, mpsc::unbounded().1);
    let filed = block_on(client.file_on_server(own.id, id, &mut link, &mut queue));
    assert!(matches!(filed, Err(MailError::Denied { .. })), "{filed:?}");
    let entry = block_on(outbox::entries(&*client.inner.host)).unwrap().pop().unwrap();
    assert_eq!(entry.state, State::Sent);
}

#[test]
fn a_copy_that_the_server_refuses_is_no_failure_and_is_left_to_the_person() {
    for (offers, why) in [("APPENDLIMIT=9", "of more than 0 kB"), ("", "to file the copy")] {
        let (client, told, own, id) = sent(Picky { offers, ..Picky::refusing(["NO not here"; 4]) });
        let host = &*client.inner.host;
        let entry = || block_on(outbox::entries(host)).unwrap().pop();
        let mut link = Link::new(&client, own.id);
        let mut queue = Queue::new(mpsc::unbounded().1, mpsc::unbounded().1);
        let mut file = || block_on(client.file_on_server(own.id, id, &mut link, &mut queue));
        // Asked once more, there is nothing to be done.
        assert_eq!([file(), file()], [Ok(()), Ok(())]);
        let last = || match told.borrow().last() {
            Some(Delta::Outbox { state, .. }) => state.clone(),
            other => panic!("{other:?}"),
        };
        let SendState::Unfiled(sentence) = last() else { panic!("{:?}", last()) };
        assert!(sentence.contains(why), "{sentence}");
        assert!(!sentence.contains("not sent"), "{sentence}");
        let is_told = |delta: &&Delta| matches!(delta, Delta::Outbox { .. });
        assert_eq!(told.borrow().iter().filter(is_told).count(), 1);
        assert!(!block_on(outbox::raw(host, id)).unwrap().is_empty());

        block_on(client.retry_send(id)).unwrap();
        assert_eq!((last(), file()), (SendState::Sent, Ok(())));
        assert_eq!(last(), SendState::Unfiled(sentence));
        block_on(client.discard_send(id)).unwrap();
        assert_eq!((last(), entry()), (SendState::Sent, None), "it was sent");
    }
}

/// What becomes of a copy at this server: how the filing ended, where its entry stands, and which folders
/// the copy was brought to, in order.
fn file(server: Picky) -> (Result<(), MailError>, outbox::Entry, Vec<String>) {
    let (client, told, own, id) = sent(server);
    let host = &*client.inner.host;
    let mut link = Link::new(&client, own.id);
    let mut queue = Queue::new(mpsc::unbounded().1, mpsc::unbounded().1);
    let filed = block_on(client.file_on_server(own.id, id, &mut link, &mut queue));
    let is_problem = |delta: &Delta| matches!(delta, Delta::Problem(_));
    assert!(!told.borrow().iter().any(is_problem));
    let entry = block_on(outbox::entries(host)).unwrap().pop().unwrap();
    let server = host.server.borrow();
    let copies = server.asked.iter().filter_map(|own| own.strip_prefix("APPEND "));
    let places = copies.map(|own| own.split('"').nth(1).unwrap().to_owned()).collect();
    (filed, entry, places)
}

#[test]
fn a_copy_goes_to_where_the_folder_for_sent_messages_is_by_now() {
    for (sent, refusals, places) in [
        ("Gesendet", &[][..], &["Gesendet"][..]),
        ("Sent", &["NO [TRYCREATE] none"], &["Sent", "Sent"]),
        ("Sent", &["NO [SERVERBUG] oops"], &["Sent", "Sent"]),
        // Where there is none any more it is made.
        ("", &[], &["Sent"]),
    ] {
        let refusals = refusals.iter().copied().collect();
        let (filed, entry, copies) = file(Picky { sent, refusals, ..Picky::refusing([]) });
        assert_eq!((filed, entry.filed), (Ok(()), true), "{sent} {copies:?}");
        assert_eq!(copies, places);
    }
}

#[test]
fn a_copy_that_can_not_be_taken_for_now_waits_and_is_no_failure() {
    for (refusals, count) in [(["NO [INUSE] later"; 2], 1), (["NO [UNAVAILABLE] later"; 2], 2)] {
        let (filed, entry, copies) = file(Picky::refusing(refusals));
        assert_eq!((filed, entry.state, entry.filed), (Ok(()), State::Sent, false));
        assert_eq!(copies.len(), count, "each connection is asked once");
    }
}
