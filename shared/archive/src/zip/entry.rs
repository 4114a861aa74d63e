//! Reading an entry's content.

use crc32fast::Hasher;
use flate2::{Decompress, FlushDecompress, Status};

use super::{DEFLATED, Entry, LOCAL, STORED, ZipError, u16_at, u32_at};
use crate::limits;

/// How many bytes of an entry's own header [`content_start`] wants.
pub const LOCAL_HEADER: u64 = 30;

/// Where the content begins, in bytes from the start of the entry's own header.
///
/// # Errors
///
/// If it is no such header.
pub fn content_start(header: &[u8]) -> Result<u64, ZipError> {
    if u32_at(header, 0) != Some(LOCAL) {
        return Err(ZipError::Damaged);
    }
    let length = |at| u16_at(header, at).map(u64::from).ok_or(ZipError::Damaged);
    Ok(LOCAL_HEADER + length(26)? + length(28)?)
}

/// Unpacks an entry's content, which comes in pieces of any size.
pub struct EntryReader {
    inflate: Option<Decompress>,
    ended: bool,
    checksum: Hasher,
    expected: u32,
    size: u64,
    left: u64,
}

impl EntryReader {
    /// A reader of an entry's content, which may have at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// If it says that it has more, or is packed in a way that is not known here.
    pub fn new(entry: &Entry, limit: u64) -> Result<Self, ZipError> {
        if entry.encrypted {
            return Err(ZipError::Encrypted);
        }
        if entry.size > limit {
            return Err(ZipError::TooLarge);
        }
        let inflate = match entry.method {
            STORED => None,
            DEFLATED => Some(Decompress::new(false)),
            _ => return Err(ZipError::Method),
        };
        Ok(Self {
            ended: inflate.is_none(),
            inflate,
            checksum: Hasher::new(),
            expected: entry.checksum,
            size: entry.size,
            left: entry.size,
        })
    }

    /// Takes packed bytes; returns how many, and what they hold: at most [`limits::ZIP_STEP`] bytes.
    /// To be called again with the rest until it takes and gives nothing.
    ///
    /// # Errors
    ///
    /// If they are damaged, or hold more than the entry says.
    pub fn handle_input(&mut self, bytes: &[u8]) -> Result<(usize, Vec<u8>), ZipError> {
        let (taken, content) = match &mut self.inflate {
            None => {
                let taken = bytes.len().min(limits::ZIP_STEP);
                (taken, bytes[..taken].to_vec())
            }
            Some(_) if self.ended => (bytes.len(), Vec::new()),
            Some(inflate) => {
                let before = inflate.total_in();
                let mut content = Vec::with_capacity(limits::ZIP_STEP);
                let status = inflate.decompress_vec(bytes, &mut content, FlushDecompress::None);
                match status {
                    Ok(Status::StreamEnd) => self.ended = true,
                    Ok(Status::Ok | Status::BufError) => {}
                    Err(_) => return Err(ZipError::Content),
                }
                ((inflate.total_in() - before) as usize, content)
            }
        };
        self.left = self.left.checked_sub(content.len() as u64).ok_or(ZipError::Content)?;
        self.checksum.update(&content);
        Ok((taken, content))
    }

    /// The content's end.
    ///
    /// # Errors
    ///
    /// If it is not what size and checksum say.
    pub fn finish(self) -> Result<u64, ZipError> {
        let whole = self.ended && self.left == 0 && self.checksum.finalize() == self.expected;
        if whole { Ok(self.size) } else { Err(ZipError::Content) }
    }
}
