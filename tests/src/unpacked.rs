//! Servers that `cargo xtask test` has unpacked instead of installing them.

use std::{
    env,
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::owner::Owner;

/// A copy of an unpacked server, in a temporary directory of its own: the server's own user can
/// read it there, wherever the workspace is.
pub(crate) struct Unpacked {
    directory: TempDir,
    /// The user that the server runs as.
    pub(crate) owner: Owner,
}

impl Unpacked {
    /// Makes a copy.
    pub(crate) fn copy(server: &str) -> Result<Self> {
        let directory = TempDir::with_prefix(format!("postern-{server}-"))?;
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755))?;
        let owner = Owner::choose(directory.path(), "nobody")?;
        let copied = Command::new("cp")
            .arg("-a")
            .arg(place(server)?.join("."))
            .arg(directory.path())
            .status()
            .context("cp can't be started")?;
        ensure!(copied.success(), "{server} could not be copied");
        Ok(Self { directory, owner })
    }

    /// A path below the copy's own root folder.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(relative)
    }

    /// Makes a directory, and those above it.
    pub(crate) fn make_directory(&self, relative: &str) -> Result<PathBuf> {
        let path = self.path(relative);
        fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(path)
    }

    /// Makes a directory that the server may write to.
    pub(crate) fn give_directory(&self, relative: &str) -> Result<PathBuf> {
        let path = self.make_directory(relative)?;
        self.owner.give(&path)?;
        Ok(path)
    }

    /// Makes a file that the server may read and write.
    pub(crate) fn give_file(&self, relative: &str, content: impl AsRef<[u8]>) -> Result<PathBuf> {
        let path = self.path(relative);
        fs::write(&path, content).with_context(|| format!("writing {}", path.display()))?;
        self.owner.give(&path)?;
        Ok(path)
    }

    /// A program of the copy's, which finds its libraries there before it looks elsewhere.
    pub(crate) fn program(&self, relative: &str) -> Command {
        let mut command = Command::new(self.path(relative));
        command.env("LD_LIBRARY_PATH", self.libraries());
        command
    }

    /// A program of the copy's, by its path there, for which the copy is the root folder and which
    /// has no environment.
    pub(crate) fn inside(&self, program: &str) -> Command {
        // Root may do so everywhere; others where the system has user namespaces for everybody.
        let mut command = match self.owner.by_root {
            true => Command::new("/usr/sbin/chroot"),
            false => Command::new("/usr/bin/unshare"),
        };
        if self.owner.by_root {
            command.arg(self.directory.path());
        } else {
            command.args(["--user", &format!("--map-user={}", self.owner.uid)]);
            command.arg(format!("--map-group={}", self.owner.gid));
            command.arg("--root").arg(self.directory.path());
        }
        command.arg(program).env_clear();
        command
    }

    /// The folders with libraries: those of the system's architecture are one level deeper.
    fn libraries(&self) -> OsString {
        let bases = ["usr/lib", "lib"].map(|base| self.path(base));
        let deeper = bases.iter().filter_map(|base| fs::read_dir(base).ok());
        let deeper = deeper.flatten().flatten().map(|entry| entry.path());
        let deeper: Vec<_> = deeper.filter(|path| path.is_dir()).collect();
        let joined = env::join_paths(bases.iter().chain(&deeper));
        joined.expect("a temporary directory has no colon in its name")
    }
}

/// Where `cargo xtask test` unpacks a server: in Cargo's target folder, as this program is.
fn place(server: &str) -> Result<PathBuf> {
    let program = env::current_exe()?;
    let mut places = program.ancestors().map(|folder| folder.join("xtask/servers").join(server));
    let place = places.find(|place| place.is_dir());
    place.with_context(|| format!("there is no {server} to test with; `cargo xtask test` gets it"))
}
