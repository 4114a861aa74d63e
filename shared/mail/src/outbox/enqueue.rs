//! Taking a message from the person.

use postern_bridge::{Address, ClientId, MessageId, OutgoingMessage};
use postern_mime::{Outgoing, OutgoingAttachment, compose};

use super::{Entry, State, entries};
use crate::{
    Host, MailError, Store,
    record::{self, Account, Message, Record, Series, message_key, next_number},
    store::{Durability, StoreError, Table},
};

/// Composes a message, once, and stores it as queued; returns its number. `origin` is the page's
/// request: if it was taken before, the number is that of then.
///
/// # Errors
///
/// [`MailError::Input`] if it has no recipient, or an address or another field that can't be sent;
/// else if the store can't be written. Nothing is stored then.
pub async fn enqueue<H: Host>(
    host: &H,
    account: &Account,
    draft: &OutgoingMessage,
    origin: Option<(ClientId, u32)>,
) -> Result<u32, MailError> {
    let sender = envelope_address(&account.identity.address)?;
    let recipients = recipients(draft)?;
    let message_id = new_message_id(host, &sender);
    let outgoing = outgoing(host, account, draft, &sender, &message_id).await?;
    let created = outgoing.date_ms;
    let raw = compose(&outgoing).map_err(|error| MailError::Input(error.to_string()))?;

    let store = host.store();
    let _editing = store.editing().lock().await;
    let known = store.get(Table::Accounts, &account.key()).await?;
    known.ok_or(MailError::Gone("account"))?;
    let taken =
        entries(host).await?.into_iter().find(|own| origin.is_some() && own.origin == origin);
    if let Some(taken) = taken {
        return Ok(taken.id);
    }
    let (id, remember) = next_number(store, Series::Outbox).await?;
    let entry = Entry {
        id,
        account: account.id,
        sender,
        recipients,
        subject: draft.subject.clone(),
        message_id,
        state: State::Queued,
        created,
        filed: false,
        size: raw.len() as u64,
        eight_bit: !raw.is_ascii(),
        origin,
    };
    let mut batch = entry.put_whole(&raw);
    batch.push(remember);
    store.apply(batch, Durability::Strict).await?;
    Ok(id)
}

/// Stores a message that a backup has brought, as one of which nobody knows whether it was sent, unless
/// that was known; whether it was not here already.
///
/// # Errors
///
/// [`MailError::Input`] if it has no recipient, or an address that can't be sent to; else if the store
/// can't be written.
pub(crate) async fn restore<H: Host>(
    host: &H,
    saved: Entry,
    raw: &[u8],
) -> Result<bool, MailError> {
    if saved.recipients.is_empty() {
        return Err(MailError::Input("The message has no recipient.".into()));
    }
    for address in saved.recipients.iter().chain([&saved.sender]) {
        envelope_address(address)?;
    }
    let store = host.store();
    let _editing = store.editing().lock().await;
    let same = |own: &Entry| own.account == saved.account && own.message_id == saved.message_id;
    if entries(host).await?.iter().any(same) {
        return Ok(false);
    }
    let (id, remember) = next_number(store, Series::Outbox).await?;
    let state = match saved.state {
        State::Unfiled(why) => State::Unfiled(why),
        _ => State::Uncertain,
    };
    let entry = Entry {
        id,
        state,
        filed: false,
        size: raw.len() as u64,
        eight_bit: !raw.is_ascii(),
        origin: None,
        ..saved
    };
    let mut batch = entry.put_whole(raw);
    batch.push(remember);
    store.apply(batch, Durability::Strict).await?;
    Ok(true)
}

