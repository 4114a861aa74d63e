//! Stores that do what a browser's database may do.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    rc::Rc,
    slice,
    task::Poll,
};

use futures_util::lock::Mutex;

use super::PENDING;
use crate::{
    Store,
    store::{Durability, Key, KeyRange, MemoryStore, Order, StoreError, Table, Write, Written},
};

/// How a single write fails.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WriteFault {
    /// There is no room for it.
    Full,
    /// It is aborted: nothing of it is written.
    Aborted,
    /// It is written, and told to have failed.
    Doubtful,
}

/// A store of which the writes fail from a given one on, as when the page dies or the disk is full, or
/// a single one.
#[derive(Clone, Default)]
pub struct FailingStore {
    /// What really stores.
    pub inner: MemoryStore,
    /// How many writes still succeed; `None` is no limit.
    pub left: Rc<Cell<Option<usize>>>,
    /// The write that fails, of those to come, and how; those after it succeed.
    pub fault: Rc<Cell<Option<(usize, WriteFault)>>>,
    /// How many bytes of messages there is room for; `None` is no limit.
    pub room: Rc<Cell<Option<usize>>>,
    /// How many writes were asked for.
    pub writes: Rc<Cell<usize>>,
    /// How many values were asked for, several at a time.
    pub read: Rc<Cell<usize>>,
    /// How many values of message records were read as ranges.
    pub scanned: Rc<Cell<usize>>,
    /// How the last batch was written.
    pub durability: Rc<Cell<Option<Durability>>>,
    /// What the database fails to read.
    pub unreadable: Rc<RefCell<Option<(Table, Key)>>>,
}

impl FailingStore {
    fn check(&self, table: Table, keys: &[Key]) -> Result<(), StoreError> {
        match &*self.unreadable.borrow() {
            Some((own, key)) if *own == table && keys.contains(key) => {
                Err(StoreError::Damaged("a file is missing".into()))
            }
            _ => Ok(()),
        }
    }
}

/// Values that no test reads from a [`FailingStore`]: something would go on without end.
const WITHOUT_END: usize = 1_000_000;

impl Store for FailingStore {
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
        self.check(table, slice::from_ref(key))?;
        self.inner.get(table, key).await
    }

    async fn get_many(
        &self,
        table: Table,
        keys: &[Key],
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.read.set(self.read.get() + keys.len().max(1));
        assert!(self.read.get() < WITHOUT_END, "something goes on without end");
        self.check(table, keys)?;
        self.inner.get_many(table, keys).await
    }

    async fn scan(
        &self,
        table: Table,
        range: &KeyRange,
        order: Order,
        limit: usize,
    ) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
        let found = self.inner.scan(table, range, order, limit).await?;
        if table == Table::Messages {
            self.scanned.set(self.scanned.get() + found.len());
        }
        Ok(found)
    }

    async fn keys(&self, table: Table, range: &KeyRange) -> Result<Vec<Key>, StoreError> {
        self.inner.keys(table, range).await
    }

    async fn apply(&self, batch: Vec<Write>, durability: Durability) -> Result<(), StoreError> {
        self.writes.set(self.writes.get() + 1);
        self.durability.set(Some(durability));
        if let Some(left) = self.left.get() {
            if left == 0 {
                return Err(StoreError::QuotaExceeded);
            }
            self.left.set(Some(left - 1));
        }
        if let Some((at, fault)) = self.fault.take() {
            let aborted = StoreError::Failed("the transaction was aborted".into());
            match fault {
                _ if at > 0 => self.fault.set(Some((at - 1, fault))),
                WriteFault::Full => return Err(StoreError::QuotaExceeded),
                WriteFault::Aborted => return Err(aborted),
                WriteFault::Doubtful => {
                    self.inner.apply(batch, durability).await?;
                    return Err(aborted);
                }
            }
        }
        if let Some(room) = self.room.get() {
            let more = batch.iter().map(|write| match write {
                Write::Put { table: Table::Bodies, value, .. } => value.len(),
                _ => 0,
            });
            let more: usize = more.sum();
            let all = KeyRange::all();
            let stored = self.inner.scan(Table::Bodies, &all, Order::Ascending, usize::MAX).await?;
            let stored: usize = stored.iter().map(|(_, value)| value.len()).sum();
            if more > 0 && stored + more > room {
                return Err(StoreError::QuotaExceeded);
            }
        }
        self.inner.apply(batch, durability).await
    }
}

/// A store of which every operation lets others go first, as one that is not in memory does.
#[derive(Clone, Default)]
pub struct YieldingStore {
    /// What really stores.
    pub inner: MemoryStore,
}

/// Lets others go first.
pub async fn give_way() {
    let mut polled = false;
    poll_fn(|_| {
        if std::mem::replace(&mut polled, true) {
            return Poll::Ready(());
        }
        PENDING.set(true);
        Poll::Pending
    })
    .await;
}

impl Store for YieldingStore {
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
        give_way().await;
        self.inner.get(table, key).await
    }

    async fn get_many(
        &self,
        table: Table,
        keys: &[Key],
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        give_way().await;
        self.inner.get_many(table, keys).await
    }

    async fn scan(
        &self,
        table: Table,
        range: &KeyRange,
        order: Order,
        limit: usize,
    ) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
        give_way().await;
        self.inner.scan(table, range, order, limit).await
    }

    async fn keys(&self, table: Table, range: &KeyRange) -> Result<Vec<Key>, StoreError> {
        give_way().await;
        self.inner.keys(table, range).await
    }

    async fn apply(&self, batch: Vec<Write>, durability: Durability) -> Result<(), StoreError> {
        give_way().await;
        let applied = self.inner.apply(batch, durability).await;
        give_way().await;
        applied
    }
}
