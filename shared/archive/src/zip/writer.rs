//! Writing.

use crc32fast::Hasher;
use flate2::{Compress, Compression, FlushCompress, Status};

use super::{
    CENTRAL, DEFLATED, DESCRIPTOR, END, END64, LOCAL, LOCATOR64, STREAMED_UTF8, ZipError,
    directory::check_size,
};
use crate::{limits, mbox::civil};

/// How many bytes an entry has in the directory besides its name and its comment, at most.
const RECORD: usize = 46 + 12;

/// Writes an archive from its first byte to its last.
///
/// What has been written is in [`take_output`](Self::take_output); only the directory, some hundred
/// bytes an entry, is kept until [`finish`](Self::finish).
pub struct Writer {
    out: Vec<u8>,
    /// How many bytes have been written, those in `out` included.
    offset: u64,
    directory: Vec<u8>,
    entries: u64,
    open: Option<Open>,
    /// That of the entry before, whose memory is used again.
    compress: Option<Compress>,
}

/// The entry that is being written.
struct Open {
    name: String,
    comment: Vec<u8>,
    time: [u8; 4],
    start: u64,
    content_start: u64,
    size: u64,
    checksum: Hasher,
    compress: Compress,
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

impl Writer {
    /// A writer of an empty archive.
    pub fn new() -> Self {
        Self {
            out: Vec::new(),
            offset: 0,
            directory: Vec::new(),
            entries: 0,
            open: None,
            compress: None,
        }
    }

    /// Begins an entry of this name, changed last at this time in seconds since 1970 (UTC); the
    /// comment stands in the directory. Ends the one before.
    ///
    /// # Errors
    ///
    /// [`ZipError::TooLarge`] if the name or the comment is longer than 65,535 bytes, or with this entry
    /// the directory would have more than [`limits::ZIP_ENTRIES`] or [`limits::ZIP_DIRECTORY`]: such an
    /// archive is not read again.
    pub fn start(&mut self, name: &str, seconds: i64, comment: &[u8]) -> Result<(), ZipError> {
        self.end()?;
        let length = u16::try_from(name.len()).map_err(|_| ZipError::TooLarge)?;
        u16::try_from(comment.len()).map_err(|_| ZipError::TooLarge)?;
        let record = RECORD + name.len() + comment.len();
        check_size(self.entries + 1, (self.directory.len() + record) as u64)?;
        let time = dos_time(seconds);
        let start = self.offset;
        let mut header = Vec::with_capacity(30 + name.len());
        header.extend(LOCAL.to_le_bytes());
        header.extend(20_u16.to_le_bytes());
        header.extend(STREAMED_UTF8.to_le_bytes());
        header.extend(DEFLATED.to_le_bytes());
        header.extend(time);
        // Checksum and sizes stand behind the content.
        header.extend([0; 12]);
        header.extend(length.to_le_bytes());
        header.extend(0_u16.to_le_bytes());
        header.extend(name.as_bytes());
        self.put(&header);
        let mut compress = self.compress.take();
        compress.iter_mut().for_each(Compress::reset);
        self.open = Some(Open {
            name: name.into(),
            comment: comment.to_vec(),
            time,
            start,
            content_start: self.offset,
            size: 0,
            checksum: Hasher::new(),
            compress: compress.unwrap_or_else(|| Compress::new(Compression::fast(), false)),
        });
        Ok(())
    }

    /// The entry's next bytes.
    ///
    /// # Errors
    ///
    /// [`ZipError::TooLarge`] beyond [`limits::ZIP_CONTENT`]; [`ZipError::Damaged`] without an entry.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), ZipError> {
        let Some(open) = &mut self.open else { return Err(ZipError::Damaged) };
        open.size += bytes.len() as u64;
        if open.size > limits::ZIP_CONTENT {
            return Err(ZipError::TooLarge);
        }
        open.checksum.update(bytes);
        self.deflate(bytes, FlushCompress::None)
    }

