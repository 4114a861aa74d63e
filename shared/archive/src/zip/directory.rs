//! Reading the directory at an archive's end.

use super::{CENTRAL, ENCRYPTED, END, END64, LOCATOR64, ZipError, u16_at, u32_at, u64_at};
use crate::limits;

/// The most bytes that the end's record can be from the file's end, with those of the extension.
const TAIL: u64 = 22 + 65_535 + 20 + 56;

/// Which bytes of a file of this size [`Directory::find`] wants: from the first to the file's end.
pub fn tail(size: u64) -> u64 {
    size.saturating_sub(TAIL)
}

/// Where the directory is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Directory {
    /// Where it begins, in bytes from the file's start.
    pub start: u64,
    /// Its size in bytes.
    pub size: u64,
    /// How many entries it has.
    pub entries: u64,
    /// How many bytes stand before the archive.
    shift: u64,
}

impl Directory {
    /// Finds it in the bytes from [`tail`] to the end of a file of this size.
    ///
    /// # Errors
    ///
    /// If it is not there, or can't be.
    pub fn find(last: &[u8], file: u64) -> Result<Self, ZipError> {
        let first = file.checked_sub(last.len() as u64).ok_or(ZipError::Damaged)?;
        // The last record whose comment reaches to the file's end.
        let is_end = |at: &usize| {
            u32_at(last, *at) == Some(END)
                && u16_at(last, at + 20).is_some_and(|len| at + 22 + usize::from(len) <= last.len())
        };
        let latest = last.len().checked_sub(22).ok_or(ZipError::NoDirectory)?;
        let at = (0..=latest).rev().find(is_end).ok_or(ZipError::NoDirectory)?;
        let end = &last[at..];
        let field = |offset| u32_at(end, offset).map(u64::from).ok_or(ZipError::Damaged);
        if u16_at(end, 4) != Some(0) && u16_at(end, 4) != Some(u16::MAX) {
            return Err(ZipError::Split);
        }
        let entries = u64::from(u16_at(end, 10).ok_or(ZipError::Damaged)?);
        let (size, start) = (field(12)?, field(16)?);
        let position = first + at as u64;
        let found = match extended(last, at, first)? {
            Some(extended) => extended,
            None => {
                let shift = position.checked_sub(start + size).ok_or(ZipError::Damaged)?;
                Self { start: start + shift, size, entries, shift }
            }
        };
        let ends = found.start.checked_add(found.size).ok_or(ZipError::Damaged)?;
        if ends > position || found.entries > found.size / 46 {
            return Err(ZipError::Damaged);
        }
        check_size(found.entries, found.size)?;
        Ok(found)
    }
}

/// Refuses a directory of more entries or bytes than are taken; neither is it written.
pub(super) fn check_size(entries: u64, size: u64) -> Result<(), ZipError> {
    let fits = entries <= limits::ZIP_ENTRIES && size <= limits::ZIP_DIRECTORY;
    if fits { Ok(()) } else { Err(ZipError::TooLarge) }
}

/// What the records before the end's say, if there are any.
fn extended(last: &[u8], end: usize, first: u64) -> Result<Option<Directory>, ZipError> {
    let Some(locator) = end.checked_sub(20).map(|at| &last[at..]) else { return Ok(None) };
    if u32_at(locator, 0) != Some(LOCATOR64) {
        return Ok(None);
    }
    let said = u64_at(locator, 8).ok_or(ZipError::Damaged)?;
    let at_said = said.checked_sub(first).and_then(|at| usize::try_from(at).ok());
    // Where something stands before the archive, the record is not where it is said to be, but it
    // is right before the locator.
    let places = [at_said, end.checked_sub(20 + 56)];
    let is_record = |at: &usize| last.get(*at..).and_then(|at| u32_at(at, 0)) == Some(END64);
    let at = places.into_iter().flatten().find(is_record).ok_or(ZipError::Damaged)?;
    let shift = (first + at as u64).checked_sub(said).ok_or(ZipError::Damaged)?;
    let field = |offset| u64_at(&last[at..], offset).ok_or(ZipError::Damaged);
    let start = field(48)?.checked_add(shift).ok_or(ZipError::Damaged)?;
    Ok(Some(Directory { entries: field(32)?, size: field(40)?, start, shift }))
}

