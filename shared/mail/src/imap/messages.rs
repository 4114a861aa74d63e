//! One mailbox's messages brought up to date.

use futures_util::lock::MutexGuard;
use postern_bridge::{MailboxId, MessageId};
use postern_imap::{
    Command, Response, SequenceSet,
    command::{FetchItem, SearchKey, SearchReturn},
    response::SearchResult,
    session::Tag,
};

use super::{
    ImapClient, limits, listing,
    plan::{self, Difference},
    select::Selected,
};
use crate::{
    Host, MailError, Store, Transport,
    changes::{self, Pending, is_provisional},
    record::{self, Mailbox, Message, Record},
    store::{Durability, KeyRange, StoreError, Table, Write},
};

/// A batch was stored: the list can be drawn again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SyncStep {
    /// The mailbox.
    pub mailbox: MailboxId,
    /// How many of its messages are stored now.
    pub stored: u32,
    /// How many messages it has on the server.
    pub total: u32,
    /// How many of them are unread.
    pub unread: u32,
}

impl<T: Transport> ImapClient<T> {
    /// Brings the stored messages of a mailbox up to date: new ones are fetched newest first in
    /// windows, those that are gone are removed, flags of the others are looked at. Each window is
    /// one batch; `changed` is called after it. If UIDVALIDITY changed, what is stored of this
    /// mailbox is dropped first.
    ///
    /// # Errors
    ///
    /// If the server can't be asked or the store not be written; what was stored until then stays,
    /// and the next call goes on from there.
    pub async fn sync_messages<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        mailbox: MailboxId,
        changed: &mut dyn FnMut(SyncStep),
    ) -> Result<(), MailError> {
        let asked = host.now();
        let before = record::mailbox(host.store(), mailbox).await?;
        let selected = self.select(host, &before).await?;
        let reset = before.uid_validity != selected.uid_validity;
        let stored = if reset { Vec::new() } else { stored_uids(host.store(), mailbox).await? };
        let unread = self.count_unread(host).await?;
        let difference = self.compare(host, &before, &selected, stored, reset).await?;

        let mut writes = Vec::new();
        if reset {
            writes.extend(forget_known(host.store(), mailbox).await?);
        }
        writes.extend(removals(host.store(), mailbox, &difference.vanished).await?);
        let mut sync = Sync {
            host,
            step: SyncStep {
                mailbox,
                stored: u32::try_from(difference.known.len()).unwrap_or(u32::MAX),
                total: selected.exists,
                unread,
            },
            asked,
            changed,
        };
        sync.commit(writes, |own| own.uid_validity = selected.uid_validity).await?;
        self.fetch_new(&mut sync, &difference.missing).await?;
        self.refresh_flags(&mut sync, &difference.known).await?;
        let uid_next = selected.uid_next.unwrap_or_default();
        sync.commit(Vec::new(), |own| own.uid_next = uid_next).await
    }

    async fn compare<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        before: &Mailbox,
        selected: &Selected,
        stored: Vec<u32>,
        reset: bool,
    ) -> Result<Difference, MailError> {
        let pending = Pending::of(host.store(), before.id, host.now()).await?;
        let known = stored.len() + pending.departures() as usize;
        let complete =
            plan::is_complete(known, selected.exists, selected.uid_next, before.uid_next);
        if complete && !reset {
            return Ok(Difference { known: stored, ..Difference::default() });
        }
        if selected.exists == 0 {
            return Ok(Difference { vanished: stored, ..Difference::default() });
        }
        let found = self.search(host, SearchKey::All, SearchReturn::All).await?;
        let Some(uids) = found.all else {
            return Ok(Difference { vanished: stored, ..Difference::default() });
        };
        if uids.count() > limits::MESSAGES {
            return Err(MailError::Unsupported("a mailbox of this size"));
        }
        let here = |uid: &u32| !is_provisional(*uid) && !pending.has_departed(*uid);
        Ok(plan::difference(uids.numbers().filter(here), stored))
    }

    async fn count_unread<H: Host<Transport = T>>(&mut self, host: &H) -> Result<u32, MailError> {
        let found = self.search(host, SearchKey::Unseen, SearchReturn::Count).await?;
        Ok(u32::try_from(found.count.unwrap_or_default()).unwrap_or(u32::MAX))
    }

    /// Searches, in the short form where the server has it.
    pub(super) async fn search<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        key: SearchKey,
        short: SearchReturn,
    ) -> Result<SearchResult, MailError> {
        self.search_all(host, vec![key], short).await
    }

    /// The same for messages that match every key.
    pub(super) async fn search_all<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        keys: Vec<SearchKey>,
        short: SearchReturn,
    ) -> Result<SearchResult, MailError> {
        let capabilities = self.capabilities(host).await?;
        let has_short = capabilities.has("ESEARCH") || capabilities.has("IMAP4REV2");
        let form = if has_short { short } else { SearchReturn::Plain };
        let command = Command::uid_search(&keys, form)?;
        let answer = self.run(host, command, "search the mailbox").await?;
        let found = answer.responses.into_iter().find_map(|response| match response {
            Response::Search(result) => Some(result),
            _ => None,
        });
        // Without an answer nothing is known: to take it for "none" would drop what is stored.
        found.ok_or_else(|| MailError::Protocol("a search without a result".into()))
    }

    /// Fetches new messages. The first window is not held up by others; from then on the next one is
    /// on its way while one is stored.
    async fn fetch_new<H: Host<Transport = T>>(
        &mut self,
        sync: &mut Sync<'_, H>,
        missing: &[u32],
    ) -> Result<(), MailError> {
        let what = "list the messages";
        let mut windows = plan::new_windows(missing).into_iter();
        let mut current = self.start_fetch(windows.next(), &listing::ITEMS)?;
        let mut ahead = None;
        while let Some(tag) = current {
            let mut answer = self.finish(sync.host, tag, what).await?;
            let mut messages: Vec<Message> = answer
                .fetches()
                .filter_map(|fetch| listing::message(sync.step.mailbox, &fetch))
                .filter(|message| missing.binary_search(&message.id.uid).is_ok())
                .collect();
            messages.sort_unstable_by_key(|message| message.id.uid);
            messages.dedup_by_key(|message| message.id.uid);
            sync.step.stored += u32::try_from(messages.len()).unwrap_or_default();
            sync.commit_new(messages).await?;
            current = match ahead {
                Some(tag) => Some(tag),
                None => self.start_fetch(windows.next(), &listing::ITEMS)?,
            };
            ahead = self.start_fetch(windows.next(), &listing::ITEMS)?;
        }
        Ok(())
    }

    /// Looks at the flags of messages that are stored.
    async fn refresh_flags<H: Host<Transport = T>>(
        &mut self,
        sync: &mut Sync<'_, H>,
        known: &[u32],
    ) -> Result<(), MailError> {
        for window in plan::flag_windows(known) {
            let command = Command::uid_fetch(&window, &[FetchItem::Flags])?;
            let mut answer = self.run(sync.host, command, "list the flags").await?;
            let told: Vec<_> = answer
                .fetches()
                .filter_map(|fetch| {
                    let flags = fetch.flags?;
                    Some((fetch.uid?, (listing::flags(&flags), listing::keywords(&flags))))
                })
                .filter(|(uid, _)| known.binary_search(uid).is_ok())
                .collect();
            let uids: Vec<u32> = told.iter().map(|(uid, _)| *uid).collect();
            let editing = sync.host.store().editing().lock().await;
            let messages = stored_messages(sync.host.store(), sync.step.mailbox, &uids).await?;
            let pending = sync.pending().await?;
            let writes: Vec<Write> = messages
                .into_iter()
                .zip(told)
                .filter_map(|(message, (uid, (mut flags, mut keywords)))| {
                    let message = message?;
                    pending.mark(uid, &mut flags, &mut keywords);
                    let differs = message.flags != flags || message.keywords != keywords;
                    differs.then(|| Message { flags, keywords, ..message }.put())
                })
                .collect();
            if !writes.is_empty() {
                sync.commit_edited(&editing, writes, |_| {}).await?;
            }
        }
        Ok(())
    }

    fn start_fetch(
        &mut self,
        window: Option<SequenceSet>,
        items: &[FetchItem],
    ) -> Result<Option<Tag>, MailError> {
        let Some(window) = window else { return Ok(None) };
        let command = Command::uid_fetch(&window, items)?;
        Ok(Some(self.connection.session.start(command)))
    }
}

