//! What is likely to be read next, fetched before anybody asks for it, within a budget of bytes.

use postern_bridge::{AccountId, MailboxId, MessageId, Protocol};

use super::{Change, Client, link::Link};
use crate::{
    Host, MailError, Store,
    imap::{bytes_to_show, limits},
    record::{self, Body, Message},
    store::{KeyRange, Order, Table},
};

/// How many bytes of an account may be fetched ahead. What is not used is saved up, to a limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Allowance {
    bytes: u64,
    /// As of when, in milliseconds since 1970 (UTC).
    at: i64,
}

impl Default for Allowance {
    fn default() -> Self {
        Self { bytes: limits::AHEAD, at: 0 }
    }
}

impl Allowance {
    /// Takes bytes out of it, if there are as many.
    fn take(&mut self, now: i64, bytes: u64) -> bool {
        let elapsed = u64::try_from(now.saturating_sub(self.at)).unwrap_or(0);
        let earned = elapsed.saturating_mul(limits::AHEAD_PER_SECOND) / 1000;
        *self = Self { bytes: self.bytes.saturating_add(earned).min(limits::AHEAD), at: now };
        let left = self.bytes.checked_sub(bytes);
        self.bytes = left.unwrap_or(self.bytes);
        left.is_some()
    }

    /// Takes bytes out of it that have come already.
    fn spend(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

impl<H: Host> Client<H> {
    /// Fetches what is needed to show a message, unless it is here or there is no allowance left.
    pub(super) async fn fetch_ahead(
        &self,
        account: AccountId,
        link: &mut Link<H>,
        id: MessageId,
    ) -> Result<(), MailError> {
        let message: Option<Message> = record::get(self.store(), &record::message_key(id)).await?;
        let Some(message) = message.filter(|own| own.body == Body::Absent) else { return Ok(()) };
        let expected = bytes_to_show(message.size);
        let now = self.inner.host.now();
        let allowed = self.with_allowance(account, |own| own.take(now, expected));
        if self.inner.paused.get() || allowed != Some(true) {
            return Ok(());
        }
        link.work(async |imap, host| imap.fetch_body(host, id).await).await?;
        // It may be larger than the server has said.
        let message: Option<Message> = record::get(self.store(), &record::message_key(id)).await?;
        let came = message.map_or(0, |own| own.body.stored_size());
        self.with_allowance(account, |own| own.spend(came.saturating_sub(expected)));
        self.note_change(id.mailbox, Change::Rows);
        Ok(())
    }

    /// Has the newest messages of a mailbox fetched: they are likely to be read next.
    pub(super) async fn ask_for_newest(
        &self,
        account: AccountId,
        mailbox: MailboxId,
    ) -> Result<(), MailError> {
        let range = KeyRange::prefix(record::mailbox_key(mailbox));
        let newest =
            self.store().scan(Table::Arrival, &range, Order::Descending, limits::NEWEST).await?;
        let mut messages = Vec::new();
        for (key, _) in newest {
            let key = record::message_key(record::arrived_message(&key)?);
            let message: Option<Message> = record::get(self.store(), &key).await?;
            messages.extend(message);
        }
        for id in worth_it(&messages) {
            self.queue_prefetch(account, id);
        }
        Ok(())
    }

    /// Has the messages below and above this one fetched, one of which is likely to be read next: at
    /// most what is needed to show them.
    pub(in crate::client) async fn ask_for_neighbours(
        &self,
        id: MessageId,
    ) -> Result<(), MailError> {
        let account = self.account_of(id.mailbox).await?;
        if account.protocol == Protocol::Imap && self.inner.online.get() {
            for next in self.neighbours(id) {
                self.queue_prefetch(account.id, next);
            }
        }
        Ok(())
    }

    fn with_allowance<T>(
        &self,
        account: AccountId,
        change: impl FnOnce(&mut Allowance) -> T,
    ) -> Option<T> {
        let accounts = self.inner.accounts.borrow();
        let allowance = &accounts.get(&account)?.lanes.allowance;
        let mut own = allowance.get();
        let result = change(&mut own);
        allowance.set(own);
        Some(result)
    }
}

/// Which of the newest messages are small enough to be fetched in one go.
fn worth_it(newest: &[Message]) -> Vec<MessageId> {
    let mut left = limits::NEWEST_BYTES;
    let fits = |message: &&Message| {
        let fits = message.body == Body::Absent
            && message.size <= limits::NEWEST_MESSAGE
            && message.size <= left;
        left -= if fits { message.size } else { 0 };
        fits
    };
    newest.iter().filter(fits).map(|message| message.id).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use futures_channel::mpsc;
    use postern_bridge::{ClientId, Flags, Intent};

    use super::*;
    use crate::{
        Clock,
        changes::tests::{mailbox, message},
        client::{lanes::Lanes, tests::still_at},
        record::{Account, Record, put_body},
        store::{Durability, MemoryStore},
        testing::{Server, account, block_on},
    };

    const LETTER: &str = "Subject: x\r\n\r\nHello\r\n";

    /// A server with an inbox of five letters, which notes of which it was asked.
    #[derive(Default)]
    struct Letters {
        asked: Vec<u32>,
    }

    impl Server for Letters {
        fn connected(&mut self) -> Vec<u8> {
            b"* PREAUTH [CAPABILITY IMAP4rev1] hello\r\n".to_vec()
        }

        fn received(&mut self, bytes: &[u8]) -> Vec<u8> {
            let line = String::from_utf8_lossy(bytes);
            let words: Vec<&str> = line.split_ascii_whitespace().collect();
            let said = match words[1..] {
                ["SELECT", ..] => {
                    "* 5 EXISTS\r\n* OK [UIDVALIDITY 1] -\r\n* OK [UIDNEXT 6] -\r\n".into()
                }
                ["UID", "FETCH", uid, ..] => {
                    self.asked.push(uid.parse().unwrap());
                    let size = LETTER.len();
                    format!("* {uid} FETCH (UID {uid} BODY[]<0> {{{size}}}\r\n{LETTER})\r\n")
                }
                _ => String::new(),
            };
            format!("{said}{} OK done\r\n", words[0]).into_bytes()
        }

        fn disconnected(&mut self) {}
    }

    /// Opens the third of five messages of which only that one is here; which ones the server is asked
    /// for then, and which are here in the end.
    fn opened(spent: bool) -> (Vec<u32>, Vec<u32>) {
        let own = Account { sealed_password: b"x".to_vec(), ..account(Protocol::Imap) };
        let (client, _) = still_at(Letters::default(), MemoryStore::new(), own.clone());
        let (reading, reading_jobs) = mpsc::unbounded();
        let (prefetch, prefetch_jobs) = mpsc::unbounded();
        let set_lanes = |prefetch| {
            let mut lanes = Lanes::stopped();
            (lanes.reading, lanes.prefetch) = (reading.clone(), prefetch);
            let now = client.inner.host.now();
            if spent {
                let mut allowance = Allowance::default();
                allowance.take(now, limits::AHEAD);
                lanes.allowance.set(allowance);
            }
            client.inner.accounts.borrow_mut().get_mut(&own.id).unwrap().lanes = lanes;
        };
        set_lanes(prefetch);
        let mut batch = vec![own.put(), mailbox(1).put()];
        for uid in 1..=5 {
            let id = MessageId { mailbox: MailboxId(1), uid };
            // As large as what a second brings of an allowance.
            let size = limits::AHEAD_PER_SECOND;
            let mut message = Message { size, ..message(id) };
            if uid == 3 {
                message.flags = Flags { seen: true, ..message.flags };
                message.body = Body::Whole { size: LETTER.len() as u64 };
                batch.extend(put_body(id, LETTER.as_bytes()));
            }
            batch.extend(message.put_listed());
        }
        block_on(client.store().apply(batch, Durability::Strict)).unwrap();
        let say = |intent| block_on(client.serve(ClientId(1), intent)).unwrap();
        say(Intent::OpenMailbox { mailbox: MailboxId(1) });
        say(Intent::OpenMessage { message: MessageId { mailbox: MailboxId(1), uid: 3 } });
        // Without anything more to fetch the lane comes to its end.
        set_lanes(mpsc::unbounded().0);
        block_on(client.clone().reading_lane(own.id, reading_jobs, prefetch_jobs));
        let stored: Vec<Message> = block_on(record::all(client.store(), &KeyRange::all())).unwrap();
        let bodies: BTreeMap<u32, Body> =
            stored.into_iter().map(|message| (message.id.uid, message.body)).collect();
        let here = bodies.into_iter().filter(|(_, body)| *body != Body::Absent);
        let mut asked = std::mem::take(&mut client.inner.host.server.borrow_mut().asked);
        asked.sort_unstable();
        (asked, here.map(|(uid, _)| uid).collect())
    }

    #[test]
    fn the_neighbours_of_a_message_that_is_opened_are_fetched_and_no_others() {
        assert_eq!(opened(false), (vec![2, 4], vec![2, 3, 4]));
    }

    #[test]
    fn neighbours_are_not_fetched_when_the_allowance_is_spent() {
        assert_eq!(opened(true), (vec![], vec![3]));
    }

    #[test]
    fn bytes_of_the_allowance_are_fetched_ahead_and_one_more_is_not() {
        let mut allowance = Allowance::default();
        assert!(!allowance.take(1_000, limits::AHEAD + 1));
        assert!(allowance.take(1_000, limits::AHEAD));
        assert!(!allowance.take(1_000, 1));
    }

    #[test]
    fn what_is_not_used_is_saved_up_to_the_limit() {
        let mut allowance = Allowance::default();
        allowance.take(0, limits::AHEAD);
        assert!(!allowance.take(1_000, limits::AHEAD_PER_SECOND + 1));
        assert!(allowance.take(1_000, limits::AHEAD_PER_SECOND));
        assert!(!allowance.take(1_000, 1), "a second is counted once");
        assert!(!allowance.take(i64::MAX, limits::AHEAD + 1));
        assert!(allowance.take(i64::MAX, limits::AHEAD));
        assert!(!allowance.take(0, 1), "a clock that is set back earns nothing");
    }

    #[test]
    fn a_message_that_is_larger_than_was_said_is_counted_as_it_came() {
        let mut allowance = Allowance::default();
        assert!(allowance.take(0, 10));
        allowance.spend(limits::AHEAD - 10);
        assert!(!allowance.take(0, 1));
        allowance.spend(1);
        assert!(allowance.take(1_000, limits::AHEAD_PER_SECOND));
    }

    #[test]
    fn the_newest_are_fetched_as_far_as_the_bytes_go_and_large_ones_are_left_out() {
        let message = |uid: u32, size: u64| Message {
            size,
            ..message(MessageId { mailbox: MailboxId(1), uid })
        };
        let worth = |sizes: &[u64]| -> Vec<u32> {
            let messages: Vec<_> =
                (1..).zip(sizes).map(|(uid, size)| message(uid, *size)).collect();
            worth_it(&messages).iter().map(|id| id.uid).collect()
        };
        let most = limits::NEWEST_MESSAGE;
        assert_eq!(worth(&[1, most, most + 1, 0]), [1, 2, 4]);
        let many = vec![most; (limits::NEWEST_BYTES / most) as usize + 1];
        assert_eq!(worth(&many).len(), many.len() - 1);
        let here = Message { body: Body::Whole { size: 1 }, ..message(1, 1) };
        assert_eq!(worth_it(&[here]), []);
    }
}
