//! What is tried when, at servers that refuse a log-in or put a message off.

use futures_util::future::join;
use postern_bridge::{
    Address, ClientId, Connection, Delta, Intent, OutgoingMessage, Protocol, Role, SendState,
};

use super::*;
use crate::{
    changes::tests::mailbox,
    client::{
        lanes::{Lanes, Sync},
        tests::{Told, still_at},
    },
    outbox::tests::scripted::Submission,
    pop3::{create_local_mailboxes, tests::scripted::Maildrop},
    record::{Account, Mailbox, Record, Series},
    store::{Durability, Store},
    testing::{FailingStore, Server, TestHost, WriteFault, account, block_on, give_way},
};

/// A message that is to be tried whatever was refused.
fn asked(id: u32) -> Asked {
    Asked { id, unless_refused: false }
}

/// The servers of an account.
struct Servers {
    outgoing: Submission,
    /// The other one, while that is connected to.
    incoming: Option<Box<dyn Server>>,
    /// What is asked for during the next log-in to the outgoing one, and of whom.
    asked_meanwhile: Option<(mpsc::UnboundedSender<Asked>, Asked)>,
}

impl Servers {
    fn connected_to(&mut self) -> &mut dyn Server {
        match &mut self.incoming {
            Some(incoming) => &mut **incoming,
            None => &mut self.outgoing,
        }
    }
}

impl Server for Servers {
    fn connected(&mut self) -> Vec<u8> {
        self.connected_to().connected()
    }

    fn received(&mut self, bytes: &[u8]) -> Vec<u8> {
        if bytes.starts_with(b"AUTH")
            && let Some((sending, asked)) = self.asked_meanwhile.take()
        {
            sending.unbounded_send(asked).unwrap();
        }
        self.connected_to().received(bytes)
    }

    fn disconnected(&mut self) {
        self.connected_to().disconnected();
    }
}

/// An IMAP server with nothing but an empty inbox.
struct Empty;

impl Server for Empty {
    fn connected(&mut self) -> Vec<u8> {
        b"* PREAUTH [CAPABILITY IMAP4rev1] hello\r\n".to_vec()
    }

    fn received(&mut self, bytes: &[u8]) -> Vec<u8> {
        let line = String::from_utf8_lossy(bytes);
        let (tag, command) = line.split_once(' ').unwrap();
        let said = match command.split_ascii_whitespace().next() {
            Some("LIST") => "* LIST () \"/\" INBOX\r\n",
            Some("SELECT") => "* 0 EXISTS\r\n* OK [UIDVALIDITY 1] -\r\n",
            _ => "",
        };
        format!("{said}{tag} OK done\r\n").into_bytes()
    }

    fn disconnected(&mut self) {}
}

/// A client of those servers, of which nothing but the sending lane is at work.
struct Scene {
    client: Client<TestHost<Servers, FailingStore>>,
    told: Told,
    own: Account,
}

impl Scene {
    /// It, and the queue of the lane.
    fn set(protocol: Protocol) -> (Self, mpsc::UnboundedReceiver<Asked>) {
        let own = Account { sealed_password: b"x".to_vec(), ..account(protocol) };
        let servers =
            Servers { outgoing: Submission::new(), incoming: None, asked_meanwhile: None };
        let (client, told) = still_at(servers, FailingStore::default(), own.clone());
        let mut known = vec![own.put()];
        match protocol {
            Protocol::Imap => {
                let inbox =
                    Mailbox { role: Some(Role::Inbox), path: b"INBOX".to_vec(), ..mailbox(1) };
                known.extend([inbox.put(), Series::Mailbox.put(2)]);
            }
            Protocol::Pop3 => {
                let local = create_local_mailboxes(&*client.inner.host, own.id);
                known.extend(block_on(local).unwrap());
            }
        }
        block_on(client.store().apply(known, Durability::Strict)).unwrap();
        let (sending, jobs) = mpsc::unbounded();
        let mut lanes = Lanes::stopped();
        lanes.sending = sending;
        client.inner.accounts.borrow_mut().get_mut(&own.id).unwrap().lanes = lanes;
        (Self { client, told, own }, jobs)
    }

    /// Takes a message, without having it sent; its number.
    async fn write(&self, to: &str) -> u32 {
        let message = OutgoingMessage {
            to: vec![Address { name: String::new(), address: to.into() }],
            ..OutgoingMessage::empty(self.own.id)
        };
        outbox::enqueue(&*self.client.inner.host, &self.own, &message, None).await.unwrap()
    }

    /// What the outgoing server says to a line, or to what begins with these two words.
    fn answer(&self, line: &'static str, answer: Option<&'static str>) {
        let answers = &mut self.client.inner.host.server.borrow_mut().outgoing.answers;
        match answer {
            Some(answer) => answers.insert(line, answer),
            None => answers.remove(line),
        };
    }

    /// How often the outgoing server was told this.
    fn heard(&self, what: &str) -> usize {
        self.client.inner.host.server.borrow().outgoing.heard.matches(what).count()
    }