/// A sync of one mailbox in progress.
struct Sync<'a, H> {
    host: &'a H,
    step: SyncStep,
    /// When the server was asked first, in milliseconds since 1970 (UTC).
    asked: i64,
    changed: &'a mut dyn FnMut(SyncStep),
}

impl<H: Host> Sync<'_, H> {
    /// Stores a batch together with the mailbox's counts, and says so.
    async fn commit(
        &mut self,
        writes: Vec<Write>,
        update: impl FnOnce(&mut Mailbox),
    ) -> Result<(), MailError> {
        let editing = self.host.store().editing().lock().await;
        self.commit_edited(&editing, writes, update).await
    }

    /// Stores new messages, as they are here: with the marks of the queue, and without those that
    /// have been moved away meanwhile.
    async fn commit_new(&mut self, messages: Vec<Message>) -> Result<(), MailError> {
        let editing = self.host.store().editing().lock().await;
        let pending = self.pending().await?;
        let writes = messages
            .into_iter()
            .filter(|message| !pending.has_departed(message.id.uid))
            .flat_map(|mut message| {
                pending.mark(message.id.uid, &mut message.flags, &mut message.keywords);
                message.put_listed()
            })
            .collect();
        self.commit_edited(&editing, writes, |_| {}).await
    }

    async fn pending(&self) -> Result<Pending, MailError> {
        Pending::of(self.host.store(), self.step.mailbox, self.asked).await
    }

    /// The same for a batch that was made of what is stored.
    async fn commit_edited(
        &mut self,
        _editing: &MutexGuard<'_, ()>,
        mut writes: Vec<Write>,
        update: impl FnOnce(&mut Mailbox),
    ) -> Result<(), MailError> {
        let before = record::mailbox(self.host.store(), self.step.mailbox).await?;
        let mut mailbox = before.clone();
        update(&mut mailbox);
        let entries = changes::entries(self.host.store(), mailbox.account).await?;
        let pending = Pending::from_entries(&entries, &mailbox, self.asked);
        mailbox.unread = pending.unread(self.step.unread);
        mailbox.total = pending.total(self.step.total);
        if mailbox != before {
            writes.push(mailbox.put());
        }
        if !writes.is_empty() {
            self.host.store().apply(writes, Durability::Relaxed).await?;
            (self.changed)(self.step);
        }
        Ok(())
    }
}

