//! What a bundle holds.

use std::{slice, vec};

use super::{
    super::{
        super::{Key, KeyRange, Order, Store, StoreError, Table},
        block::{self, Length, Row, read, write},
        table::after,
    },
    look,
};

/// How many entries are read at once.
const ENTRIES: usize = 16;

/// What a bundle holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in super::super) struct Contents {
    /// The last key with which it was written, under which it stands.
    pub(super) last: Key,
    /// How many bytes of values it was written with.
    written: u64,
    /// The keys of its rows that are still there, or those of them that were asked for; and how many
    /// bytes each has.
    pub(super) rows: Vec<(Key, Length)>,
}

impl Contents {
    /// Those of a bundle of these rows, that ends with this key.
    pub(super) fn of(last: Key, rows: &[Row]) -> Self {
        let length = |value: &[u8]| Length::try_from(value.len()).expect("no row has gigabytes");
        let rows = rows.iter().map(|(key, value)| (key.clone(), length(value))).collect();
        let contents = Self { last, written: 0, rows };
        Self { written: contents.bytes(), ..contents }
    }

    /// As they are stored: how many bytes it was written with, then of each row the length of its key,
    /// the key, and the length of its value.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.written.to_be_bytes().to_vec();
        for (key, length) in &self.rows {
            write(&mut bytes, &key.0);
            bytes.extend(length.to_be_bytes());
        }
        bytes
    }

    /// `None` if they are damaged.
    pub(super) fn decode(last: Key, bytes: &[u8]) -> Option<Self> {
        let (written, mut bytes) = bytes.split_first_chunk()?;
        let mut rows: Vec<(Key, Length)> = Vec::new();
        while !bytes.is_empty() {
            let key = Key(read(&mut bytes).ok()?.to_vec());
            let (length, rest) = bytes.split_first_chunk()?;
            bytes = rest;
            let is_next = rows.last().is_none_or(|(before, _)| *before < key);
            if !is_next || key > last {
                return None;
            }
            rows.push((key, Length::from_be_bytes(*length)));
        }
        Some(Self { last, written: u64::from_be_bytes(*written), rows })
    }

    /// Those that are stored as this entry; where it is damaged, those that the bundle tells itself.
    async fn stored(inner: &impl Store, (last, bytes): (Key, Vec<u8>)) -> Result<Self, StoreError> {
        if let Some(contents) = Self::decode(last.clone(), &bytes) {
            return Ok(contents);
        }
        let bundle = look::bundles(inner, slice::from_ref(&last)).await?.concat();
        Ok(Self::of(last.clone(), &block::decode(&bundle, &last).0))
    }

    /// Those of its rows of which the key is as asked for.
    pub(super) fn left(&self, stays: impl Fn(&Key) -> bool) -> Self {
        let rows = self.rows.iter().filter(|(key, _)| stays(key)).cloned().collect();
        Self { last: self.last.clone(), rows, ..*self }
    }

    pub(super) fn has(&self, key: &Key) -> bool {
        self.rows.binary_search_by(|(own, _)| own.cmp(key)).is_ok()
    }

    /// Whether less than half of what it was written with is left.
    pub(super) fn is_sparse(&self) -> bool {
        self.bytes() < self.written / 2
    }

    fn bytes(&self) -> u64 {
        self.rows.iter().map(|(_, length)| u64::from(*length)).sum()
    }
}

/// A way from bundle to bundle, in the order of their keys.
pub(super) struct Walk<'a, S> {
    inner: &'a S,
    current: Option<Contents>,
    next: vec::IntoIter<(Key, Vec<u8>)>,
    is_over: bool,
}

impl<'a, S: Store> Walk<'a, S> {
    pub(super) fn new(inner: &'a S) -> Self {
        Self { inner, current: None, next: Vec::new().into_iter(), is_over: false }
    }

    /// The only bundle that can have a key: the first that does not end before it. Keys must ascend.
    pub(super) async fn home(&mut self, key: &Key) -> Result<Option<&Contents>, StoreError> {
        while !self.is_over && self.current.as_ref().is_none_or(|bundle| bundle.last < *key) {
            self.current = match self.next.next() {
                Some((last, _)) if last < *key => continue,
                Some(entry) => Some(Contents::stored(self.inner, entry).await?),
                None => {
                    self.next = entries(self.inner, key, ENTRIES).await?.into_iter();
                    self.is_over = self.next.len() == 0;
                    None
                }
            };
        }
        Ok(self.current.as_ref())
    }
}

/// The only bundle that can have a key.
pub(super) async fn home(inner: &impl Store, key: &Key) -> Result<Option<Contents>, StoreError> {
    match entries(inner, key, 1).await?.pop() {
        Some(entry) => Contents::stored(inner, entry).await.map(Some),
        None => Ok(None),
    }
}

/// The bundles that have rows in a range, each with the keys of those alone; up to the one with which
/// they are so many.
pub(super) async fn within(
    inner: &impl Store,
    range: &KeyRange,
    limit: usize,
) -> Result<Vec<Contents>, StoreError> {
    let (mut found, mut count) = (Vec::new(), 0);
    let mut from = range.start.clone();
    // One message is in one bundle, or two.
    let mut wanted = 2;
    loop {
        let entries = entries(inner, &from, wanted).await?;
        let is_end = entries.len() < wanted;
        wanted = ENTRIES;
        for entry in entries {
            let mut contents = Contents::stored(inner, entry).await?;
            from = after(&contents.last);
            let reaches_end = range.end.as_ref().is_some_and(|end| contents.last >= *end);
            contents.rows.retain(|(key, _)| range.contains(key));
            count += contents.rows.len();
            if !contents.rows.is_empty() {
                found.push(contents);
            }
            if reaches_end || count >= limit {
                return Ok(found);
            }
        }
        if is_end {
            return Ok(found);
        }
    }
}

/// Up to so many entries, from the first whose bundle does not end before a key.
async fn entries(
    inner: &impl Store,
    key: &Key,
    count: usize,
) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
    let range = KeyRange { start: key.clone(), end: None };
    inner.scan(Table::Contents, &range, Order::Ascending, count).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_read_as_they_were_written_and_not_if_they_are_damaged() {
        let row = |number: u32, size| (Key::new().u32(number), vec![1; size]);
        let rows = [(Key::new(), Vec::new()), row(1, 70_000), row(2, 3)];
        let last = Key::new().u32(2);
        let contents = Contents::of(last.clone(), &rows);
        assert_eq!((contents.written, contents.bytes()), (70_003, 70_003));
        let bytes = contents.encode();
        assert_eq!(Contents::decode(last.clone(), &bytes), Some(contents.clone()));
        // At the others a row ends: as if it had been struck off.
        for length in (0..bytes.len()).filter(|length| ![8, 16, 28].contains(length)) {
            assert_eq!(Contents::decode(last.clone(), &bytes[..length]), None, "{length}");
        }
        assert_eq!(Contents::decode(Key::new().u32(1), &bytes), None, "of another bundle");
        let fewer = |count| Contents { rows: contents.rows[..count].to_vec(), ..contents.clone() };
        assert_eq!(Contents::decode(last, &fewer(1).encode()), Some(fewer(1)));
        assert!(fewer(1).is_sparse() && !fewer(2).is_sparse());
    }
}
