//! A store that something happens to before each of its operations.

use std::{
    cell::{Cell, RefCell},
    future::pending,
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use futures_util::lock::Mutex;

use crate::{
    Store,
    store::{Durability, Key, KeyRange, MemoryStore, Order, StoreError, Table, Write, Written},
};

/// What is about to be done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Operation {
    Read(Table),
    Write,
}

type Watcher = Rc<RefCell<dyn FnMut(usize, Operation)>>;

/// The store; operations are counted from 0.
#[derive(Clone)]
pub(super) struct Watched {
    pub(super) inner: MemoryStore,
    /// Sees each operation before it is done.
    watcher: Watcher,
    pub(super) done: Rc<Cell<usize>>,
    /// At this operation the process ends.
    pub(super) end: Rc<Cell<Option<usize>>>,
}

impl Watched {
    pub(super) fn new() -> Self {
        Self {
            inner: MemoryStore::new(),
            watcher: Rc::new(RefCell::new(|_, _| {})),
            done: Rc::default(),
            end: Rc::default(),
        }
    }

    /// From now on counts anew, and has each operation seen.
    pub(super) fn watch(&mut self, watcher: impl FnMut(usize, Operation) + 'static) {
        self.watcher = Rc::new(RefCell::new(watcher));
        self.done.set(0);
    }

    async fn step(&self, operation: Operation) {
        let number = self.done.get();
        if self.end.get() == Some(number) {
            pending::<()>().await;
        }
        self.done.set(number + 1);
        (self.watcher.borrow_mut())(number, operation);
    }
}

/// Runs a future until it ends, or waits for something that never comes.
pub(super) fn run_or_end<T>(future: impl Future<Output = T>, store: &Watched) -> Option<T> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return Some(value),
            Poll::Pending if store.end.get() == Some(store.done.get()) => return None,
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
