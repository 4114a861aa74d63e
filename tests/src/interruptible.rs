//! A store that fails at a given write, and a process that ends at a given moment.

use std::{
    cell::Cell,
    future::{Future, pending},
    rc::Rc,
};

use futures_util::lock::Mutex;
use postern_mail::{
    Store,
    store::{Durability, Key, KeyRange, MemoryStore, Order, StoreError, Table, Write, Written},
};
use tokio::sync::Notify;

/// What happens to a store.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// There is no room from this write on.
    Full(usize),
    /// There is no room for this write alone.
    FullOnce(usize),
    /// This write alone fails, and nothing of it is done.
    Aborted(usize),
    /// This write alone is done, and told to have failed.
    Doubtful(usize),
    /// The process ends at this moment: what is about to be done is not done any more, be it with the
    /// store, with the connection or with the clock.
    End(usize),
}

/// The store. Clones share it.
#[derive(Clone, Default)]
pub struct Interruptible {
    inner: MemoryStore,
    fault: Rc<Cell<Fault>>,
    moments: Rc<Cell<usize>>,
    writes: Rc<Cell<usize>>,
    /// How many bytes more there is room for.
    room: Rc<Cell<Option<usize>>>,
    ended: Rc<Notify>,
}

impl Interruptible {
    /// From now on moments and writes are counted anew, from 0, and this happens.
    pub fn interrupt(&self, fault: Fault) {
        self.fault.set(fault);
        self.moments.set(0);
        self.writes.set(0);
    }

    /// From now on there is room for so many bytes more, and for as many as are removed meanwhile.
    pub fn give_room(&self, bytes: usize) {
        self.room.set(Some(bytes));
    }

    /// How many bytes of room are left after these writes; nothing where there is no bound.
    async fn room_after(&self, batch: &[Write]) -> Result<Option<usize>, StoreError> {
        let Some(mut room) = self.room.get() else { return Ok(None) };
        let stored = async |table: Table, key: &Key| {
            let value: Option<Vec<u8>> = self.inner.get(table, key).await?;
            Ok::<_, StoreError>(value.map_or(0, |value| value.len()))
        };
        let mut wanted = 0;
        for write in batch {
            match write {
                Write::Put { table, key, value } => {
                    room += stored(*table, key).await?;
                    wanted += value.len();
                }
                Write::Delete { table, key } => room += stored(*table, key).await?,
                Write::DeleteRange { table, range } => {
                    let gone = self.inner.scan(*table, range, Order::Ascending, usize::MAX).await?;
                    room += gone.iter().map(|(_, value)| value.len()).sum::<usize>();
                }
            }
        }
        room.checked_sub(wanted).map(Some).ok_or(StoreError::QuotaExceeded)
    }

    /// Whether it has come to what was to happen.
    pub fn has_struck(&self) -> bool {
        match self.fault.get() {
            Fault::None => false,
            Fault::End(at) => self.moments.get() > at,
            Fault::Full(at) | Fault::FullOnce(at) | Fault::Aborted(at) | Fault::Doubtful(at) => {
                self.writes.get() > at
            }
        }
    }

    /// Does something until the process ends; `None` if it does.
    pub async fn until_end<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = self.ended.notified() => None,
        }
    }

    /// A moment at which the process waits for something, and may end.
    pub async fn step(&self) {
        let number = self.moments.replace(self.moments.get() + 1);
        if matches!(self.fault.get(), Fault::End(at) if number >= at) {
            self.ended.notify_one();
            pending::<()>().await;
        }
    }
}

impl Store for Interruptible {
    async fn take_lead(&self) -> Result<(), StoreError> {
        self.inner.take_lead().await
    }

    fn editing(&self) -> &Mutex<()> {
        self.inner.editing()
    }

    fn written(&self) -> &Written {
        self.inner.written()
    }

    async fn get(&self, table: Table, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        self.step().await;
        self.inner.get(table, key).await
    }

    async fn get_many(
        &self,
        table: Table,
        keys: &[Key],
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.step().await;
        self.inner.get_many(table, keys).await
    }

    async fn scan(
        &self,
        table: Table,
        range: &KeyRange,
        order: Order,
        limit: usize,
    ) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
        self.step().await;
        self.inner.scan(table, range, order, limit).await
    }

    async fn keys(&self, table: Table, range: &KeyRange) -> Result<Vec<Key>, StoreError> {
        self.step().await;
        self.inner.keys(table, range).await
    }

    async fn apply(&self, batch: Vec<Write>, durability: Durability) -> Result<(), StoreError> {
        self.step().await;
        let number = self.writes.replace(self.writes.get() + 1);
        let room = self.room_after(&batch).await?;
        let done = match self.fault.get() {
            Fault::Full(from) if number >= from => Err(StoreError::QuotaExceeded),
            Fault::FullOnce(at) if number == at => Err(StoreError::QuotaExceeded),
            Fault::Aborted(at) if number == at => Err(failed()),
            Fault::Doubtful(at) if number == at => {
                self.inner.apply(batch, durability).await?;
                Err(failed())
            }
            _ => self.inner.apply(batch, durability).await,
        };
        if done.is_ok() {
            self.room.set(room);
        }
        done
    }
}

fn failed() -> StoreError {
    StoreError::Failed("the transaction was aborted".into())
}