    /// Lets the lane do its work until it was told this so often, and returns the time then.
    async fn until_heard(&self, what: &str, times: usize) -> i64 {
        for _ in 0..100 {
            if self.heard(what) == times {
                return self.client.inner.host.now.get();
            }
            give_way().await;
        }
        panic!("“{what}” was heard {} times", self.heard(what));
    }

    /// Looks at everything on the incoming server.
    async fn look(&self) {
        let incoming: Box<dyn Server> = match self.own.protocol {
            Protocol::Imap => Box::new(Empty),
            Protocol::Pop3 => Box::new(Maildrop::new(&[])),
        };
        self.client.inner.host.server.borrow_mut().incoming = Some(incoming);
        let (sync, jobs) = mpsc::unbounded();
        sync.unbounded_send(Sync::All).unwrap();
        drop(sync);
        let (client, id) = (self.client.clone(), self.own.id);
        match self.own.protocol {
            Protocol::Imap => client.imap_sync_lane(id, jobs, mpsc::unbounded().1).await,
            Protocol::Pop3 => client.download_lane(id, jobs).await,
        }
        self.client.inner.host.server.borrow_mut().incoming = None;
        let online = Delta::Connection { account: id, state: Connection::Online };
        assert!(self.told.borrow().contains(&online), "it was looked");
    }

    /// Ends the lane.
    fn end(&self) {
        let mut accounts = self.client.inner.accounts.borrow_mut();
        accounts.get_mut(&self.own.id).unwrap().lanes = Lanes::stopped();
    }
}

#[test]
fn a_refused_log_in_is_repeated_for_a_reason_alone() {
    for protocol in [Protocol::Imap, Protocol::Pop3] {
        let (scene, jobs) = Scene::set(protocol);
        let id = scene.own.id;
        scene.answer("AUTH PLAIN", Some("535 5.7.8 wrong\r\n"));
        let life = async {
            for _ in 0..3 {
                scene.write("ben@example.org").await;
            }
            scene.client.wake_outbox(id);
            give_way().await;
            give_way().await;
            assert_eq!(scene.heard("AUTH"), 1, "for three messages");
            scene.look().await;
            give_way().await;
            assert_eq!(scene.heard("AUTH"), 1, "{protocol:?}");
            let refresh = Intent::Refresh { account: id };
            scene.client.serve(ClientId(1), refresh.clone()).await.unwrap();
            give_way().await;
            assert_eq!(scene.heard("AUTH"), 2);
            // The right password.
            scene.answer("AUTH PLAIN", None);
            scene.client.serve(ClientId(1), refresh).await.unwrap();
            give_way().await;
            let taken = scene.client.inner.host.server.borrow().outgoing.taken.len();
            assert_eq!(taken, 3);
            scene.end();
        };
        block_on(join(scene.client.clone().sending_lane(id, jobs), life));
    }
}

#[test]
fn what_is_asked_for_while_a_log_in_is_refused_is_tried() {
    let (scene, jobs) = Scene::set(Protocol::Pop3);
    let id = scene.own.id;
    scene.answer("AUTH PLAIN", Some("535 5.7.8 wrong\r\n"));
    let life = async {
        let first = scene.write("ben@example.org").await;
        let second = scene.write("ben@example.org").await;
        let sending = scene.client.inner.accounts.borrow()[&id].lanes.sending.clone();
        scene.client.inner.host.server.borrow_mut().asked_meanwhile =
            Some((sending, asked(second)));
        scene.client.queue_sending(id, asked(first));
        give_way().await;
        assert_eq!(scene.heard("AUTH"), 2);
        scene.end();
    };
    block_on(join(scene.client.clone().sending_lane(id, jobs), life));
}

#[test]
fn what_an_earlier_life_has_left_is_asked_for_also_if_it_can_not_be_tidied_up() {
    let (scene, mut jobs) = Scene::set(Protocol::Pop3);
    let store = scene.client.store();
    let filed = block_on(scene.write("ben@example.org"));
    let waiting = block_on(scene.write("ben@example.org"));
    let entries = block_on(outbox::entries(&*scene.client.inner.host)).unwrap();
    let entry = entries.into_iter().find(|entry| entry.id == filed).unwrap();
    let entry = Entry { state: State::Sent, filed: true, ..entry };
    block_on(store.apply(vec![entry.put()], Durability::Strict)).unwrap();
    store.left.set(Some(0));
    assert_eq!(block_on(scene.client.resume_outbox()), Ok(()));
    assert_eq!(jobs.try_recv(), Ok(asked(waiting)));
}

#[test]
fn that_the_network_is_back_is_no_reason_to_repeat_a_refused_log_in() {
    let (scene, jobs) = Scene::set(Protocol::Pop3);
    let id = scene.own.id;
    scene.answer("AUTH PLAIN", Some("535 5.7.8 wrong\r\n"));
    let life = async {
        scene.write("ben@example.org").await;
        for (times, online) in [(1, false), (1, true), (1, false)] {
            scene.client.wake_unless_refused(id);
            give_way().await;
            assert_eq!(scene.heard("AUTH"), times);
            let network = Intent::Network { online };
            scene.client.serve(ClientId(1), network).await.unwrap();
            give_way().await;
        }
        assert_eq!(scene.heard("AUTH"), 1);
        scene.end();
    };
    block_on(join(scene.client.clone().sending_lane(id, jobs), life));
}

