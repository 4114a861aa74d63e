//! A mailbox, an account or everything, written to a file.
//!
//! One message is read chunk by chunk and written before the next one is looked at; of a zip only the
//! directory is held. One that is moved while it is read is read on where it is then, and one whose windows
//! become its own bytes, since somebody opens it, in those.

use std::collections::BTreeSet;

use postern_archive::{
    mbox::{self, Status},
    zip,
};
use postern_bridge::{ExportFormat, Exported, MessageId, Progress};

use super::{
    Sink, limits,
    manifest::{LEDGER, MANIFEST, Manifest, Note, SavedAccount},
    names, unsent,
};
use crate::{
    Host, MailError, Store,
    changes::{is_keyword, moved_to},
    imap::Raw,
    pop3::LedgerRow,
    record::{self, Account, Body, Mailbox, Message},
    store::{Durability, Key, KeyRange, Order, StoreError, Table, Write},
};

/// How many places of a list are read at a time.
const WINDOW: usize = 500;

/// Where messages come from that are not stored as a whole.
#[allow(async_fn_in_trait, reason = "nothing here is Send, on purpose")]
pub trait Fetch {
    /// The whole message; `None` if it can't be had. A large one is stored, which whoever asks undoes.
    async fn whole(&self, message: &Message) -> Option<Raw>;
}

/// Writes the mailboxes of accounts to a file. With `complete` the accounts are in it as a whole, and
/// a zip has what is needed to restore them.
///
/// # Errors
///
/// If the store can't be read or nobody takes the file any more.
pub async fn export<H: Host>(
    host: &H,
    contents: &[(Account, Vec<Mailbox>)],
    format: ExportFormat,
    complete: bool,
    fetch: &impl Fetch,
    sink: &mut impl Sink,
) -> Result<Exported, MailError> {
    let mailboxes = || contents.iter().flat_map(|(_, mailboxes)| mailboxes);
    let total = mailboxes().map(|mailbox| mailbox.total).fold(0, u32::saturating_add);
    let mut export = Export {
        host,
        fetch,
        sink,
        total,
        done: 0,
        with_headers: complete && format == ExportFormat::Zip,
        fetched: None,
        followed: BTreeSet::new(),
        report: Exported::default(),
    };
    let written = match format {
        ExportFormat::Mbox => export.mbox(contents).await,
        ExportFormat::Zip => export.zip(contents, complete.then(|| host.now())).await,
    };
    let forgotten = export.forget_fetched().await;
    written?;
    forgotten?;
    Ok(export.report)
}

struct Export<'a, H, F, K> {
    host: &'a H,
    fetch: &'a F,
    sink: &'a mut K,
    total: u32,
    done: u32,
    /// Whether headers without their messages are of use.
    with_headers: bool,
    /// The message of which something may have been stored only to be written.
    fetched: Option<MessageId>,
    /// Where messages were moved to while they were written: there they are written already.
    followed: BTreeSet<MessageId>,
    report: Exported,
}

/// A message's bytes, to be read from the beginning to the end.
enum Bytes {
    /// In the store: where it is, and where it was at first.
    Stored {
        id: MessageId,
        origin: MessageId,
        is_fetched: bool,
        next: u32,
        size: u64,
        left: u64,
    },
    Held(Option<Vec<u8>>),
}

impl Bytes {
    fn stored(id: MessageId, is_fetched: bool, size: u64) -> Self {
        Self::Stored { id, origin: id, is_fetched, next: 0, size, left: size }
    }
}

