//! How safe what is stored is, and how much room there is.

use postern_bridge::{ClientId, Delta, MailboxId, Protocol, StorageView, StoredBytes};

use super::Client;
use crate::{
    Host, MailError, Store,
    changes::is_provisional,
    host::StorageState,
    pop3,
    record::{self, Body, Mailbox, Message, Record},
    store::{Durability, KeyRange, Order, Table, Write},
};

/// How many records are read at a time.
const WINDOW: usize = 500;
/// How many bytes must be free for downloads to go on.
const ROOM: u64 = 16 << 20;
/// How often the room is looked at while mail comes in, in milliseconds.
const EVERY: i64 = 60_000;

/// For how many milliseconds nothing is downloaded once there was no room, where the browser does
/// not tell how much there is…
const FIRST_WAIT: i64 = 4 * 60_000;
/// …and the most that this grows to while it is full each time.
const LONGEST_WAIT: i64 = 6 * 60 * 60_000;
/// How many milliseconds after it was due to be tried again a lack of room counts as the same one.
const SAME: i64 = 60 * 60_000;

/// When there was no room last, and how long it is until it is tried again where nobody tells
/// whether there is some by now; in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Full {
    at: i64,
    wait: i64,
}

impl Full {
    /// There is no room at `now`: each time in turn it is twice as long until the next try.
    fn again(self, now: i64) -> Self {
        let same = self.wait > 0 && self.is_within(self.wait + SAME, now);
        let wait = if same { self.wait.saturating_mul(2).min(LONGEST_WAIT) } else { FIRST_WAIT };
        Self { at: now, wait }
    }

    /// Whether it is to be tried again at `now`.
    fn is_due(self, now: i64) -> bool {
        !self.is_within(self.wait, now)
    }

    /// A clock that was set back makes nothing longer.
    fn is_within(self, span: i64, now: i64) -> bool {
        (self.at..self.at.saturating_add(span)).contains(&now)
    }
}

impl<H: Host> Client<H> {
    /// Finds out how the browser keeps what is stored, and tells the pages.
    pub(super) async fn look_at_storage(&self) {
        let StorageState { persistent, usage, quota } = self.inner.host.storage().await;
        let paused = self.inner.paused.get();
        let public_computer = pop3::is_public_computer(self.store()).await;
        let view = StorageView { persistent, usage, quota, paused, public_computer };
        self.tell(None, Delta::Storage(view));
    }

    /// Notes whether this is a public computer.
    pub(super) async fn set_public_computer(&self, is_public: bool) -> Result<(), MailError> {
        let editing = self.store().editing().lock().await;
        let noted = pop3::note_public_computer(is_public);
        self.store().apply(vec![noted], Durability::Strict).await?;
        drop(editing);
        self.look_at_storage().await;
        Ok(())
    }

    /// The same, but once a minute at most: what comes in takes up room.
    pub(super) fn look_now_and_then(&self) {
        let now = self.inner.host.now();
        if (now - self.inner.looked.get()).abs() < EVERY {
            return;
        }
        self.inner.looked.set(now);
        let client = self.clone();
        self.inner.host.spawn(async move { client.look_at_storage().await });
    }

    /// There is no room: what can be fetched again makes some; if that is not enough, nothing is
    /// downloaded until there is.
    pub(super) async fn storage_is_full(&self) {
        let freed = self.free_room().await.unwrap_or(0);
        let is_paused = freed < ROOM;
        // What several accounts find at a time is one lack of room.
        if !self.inner.paused.replace(is_paused) && is_paused {
            self.inner.full.set(self.inner.full.get().again(self.inner.host.now()));
        }
        self.look_at_storage().await;
    }

    /// Whether nothing may be downloaded; goes on by itself once there is room.
    pub(super) async fn is_paused(&self) -> bool {
        if !self.inner.paused.get() {
            return false;
        }
        let StorageState { usage, quota, .. } = self.inner.host.storage().await;
        let room = usage.zip(quota).map(|(usage, quota)| quota.saturating_sub(usage));
        // Where nobody tells, only a try does: what comes is written until it fails.
        let is_due = || self.inner.full.get().is_due(self.inner.host.now());
        if room.map_or_else(is_due, |room| room >= ROOM) {
            self.inner.paused.set(false);
            self.look_at_storage().await;
        }
        self.inner.paused.get()
    }

