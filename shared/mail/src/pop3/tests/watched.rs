//! A store that something happens to before each of its operations.

use std::{
    cell::RefCell,
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use futures_util::lock::Mutex;

use crate::{
    Store,
    store::{Durability, Key, KeyRange, MemoryStore, Order, StoreError, Table, Write, Written},
    testing::Moments,
};

/// What is about to be done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Operation {
    Read(Table),
    Write,
}

type Watcher = Rc<RefCell<dyn FnMut(usize, Operation)>>;

/// The store; each operation is a moment, and they are counted from 0.
#[derive(Clone)]
pub(super) struct Watched {
    pub(super) inner: MemoryStore,
    /// Sees each operation before it is done.
    watcher: Watcher,
    pub(super) moments: Moments,
}

impl Watched {
    pub(super) fn new() -> Self {
        Self {
            inner: MemoryStore::new(),
            watcher: Rc::new(RefCell::new(|_, _| {})),
            moments: Moments::default(),
        }
    }

    /// From now on counts anew, and has each operation seen.
    pub(super) fn watch(&mut self, watcher: impl FnMut(usize, Operation) + 'static) {
        self.watcher = Rc::new(RefCell::new(watcher));
        self.moments.done.set(0);
    }

    async fn step(&self, operation: Operation) {
        let number = self.moments.next().await;
        (self.watcher.borrow_mut())(number, operation);
    }
}

/// Runs a future until it ends, or the process does.
pub(super) fn run_or_end<T>(future: impl Future<Output = T>, moments: &Moments) -> Option<T> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return Some(value),
            Poll::Pending if moments.is_over() => return None,
            // A sleep: polled again, it has passed.
            Poll::Pending => {}
        }
    }
}

impl Store for Watched {
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
        self.step(Operation::Read(table)).await;
        self.inner.get(table, key).await
    }

    async fn get_many(
        &self,
        table: Table,
        keys: &[Key],
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.step(Operation::Read(table)).await;
        self.inner.get_many(table, keys).await
    }

    async fn scan(
        &self,
        table: Table,
        range: &KeyRange,
        order: Order,
        limit: usize,
    ) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
        self.step(Operation::Read(table)).await;
        self.inner.scan(table, range, order, limit).await
    }

    async fn keys(&self, table: Table, range: &KeyRange) -> Result<Vec<Key>, StoreError> {
        self.step(Operation::Read(table)).await;
        self.inner.keys(table, range).await
    }

    async fn apply(&self, batch: Vec<Write>, durability: Durability) -> Result<(), StoreError> {
        self.step(Operation::Write).await;
        self.inner.apply(batch, durability).await
    }
}
