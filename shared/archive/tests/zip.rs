//! zip: what is written is what others read, what others write is read, and damage is told.

use std::io::{Cursor, Read, Write as _};

use postern_archive::{
    limits,
    zip::{
        Directory, DirectoryReader, Entry, EntryReader, LOCAL_HEADER, Writer, ZipError,
        content_start, tail,
    },
};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

/// Every entry of an archive, read in pieces of a size.
fn read(file: &[u8], piece: usize) -> Result<Vec<(Entry, Vec<u8>)>, ZipError> {
    let size = file.len() as u64;
    let directory = Directory::find(&file[tail(size) as usize..], size)?;
    let mut reader = DirectoryReader::new(directory);
    let mut entries = Vec::new();
    let start = directory.start as usize;
    for bytes in file[start..start + directory.size as usize].chunks(piece) {
        entries.extend(reader.handle_input(bytes)?);
    }
    assert!(reader.is_done());
    entries
        .into_iter()
        .map(|entry| content(file, &entry, piece).map(|found| (entry, found)))
        .collect()
}

fn content(file: &[u8], entry: &Entry, piece: usize) -> Result<Vec<u8>, ZipError> {
    let start = entry.start as usize;
    let header = file.get(start..start + LOCAL_HEADER as usize).ok_or(ZipError::Damaged)?;
    let start = start + content_start(header)? as usize;
    let packed = file.get(start..start + entry.compressed as usize).ok_or(ZipError::Damaged)?;
    let mut reader = EntryReader::new(entry, 100 << 20)?;
    let mut found = Vec::new();
    for mut bytes in packed.chunks(piece) {
        loop {
            let (taken, content) = reader.handle_input(bytes)?;
            bytes = &bytes[taken..];
            if taken == 0 && content.is_empty() {
                break;
            }
            assert!(content.len() <= limits::ZIP_STEP);
            found.extend(content);
        }
    }
    reader.finish()?;
    Ok(found)
}

fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

fn contents() -> Vec<(String, Vec<u8>)> {
    vec![
        ("empty.eml".into(), Vec::new()),
        ("Inbox/Grüße 1.eml".into(), b"Subject: x\r\n\r\n".repeat(5000)),
        ("Inbox/noise.bin".into(), noise(700_000)),
        ("zeroes".into(), vec![0; 3_000_000]),
    ]
}

fn written(contents: &[(String, Vec<u8>)], piece: usize) -> Vec<u8> {
    let mut writer = Writer::new();
    let mut file = Vec::new();
    for (name, content) in contents {
        writer.start(name, 1_700_000_000, name.as_bytes()).expect("the archive is small");
        for bytes in content.chunks(piece) {
            writer.write(bytes).expect("the archive is small");
            file.extend(writer.take_output());
        }
    }
    writer.finish().expect("the archive is small");
    file.extend(writer.take_output());
    file
}

#[test]
fn what_is_written_is_read_at_any_split() {
    let contents = contents();
    let file = written(&contents, 64 * 1024);
    for piece in [1000, 65_536, usize::MAX / 2] {
        let read = read(&file, piece).unwrap();
        assert_eq!(read.len(), contents.len());
        for ((entry, found), (name, content)) in read.iter().zip(&contents) {
            assert_eq!((&entry.name, &entry.comment[..]), (name, name.as_bytes()));
            assert!(found == content, "{name}");
        }
    }
    let small = vec![("a".into(), b"abc".to_vec()), ("b".into(), b"def".to_vec())];
    assert_eq!(read(&written(&small, 1), 1).unwrap().len(), 2);
}

#[test]
fn another_program_reads_what_is_written() {
    let contents = contents();
    let mut archive = ZipArchive::new(Cursor::new(written(&contents, 10_000))).unwrap();
    assert_eq!(archive.len(), contents.len());
    for (at, (name, content)) in contents.iter().enumerate() {
        let mut entry = archive.by_index(at).unwrap();
        assert_eq!(entry.name(), name);
        assert_eq!(entry.last_modified().map(|date| (date.year(), date.hour())), Some((2023, 22)));
        let mut found = Vec::new();
        entry.read_to_end(&mut found).unwrap();
        assert!(found == *content, "{name}");
    }
}