    /// Whether there is a network, and room for what it brings.
    pub(super) async fn may_download(&self) -> bool {
        self.inner.online.get() && !self.is_paused().await
    }

    /// Has everything brought up to date that was held up, if there is room by now.
    pub(super) async fn go_on_if_there_is_room(&self) -> Result<(), MailError> {
        if self.inner.paused.get() && !self.is_paused().await {
            for account in self.account_ids() {
                self.refresh(account)?;
                self.wake_unless_refused(account);
            }
        }
        Ok(())
    }

    /// The person has removed something for good: nobody needs to wait to see whether that is
    /// enough.
    pub(super) async fn room_was_made(&self) {
        self.inner.full.take();
        // An account that goes meanwhile needs nothing.
        let _ = self.go_on_if_there_is_room().await;
    }

    /// The person wants it tried again.
    pub(super) async fn try_storage_again(&self) {
        self.inner.full.take();
        if self.inner.paused.replace(false) {
            self.look_at_storage().await;
        }
    }

    /// Drops bodies of IMAP messages, which their servers have, the oldest first; how many bytes that
    /// frees. Nothing else is ever dropped.
    async fn free_room(&self) -> Result<u64, MailError> {
        let mut freed = 0;
        // Those that can't be read can't be mended either: there is no room for it.
        let (mailboxes, _) = record::readable::<Mailbox>(self.store(), &KeyRange::all()).await?;
        for mailbox in mailboxes {
            let Ok(account) = self.account(mailbox.account) else { continue };
            if account.protocol == Protocol::Imap && freed < ROOM {
                freed += drop_bodies(self.store(), mailbox.id, ROOM - freed).await?;
            }
        }
        Ok(freed)
    }

    /// Adds up what is stored of each account.
    pub(super) async fn measure_storage(&self, page: ClientId) -> Result<(), MailError> {
        let mut stored = Vec::new();
        for account in self.account_ids() {
            let mailboxes = self.mailboxes(account).await?;
            let (messages, bytes) = stored_bytes(self.store(), &mailboxes).await?;
            stored.push(StoredBytes { account, messages, bytes });
        }
        self.tell(Some(page), Delta::StoredByAccount(stored));
        self.look_at_storage().await;
        Ok(())
    }
}

/// Drops what is stored of an IMAP mailbox's messages until so many bytes are free; how many are.
///
/// Each batch drops the bytes and says so in the record: a crash leaves messages that are here or
/// not, and are fetched again when somebody opens them. What only this browser has (a message on its
/// way to the server) stays.
async fn drop_bodies(
    store: &impl Store,
    mailbox: MailboxId,
    wanted: u64,
) -> Result<u64, MailError> {
    let mut freed = 0;
    let mut range = KeyRange::prefix(record::mailbox_key(mailbox));
    while freed < wanted {
        let window = store.scan(Table::Arrival, &range, Order::Ascending, WINDOW).await?;
        let Some((last, _)) = window.last() else { break };
        range.start = last.clone().bytes(&[0]);
        let ids: Vec<_> =
            window.iter().map(|(key, _)| record::arrived_message(key)).collect::<Result<_, _>>()?;
        let _editing = store.editing().lock().await;
        let mut batch = Vec::new();
        let keys: Vec<_> = ids.iter().map(|id| record::message_key(*id)).collect();
        let values = store.get_many(Table::Messages, &keys).await?;
        for (id, value) in ids.into_iter().zip(values) {
            let Some(value) = value.filter(|_| !is_provisional(id.uid)) else { continue };
            let Ok(mut message) = record::decode::<Message>(&value) else { continue };
            if let Body::Whole { size } | Body::Partial { size, .. } = message.body {
                freed += size;
                message.body = Body::Absent;
                let range = KeyRange::prefix(record::message_key(id));
                batch.push(Write::DeleteRange { table: Table::Bodies, range });
                batch.push(message.put());
            }
            if freed >= wanted {
                break;
            }
        }
        store.apply(batch, Durability::Relaxed).await?;
    }
    Ok(freed)
}