/// Composes an unfinished message: with blind copies, and perhaps without recipients. Each version
/// has a Message-ID of its own.
///
/// # Errors
///
/// [`MailError::Input`] if a field can't be written.
pub async fn compose_draft<H: Host>(
    host: &H,
    account: &Account,
    draft: &OutgoingMessage,
) -> Result<Vec<u8>, MailError> {
    let sender = envelope_address(&account.identity.address)?;
    let message_id = new_message_id(host, &sender);
    let outgoing = outgoing(host, account, draft, &sender, &message_id).await?;
    let outgoing = Outgoing { bcc: header_addresses(&draft.bcc), ..outgoing };
    compose(&outgoing).map_err(|error| MailError::Input(error.to_string()))
}

async fn outgoing<H: Host>(
    host: &H,
    account: &Account,
    draft: &OutgoingMessage,
    sender: &str,
    message_id: &str,
) -> Result<Outgoing, MailError> {
    Ok(Outgoing {
        from: postern_mime::Address { name: account.identity.name.clone(), address: sender.into() },
        to: header_addresses(&draft.to),
        cc: header_addresses(&draft.cc),
        bcc: Vec::new(),
        subject: draft.subject.clone(),
        text: draft.text.clone(),
        date_ms: host.now(),
        message_id: message_id.into(),
        in_reply_to: answered_id(host.store(), draft).await?,
        references: draft.references.iter().filter(|id| is_sendable_id(id)).cloned().collect(),
        attachments: draft
            .attachments
            .iter()
            .map(|attachment| OutgoingAttachment {
                name: attachment.name.clone(),
                media_type: attachment.media_type.clone(),
                content: attachment.content.clone(),
            })
            .collect(),
    })
}

/// Everyone that the message goes to, each once.
fn recipients(draft: &OutgoingMessage) -> Result<Vec<String>, MailError> {
    let mut recipients = Vec::new();
    for address in [&draft.to, &draft.cc, &draft.bcc].into_iter().flatten() {
        let address = envelope_address(&address.address)?;
        if !recipients.contains(&address) {
            recipients.push(address);
        }
    }
    if recipients.is_empty() {
        return Err(MailError::Input("The message has no recipient.".into()));
    }
    Ok(recipients)
}

fn envelope_address(text: &str) -> Result<String, MailError> {
    match postern_smtp::Address::parse(text.trim()) {
        Ok(address) => Ok(address.as_str().into()),
        Err(error) => Err(MailError::Input(format!("“{text}” is not a mail address: {error}."))),
    }
}

fn header_addresses(addresses: &[Address]) -> Vec<postern_mime::Address> {
    let header = |address: &Address| postern_mime::Address {
        name: address.name.clone(),
        address: address.address.trim().into(),
    };
    addresses.iter().map(header).collect()
}

/// The id of the message that is answered.
async fn answered_id(
    store: &impl Store,
    draft: &OutgoingMessage,
) -> Result<Option<String>, StoreError> {
    let stored = match draft.in_reply_to {
        Some(id) => stored_id(store, id).await?,
        // A draft that was saved knows what it answers by its references alone.
        None => None,
    };
    Ok(stored.or_else(|| draft.references.last().cloned()).filter(|id| is_sendable_id(id)))
}

async fn stored_id(store: &impl Store, id: MessageId) -> Result<Option<String>, StoreError> {
    let message: Option<Message> = record::get(store, &message_key(id)).await?;
    Ok(message.map(|message| message.message_id).filter(|id| !id.is_empty()))
}

/// Whether an id from someone else's message can stand in our header. One that can't is left out:
/// a broken message can be answered too.
fn is_sendable_id(id: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>');
    !id.is_empty() && id.len() <= 900 && id.bytes().all(fits)
}

/// A Message-ID that nobody else has: random, at the sender's domain.
fn new_message_id<H: Host>(host: &H, sender: &str) -> String {
    let mut random = [0; 16];
    host.fill(&mut random);
    // Header ids are ASCII; another domain could not be written there.
    let domain = sender.rsplit('@').next().filter(|domain| is_sendable_id(domain));
    format!("{:032x}@{}", u128::from_be_bytes(random), domain.unwrap_or("localhost"))
}
