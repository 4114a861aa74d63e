//! Writing: whole batches, under the lead's epoch.

use std::collections::BTreeSet;

use futures_channel::oneshot;
use indexed_db_futures::{
    BuildPrimitive, internals::SystemRepr, prelude::QuerySource, transaction::Transaction,
    typed_array::Uint8ArraySlice as Slice,
};
use postern_mail::store::{StoreError, Write};
use wasm_bindgen::prelude::*;
use web_sys::IdbTransaction;

use super::{
    convert::{Value, key_range, slice},
    error::{failed, failed_dom},
    schema::LEAD,
};

type Failure = indexed_db_futures::error::Error;

/// What a batch's transaction must span.
pub(super) fn object_stores(batch: &[Write]) -> Vec<&'static str> {
    let tables: BTreeSet<_> = batch
        .iter()
        .map(|write| match write {
            Write::Put { table, .. }
            | Write::Delete { table, .. }
            | Write::DeleteRange { table, .. } => *table,
        })
        .collect();
    tables.into_iter().map(|table| table.name()).chain([LEAD]).collect()
}

/// Opens the next epoch; returns it.
pub(super) async fn take_lead(transaction: Transaction<'_>) -> Result<u64, StoreError> {
    let completion = Completion::of(transaction.as_sys());
    let epoch = epoch(&transaction).await? + 1;
    let put = || {
        let store = transaction.object_store(LEAD)?;
        store.put(slice(&epoch.to_be_bytes())).with_key(slice(&[])).without_key_type().primitive()
    };
    drop(put().map_err(failed)?);
    completion.wait().await?;
    Ok(epoch)
}

/// Writes a batch, unless someone has taken the lead after `epoch`.
pub(super) async fn apply(
    transaction: Transaction<'_>,
    batch: Vec<Write>,
    epoch: u64,
) -> Result<(), StoreError> {
    let completion = Completion::of(transaction.as_sys());
    if self::epoch(&transaction).await? > epoch {
        // Dropping the transaction aborts it.
        return Err(StoreError::Fenced);
    }
    for write in batch {
        request(&transaction, write).map_err(failed)?;
    }
    completion.wait().await
}

/// The epoch of the one that leads; 0 if no one ever did.
async fn epoch(transaction: &Transaction<'_>) -> Result<u64, StoreError> {
    let found = async {
        let store = transaction.object_store(LEAD)?;
        store.get::<Value, _, _>(slice(&[])).primitive()?.await
    };
    let Some(bytes) = found.await.map_err(failed)? else { return Ok(0) };
    let bytes = <[u8; 8]>::try_from(Vec::from(bytes))
        .map_err(|_| StoreError::Damaged("the number of the leading page".into()))?;
    Ok(u64::from_be_bytes(bytes))
}

/// Makes the request; what comes of it is seen when the transaction ends.
fn request(transaction: &Transaction<'_>, write: Write) -> Result<(), Failure> {
    let request = match write {
        Write::Put { table, key, value } => transaction
            .object_store(table.name())?
            .put(slice(&value))
            .with_key(slice(&key.0))
            .without_key_type()
            .primitive()?,
        Write::Delete { table, key } => {
            transaction.object_store(table.name())?.delete(slice(&key.0)).primitive()?
        }
        Write::DeleteRange { table, range } => {
            let Some(range) = key_range(&range) else { return Ok(()) };
            transaction.object_store(table.name())?.delete::<Slice<'_>, _>(range).primitive()?
        }
    };
    drop(request);
    Ok(())
}

/// Waits for the end of a transaction.
///
/// The library's own `commit` does not tell why a transaction was aborted, so that a full disk,
/// which may show only when the transaction commits, would go unnoticed.
struct Completion {
    ended: oneshot::Receiver<Result<(), StoreError>>,
    _on_complete: Closure<dyn FnMut()>,
    _on_abort: Closure<dyn FnMut()>,
}

impl Completion {
    fn of(transaction: &IdbTransaction) -> Self {
        let (sender, ended) = oneshot::channel();
        let sender = std::rc::Rc::new(std::cell::Cell::new(Some(sender)));
        let end = move |result| {
            if let Some(sender) = sender.take() {
                // Nobody listens if the batch was given up; it is aborted then.
                let _ = sender.send(result);
            }
        };
        let on_complete = Closure::<dyn FnMut()>::new({
            let end = end.clone();
            move || end(Ok(()))
        });
        let on_abort = Closure::<dyn FnMut()>::new({
            let transaction = transaction.clone();
            move || {
                let aborted = || StoreError::Failed("the browser did not write".into());
                end(Err(transaction.error().as_ref().map_or_else(aborted, failed_dom)));
            }
        });
        transaction.set_oncomplete(Some(on_complete.as_ref().unchecked_ref()));
        transaction.set_onabort(Some(on_abort.as_ref().unchecked_ref()));
        // A failed request aborts its transaction, and the abort event tells why.
        transaction.set_onerror(None);
        Self { ended, _on_complete: on_complete, _on_abort: on_abort }
    }

    /// Waits until the browser has committed, which it does as soon as every request is done.
    async fn wait(self) -> Result<(), StoreError> {
        let gone = |_| Err(StoreError::Failed("the browser gave no answer".into()));
        self.ended.await.unwrap_or_else(gone)
    }
}