/// Whatever write of a try fails, and whether it took effect or not.
#[test]
fn what_a_full_store_has_left_in_the_middle_is_put_right_before_the_next_try() {
    let whole = {
        let (scene, jobs) = Scene::set(Protocol::Pop3);
        let id = scene.own.id;
        let life = async {
            let message = scene.write("ben@example.org").await;
            let before = scene.client.store().writes.get();
            scene.client.queue_sending(id, asked(message));
            give_way().await;
            scene.end();
            scene.client.store().writes.get() - before
        };
        block_on(join(scene.client.clone().sending_lane(id, jobs), life)).1
    };
    assert!(whole >= 3, "{whole}");
    for at in 0..whole {
        for fault in [WriteFault::Full, WriteFault::Doubtful] {
            for answer in [None, Some("451 later\r\n"), Some("550 never\r\n")] {
                let (scene, jobs) = Scene::set(Protocol::Pop3);
                let id = scene.own.id;
                let life = async {
                    let message = scene.write("ben@example.org").await;
                    scene.answer("RCPT TO:<ben@example.org>", answer);
                    scene.client.store().fault.set(Some((at, fault)));
                    scene.client.queue_sending(id, asked(message));
                    give_way().await;
                    scene.answer("RCPT TO:<ben@example.org>", None);
                    for _ in 0..20 {
                        give_way().await;
                    }
                    scene.end();
                };
                block_on(join(scene.client.clone().sending_lane(id, jobs), life));
                let what = format!("write {at}, {fault:?}, {answer:?}");
                let entries = block_on(outbox::entries(&*scene.client.inner.host)).unwrap();
                let taken = scene.client.inner.host.server.borrow().outgoing.taken.len();
                match &entries[0].state {
                    State::Sent => assert_eq!(taken, 1, "{what}"),
                    State::Uncertain => assert!(taken <= 1, "{what}"),
                    State::Failed(_) => assert_eq!(taken, 0, "{what}"),
                    state => panic!("{what}: it is left as {state:?}"),
                }
                let told = scene.told.borrow();
                let told = told.iter().rev().find_map(|delta| match delta {
                    Delta::Outbox { state, .. } => Some(state.clone()),
                    _ => None,
                });
                assert_eq!(told, Some(entries[0].send_state()), "{what}");
            }
        }
    }
}

#[test]
fn what_was_left_in_the_middle_is_asked_for_as_well() {
    let (scene, mut jobs) = Scene::set(Protocol::Pop3);
    let id = block_on(scene.write("ben@example.org"));
    let entry = block_on(outbox::entries(&*scene.client.inner.host)).unwrap().remove(0);
    for state in [State::Sending, State::Committing] {
        let entry = Entry { state, ..entry.clone() };
        block_on(scene.client.store().apply(vec![entry.put()], Durability::Strict)).unwrap();
        scene.client.wake_outbox(scene.own.id);
        block_on(give_way());
        assert_eq!(jobs.try_recv(), Ok(asked(id)));
    }
}

#[test]
fn who_sends_without_a_network_can_discard_it() {
    let (scene, _jobs) = Scene::set(Protocol::Pop3);
    scene.client.inner.online.set(false);
    let message = OutgoingMessage {
        to: vec![Address { name: String::new(), address: "ben@example.org".into() }],
        ..OutgoingMessage::empty(scene.own.id)
    };
    let outbox = block_on(scene.client.send(ClientId(1), 1, message, None)).unwrap();
    let queued = Delta::Outbox {
        outbox,
        account: scene.own.id,
        subject: String::new(),
        state: SendState::Queued,
    };
    assert!(scene.told.borrow().contains(&queued));
}

#[test]
fn a_message_that_is_put_off_holds_up_no_other() {
    let (scene, jobs) = Scene::set(Protocol::Pop3);
    let id = scene.own.id;
    let (first, second) = ("RCPT TO:<away@example.org>", "RCPT TO:<ben@example.org>");
    scene.answer(first, Some("451 later\r\n"));
    scene.answer(second, Some("451 later\r\n"));
    let life = async {
        let begin = scene.client.inner.host.now.get();
        let away = scene.write("away@example.org").await;
        scene.client.queue_sending(id, asked(away));
        let minutes = (scene.until_heard(first, 5).await - begin) / 60_000;
        assert_eq!(minutes, 1 + 2 + 4 + 8);
        let ben = scene.write("ben@example.org").await;
        scene.client.queue_sending(id, asked(ben));
        let tried = scene.until_heard(second, 1).await;
        scene.answer(second, None);
        let again = scene.until_heard(second, 2).await;
        assert_eq!((again - tried) / 1_000, 60);
        assert_eq!(scene.client.inner.host.server.borrow().outgoing.taken.len(), 1);
        scene.end();
    };
    block_on(join(scene.client.clone().sending_lane(id, jobs), life));
}
