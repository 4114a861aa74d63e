//! The files of `dist/`, held in memory until they are complete, and named by their content.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// Path below `dist/`, with `/`, to content.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// What the page consists of.
#[derive(Default)]
pub(super) struct Dist {
    /// Every file, without its compressed forms.
    pub(super) files: Files,
    /// The paths that a browser asks for before the message list shows.
    pub(super) first_load: BTreeSet<String>,
}

/// A file whose name changes with its content, so that it may be cached for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asset {
    /// Path below `dist/`.
    pub(super) path: String,
    /// For `integrity` attributes and the like: `sha256-…`.
    pub(super) integrity: String,
}

impl Asset {
    /// What the browser asks for.
    pub(super) fn url(&self) -> String {
        format!("/{}", self.path)
    }
}

impl Dist {
    /// Adds `assets/<name>-<hash>.<extension>`.
    pub(super) fn add_hashed(&mut self, name: &str, extension: &str, content: Vec<u8>) -> Asset {
        let path = format!("assets/{name}-{}.{extension}", short_hash(&content));
        let integrity = integrity(&content);
        self.files.insert(path.clone(), content);
        Asset { path, integrity }
    }

    /// Writes all files and the compressed ones beside them, and removes whatever else is there.
    ///
    /// Files that are already right are left alone, and those with hashed names come first: a proxy
    /// that serves the folder meanwhile never sends a page whose parts are missing.
    pub(super) fn write(&self, folder: &Path, packed: &Files) -> Result<()> {
        let (hashed, others): (Vec<_>, Vec<_>) =
            self.files.iter().chain(packed).partition(|(path, _)| path.starts_with("assets/"));
        for (path, content) in hashed.into_iter().chain(others) {
            let file = folder.join(path);
            if fs::read(&file).ok().as_ref() == Some(content) {
                continue;
            }
            if let Some(parent) = file.parent() {
                fs::create_dir_all(parent)
                    .with_context(|| format!("creating {}", parent.display()))?;
            }
            fs::write(&file, content).with_context(|| format!("writing {}", file.display()))?;
        }
        for path in read_folder(folder)?.keys() {
            if !self.files.contains_key(path) && !packed.contains_key(path) {
                let file = folder.join(path);
                fs::remove_file(&file).with_context(|| format!("removing {}", file.display()))?;
            }
        }
        Ok(())
    }
}

/// All files below a folder, by their path with `/`; none when there is no such folder.
pub(super) fn read_folder(folder: &Path) -> Result<Files> {
    fn walk(folder: &Path, prefix: &str, files: &mut Files) -> std::io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                walk(&entry.path(), &format!("{path}/"), files)?;
            } else {
                files.insert(path, fs::read(entry.path())?);
            }
        }
        Ok(())
    }
    let mut files = Files::new();
    if folder.is_dir() {
        walk(folder, "", &mut files).with_context(|| format!("reading {}", folder.display()))?;
    }
    Ok(files)
}

/// Removes a folder with all that is in it, if it is there.
pub(super) fn remove_folder(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// The SHA-256 of some bytes.
pub(super) fn sha256(content: &[u8]) -> [u8; 32] {
    Sha256::digest(content).into()
}

/// What `integrity` attributes and Content-Security-Policies call the content.
pub(super) fn integrity(content: &[u8]) -> String {
    format!("sha256-{}", STANDARD.encode(sha256(content)))
}

/// What file names call the content: the first 16 hexadecimal digits of its SHA-256.
pub(super) fn short_hash(content: &[u8]) -> String {
    sha256(content)[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_integrity_follow_the_content() {
        let mut dist = Dist::default();
        let asset = dist.add_hashed("app", "js", b"abc".to_vec());
        // FIPS 180-2's example.
        assert_eq!(asset.path, "assets/app-ba7816bf8f01cfea.js");
        assert_eq!(asset.url(), "/assets/app-ba7816bf8f01cfea.js");
        assert_eq!(asset.integrity, "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
        assert_ne!(dist.add_hashed("app", "js", b"abd".to_vec()).path, asset.path);
    }

    #[test]
    fn writing_leaves_exactly_the_files_of_this_build() {
        let folder = std::env::temp_dir().join(format!("postern-dist-{}", std::process::id()));
        let mut dist = Dist::default();
        let old = dist.add_hashed("app", "js", b"old".to_vec()).path;
        dist.write(&folder, &Files::new()).unwrap();
        assert_eq!(read_folder(&folder).unwrap(), dist.files);

        let mut dist = Dist::default();
        dist.add_hashed("app", "js", b"new".to_vec());
        let packed = Files::from([("index.html.br".to_owned(), vec![1])]);
        dist.write(&folder, &packed).unwrap();
        let written = read_folder(&folder).unwrap();
        remove_folder(&folder).unwrap();
        assert!(!written.contains_key(&old));
        assert_eq!(written.len(), 2);
        assert_eq!(written["index.html.br"], [1]);
    }
}
