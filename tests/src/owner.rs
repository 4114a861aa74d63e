//! Which system user a server runs as and its files belong to.

use std::{
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::Path,
    process::Command,
};

use anyhow::{Context, Result};

/// A system user.
#[derive(Clone, Debug)]
pub(crate) struct Owner {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Whether root runs the tests.
    pub(crate) by_root: bool,
}

impl Owner {
    /// As root, the system user of that name, since mail servers refuse to be root; otherwise whoever
    /// runs the tests and owns this directory.
    pub(crate) fn choose(directory: &Path, name: &str) -> Result<Self> {
        let metadata = fs::metadata(directory)?;
        if metadata.uid() != 0 {
            let name = Command::new("id").arg("-un").output()?;
            let name = String::from_utf8(name.stdout)?.trim().to_owned();
            return Ok(Self { name, uid: metadata.uid(), gid: metadata.gid(), by_root: false });
        }
        let users = fs::read_to_string("/etc/passwd")?;
        let user = users.lines().find(|line| line.split(':').next() == Some(name));
        let user = user.with_context(|| format!("there is no user {name}"))?;
        let fields: Vec<_> = user.split(':').collect();
        let (uid, gid) = (fields[2].parse()?, fields[3].parse()?);
        Ok(Self { name: name.to_owned(), uid, gid, by_root: true })
    }

    /// Makes it own something.
    pub(crate) fn give(&self, path: &Path) -> Result<()> {
        Ok(chown(path, Some(self.uid), Some(self.gid))?)
    }
}
