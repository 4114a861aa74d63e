//! Reading a zip archive.

use postern_archive::{
    limits,
    zip::{Directory, DirectoryReader, Entry, EntryReader, LOCAL_HEADER, content_start, tail},
};

/// How many entries are read.
const ENTRIES: usize = 32;

/// The largest content that is read.
const CONTENT: u64 = 1 << 20;

/// Whatever is in a file, and in whichever pieces it comes: reading it never panics and comes to an end,
/// its directory and its contents are the same, and no step and no entry gives more than it may.
///
/// The first byte of the input is the size of the pieces.
///
/// # Panics
///
/// If that does not hold.
pub fn check(input: &[u8]) {
    let [size, file @ ..] = input else { return };
    let last = &file[usize::try_from(tail(file.len() as u64)).expect("it is within the file")..];
    let Ok(directory) = Directory::find(last, file.len() as u64) else { return };
    let bytes = part(file, directory.start, directory.size).expect("it is within the file");
    let whole = entries(directory, bytes, bytes.len());
    assert_eq!(entries(directory, bytes, usize::from(*size)), whole, "in pieces of {size}");
    for entry in whole.unwrap_or_default().iter().take(ENTRIES) {
        let Some(packed) = packed(file, entry) else { continue };
        let whole = content(entry, packed, packed.len());
        assert_eq!(content(entry, packed, usize::from(*size)), whole, "in pieces of {size}");
    }
}

fn part(file: &[u8], start: u64, length: u64) -> Option<&[u8]> {
    let (start, length) = (usize::try_from(start).ok()?, usize::try_from(length).ok()?);
    file.get(start..start.checked_add(length)?)
}

/// What the directory lists; `None` if it is damaged.
fn entries(directory: Directory, bytes: &[u8], size: usize) -> Option<Vec<Entry>> {
    let mut reader = DirectoryReader::new(directory);
    let mut entries = Vec::new();
    for piece in bytes.chunks(size.max(1)) {
        entries.extend(reader.handle_input(piece).ok()?);
    }
    assert!(entries.len() as u64 <= directory.entries, "more than it says");
    Some(entries)
}

/// An entry's packed bytes.
fn packed<'file>(file: &'file [u8], entry: &Entry) -> Option<&'file [u8]> {
    let header = part(file, entry.start, LOCAL_HEADER)?;
    let start = entry.start.checked_add(content_start(header).ok()?)?;
    part(file, start, entry.compressed)
}

/// An entry's content; `None` if it is damaged.
fn content(entry: &Entry, packed: &[u8], size: usize) -> Option<Vec<u8>> {
    let mut reader = EntryReader::new(entry, CONTENT).ok()?;
    let mut content = Vec::new();
    for mut piece in packed.chunks(size.max(1)) {
        loop {
            let (taken, came) = reader.handle_input(piece).ok()?;
            piece = &piece[taken..];
            if taken == 0 && came.is_empty() {
                break;
            }
            assert!(came.len() <= limits::ZIP_STEP, "a step that is too large");
            content.extend(came);
            assert!(content.len() as u64 <= entry.size, "more than it says");
        }
    }
    assert_eq!(reader.finish().ok()?, content.len() as u64);
    Some(content)
}
