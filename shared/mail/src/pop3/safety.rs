//! How safe what is stored is, as the browser and the person say at the moment.

use super::Safety;
use crate::{
    Host, Store,
    store::{Key, Table, Write},
};

impl Safety {
    /// What holds now.
    pub async fn of<H: Host>(host: &H) -> Self {
        let persistent = host.storage().await.persistent;
        Self { persistent, public_computer: is_public_computer(host.store()).await }
    }
}

/// Whether the person has said that this is a public computer. Where that can't be read, it counts as
/// one.
pub async fn is_public_computer(store: &impl Store) -> bool {
    let stored = store.get(Table::Meta, &key()).await;
    stored.map_or(true, |stored| stored.is_some())
}

/// The write that notes whether this is a public computer.
pub fn note_public_computer(is_public: bool) -> Write {
    match is_public {
        true => Write::Put { table: Table::Meta, key: key(), value: Vec::new() },
        false => Write::Delete { table: Table::Meta, key: key() },
    }
}

fn key() -> Key {
    Key::new().bytes(b"public-computer")
}