    /// Ends the entry that is being written, if there is one.
    ///
    /// # Errors
    ///
    /// [`ZipError::TooLarge`] if it can't be held by the format.
    pub fn end(&mut self) -> Result<(), ZipError> {
        if self.open.is_none() {
            return Ok(());
        }
        self.deflate(&[], FlushCompress::Finish)?;
        let Some(open) = self.open.take() else { return Ok(()) };
        let narrow = |size: u64| u32::try_from(size).map_err(|_| ZipError::TooLarge);
        let compressed = narrow(self.offset - open.content_start)?;
        let size = narrow(open.size)?;
        let checksum = open.checksum.finalize();
        self.compress = Some(open.compress);
        let sums = [checksum, compressed, size].map(u32::to_le_bytes).concat();
        self.put(&DESCRIPTOR.to_le_bytes());
        self.put(&sums);

        let far = u32::try_from(open.start).ok().filter(|start| *start < u32::MAX);
        let extra = match far {
            Some(_) => Vec::new(),
            None => {
                [&1_u16.to_le_bytes()[..], &8_u16.to_le_bytes(), &open.start.to_le_bytes()].concat()
            }
        };
        let directory = &mut self.directory;
        directory.extend(CENTRAL.to_le_bytes());
        // Made on Unix, by version 4.5 of the format.
        directory.extend((3_u16 << 8 | 45).to_le_bytes());
        directory.extend(if far.is_some() { 20_u16 } else { 45 }.to_le_bytes());
        directory.extend(STREAMED_UTF8.to_le_bytes());
        directory.extend(DEFLATED.to_le_bytes());
        directory.extend(open.time);
        directory.extend(sums);
        for length in [open.name.len(), extra.len(), open.comment.len(), 0, 0] {
            directory.extend((length as u16).to_le_bytes());
        }
        // A plain file that its owner may write and everybody read.
        directory.extend((0o100_644_u32 << 16).to_le_bytes());
        directory.extend(far.unwrap_or(u32::MAX).to_le_bytes());
        directory.extend(open.name.as_bytes());
        directory.extend(extra);
        directory.extend(open.comment);
        self.entries += 1;
        Ok(())
    }

    /// Ends the archive: writes the directory.
    ///
    /// # Errors
    ///
    /// As for [`end`](Self::end).
    pub fn finish(&mut self) -> Result<(), ZipError> {
        self.end()?;
        let (start, size) = (self.offset, self.directory.len() as u64);
        let directory = std::mem::take(&mut self.directory);
        self.put(&directory);
        self.put_end(self.entries, start, size);
        Ok(())
    }

    /// Writes what stands behind a directory of so many entries and bytes that begins there.
    fn put_end(&mut self, entries: u64, start: u64, size: u64) {
        let end64 = self.offset;
        let fits = entries < u64::from(u16::MAX)
            && start < u64::from(u32::MAX)
            && size < u64::from(u32::MAX);
        let mut end = Vec::new();
        if !fits {
            end.extend(END64.to_le_bytes());
            end.extend(44_u64.to_le_bytes());
            end.extend([(3_u16 << 8 | 45).to_le_bytes(), 45_u16.to_le_bytes()].concat());
            end.extend([0; 8]);
            end.extend([entries, entries, size, start].map(u64::to_le_bytes).concat());
            end.extend(LOCATOR64.to_le_bytes());
            end.extend([0; 4]);
            end.extend(end64.to_le_bytes());
            end.extend(1_u32.to_le_bytes());
        }
        let narrow = |value: u64, most: u64| if fits { value } else { most };
        end.extend(END.to_le_bytes());
        end.extend([0; 4]);
        let count = narrow(entries, u64::from(u16::MAX)) as u16;
        end.extend([count, count].map(u16::to_le_bytes).concat());
        for value in [size, start] {
            end.extend((narrow(value, u64::from(u32::MAX)) as u32).to_le_bytes());
        }
        end.extend([0; 2]);
        self.put(&end);
    }

