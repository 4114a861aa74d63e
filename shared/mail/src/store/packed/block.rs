//! What a block consists of.

use std::mem;

use super::super::Key;

/// Bytes of keys and values in a block, if they can be parted: what is written anew when one row
/// changes.
const BYTES: usize = 32 * 1024;

/// Rows in a block.
const ROWS: usize = 256;

/// A length: big-endian.
pub(super) type Length = u32;

const LENGTH: usize = size_of::<Length>();

/// A key with its value.
pub(super) type Row = (Key, Vec<u8>);

/// What is stored can't be read.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Damaged;

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

/// The rows of a stored block that ends with a key, as far as they can be read, and whether that is
/// all of them.
pub(super) fn decode(mut bytes: &[u8], last: &Key) -> (Vec<Row>, bool) {
    let mut rows: Vec<Row> = Vec::new();
    while let Ok((key, value)) = row(&mut bytes) {
        let is_next = rows.last().is_none_or(|(before, _)| before.0[..] < *key);
        if !is_next || *key > last.0[..] {
            return (rows, false);
        }
        rows.push((Key(key.to_vec()), value.to_vec()));
    }
    let is_whole = bytes.is_empty() && rows.last().is_some_and(|(key, _)| key == last);
    (rows, is_whole)
}

/// The value of a key in a stored block.
///
/// # Errors
///
/// If the block is damaged before it.
pub(super) fn find<'a>(mut bytes: &'a [u8], key: &Key) -> Result<Option<&'a [u8]>, Damaged> {
    let mut before: &[u8] = &[];
    while !bytes.is_empty() {
        let (own, value) = row(&mut bytes)?;
        if own < before {
            return Err(Damaged);
        }
        match own.cmp(&key.0[..]) {
            std::cmp::Ordering::Less => before = own,
            std::cmp::Ordering::Equal => return Ok(Some(value)),
            std::cmp::Ordering::Greater => return Ok(None),
        }
    }
    // It should have ended with this key, or a later one.
    Err(Damaged)
}

/// The keys of rows as they are stored in the directory: of each its length, and the key.
pub(super) fn encode_keys(rows: &[Row]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(rows.iter().map(|(key, _)| LENGTH + key.0.len()).sum());
    for (key, _) in rows {
        write(&mut bytes, &key.0);
    }
    bytes
}

/// The keys of a stored entry of the directory for a block that ends with a key, as far as they can
/// be read, and whether that is all of them.
pub(super) fn decode_keys(mut bytes: &[u8], last: &Key) -> (Vec<Key>, bool) {
    let mut keys: Vec<Key> = Vec::new();
    while let Ok(key) = read(&mut bytes) {
        let is_next = keys.last().is_none_or(|before| before.0[..] < *key);
        if !is_next || *key > last.0[..] {
            return (keys, false);
        }
        keys.push(Key(key.to_vec()));
    }
    let is_whole = bytes.is_empty() && keys.last() == Some(last);
    (keys, is_whole)
}

/// Parts rows into blocks of much the same size. None is empty, and only one with a single row may be
/// too large.
pub(super) fn part(rows: Vec<Row>) -> Vec<Vec<Row>> {
    // One that is too large has a block to itself, and is no reason to part the others.
    let total: usize = rows.iter().map(|row| size(row).min(BYTES)).sum();
    let count = total.div_ceil(BYTES).max(rows.len().div_ceil(ROWS)).max(1);
    let most = rows.len().div_ceil(count);
    let (mut blocks, mut block, mut held) = (Vec::new(), Vec::new(), 0);
    for row in rows {
        let more = size(&row);
        if block.len() == most || (held + more > BYTES && !block.is_empty()) {
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

/// Appends a length and so many bytes.
pub(super) fn write(into: &mut Vec<u8>, bytes: &[u8]) {
    let length = Length::try_from(bytes.len()).expect("no row has gigabytes");
    into.extend(length.to_be_bytes());
    into.extend(bytes);
}

fn row<'a>(from: &mut &'a [u8]) -> Result<(&'a [u8], &'a [u8]), Damaged> {
    let mut rest = *from;
    let row = (read(&mut rest)?, read(&mut rest)?);
    *from = rest;
    Ok(row)
}

/// Takes a length and so many bytes off.
///
/// # Errors
///
/// If they are not there.
pub(super) fn read<'a>(from: &mut &'a [u8]) -> Result<&'a [u8], Damaged> {
    let (length, rest) = from.split_first_chunk().ok_or(Damaged)?;
    let length = Length::from_be_bytes(*length) as usize;
    let (bytes, rest) = rest.split_at_checked(length).ok_or(Damaged)?;
    *from = rest;
    Ok(bytes)
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
        let (bytes, last) = (encode(&rows), Key::new().u32(2));
        assert_eq!(decode(&bytes, &last), (rows.clone(), true));
        for (key, value) in &rows {
            assert_eq!(find(&bytes, key), Ok(Some(&value[..])));
        }
        assert_eq!(find(&bytes, &Key::new().u32(1).bytes(&[0])), Ok(None));
        let keys: Vec<Key> = rows.iter().map(|(key, _)| key.clone()).collect();
        assert_eq!(decode_keys(&encode_keys(&rows), &last), (keys, true));
    }

    #[test]
    fn of_what_is_damaged_anywhere_the_rows_before_are_read_and_the_damage_shows() {
        let rows = [row(1, 3), row(2, 3), row(3, 3)];
        let (bytes, keys, last) = (encode(&rows), encode_keys(&rows), Key::new().u32(3));
        let each = bytes.len() / 3;
        for length in 0..bytes.len() {
            let (read, is_whole) = decode(&bytes[..length], &last);
            assert_eq!((&read[..], is_whole), (&rows[..length / each], false), "{length}");
            assert_eq!(find(&bytes[..length], &last), Err(Damaged), "{length}");
        }
        for length in 0..keys.len() {
            let (read, is_whole) = decode_keys(&keys[..length], &last);
            assert_eq!((read.len(), is_whole), (length / (keys.len() / 3), false), "{length}");
        }
        // In lengths and in keys; a value is its owner's.
        for at in (0..bytes.len()).filter(|at| at % each < 2 * LENGTH + LENGTH) {
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x80;
            let (read, is_whole) = decode(&bytes, &last);
            assert!(!is_whole && read[..] == rows[..read.len()], "{at}: {read:?}");
        }
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

    #[test]
    fn a_huge_row_does_not_scatter_its_neighbours() {
        let mut rows: Vec<Row> = (0..79).map(|key| row(key, 400)).collect();
        rows[40].1 = vec![7; 100 * BYTES];
        let lengths: Vec<usize> = part(rows).iter().map(Vec::len).collect();
        assert_eq!(lengths, [40, 1, 38]);
    }
}