/// How many messages of mailboxes are stored with their bytes, and how many bytes that is; without those
/// whose records can't be read.
async fn stored_bytes(store: &impl Store, mailboxes: &[Mailbox]) -> Result<(u32, u64), MailError> {
    let (mut messages, mut bytes) = (0, 0);
    for mailbox in mailboxes {
        let mut range = KeyRange::prefix(record::mailbox_key(mailbox.id));
        loop {
            let window = store.scan(Table::Messages, &range, Order::Ascending, WINDOW).await?;
            for (_, value) in &window {
                let Ok(message) = record::decode::<Message>(value) else { continue };
                if let Body::Whole { size } | Body::Partial { size, .. } | Body::Header { size } =
                    message.body
                {
                    messages += 1;
                    bytes += size;
                }
            }
            match window.last() {
                Some((last, _)) if window.len() == WINDOW => range.start = last.clone().bytes(&[0]),
                _ => break,
            }
        }
    }
    Ok((messages, bytes))
}

#[cfg(test)]
mod tests {
    use postern_bridge::MessageId;

    use super::*;
    use crate::{
        changes::tests::{mailbox, message},
        client::tests::still,
        store::MemoryStore,
        testing::{account, block_on},
    };

    #[test]
    fn tries_are_further_apart_each_time_and_begin_anew_after_a_while() {
        let minutes = |number: i64| number * 60_000;
        let mut full = Full::default();
        let mut now = minutes(7);
        for wait in [4, 8, 16, 32, 64, 128, 256, 360, 360] {
            full = full.again(now);
            let due = [0, minutes(wait) - 1, minutes(wait)].map(|after| full.is_due(now + after));
            assert_eq!(due, [false, false, true], "{wait}");
            assert!(full.is_due(now - 1), "the clock was set back");
            // The next try takes some minutes.
            now += minutes(wait + 9);
        }
        now += SAME;
        assert!(full.again(now).is_due(now + minutes(4)), "long after it is another lack of room");
    }

    #[test]
    fn where_dropping_bodies_makes_room_nothing_waits_longer_the_next_time() {
        let (client, _) = still(MemoryStore::new(), account(Protocol::Imap));
        let id = MessageId { mailbox: MailboxId(1), uid: 1 };
        let whole = Message { body: Body::Whole { size: ROOM }, ..message(id) };
        let batch = [&[mailbox(1).put()][..], &whole.put_listed()].concat();
        block_on(client.store().apply(batch, Durability::Strict)).unwrap();
        for (paused, wait) in [(false, 0), (true, FIRST_WAIT), (true, FIRST_WAIT)] {
            block_on(client.storage_is_full());
            assert_eq!((client.inner.paused.get(), client.inner.full.get().wait), (paused, wait));
        }
    }

    #[test]
    fn a_record_that_can_not_be_read_is_not_counted_and_keeps_its_bytes() {
        let store = MemoryStore::new();
        let id = |uid| MessageId { mailbox: MailboxId(1), uid };
        let mut batch = vec![mailbox(1).put()];
        for uid in 1..=3 {
            let whole = Message { body: Body::Whole { size: 5 }, ..message(id(uid)) };
            batch.extend(whole.put_listed());
            batch.extend(record::put_body(id(uid), b"bytes"));
        }
        let (table, key) = (Table::Messages, record::message_key(id(2)));
        batch.push(Write::Put { table, key, value: Vec::new() });
        block_on(store.apply(batch, Durability::Strict)).unwrap();
        assert_eq!(block_on(stored_bytes(&store, &[mailbox(1)])), Ok((2, 10)));
        assert_eq!(block_on(drop_bodies(&store, MailboxId(1), 100)), Ok(10));
        for (uid, left) in [(1, &b""[..]), (2, b"bytes"), (3, b"")] {
            assert_eq!(block_on(record::body(&store, id(uid))).unwrap(), left);
        }
    }
}