/// The UIDs of the messages that are stored and that the server knows, ascending.
async fn stored_uids(store: &impl Store, mailbox: MailboxId) -> Result<Vec<u32>, StoreError> {
    let range = KeyRange::prefix(record::mailbox_key(mailbox));
    let keys = store.keys(Table::Messages, &range).await?;
    let uids = keys.iter().filter_map(|key| {
        let (_, uid) = key.0.split_last_chunk::<4>()?;
        Some(u32::from_be_bytes(*uid))
    });
    Ok(uids.filter(|uid| !is_provisional(*uid)).collect())
}

/// The writes that remove what is stored of a mailbox, but for messages that are on their way into
/// it: the server does not have those yet.
async fn forget_known(store: &impl Store, mailbox: MailboxId) -> Result<Vec<Write>, MailError> {
    let key = |uid| record::message_key(MessageId { mailbox, uid });
    let known = KeyRange {
        start: record::mailbox_key(mailbox),
        end: Some(key(changes::limits::PROVISIONAL)),
    };
    let coming = KeyRange {
        start: key(changes::limits::PROVISIONAL),
        ..KeyRange::prefix(record::mailbox_key(mailbox))
    };
    let places = KeyRange::prefix(record::mailbox_key(mailbox));
    let mut writes = vec![
        Write::DeleteRange { table: Table::Messages, range: known.clone() },
        Write::DeleteRange { table: Table::Bodies, range: known },
        Write::DeleteRange { table: Table::Arrival, range: places },
    ];
    let coming: Vec<Message> = record::all(store, &coming).await?;
    writes.extend(coming.iter().flat_map(Message::put_listed));
    Ok(writes)
}

async fn stored_messages(
    store: &impl Store,
    mailbox: MailboxId,
    uids: &[u32],
) -> Result<Vec<Option<Message>>, StoreError> {
    let keys: Vec<_> =
        uids.iter().map(|uid| record::message_key(MessageId { mailbox, uid: *uid })).collect();
    let values = store.get_many(Table::Messages, &keys).await?;
    values.into_iter().map(|value| value.map(|value| record::decode(&value)).transpose()).collect()
}

async fn removals(
    store: &impl Store,
    mailbox: MailboxId,
    vanished: &[u32],
) -> Result<Vec<Write>, StoreError> {
    let messages = stored_messages(store, mailbox, vanished).await?;
    Ok(messages.iter().flatten().flat_map(Message::delete_whole).collect())
}
