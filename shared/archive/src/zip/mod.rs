//! zip (PKWARE's APPNOTE 6.3), with the extensions for more than 4 GB and 65,535 entries.
//!
//! Written in one go: what an entry holds is known only after it, so it stands in a record behind it
//! and in the directory at the end. Read from that directory. Names are names and no paths: nothing
//! here opens a file.

mod directory;
mod entry;
mod writer;

pub use directory::{Directory, DirectoryReader, Entry, tail};
pub use entry::{EntryReader, LOCAL_HEADER, content_start};
pub use writer::Writer;

/// Why an archive can't be read or written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ZipError {
    /// It has no directory: it is none, or its end is missing.
    #[error("it is no zip archive, or its end is missing")]
    NoDirectory,
    /// Its records contradict each other or the file's size.
    #[error("it is damaged")]
    Damaged,
    /// An entry's content is not what its checksum or size says.
    #[error("the content is damaged")]
    Content,
    /// It is compressed in a way that is not known here.
    #[error("it is compressed in a way that Postern does not know")]
    Method,
    /// It is encrypted.
    #[error("it is encrypted")]
    Encrypted,
    /// It is in several files.
    #[error("it is one of several parts")]
    Split,
    /// It has more or larger entries than are taken.
    #[error("it is too large")]
    TooLarge,
}

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END64: u32 = 0x0606_4b50;
const LOCATOR64: u32 = 0x0706_4b50;
const DESCRIPTOR: u32 = 0x0807_4b50;

const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// The flag of an encrypted entry.
const ENCRYPTED: u16 = 1;
/// The flag of an entry whose sizes stand behind it, and of names in UTF-8.
const STREAMED_UTF8: u16 = 1 << 3 | 1 << 11;

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
