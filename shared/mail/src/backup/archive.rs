//! A zip archive in a [`Source`].

use std::collections::VecDeque;

use postern_archive::zip::{
    Directory, DirectoryReader, Entry, EntryReader, LOCAL_HEADER, ZipError, content_start, tail,
};

use super::{Source, limits};
use crate::MailError;

/// Finds the directory; an error of the file is told as [`ZipError`].
pub(super) async fn directory(
    source: &mut impl Source,
) -> Result<Result<Directory, ZipError>, MailError> {
    let size = source.size();
    let start = tail(size);
    let last = read(source, start, size - start).await?;
    Ok(Directory::find(&last, size))
}

/// The entries in the order of the directory, read in windows.
pub(super) struct Entries {
    reader: DirectoryReader,
    at: u64,
    end: u64,
    ready: VecDeque<Entry>,
}

impl Entries {
    pub(super) fn of(directory: Directory) -> Self {
        Self {
            reader: DirectoryReader::new(directory),
            at: directory.start,
            end: directory.start + directory.size,
            ready: VecDeque::new(),
        }
    }

    /// The next entry; `None` after the last.
    pub(super) async fn next(
        &mut self,
        source: &mut impl Source,
    ) -> Result<Option<Entry>, MailError> {
        while self.ready.is_empty() && self.at < self.end && !self.reader.is_done() {
            let length = (self.end - self.at).min(limits::PIECE.into());
            let bytes = read(source, self.at, length).await?;
            self.at += length;
            self.ready.extend(self.reader.handle_input(&bytes).map_err(damaged)?);
        }
        Ok(self.ready.pop_front())
    }
}

/// How many bytes may still come out of an archive: entries may be packed without measure, and any
/// number of them be in the same place.
pub(super) struct Budget {
    left: u64,
}

impl Budget {
    /// That of a file of this size.
    pub(super) fn of_file(size: u64) -> Self {
        Self { left: size.saturating_mul(limits::EXPANSION).max(limits::EXPANDED) }
    }

    fn spend(&mut self, bytes: usize) -> Result<(), MailError> {
        let left = self.left.checked_sub(bytes as u64);
        self.left = left.ok_or_else(|| {
            let sentence = "The archive holds far more than a file of its size should: it was made to \
                            fill your storage, and is read no further.";
            MailError::Input(sentence.into())
        })?;
        Ok(())
    }
}

/// Reads an entry's content, of at most `limit` bytes, and gives it away piece by piece.
///
/// What is wrong with the entry alone is told as [`ZipError`]: the pieces before it are of no use. An
/// archive whose budget is spent is read no further.
pub(super) async fn content(
    source: &mut impl Source,
    entry: &Entry,
    limit: u64,
    budget: &mut Budget,
    mut take: impl AsyncFnMut(Vec<u8>) -> Result<(), MailError>,
) -> Result<Result<(), ZipError>, MailError> {
    let mut reader = match EntryReader::new(entry, limit) {
        Ok(reader) => reader,
        Err(error) => return Ok(Err(error)),
    };
    let size = source.size();
    if entry.start.checked_add(LOCAL_HEADER).is_none_or(|end| end > size) {
        return Ok(Err(ZipError::Damaged));
    }
    // Small entries are read together with their header.
    let first = LOCAL_HEADER + entry.name.len() as u64 + 64 + entry.compressed;
    let first = first.min(limits::PIECE.into()).min(size - entry.start);
    let mut piece = read(source, entry.start, first).await?;
    let mut piece_start = entry.start;
    let begin = match content_start(&piece) {
        Ok(begin) => entry.start + begin,
        Err(error) => return Ok(Err(error)),
    };
    let end = begin.checked_add(entry.compressed).filter(|end| *end <= size);
    let Some(end) = end else { return Ok(Err(ZipError::Damaged)) };
    let mut at = begin;
    while at < end {
        let piece_end = piece_start + piece.len() as u64;
        if at >= piece_end {
            let length = (end - at).min(limits::PIECE.into());
            piece = read(source, at, length).await?;
            piece_start = at;
            continue;
        }
        let from = (at - piece_start) as usize;
        let to = (end.min(piece_end) - piece_start) as usize;
        let mut bytes = &piece[from..to];
        at += bytes.len() as u64;
        loop {
            let (taken, content) = match reader.handle_input(bytes) {
                Ok(step) => step,
                Err(error) => return Ok(Err(error)),
            };
            bytes = &bytes[taken..];
            if taken == 0 && content.is_empty() {
                break;
            }
            budget.spend(content.len())?;
            take(content).await?;
        }
    }
    Ok(reader.finish().map(drop))
}

