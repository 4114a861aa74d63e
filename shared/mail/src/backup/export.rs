//! A mailbox, an account or everything, written to a file.
//!
//! One message is read chunk by chunk and written before the next one is looked at; of a zip only the
//! directory is held.

use postern_archive::{
    mbox::{self, Status},
    zip,
};
use postern_bridge::{ExportFormat, Exported, MessageId, Progress};

use super::{
    Sink, limits,
    manifest::{LEDGER, MANIFEST, Manifest, Note, SavedAccount},
    names,
    source::{Bytes, Fetch, Found, Source},
    unsent,
};
use crate::{
    Host, MailError, Store,
    changes::is_keyword,
    pop3::LedgerRow,
    record::{self, Account, Body, Mailbox, Message},
    store::{Key, KeyRange, Order, Table},
};

/// How many places of a list are read at a time.
const WINDOW: usize = 500;

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
        source: Source::new(host.store(), fetch, complete && format == ExportFormat::Zip),
        sink,
        total,
        done: 0,
        report: Exported::default(),
    };
    let written = match format {
        ExportFormat::Mbox => export.mbox(contents).await,
        ExportFormat::Zip => export.zip(contents, complete.then(|| host.now())).await,
    };
    let forgotten = export.source.forget_fetched().await;
    written?;
    forgotten?;
    Ok(export.report)
}

struct Export<'a, H: Host, F, K> {
    host: &'a H,
    source: Source<'a, H::Store, F>,
    sink: &'a mut K,
    total: u32,
    done: u32,
    report: Exported,
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
                while let Some(chunk) = self.source.chunk(&mut bytes).await? {
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
                    while let Some(chunk) = self.source.chunk(&mut bytes).await? {
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

    /// A message and its bytes, if it is there to be written.
    async fn message(&mut self, id: MessageId) -> Result<Option<(Message, Bytes)>, MailError> {
        match self.source.message(id).await? {
            Found::Gone => Ok(None),
            Found::Missing => {
                self.count_missing(1);
                Ok(None)
            }
            Found::Here(message, bytes) => {
                let is_header = matches!(message.body, Body::Header { .. });
                self.report.headers += u32::from(self.source.with_headers && is_header);
                Ok(Some((*message, bytes)))
            }
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
