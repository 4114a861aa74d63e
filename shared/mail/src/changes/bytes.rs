//! The bytes of messages that a batch moves or copies.

use postern_bridge::MessageId;

use super::limits::BYTES;
use crate::{
    Store,
    carry::{arrived, carry},
    record::{self, Body, chunks, message_key},
    store::{KeyRange, Order, StoreError, Table, Write},
};

/// What is stored of a message, its parts that were fetched by themselves included: under which key
/// behind the message's own, and what.
pub(super) type Values = Vec<(Vec<u8>, Vec<u8>)>;

/// Whether a message is too large to have its bytes in a batch.
pub(super) fn is_large(body: &Body) -> bool {
    body.stored_size() > BYTES
}

/// Whether all bytes are stored that a message is thought to have here; and what is stored, unless it
/// is large. Of what is only there to be shown, nothing is asked.
pub(super) async fn check(
    store: &impl Store,
    id: MessageId,
    body: &Body,
) -> Result<(bool, Option<Values>), StoreError> {
    let (Body::Whole { size } | Body::Header { size }) = body else { return Ok((true, None)) };
    if is_large(body) {
        return Ok((record::stored_size(store, id).await? == *size, None));
    }
    let values = read(store, id).await?;
    Ok((whole_size(id, &values) == *size, Some(values)))
}

/// How a message's bytes come to another place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    pub(super) from: MessageId,
    pub(super) to: MessageId,
    /// Before the batch, since they are many, and nothing is in their way.
    pub(super) carried: bool,
    /// Whether the new place's UID is to count as used then.
    pub(super) reserve: bool,
}

/// The writes that give a message its bytes at another place; `values` are those, if they were read.
///
/// # Errors
///
/// [`StoreError::Damaged`] for a whole message of which bytes are missing: moved, it would count as
/// whole.
pub(super) async fn bring(
    store: &impl Store,
    way: Way,
    body: &Body,
    values: Option<Values>,
) -> Result<Vec<Write>, StoreError> {
    let Way { from, to, carried, reserve } = way;
    let is_known = matches!(body, Body::Whole { .. } | Body::Header { .. });
    let whole = is_known.then_some(body.stored_size());
    if carried {
        carry(store, from, to, whole, reserve).await?;
        return Ok(vec![arrived(to)]);
    }
    let values = match values {
        Some(values) => values,
        None => read(store, from).await?,
    };
    if whole.is_some_and(|size| size != whole_size(from, &values)) {
        return Err(StoreError::Damaged("bytes of a message are missing".into()));
    }
    let range = KeyRange::prefix(message_key(to));
    let clear = Write::DeleteRange { table: Table::Bodies, range };
    let puts = values.into_iter().map(|(rest, value)| Write::Put {
        table: Table::Bodies,
        key: message_key(to).bytes(&rest),
        value,
    });
    Ok(std::iter::once(clear).chain(puts).collect())
}

async fn read(store: &impl Store, id: MessageId) -> Result<Values, StoreError> {
    let prefix = message_key(id);
    let at = prefix.0.len();
    let range = KeyRange::prefix(prefix);
    let values = store.scan(Table::Bodies, &range, Order::Ascending, usize::MAX).await?;
    Ok(values.into_iter().map(|(key, value)| (key.0[at..].to_vec(), value)).collect())
}

/// How many bytes of a message itself there are.
fn whole_size(id: MessageId, values: &Values) -> u64 {
    let own = chunks(id);
    let own = values.iter().filter(|(rest, _)| own.contains(&message_key(id).bytes(rest)));
    own.map(|(_, value)| value.len() as u64).sum()
}