impl<H: Host, F: Fetch, K: Sink> Export<'_, H, F, K> {
    async fn mbox(&mut self, contents: &[(Account, Vec<Mailbox>)]) -> Result<(), MailError> {
        let mut writer = mbox::Writer::new();
        for mailbox in contents.iter().flat_map(|(_, mailboxes)| mailboxes) {
            let before = self.tally();
            let mut places = Places::of(mailbox);
            while let Some(id) = places.next(self.host.store()).await? {
                let Some((message, mut bytes)) = self.message(id).await? else { continue };
                let sender = message.from.first().map_or("", |from| &from.address);
                let status = status(&message);
                self.put(writer.start(sender, message.arrived / 1000, &status)).await?;
                while let Some(chunk) = self.chunk(&mut bytes).await? {
                    self.put(writer.write(&chunk)).await?;
                }
                self.put(writer.end()).await?;
                self.count();
            }
            self.end_mailbox(mailbox, before);
        }
        Ok(())
    }

    /// With `created`, what is needed to restore the accounts is written as well.
    async fn zip(
        &mut self,
        contents: &[(Account, Vec<Mailbox>)],
        created: Option<i64>,
    ) -> Result<(), MailError> {
        let mut writer = zip::Writer::new();
        if let Some(created) = created {
            let saved = |(account, own): &(Account, Vec<_>)| SavedAccount::of(account, own);
            let manifest = Manifest::of(created, contents.iter().map(saved).collect()).encode()?;
            writer.start(MANIFEST, created / 1000, b"").map_err(failed)?;
            writer.write(&manifest).map_err(failed)?;
        }
        for (account, mailboxes) in contents {
            for mailbox in mailboxes {
                let before = self.tally();
                let folder = folder(account, mailbox, created.is_some());
                let mut places = Places::of(mailbox);
                while let Some(id) = places.next(self.host.store()).await? {
                    let Some((message, mut bytes)) = self.message(id).await? else { continue };
                    let name = format!("{folder}{}", file(&message));
                    let note = Note::of(&message).encode();
                    writer.start(&name, message.arrived / 1000, &note).map_err(failed)?;
                    while let Some(chunk) = self.chunk(&mut bytes).await? {
                        writer.write(&chunk).map_err(failed)?;
                        self.put(writer.take_output()).await?;
                    }
                    self.count();
                }
                self.end_mailbox(mailbox, before);
            }
        }
        if let Some(created) = created {
            for (account, _) in contents {
                self.ledger(&mut writer, account, created).await?;
                for entry in unsent::unsent(self.host, account.id).await? {
                    unsent::write(self.host, &mut writer, &entry).await?;
                    self.put(writer.take_output()).await?;
                }
            }
        }
        writer.finish().map_err(failed)?;
        self.put(writer.take_output()).await
    }

    /// What is done, and missing, so far.
    fn tally(&self) -> (u32, u32) {
        (self.done, self.report.missing)
    }

    /// Counts what a mailbox has and was not come by since `before`: what a server has and nobody has
    /// opened yet, or what was moved to where the file had been already. Notes whose it is.
    fn end_mailbox(&mut self, mailbox: &Mailbox, before: (u32, u32)) {
        let (done, missing) = before;
        self.count_missing(mailbox.total.saturating_sub(self.done - done));
        let incomplete = &mut self.report.incomplete;
        if self.report.missing > missing && incomplete.last() != Some(&mailbox.account) {
            incomplete.push(mailbox.account);
        }
    }

    fn count_missing(&mut self, count: u32) {
        self.report.missing += count;
        self.done += count;
    }

    /// Writes an account's ledger, in parts. A row that can't be read is left out: without it, its message
    /// may come from the server a second time, no more.
    async fn ledger(
        &mut self,
        writer: &mut zip::Writer,
        account: &Account,
        created: i64,
    ) -> Result<(), MailError> {
        let mut range = KeyRange::prefix(record::account_key(account.id));
        for part in 1_u32.. {
            let window = self.host.store().scan(
                Table::Ledger,
                &range,
                Order::Ascending,
                limits::LEDGER_PART,
            );
            let window = window.await?;
            let Some((last, _)) = window.last() else { break };
            range.start = last.clone().bytes(&[0]);
            let rows: Vec<LedgerRow> =
                window.iter().filter_map(|(_, value)| record::decode(value).ok()).collect();
            let name = format!("{LEDGER}{}-{part:06}", account.id.0);
            writer.start(&name, created / 1000, b"").map_err(failed)?;
            writer.write(&record::encode(&rows)).map_err(failed)?;
            self.put(writer.take_output()).await?;
        }
        Ok(())
    }

    /// A message and its bytes; `None` if it has gone meanwhile, is damaged, or can't be had.
    async fn message(&mut self, id: MessageId) -> Result<Option<(Message, Bytes)>, MailError> {
        self.forget_fetched().await?;
        if self.followed.contains(&id) {
            return Ok(None);
        }
        let key = record::message_key(id);
        let Some(value) = self.host.store().get(Table::Messages, &key).await? else {
            return Ok(None);
        };
        let Ok(message) = record::decode::<Message>(&value) else {
            self.count_missing(1);
            return Ok(None);
        };
        // Of what is here as a header alone, a backup has the header, as the ledger says.
        let stored = match message.body {
            Body::Whole { size } => Some(size),
            Body::Header { size } if self.with_headers => {
                self.report.headers += 1;
                Some(size)
            }
            _ => None,
        };
        match stored {
            Some(size) if size <= limits::IN_MEMORY as u64 => {
                let raw = record::body(self.host.store(), id).await?;
                if raw.len() as u64 == size {
                    return Ok(Some((message, Bytes::Held(Some(raw)))));
                }
            }
            Some(left) if record::stored_size(self.host.store(), id).await? == left => {
                return Ok(Some((message, Bytes::stored(id, false, left))));
            }
            // One that is damaged must not keep all others out of the file.
            _ => {}
        }
        self.fetched = Some(id);
        match self.fetch.whole(&message).await {
            Some(Raw::Held(raw)) => {
                self.fetched = None;
                Ok(Some((message, Bytes::Held(Some(raw)))))
            }
            Some(Raw::Stored { size: left }) => Ok(Some((message, Bytes::stored(id, true, left)))),
            None => {
                self.count_missing(1);
                Ok(None)
            }
        }
    }

    /// Removes what was stored only to be written. If the page dies before, or the person stops it, it
    /// stays until the message goes or is saved again.
    async fn forget_fetched(&mut self) -> Result<(), StoreError> {
        let Some(id) = self.fetched.take() else { return Ok(()) };
        let range = KeyRange::prefix(record::part_key(id, ""));
        let gone = Write::DeleteRange { table: Table::Bodies, range };
        self.host.store().apply(vec![gone], Durability::Relaxed).await
    }

    async fn chunk(&mut self, bytes: &mut Bytes) -> Result<Option<Vec<u8>>, MailError> {
        match bytes {
            Bytes::Held(raw) => Ok(raw.take().filter(|raw| !raw.is_empty())),
            Bytes::Stored { left: 0, .. } => Ok(None),
            Bytes::Stored { id, origin, is_fetched, next, size, left } => {
                let mut chunk = self.stored_chunk(id, *origin, *is_fetched, *next).await?;
                if chunk.is_none() && *is_fetched && self.is_whole(*id, *size).await? {
                    (*is_fetched, *next) = (false, 0);
                    chunk = self.own_chunk(id, *origin, next, *size - *left).await?;
                }
                let rest = chunk.as_ref().and_then(|chunk| left.checked_sub(chunk.len() as u64));
                // Half a message is none.
                *left = rest.ok_or_else(|| {
                    let sentence =
                        "A message was moved or deleted while it was being saved. Try again.";
                    MailError::Input(sentence.into())
                })?;
                *next += 1;
                Ok(chunk)
            }
        }
    }

    /// Whether a message of this size is stored as it is: if it was opened, its windows became its own
    /// bytes.
    async fn is_whole(&self, id: MessageId, size: u64) -> Result<bool, StoreError> {
        let key = record::message_key(id);
        let message: Option<Message> = record::get(self.host.store(), &key).await?;
        Ok(message.is_some_and(|message| message.body == Body::Whole { size }))
    }

    /// The first chunk of a message's own bytes that has more than so many, without those.
    async fn own_chunk(
        &mut self,
        id: &mut MessageId,
        origin: MessageId,
        number: &mut u32,
        mut known: u64,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        while let Some(mut chunk) = self.stored_chunk(id, origin, false, *number).await? {
            if chunk.len() as u64 > known {
                return Ok(Some(chunk.split_off(known as usize)));
            }
            known -= chunk.len() as u64;
            *number += 1;
        }
        Ok(None)
    }

    /// A chunk of a message, which is followed to where it was moved. The number that it has on its way
    /// is forgotten once the server gives it another, so it is asked for by where it was at first; there
    /// it is again if the move was taken back.
    async fn stored_chunk(
        &mut self,
        id: &mut MessageId,
        origin: MessageId,
        is_fetched: bool,
        number: u32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let store = self.host.store();
        loop {
            let place =
                if is_fetched { record::part_key(*id, "") } else { record::message_key(*id) };
            let chunk = store.get(Table::Bodies, &place.u32(number)).await?;
            if let Some(chunk) = chunk.filter(|chunk| !chunk.is_empty()) {
                return Ok(Some(chunk));
            }
            let there = moved_to(store, origin).await?.unwrap_or(origin);
            if there == *id {
                return Ok(None);
            }
            if is_fetched {
                self.fetched = Some(there);
            }
            self.followed.insert(there);
            *id = there;
        }
    }

    async fn put(&mut self, bytes: Vec<u8>) -> Result<(), MailError> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.report.bytes += bytes.len() as u64;
        self.sink.write(bytes).await
    }

    fn count(&mut self) {
        self.report.messages += 1;
        self.done += 1;
        let total = self.total.max(self.done);
        self.sink.progress(Progress { what: "Saving".into(), done: self.done, total });
    }
}