/// Reads exactly so many bytes, in pieces that a source gives.
async fn read(source: &mut impl Source, start: u64, length: u64) -> Result<Vec<u8>, MailError> {
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < length {
        let left = (length - bytes.len() as u64).min(limits::PIECE.into());
        let piece = source.read(start + bytes.len() as u64, left as u32).await?;
        if piece.is_empty() {
            return Err(changed());
        }
        bytes.extend(piece);
    }
    Ok(bytes)
}

/// A file that ends where it did not before.
pub(super) fn changed() -> MailError {
    MailError::Input("The file was changed or taken away while it was read.".into())
}

pub(super) fn damaged(error: ZipError) -> MailError {
    MailError::Input(format!("The archive can't be read: {error}."))
}

#[cfg(test)]
mod tests {
    use postern_archive::zip::Writer;
    use postern_bridge::Progress;

    use super::*;
    use crate::testing::block_on;

    struct Archive(Vec<u8>);

    impl Source for Archive {
        fn name(&self) -> &str {
            "bomb.zip"
        }

        fn size(&self) -> u64 {
            self.0.len() as u64
        }

        async fn read(&mut self, start: u64, length: u32) -> Result<Vec<u8>, MailError> {
            let rest = &self.0[start as usize..];
            Ok(rest[..rest.len().min(length as usize)].to_vec())
        }

        fn progress(&mut self, _progress: Progress) {}
    }

    /// What comes out of three entries of so many zeros each before the budget is spent.
    fn unpacked(zeros: usize, left: u64) -> (usize, bool) {
        let mut writer = Writer::new();
        for name in ["1.eml", "2.eml", "3.eml"] {
            writer.start(name, 0, b"").unwrap();
            writer.write(&vec![0; zeros]).unwrap();
        }
        writer.finish().unwrap();
        let mut source = Archive(writer.take_output());
        let mut budget = Budget { left };
        let mut came = 0;
        let outcome = block_on(async {
            let mut entries = Entries::of(directory(&mut source).await?.map_err(damaged)?);
            while let Some(entry) = entries.next(&mut source).await? {
                let take = async |bytes: Vec<u8>| {
                    came += bytes.len();
                    Ok(())
                };
                let read = content(&mut source, &entry, u64::MAX, &mut budget, take).await?;
                read.map_err(damaged)?;
            }
            Ok::<(), MailError>(())
        });
        (came, outcome.is_ok())
    }

    #[test]
    fn all_entries_together_may_hold_so_much_and_not_a_byte_more() {
        let zeros = 1_000_000;
        assert_eq!(unpacked(zeros, 3_000_000), (3 * zeros, true));
        let (came, whole) = unpacked(zeros, 2_999_999);
        assert!(!whole && came < 3 * zeros);
    }

    #[test]
    fn a_small_file_may_hold_more_than_a_share_of_its_size() {
        assert_eq!(Budget::of_file(1_000).left, limits::EXPANDED);
        let large = 2 * limits::EXPANDED / limits::EXPANSION;
        assert_eq!(Budget::of_file(large).left, large * limits::EXPANSION);
        assert_eq!(Budget::of_file(u64::MAX).left, u64::MAX);
    }
}
