//! What a block consists of.

use std::mem;

use super::super::{Key, StoreError};

/// Bytes of keys and values in a block, if they can be parted: what is written anew when one row
/// changes.
const BYTES: usize = 32 * 1024;

/// Rows in a block.
const ROWS: usize = 256;

/// A length: big-endian.
type Length = u32;

const LENGTH: usize = size_of::<Length>();

/// A key with its value.
pub(super) type Row = (Key, Vec<u8>);

/// Rows as they are stored: of each the length of its key, the key, the length of its value, and the
/// value.
pub(super) fn encode(rows: &[Row]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(rows.iter().map(|row| 2 * LENGTH + size(row)).sum());
    for (key, value) in rows {
        write(&mut bytes, &key.0);
        write(&mut bytes, value);
    }
    bytes
}

/// The rows of a stored block, which has some.
///
/// # Errors
///
/// [`StoreError::Damaged`] if they can't be read.
pub(super) fn decode(mut bytes: &[u8]) -> Result<Vec<Row>, StoreError> {
    let mut rows = Vec::new();
    while !bytes.is_empty() {
        rows.push((Key(read(&mut bytes)?), read(&mut bytes)?));
    }
    if rows.is_empty() { Err(damaged()) } else { Ok(rows) }
}

/// The keys of rows as they are stored in the directory: of each its length, and the key.
pub(super) fn encode_keys(rows: &[Row]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(rows.iter().map(|(key, _)| LENGTH + key.0.len()).sum());
    for (key, _) in rows {
        write(&mut bytes, &key.0);
    }
    bytes
}

/// The keys of a stored entry of the directory.
///
/// # Errors
///
/// [`StoreError::Damaged`] if they can't be read.
pub(super) fn decode_keys(mut bytes: &[u8]) -> Result<Vec<Key>, StoreError> {
    let mut keys = Vec::new();
    while !bytes.is_empty() {
        keys.push(Key(read(&mut bytes)?));
    }
    Ok(keys)
}

/// Parts rows into blocks of much the same size. None is empty, and only one with a single row may be
/// too large.
pub(super) fn part(rows: Vec<Row>) -> Vec<Vec<Row>> {
    let total: usize = rows.iter().map(size).sum();
    let count = total.div_ceil(BYTES).max(rows.len().div_ceil(ROWS)).max(1);
    let (bytes, most) = (total.div_ceil(count), rows.len().div_ceil(count));
    let (mut blocks, mut block, mut held) = (Vec::new(), Vec::new(), 0);
    for row in rows {
        let more = size(&row);
        let is_full = block.len() == most.max(1) || held + more > BYTES.max(bytes);
        if is_full && !block.is_empty() {
            blocks.push(mem::take(&mut block));
            held = 0;
        }
        held += more;
        block.push(row);
    }
    if !block.is_empty() {
        blocks.push(block);
    }
    blocks
}

fn size((key, value): &Row) -> usize {
    key.0.len() + value.len()
}

fn write(into: &mut Vec<u8>, bytes: &[u8]) {
    let length = Length::try_from(bytes.len()).expect("no row has gigabytes");
    into.extend(length.to_be_bytes());
    into.extend(bytes);
}

fn read(from: &mut &[u8]) -> Result<Vec<u8>, StoreError> {
    let (length, rest) = from.split_first_chunk().ok_or_else(damaged)?;
    let length = Length::from_be_bytes(*length) as usize;
    let (bytes, rest) = rest.split_at_checked(length).ok_or_else(damaged)?;
    *from = rest;
    Ok(bytes.to_vec())
}

fn damaged() -> StoreError {
    StoreError::Damaged("a block of rows".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: u32, size: usize) -> Row {
        (Key::new().u32(key), vec![7; size])
    }

    #[test]
    fn rows_are_read_as_they_were_written() {
        let rows = vec![(Key::new(), vec![]), row(1, 0), row(2, 70_000)];
        assert_eq!(decode(&encode(&rows)).unwrap(), rows);
        let keys: Vec<Key> = rows.iter().map(|(key, _)| key.clone()).collect();
        assert_eq!(decode_keys(&encode_keys(&rows)).unwrap(), keys);
    }

    #[test]
    fn what_is_cut_off_is_damaged() {
        let bytes = encode(&[row(1, 3), row(2, 3)]);
        let whole = [0, bytes.len() / 2, bytes.len()];
        for length in 0..=bytes.len() {
            let is_read = decode(&bytes[..length]).is_ok();
            assert_eq!(is_read, length != 0 && whole.contains(&length), "{length}");
        }
        assert!(decode_keys(&[0, 0, 0, 9, 1]).is_err());
    }

    #[test]
    fn blocks_are_of_a_size_and_bounded() {
        for (rows, size, blocks) in [
            (1, 0, 1),
            (ROWS, 0, 1),
            (ROWS + 1, 0, 2),
            (100, BYTES / 50, 3),
            (1, BYTES * 3, 1),
            (3, BYTES, 3),
            (10_000, 400, 124),
        ] {
            let all: Vec<Row> = (0..rows).map(|key| row(key as u32, size)).collect();
            let parted = part(all.clone());
            assert_eq!(parted.concat(), all, "{rows} of {size}");
            assert_eq!(parted.len(), blocks, "{rows} of {size}");
            for block in &parted {
                let bytes: usize = block.iter().map(self::size).sum();
                assert!(block.len() == 1 || bytes <= BYTES && block.len() <= ROWS);
            }
        }
        assert!(part(Vec::new()).is_empty());
    }
}
