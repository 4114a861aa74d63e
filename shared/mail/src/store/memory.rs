//! The store in memory: for tests, and for sessions that must leave nothing behind.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};

use futures_util::lock::Mutex;

use super::{Durability, Key, KeyRange, Order, Store, StoreError, Table, Write, Written};

#[derive(Default)]
struct Shared {
    tables: RefCell<BTreeMap<Table, BTreeMap<Key, Vec<u8>>>>,
    epoch: Cell<u64>,
    editing: Mutex<()>,
    written: Written,
}

/// A store in memory. Clones see the same tables; each handle leads or is fenced off by itself.
#[derive(Clone, Default)]
pub struct MemoryStore {
    shared: Rc<Shared>,
    epoch: Cell<u64>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Store for MemoryStore {
    async fn take_lead(&self) -> Result<(), StoreError> {
        let epoch = self.shared.epoch.get() + 1;
        self.shared.epoch.set(epoch);
        self.epoch.set(epoch);
        Ok(())
    }

    fn editing(&self) -> &Mutex<()> {
        &self.shared.editing
    }

    fn written(&self) -> &Written {
        &self.shared.written
    }

    async fn get(&self, table: Table, key: &Key) -> Result<Option<Vec<u8>>, StoreError> {
        let tables = self.shared.tables.borrow();
        Ok(tables.get(&table).and_then(|table| table.get(key)).cloned())
    }

    async fn get_many(
        &self,
        table: Table,
        keys: &[Key],
    ) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let tables = self.shared.tables.borrow();
        let table = tables.get(&table);
        Ok(keys.iter().map(|key| table.and_then(|table| table.get(key)).cloned()).collect())
    }

    async fn scan(
        &self,
        table: Table,
        range: &KeyRange,
        order: Order,
        limit: usize,
    ) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
        let tables = self.shared.tables.borrow();
        let Some(table) = tables.get(&table) else { return Ok(Vec::new()) };
        let entries = table
            .range(range.start.clone()..)
            .take_while(|(key, _)| range.contains(key))
            .map(|(key, value)| (key.clone(), value.clone()));
        Ok(match order {
            Order::Ascending => entries.take(limit).collect(),
            Order::Descending => {
                let mut entries: Vec<_> = entries.collect();
                entries.reverse();
                entries.truncate(limit);
                entries
            }
        })
    }

    async fn keys(&self, table: Table, range: &KeyRange) -> Result<Vec<Key>, StoreError> {
        let tables = self.shared.tables.borrow();
        let Some(table) = tables.get(&table) else { return Ok(Vec::new()) };
        Ok(table
            .range(range.start.clone()..)
            .map(|(key, _)| key)
            .take_while(|key| range.contains(key))
            .cloned()
            .collect())
    }

    async fn apply(&self, batch: Vec<Write>, _durability: Durability) -> Result<(), StoreError> {
        if self.epoch.get() < self.shared.epoch.get() {
            return Err(StoreError::Fenced);
        }
        let _noting = self.shared.written.noting(&batch);
        let mut tables = self.shared.tables.borrow_mut();
        for write in batch {
            match write {
                Write::Put { table, key, value } => {
                    tables.entry(table).or_default().insert(key, value);
                }
                Write::Delete { table, key } => {
                    tables.entry(table).or_default().remove(&key);
                }
                Write::DeleteRange { table, range } => {
                    tables.entry(table).or_default().retain(|key, _| !range.contains(key));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use futures_util::FutureExt;

    use super::*;
    use crate::store::conformance;

    #[test]
    fn the_memory_store_does_what_every_store_must() {
        let databases = RefCell::new(HashMap::<String, MemoryStore>::new());
        let outcomes = conformance::run(async |name: &str| {
            Ok(databases.borrow_mut().entry(name.into()).or_default().clone())
        });
        let outcomes = outcomes.now_or_never().expect("a store in memory never waits");
        let failed: Vec<_> = outcomes.iter().filter(|case| case.failure.is_some()).collect();
        assert!(failed.is_empty(), "{failed:#?}");
    }
}
