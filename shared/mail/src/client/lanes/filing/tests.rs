//! Servers that don't take a copy.

use futures_channel::mpsc;
use postern_bridge::{Address, Delta, OutgoingMessage, Protocol, SendState};

use super::*;
use crate::{
    changes::tests::mailbox,
    client::tests::{Told, still_at},
    record::{Account, Record},
    store::{Durability, MemoryStore, Store},
    testing::{Server, TestHost, account, block_on},
};

/// A server with an empty mailbox for sent messages, which takes none.
struct Refusing {
    offers: &'static str,
    /// What it says to a log-in.
    login: &'static str,
}

impl Server for Refusing {
    fn connected(&mut self) -> Vec<u8> {
        b"* OK hello\r\n".to_vec()
    }

    fn received(&mut self, bytes: &[u8]) -> Vec<u8> {
        let line = String::from_utf8_lossy(bytes);
        let (tag, command) = line.split_once(' ').unwrap();
        let said = match command.split_ascii_whitespace().next().unwrap() {
            "CAPABILITY" => format!("* CAPABILITY IMAP4rev1 {}\r\n", self.offers),
            "SELECT" => "* 0 EXISTS\r\n* OK [UIDVALIDITY 1] -\r\n".into(),
            "UID" => "* SEARCH\r\n".into(),
            "LOGIN" => return format!("{tag} {}\r\n", self.login).into_bytes(),
            "APPEND" => return format!("{tag} NO not here\r\n").into_bytes(),
            _ => String::new(),
        };
        format!("{said}{tag} OK done\r\n").into_bytes()
    }

    fn disconnected(&mut self) {}
}

/// A client of that server, which has sent a message of which the copy is still to be filed: its account
/// and its number.
fn sent(server: Refusing) -> (Client<TestHost<Refusing, MemoryStore>>, Told, Account, u32) {
    let own = Account { sealed_password: b"x".to_vec(), ..account(Protocol::Imap) };
    let (client, told) = still_at(server, MemoryStore::new(), own.clone());
    let host = &*client.inner.host;
    let message = OutgoingMessage {
        account: own.id,
        to: vec![Address { name: String::new(), address: "bob@example.org".into() }],
        cc: Vec::new(),
        bcc: Vec::new(),
        subject: "Figs".into(),
        text: String::new(),
        in_reply_to: None,
        references: Vec::new(),
        attachments: Vec::new(),
    };
    block_on(host.store.apply(vec![own.put()], Durability::Strict)).unwrap();
    let id = block_on(outbox::enqueue(host, &own, &message, None)).unwrap();
    let queued = block_on(outbox::entries(host)).unwrap().pop().unwrap();
    let sent = outbox::Entry { state: State::Sent, ..queued };
    let folder = Mailbox { role: Some(Role::Sent), path: b"Sent".to_vec(), ..mailbox(2) };
    block_on(host.store.apply(vec![sent.put(), folder.put()], Durability::Strict)).unwrap();
    (client, told, own, id)
}

#[test]
fn a_log_in_that_is_refused_says_nothing_about_a_copy() {
    let server = Refusing { offers: "", login: "NO [EXPIRED] choose another password" };
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
        let (client, told, own, id) = sent(Refusing { offers, login: "OK done" });
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
