//! Copies of sent messages, and the end of an account's entries.

use postern_bridge::{AccountId, Flags, MailboxId, MessageId};
use postern_mime::summary;

use super::{
    Entry, State,
    entry::{entries, load, raw},
};
use crate::{
    Host, MailError, Store,
    pieces::Pieces,
    record::{self, Body, Links, Message, Record, put_body},
    store::{Durability, StoreError},
};

/// Files the copy of a sent message in a local mailbox.
///
/// One strict batch makes the copy visible and drops the entry's bytes: a crash before it leaves
/// the entry to be filed again, a crash after it leaves the copy alone.
///
/// # Errors
///
/// If the entry is not there or was not sent, or the store can't be written.
pub async fn file_locally<H: Host>(host: &H, id: u32, mailbox: MailboxId) -> Result<(), MailError> {
    let store = host.store();
    let _editing = store.editing().lock().await;
    let mut entry = load(store, id).await?;
    if entry.state != State::Sent || entry.filed {
        return Ok(());
    }
    let bytes = raw(host, id).await?;
    let mut mailbox = record::mailbox(store, mailbox).await?;
    let copy = copy(MessageId { mailbox: mailbox.id, uid: mailbox.uid_next }, &entry, &bytes);
    mailbox.uid_next += 1;
    mailbox.total += 1;
    entry.filed = true;
    let mut batch = put_body(copy.id, &bytes);
    batch.extend(copy.put_listed());
    batch.extend([mailbox.put(), entry.put(), entry.delete_bytes()]);
    Ok(store.apply(batch, Durability::Strict).await?)
}

/// A sent entry and where its bytes are, for a copy on the server.
///
/// # Errors
///
/// If the entry is not there.
pub async fn to_file<H: Host>(host: &H, id: u32) -> Result<(Entry, Pieces), MailError> {
    let entry = load(host.store(), id).await?;
    let content = Pieces::of_outbox(id, entry.size);
    Ok((entry, content))
}

fn copy(id: MessageId, entry: &Entry, bytes: &[u8]) -> Message {
    let summary = summary(bytes);
    Message {
        id,
        arrived: entry.created,
        sent: summary.sent,
        size: entry.size,
        flags: Flags { seen: true, ..Flags::default() },
        keywords: Vec::new(),
        from: record::addresses(summary.from),
        to: record::addresses(summary.to),
        subject: summary.subject,
        message_id: summary.message_id,
        links: Some(Links::new(summary.references, String::new())),
        preview: summary.preview,
        has_attachments: summary.has_attachments,
        body: Body::Whole { size: entry.size },
    }
}

/// An account's entries, whatever their state.
///
/// # Errors
///
/// If the store can't be read.
pub async fn entries_of<H: Host>(host: &H, account: AccountId) -> Result<Vec<Entry>, StoreError> {
    let mut entries = entries(host).await?;
    entries.retain(|entry| entry.account == account);
    Ok(entries)
}
