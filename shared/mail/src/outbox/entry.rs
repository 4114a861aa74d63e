//! Entries of the outbox.

use postern_bridge::{AccountId, ClientId, SendState};
use serde::{Deserialize, Serialize};

use crate::{
    Host, MailError, Store,
    record::{self, CHUNK, Record, decode},
    store::{Durability, Key, KeyRange, StoreError, Table, Write},
};

/// A message on its way out. Its bytes are stored beside it, in chunks.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Entry {
    /// Its number.
    pub id: u32,
    /// The account that sends it.
    pub account: AccountId,
    /// The envelope's sender.
    pub sender: String,
    /// The envelope's recipients, blind copies among them.
    pub recipients: Vec<String>,
    /// The subject, for the page.
    pub subject: String,
    /// Its Message-ID, without angle brackets.
    pub message_id: String,
    /// Where it stands.
    pub state: State,
    /// When it was written, in milliseconds since 1970 (UTC).
    pub created: i64,
    /// Whether the copy in Sent is made.
    pub filed: bool,
    /// Its size in bytes.
    pub size: u64,
    /// Whether it has bytes above 127.
    pub eight_bit: bool,
    /// Which request of which page it came with: the same request again is the same message.
    #[serde(default)]
    pub origin: Option<(ClientId, u32)>,
}

/// Where an entry stands; see the module's text.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum State {
    /// It waits for its turn.
    Queued,
    /// It is on its way, and not handed over.
    Sending,
    /// It is being handed over.
    Committing,
    /// The link died while it was handed over.
    Uncertain,
    /// The server has it.
    Sent,
    /// The server refused it for good; the sentence says why.
    Failed(String),
    /// The server has it, and the copy in Sent was refused; the sentence says why.
    Unfiled(String),
}

impl Entry {
    /// Its state as the page shows it.
    pub fn send_state(&self) -> SendState {
        match &self.state {
            State::Queued => SendState::Queued,
            State::Sending | State::Committing => SendState::Sending,
            State::Uncertain => SendState::Uncertain,
            State::Sent => SendState::Sent,
            State::Failed(sentence) => SendState::Failed(sentence.clone()),
            State::Unfiled(sentence) => SendState::Unfiled(sentence.clone()),
        }
    }

    /// The writes that store a new entry and its bytes.
    pub(super) fn put_whole(&self, raw: &[u8]) -> Vec<Write> {
        let chunks = raw.chunks(CHUNK).zip(0..).map(|(chunk, number)| Write::Put {
            table: Table::Outbox,
            key: chunk_key(self.id, number),
            value: chunk.to_vec(),
        });
        std::iter::once(self.put()).chain(chunks).collect()
    }

    /// The writes that remove it and its bytes.
    pub fn delete_whole(&self) -> [Write; 2] {
        [self.delete(), self.delete_bytes()]
    }

    /// The write that drops its bytes.
    pub(super) fn delete_bytes(&self) -> Write {
        let range = KeyRange {
            start: chunk_key(self.id, 0),
            end: KeyRange::prefix(Key::new().u32(self.id)).end,
        };
        Write::DeleteRange { table: Table::Outbox, range }
    }
}

impl Record for Entry {
    const TABLE: Table = Table::Outbox;

    fn key(&self) -> Key {
        entry_key(self.id)
    }
}

fn entry_key(id: u32) -> Key {
    Key::new().u32(id).u32(0)
}

/// The key of a chunk of an entry's bytes.
pub(super) fn chunk_key(id: u32, number: u32) -> Key {
    Key::new().u32(id).u32(1 + number)
}

/// One entry.
pub(super) async fn load(store: &impl Store, id: u32) -> Result<Entry, MailError> {
    record::get(store, &entry_key(id)).await?.ok_or(MailError::Gone("message in the outbox"))
}

/// All entries, oldest first. What can't be read stays where it is, and keeps nothing else from being
/// sent.
///
/// # Errors
///
/// If the store can't be read.
pub async fn entries<H: Host>(host: &H) -> Result<Vec<Entry>, StoreError> {
    let store = host.store();
    let mut keys = store.keys(Table::Outbox, &KeyRange::all()).await?;
    keys.retain(|key| key.0.ends_with(&[0; 4]));
    let values = store.get_many(Table::Outbox, &keys).await?;
    Ok(values.iter().flatten().filter_map(|value| decode(value).ok()).collect())
}

