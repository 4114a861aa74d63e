//! The tables that are kept in blocks, and where their blocks stand.

use super::super::{Key, KeyRange, Table};

/// A table that is kept in blocks.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum PackedTable {
    Messages,
    Arrival,
    Ledger,
}

impl PackedTable {
    pub(super) const ALL: [Self; 3] = [Self::Messages, Self::Arrival, Self::Ledger];

    pub(super) fn of(table: Table) -> Option<Self> {
        Self::ALL.into_iter().find(|own| own.table() == table)
    }

    pub(super) fn table(self) -> Table {
        match self {
            Self::Messages => Table::Messages,
            Self::Arrival => Table::Arrival,
            Self::Ledger => Table::Ledger,
        }
    }

    /// Its number in the keys of blocks. Stored: never change it.
    fn number(self) -> u8 {
        match self {
            Self::Messages => 1,
            Self::Arrival => 2,
            Self::Ledger => 3,
        }
    }

    /// The key of the block that ends with this key.
    pub(super) fn block(self, last: &Key) -> Key {
        Key::new().bytes(&[self.number()]).bytes(&last.0)
    }

    /// The last key of the block that stands under this key.
    pub(super) fn last(block: &Key) -> Key {
        Key(block.0.get(1..).unwrap_or_default().to_vec())
    }

    /// The blocks that end in this range.
    pub(super) fn range(self, KeyRange { start, end }: &KeyRange) -> KeyRange {
        let behind = || Key::new().bytes(&[self.number() + 1]);
        let end = end.as_ref().map_or_else(behind, |end| self.block(end));
        KeyRange { start: self.block(start), end: Some(end) }
    }

    /// The blocks that don't end before this key.
    pub(super) fn rest(self, start: &Key) -> KeyRange {
        self.range(&KeyRange { start: start.clone(), end: None })
    }
}

/// The next key that there can be.
pub(super) fn after(key: &Key) -> Key {
    key.clone().bytes(&[0])
}