/// The places of a mailbox's list, oldest first, read in windows.
struct Places {
    range: KeyRange,
    window: std::vec::IntoIter<(Key, Vec<u8>)>,
}

impl Places {
    fn of(mailbox: &Mailbox) -> Self {
        let range = KeyRange::prefix(record::mailbox_key(mailbox.id));
        Self { range, window: Vec::new().into_iter() }
    }

    async fn next(&mut self, store: &impl Store) -> Result<Option<MessageId>, MailError> {
        if self.window.len() == 0 {
            let window = store.scan(Table::Arrival, &self.range, Order::Ascending, WINDOW).await?;
            if let Some((last, _)) = window.last() {
                self.range.start = last.clone().bytes(&[0]);
            }
            self.window = window.into_iter();
        }
        Ok(self.window.next().map(|(key, _)| record::arrived_message(&key)).transpose()?)
    }
}

fn status(message: &Message) -> Status {
    let flags = message.flags;
    Status {
        seen: flags.seen,
        answered: flags.answered,
        flagged: flags.flagged,
        deleted: flags.deleted,
        draft: flags.draft,
        // There are spaces between them.
        keywords: message.keywords.iter().filter(|name| is_keyword(name)).cloned().collect(),
        expunged: false,
    }
}

/// The folder that a mailbox's messages are in, with a slash at its end.
fn folder(account: &Account, mailbox: &Mailbox, with_account: bool) -> String {
    let account = with_account.then_some(&account.identity.address);
    let parts = account.into_iter().chain(&mailbox.names);
    parts.map(|name| names::part(name) + "/").collect()
}

fn file(message: &Message) -> String {
    let (year, month, day) = postern_archive::date(message.arrived / 1000);
    let subject = names::part(&message.subject);
    format!("{year:04}-{month:02}-{day:02} {:06} {subject}.eml", message.id.uid)
}

/// The error for an archive that can't be written.
pub(super) fn failed(error: zip::ZipError) -> MailError {
    if error == zip::ZipError::TooLarge {
        let sentence = "There is more mail than one archive can hold. Save one account at a time, or \
                        folders on their own.";
        return MailError::Input(sentence.into());
    }
    MailError::Input(format!("The archive can't be written: {error}."))
}