    /// What has been written since it was taken last.
    #[must_use]
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    fn put(&mut self, bytes: &[u8]) {
        self.out.extend(bytes);
        self.offset += bytes.len() as u64;
    }

    fn deflate(&mut self, mut bytes: &[u8], flush: FlushCompress) -> Result<(), ZipError> {
        let Some(open) = &mut self.open else { return Ok(()) };
        loop {
            let (before, taken) = (self.out.len(), open.compress.total_in());
            self.out.reserve(32 * 1024);
            let status = open.compress.compress_vec(bytes, &mut self.out, flush);
            let status = status.map_err(|_| ZipError::Damaged)?;
            self.offset += (self.out.len() - before) as u64;
            bytes = &bytes[(open.compress.total_in() - taken) as usize..];
            let full = self.out.len() == self.out.capacity();
            let done = match flush {
                FlushCompress::Finish => status == Status::StreamEnd,
                _ => bytes.is_empty() && !full,
            };
            if done {
                return Ok(());
            }
        }
    }
}

/// Time and date as the format has them: from 1980 to 2107, in steps of two seconds.
fn dos_time(seconds: i64) -> [u8; 4] {
    let seconds = seconds.clamp(315_532_800, 4_354_819_198);
    let (days, time) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let date = (year - 1980) << 9 | month << 5 | day;
    let time = (time / 3600) << 11 | (time / 60 % 60) << 5 | (time % 60 / 2);
    let mut bytes = [0; 4];
    bytes[..2].copy_from_slice(&(time as u16).to_le_bytes());
    bytes[2..].copy_from_slice(&(date as u16).to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::{super::Directory, *};

    /// An archive that has so many entries already, of no name each.
    fn with_entries(count: u64) -> Writer {
        let directory = vec![0; 46 * count as usize];
        Writer { entries: count, directory, ..Writer::new() }
    }

    #[test]
    fn the_most_entries_that_are_read_are_written_and_one_more_is_not() {
        let mut writer = with_entries(limits::ZIP_ENTRIES - 1);
        assert_eq!(writer.start("last.eml", 0, b""), Ok(()));
        writer.finish().unwrap();
        let file = writer.take_output();
        let found = Directory::find(&file, file.len() as u64).unwrap();
        assert_eq!(found.entries, limits::ZIP_ENTRIES);
        let mut writer = with_entries(limits::ZIP_ENTRIES);
        assert_eq!(writer.start("past.eml", 0, b""), Err(ZipError::TooLarge));
    }

    #[test]
    fn the_largest_directory_that_is_read_is_written_and_no_larger_one() {
        for (name, expected) in [("a", Ok(())), ("ab", Err(ZipError::TooLarge))] {
            // Nothing of it is looked at, so that it takes up no memory.
            let directory = vec![0; limits::ZIP_DIRECTORY as usize - RECORD - 1];
            let mut writer = Writer { directory, ..Writer::new() };
            assert_eq!(writer.start(name, 0, b""), expected, "{name}");
        }
    }

    #[test]
    fn directories_are_read_up_to_the_limits_and_no_further() {
        let cases = [
            (limits::ZIP_ENTRIES, limits::ZIP_DIRECTORY, None),
            (limits::ZIP_ENTRIES + 1, limits::ZIP_DIRECTORY, Some(ZipError::TooLarge)),
            (limits::ZIP_ENTRIES, limits::ZIP_DIRECTORY + 1, Some(ZipError::TooLarge)),
        ];
        for (entries, size, expected) in cases {
            // The last bytes of a file in which that directory comes first.
            let mut end = Writer { offset: size, ..Writer::new() };
            end.put_end(entries, 0, size);
            let file = end.offset;
            assert_eq!(
                Directory::find(&end.take_output(), file).err(),
                expected,
                "{entries} {size}"
            );
        }
    }
}
