//! Step 4: the compressed forms that lie beside each file.
//!
//! They are kept below the target folder by the hash of what they hold: only what changed since
//! the last build is compressed again.

use std::io::Write as _;
use std::path::Path;
use std::sync::Mutex;
use std::thread;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::Mode;
use super::dist::{self, Dist, Files, sha256};

/// Files that gain nothing, because their formats compress already or nobody downloads them.
const LEFT_ALONE: [&str; 8] = ["png", "ico", "jpg", "jpeg", "webp", "avif", "woff2", "json"];

/// One form of compression.
#[derive(Debug, Clone, Copy)]
enum Form {
    Brotli,
    Gzip,
}

impl Form {
    const ALL: [Self; 2] = [Self::Brotli, Self::Gzip];

    fn extension(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gz",
        }
    }

    fn compress(self, content: &[u8], mode: Mode) -> Result<Vec<u8>> {
        let mut packed = Vec::new();
        match self {
            Self::Brotli => {
                let parameters = brotli::enc::BrotliEncoderParams {
                    quality: if mode.is_optimized() { 11 } else { 5 },
                    lgwin: 22,
                    size_hint: content.len(),
                    ..Default::default()
                };
                brotli::BrotliCompress(&mut &*content, &mut packed, &parameters)?;
            }
            Self::Gzip => {
                let level = if mode.is_optimized() { 9 } else { 1 };
                let mut encoder = GzEncoder::new(&mut packed, Compression::new(level));
                encoder.write_all(content)?;
                encoder.finish()?;
            }
        }
        Ok(packed)
    }
}

/// Compresses what gains by it, on all processors.
pub(super) fn compress(dist: &Dist, mode: Mode, cache: &Path) -> Result<Files> {
    let cache = cache.join(mode.name());
    let known = dist::read_folder(&cache)?;
    let gains = |path: &str| {
        !path.rsplit_once('.').is_some_and(|(_, extension)| LEFT_ALONE.contains(&extension))
    };
    let mut work: Vec<(&String, &Vec<u8>, Form)> = dist
        .files
        .iter()
        .filter(|(path, _)| gains(path))
        .flat_map(|(path, content)| Form::ALL.map(|form| (path, content, form)))
        .collect();
    // Taken from the end, so the largest come first and no processor is left with one alone.
    work.sort_by_key(|(_, content, form)| (content.len(), form.extension() == "br"));

    let results = Mutex::new((work, Vec::new()));
    let take = || results.lock().expect("no thread panics while it holds the lock").0.pop();
    let worker = || -> Result<()> {
        while let Some((path, content, form)) = take() {
            let name = format!("{}.{}", hex(&sha256(content)), form.extension());
            let packed = match known.get(&name) {
                Some(packed) => packed.clone(),
                None => {
                    form.compress(content, mode).with_context(|| format!("compressing {path}"))?
                }
            };
            let done = (format!("{path}.{}", form.extension()), name, packed, content.len());
            results.lock().expect("no thread panics while it holds the lock").1.push(done);
        }
        Ok(())
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| -> Result<()> {
        let started: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        started
            .into_iter()
            .try_for_each(|thread| thread.join().expect("compression does not panic"))
    })?;

    let (_, done) = results.into_inner().expect("all threads have ended well");
    let mut packed_files = Files::new();
    let mut kept = Files::new();
    for (path, name, packed, original) in done {
        if packed.len() < original {
            packed_files.insert(path, packed.clone());
        }
        kept.insert(name, packed);
    }
    Dist { files: kept, ..Dist::default() }.write(&cache, &Files::new())?;
    Ok(packed_files)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
