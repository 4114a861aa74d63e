//! How blocks and entries of the directory are compressed as they are stored.
//!
//! Envelopes repeat themselves: a third is left of them. What a browser's database does with an entry it
//! does several times, in another process, so that less is written, copied and read there for the time
//! that it takes here.
//!
//! **Form.** [`MARK`], the CRC-32 of what follows it, the length of what was compressed, and that as an
//! LZ4 block; numbers big-endian. What would not become smaller, or is large, is stored as it is, as
//! everything was by earlier versions: it begins with the length of a key, and no key is so long that
//! this could be the mark.
//!
//! **Damage.** What was compressed can't be read in part: there is no telling which of its bytes come
//! from damaged ones. The checksum shows it also where LZ4 would not.

use crc32fast::hash;
use lz4_flex::block;

use super::block::Length;

/// How what is compressed begins.
const MARK: [u8; 4] = *b"LZ4\x01";

/// The most bytes that are compressed. A block has half as many, unless it is a single row.
const MOST: usize = 64 * 1024;

const SUM: usize = size_of::<u32>();

/// Where the checksum, what it is of, and what was compressed begin.
const STARTS: [usize; 3] = [MARK.len(), MARK.len() + SUM, MARK.len() + SUM + size_of::<Length>()];

/// Bytes as they are stored.
pub(super) fn pack(bytes: Vec<u8>) -> Vec<u8> {
    let Some(length) = Length::try_from(bytes.len()).ok().filter(|_| bytes.len() <= MOST) else {
        return bytes;
    };
    let [sum, summed, compressed] = STARTS;
    let mut packed = vec![0; compressed + block::get_maximum_output_size(bytes.len())];
    let count = block::compress_into(&bytes, &mut packed[compressed..]).expect("there is room");
    packed.truncate(compressed + count);
    if packed.len() >= bytes.len() {
        return bytes;
    }
    packed[summed..compressed].copy_from_slice(&length.to_be_bytes());
    let hash = hash(&packed[summed..]).to_be_bytes();
    packed[sum..summed].copy_from_slice(&hash);
    packed[..sum].copy_from_slice(&MARK);
    packed
}

/// What was stored as these bytes; nothing if it was compressed and is damaged.
pub(super) fn unpack(bytes: Vec<u8>) -> Vec<u8> {
    match bytes.strip_prefix(&MARK) {
        Some(packed) => decompressed(packed).unwrap_or_default(),
        None => bytes,
    }
}

/// What was compressed, from what stands behind the mark.
fn decompressed(packed: &[u8]) -> Option<Vec<u8>> {
    let (sum, rest) = packed.split_first_chunk()?;
    if hash(rest) != u32::from_be_bytes(*sum) {
        return None;
    }
    let (length, compressed) = rest.split_first_chunk()?;
    let length = Length::from_be_bytes(*length) as usize;
    if length > MOST {
        return None;
    }
    let mut bytes = vec![0; length];
    let count = block::decompress_into(compressed, &mut bytes).ok()?;
    (count == length).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of which LZ4 makes fewer.
    fn repeating(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at % 100) as u8).collect()
    }

    /// Bytes without a pattern.
    fn random(length: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn what_is_stored_is_read_as_it_was_and_smaller_where_it_can_be() {
        for (bytes, is_smaller) in [
            (Vec::new(), false),
            (repeating(20), false),
            (repeating(400), true),
            (repeating(MOST), true),
            (repeating(MOST + 1), false),
            (random(10_000), false),
        ] {
            let packed = pack(bytes.clone());
            assert_eq!(packed.len() < bytes.len(), is_smaller, "{} bytes", bytes.len());
            assert_eq!(packed.starts_with(&MARK), is_smaller, "{} bytes", bytes.len());
            assert!(unpack(packed) == bytes, "{} bytes", bytes.len());
        }
    }

    #[test]
    fn of_what_is_damaged_anywhere_nothing_is_left() {
        let packed = pack(repeating(400));
        for length in MARK.len()..packed.len() {
            assert!(unpack(packed[..length].to_vec()).is_empty(), "{length}");
        }
        for at in MARK.len()..packed.len() {
            let mut packed = packed.clone();
            packed[at] ^= 1;
            assert!(unpack(packed).is_empty(), "{at}");
        }
    }

    /// As it might be written on purpose: with a checksum that is right.
    fn forged(length: u32, compressed: &[u8]) -> Vec<u8> {
        let rest = [&length.to_be_bytes(), compressed].concat();
        [&MARK, &hash(&rest).to_be_bytes()[..], &rest].concat()
    }

    #[test]
    fn a_length_that_is_wrong_takes_no_room() {
        let compressed = block::compress(&repeating(400));
        assert_eq!(unpack(forged(400, &compressed)), repeating(400));
        for length in [0, 399, 401, MOST as u32, MOST as u32 + 1, u32::MAX] {
            assert!(unpack(forged(length, &compressed)).is_empty(), "{length}");
        }
    }
}