/// Puts entries right that were left in the middle of a transmission, of one account or of all;
/// returns those that changed. To be called when a page takes the lead or an account's work was
/// broken off, before any transmission.
///
/// # Errors
///
/// If the store can't be read or written.
pub async fn recover<H: Host>(host: &H, of: Option<AccountId>) -> Result<Vec<Entry>, StoreError> {
    let mut changed = Vec::new();
    let left = entries(host).await?.into_iter();
    for mut entry in left.filter(|entry| of.is_none_or(|account| entry.account == account)) {
        entry.state = match entry.state {
            State::Sending => State::Queued,
            State::Committing => State::Uncertain,
            _ => continue,
        };
        changed.push(entry);
    }
    if !changed.is_empty() {
        let batch = changed.iter().map(Record::put).collect();
        host.store().apply(batch, Durability::Strict).await?;
    }
    Ok(changed)
}

/// An entry's bytes, for the copy in Sent.
///
/// # Errors
///
/// If it is not there, its bytes are gone, or the store can't be read.
pub async fn raw<H: Host>(host: &H, id: u32) -> Result<Vec<u8>, MailError> {
    let entry = load(host.store(), id).await?;
    let mut raw = Vec::new();
    let mut number = 0;
    while (raw.len() as u64) < entry.size {
        let chunk = host.store().get(Table::Outbox, &chunk_key(id, number)).await?;
        raw.extend(chunk.ok_or(MailError::Gone("text of the message"))?);
        number += 1;
    }
    Ok(raw)
}

/// Notes that the copy in Sent is made; the entry's bytes are dropped.
///
/// # Errors
///
/// If it is not there or was not sent, or the store can't be written.
pub async fn mark_filed<H: Host>(host: &H, id: u32) -> Result<(), MailError> {
    let _editing = host.store().editing().lock().await;
    let mut entry = load(host.store(), id).await?;
    if entry.state != State::Sent {
        return Err(MailError::Input("The message is not sent yet.".into()));
    }
    entry.filed = true;
    let batch = vec![entry.put(), entry.delete_bytes()];
    Ok(host.store().apply(batch, Durability::Strict).await?)
}

/// Notes that the copy in Sent was refused, and why; its bytes stay, which may be nowhere else here. A
/// crash before it leaves the copy to be filed again, one after it leaves it to the person.
///
/// # Errors
///
/// If it is not there or not to be filed, or the store can't be written.
pub async fn mark_unfiled<H: Host>(host: &H, id: u32, why: String) -> Result<Entry, MailError> {
    let _editing = host.store().editing().lock().await;
    let mut entry = load(host.store(), id).await?;
    if entry.state != State::Sent || entry.filed {
        return Err(MailError::Input("The message is not to be filed.".into()));
    }
    entry.state = State::Unfiled(why);
    host.store().apply(vec![entry.put()], Durability::Strict).await?;
    Ok(entry)
}

/// The person decided to send it again; it is queued with the same Message-ID, and left as it is if
/// it waits already. Of what was sent only the copy is to be filed again.
///
/// # Errors
///
/// If it is on its way, or there is nothing to be done for it, or the store can't be written.
pub async fn retry<H: Host>(host: &H, id: u32) -> Result<Entry, MailError> {
    let _editing = host.store().editing().lock().await;
    let mut entry = load(host.store(), id).await?;
    entry.state = match entry.state {
        State::Failed(_) | State::Uncertain => State::Queued,
        State::Unfiled(_) => State::Sent,
        State::Queued => return Ok(entry),
        State::Sending | State::Committing | State::Sent => {
            return Err(MailError::Input("The message is already on its way.".into()));
        }
    };
    host.store().apply(vec![entry.put()], Durability::Strict).await?;
    Ok(entry)
}

/// Drops an entry and its bytes, unless it is on its way.
///
/// # Errors
///
/// If it is not there, on its way or still to be filed, or the store can't be written.
pub async fn discard<H: Host>(host: &H, id: u32) -> Result<Entry, MailError> {
    let _editing = host.store().editing().lock().await;
    let entry = load(host.store(), id).await?;
    match entry.state {
        State::Sending | State::Committing => {
            return Err(MailError::Input("The message is on its way.".into()));
        }
        State::Sent if !entry.filed => {
            return Err(MailError::Input("The message was sent already.".into()));
        }
        _ => {}
    }
    host.store().apply(entry.delete_whole().to_vec(), Durability::Strict).await?;
    Ok(entry)
}