#[test]
fn what_another_program_writes_is_read() {
    for (method, large) in [
        (zip::CompressionMethod::Stored, false),
        (zip::CompressionMethod::Deflated, false),
        (zip::CompressionMethod::Deflated, true),
    ] {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default().compression_method(method).large_file(large);
        writer.add_directory("Inbox", options).unwrap();
        for (name, content) in contents() {
            writer.start_file(name, options).unwrap();
            writer.write_all(&content).unwrap();
        }
        writer.set_comment("a comment at the end");
        let file = writer.finish().unwrap().into_inner();
        let found = read(&file, 5000).unwrap_or_else(|error| panic!("{error} {method:?} {large}"));
        assert!(found[0].0.is_folder(), "{method:?} {large}");
        let found: Vec<_> =
            found.into_iter().skip(1).map(|(entry, found)| (entry.name, found)).collect();
        assert!(found == contents(), "{method:?}");
        // What stands before an archive does not matter.
        assert_eq!(read(&[b"#!/bin/sh\n", &file[..]].concat(), 5000).unwrap().len(), 5);
    }
}

#[test]
fn more_entries_than_sixteen_bits_count_are_kept() {
    let many: Vec<_> = (0..70_000).map(|number| (format!("{number}.eml"), Vec::new())).collect();
    let file = written(&many, 1);
    assert_eq!(ZipArchive::new(Cursor::new(&file)).unwrap().len(), many.len());
    let read = read(&file, 100_000).unwrap();
    assert_eq!(read.len(), many.len());
    assert_eq!(read.last().map(|(entry, _)| &*entry.name), Some("69999.eml"));
}

#[test]
fn every_cut_and_every_changed_byte_is_an_error_or_changes_nothing() {
    let contents =
        vec![("a.eml".to_owned(), b"Subject: a\r\n\r\n".repeat(20)), ("b".into(), noise(99))];
    let file = written(&contents, 16);
    for cut in 0..file.len() {
        assert!(read(&file[..cut], 64).is_err(), "cut at {cut}");
    }
    for at in 0..file.len() {
        let mut damaged = file.clone();
        damaged[at] ^= 0x55;
        let Ok(found) = read_or_fewer(&damaged) else { continue };
        for (_, found) in found {
            assert!(contents.iter().any(|(_, content)| *content == found), "changed at {at}");
        }
    }
}

/// As [`read`], but for a directory with fewer entries than it says.
fn read_or_fewer(file: &[u8]) -> Result<Vec<(Entry, Vec<u8>)>, ZipError> {
    let size = file.len() as u64;
    let directory = Directory::find(&file[tail(size) as usize..], size)?;
    let mut reader = DirectoryReader::new(directory);
    let start = directory.start as usize;
    let entries = reader.handle_input(&file[start..start + directory.size as usize])?;
    entries.into_iter().map(|entry| content(file, &entry, 64).map(|found| (entry, found))).collect()
}

#[test]
fn content_beyond_what_is_said_or_allowed_is_refused() {
    let file = written(&[("bomb".into(), vec![0; 5_000_000])], 100_000);
    let (entry, _) = read(&file, 1000).unwrap().remove(0);
    assert_eq!(EntryReader::new(&entry, 4_999_999).err(), Some(ZipError::TooLarge));
    assert!(EntryReader::new(&entry, 5_000_000).is_ok());
    let mut lying = entry;
    lying.size = 1000;
    assert_eq!(content(&file, &lying, 1000), Err(ZipError::Content));
}

#[test]
fn what_is_no_archive_is_said_to_be_none() {
    for file in [&b""[..], b"PK", b"From ada Thu Jan  1 00:00:00 1970\n", &[0; 70_000]] {
        assert_eq!(read(file, 10).err(), Some(ZipError::NoDirectory));
    }
}