/// An entry, as the directory has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// Its name; folders are separated by `/`.
    pub name: String,
    /// What else the directory says of it.
    pub comment: Vec<u8>,
    /// Its size in bytes, as it says.
    pub size: u64,
    /// The size of its compressed content in bytes.
    pub compressed: u64,
    /// Where its own header begins, in bytes from the file's start.
    pub start: u64,
    pub(super) method: u16,
    pub(super) checksum: u32,
    pub(super) encrypted: bool,
}

impl Entry {
    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.name.ends_with('/')
    }
}

/// Reads the directory in pieces of any size.
#[derive(Debug)]
pub struct DirectoryReader {
    directory: Directory,
    held: Vec<u8>,
    left: u64,
}

impl DirectoryReader {
    /// A reader at the directory's start.
    pub fn new(directory: Directory) -> Self {
        Self { directory, held: Vec::new(), left: directory.entries }
    }

    /// Takes the next bytes; returns the entries that are complete by now.
    ///
    /// # Errors
    ///
    /// If the directory is damaged: the entries before the damage are lost with it.
    pub fn handle_input(&mut self, bytes: &[u8]) -> Result<Vec<Entry>, ZipError> {
        self.held.extend(bytes);
        let mut entries = Vec::new();
        let mut at = 0;
        while self.left > 0 {
            let Some((entry, length)) = entry(&self.held[at..], self.directory.shift)? else {
                break;
            };
            entries.push(entry);
            at += length;
            self.left -= 1;
        }
        self.held.drain(..at);
        Ok(entries)
    }

    /// Whether every entry has been read.
    pub fn is_done(&self) -> bool {
        self.left == 0
    }
}

/// An entry and its length in the directory; `None` if it is not complete.
fn entry(bytes: &[u8], shift: u64) -> Result<Option<(Entry, usize)>, ZipError> {
    if bytes.len() < 46 {
        return Ok(None);
    }
    let u16 = |at| u16_at(bytes, at).ok_or(ZipError::Damaged);
    let u32 = |at| u32_at(bytes, at).ok_or(ZipError::Damaged);
    if u32(0)? != CENTRAL {
        return Err(ZipError::Damaged);
    }
    let (name, extra, comment) =
        (usize::from(u16(28)?), usize::from(u16(30)?), usize::from(u16(32)?));
    let length = 46 + name + extra + comment;
    if bytes.len() < length {
        return Ok(None);
    }
    let (name, rest) = bytes[46..length].split_at(name);
    let (extra, comment) = rest.split_at(extra);
    let mut wide = wide_fields(extra);
    // Each of these stands in the extra field if it does not fit.
    let mut field = |narrow: u32| {
        if narrow == u32::MAX {
            wide.next().ok_or(ZipError::Damaged)
        } else {
            Ok(u64::from(narrow))
        }
    };
    let size = field(u32(24)?)?;
    let compressed = field(u32(20)?)?;
    let start = field(u32(42)?)?.checked_add(shift).ok_or(ZipError::Damaged)?;
    let entry = Entry {
        name: String::from_utf8_lossy(name).into_owned(),
        comment: comment.to_vec(),
        size,
        compressed,
        start,
        method: u16(10)?,
        checksum: u32(16)?,
        encrypted: u16(8)? & ENCRYPTED != 0,
    };
    Ok(Some((entry, length)))
}

/// The 64-bit numbers of the extension. Some programs write it twice; the last one counts.
fn wide_fields(mut extra: &[u8]) -> impl Iterator<Item = u64> {
    let mut fields = Vec::new();
    while let (Some(id), Some(length)) = (u16_at(extra, 0), u16_at(extra, 2)) {
        let Some(data) = extra.get(4..4 + usize::from(length)) else { break };
        if id == 1 {
            fields = data.chunks_exact(8).filter_map(|chunk| u64_at(chunk, 0)).collect();
        }
        extra = &extra[4 + data.len()..];
    }
    fields.into_iter()
}
