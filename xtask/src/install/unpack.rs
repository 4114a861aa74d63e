//! Unpacks Debian packages into a folder of the tests' own, without installing them: mail servers
//! whose packages can't be installed beside each other.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::apt;
use crate::workspace::Workspace;
use crate::{command, progress};

/// A file in the folder that says what was unpacked there, and on which system.
const STAMP: &str = "unpacked";

/// Packages that are unpacked into one folder, with the libraries that they need.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unpacked {
    /// The folder's name, below `servers` in the scratch folder.
    pub(crate) folder: &'static str,
    pub(crate) packages: &'static [&'static str],
    pub(crate) libraries: Libraries,
}

/// Which libraries are unpacked with the packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Libraries {
    /// Those that this system has not installed.
    Missing,
    /// All of them, so that the folder can be the root folder of its programs.
    All,
}

/// Fetches and unpacks packages; others of the system's are left as they are.
///
/// # Errors
/// When this is no Debian, or a package can't be fetched. The error says what a person can do.
pub(super) fn fetch(workspace: &Workspace, wanted: &[&Unpacked]) -> Result<()> {
    let packages: Vec<_> = wanted.iter().flat_map(|own| own.packages).copied().collect();
    let packages = packages.join(" ");
    let tools = ["apt-get", "apt-cache", "dpkg-deb", "dpkg-query"];
    if let Some(tool) = tools.into_iter().find(|tool| command::find(tool).is_none()) {
        bail!(
            "there is no {tool} here, and the tests start these servers as Debian has them in its \
             packages {packages}; `--quick` leaves out what needs them"
        );
    }
    if apt::may_install()? {
        apt::update()?;
    }
    wanted.iter().try_for_each(|own| own.fetch(workspace)).with_context(|| {
        format!(
            "if apt's lists are old, type `sudo apt-get update`, then try again; what is fetched \
             is {packages}"
        )
    })
}

impl Unpacked {
    fn place(&self, workspace: &Workspace) -> PathBuf {
        workspace.scratch.join("servers").join(self.folder)
    }

    /// What [`STAMP`] says when everything is there.
    fn stamp(&self) -> String {
        let system = fs::read_to_string("/etc/debian_version").unwrap_or_default();
        format!("{}\n{system}", self.packages.join(" "))
    }

    pub(crate) fn is_there(&self, workspace: &Workspace) -> bool {
        fs::read_to_string(self.place(workspace).join(STAMP)).is_ok_and(|is| is == self.stamp())
    }

    /// Fetches and unpacks everything beside the place where it belongs, and moves it there last.
    fn fetch(&self, workspace: &Workspace) -> Result<()> {
        progress::note(&format!("unpacking from Debian's packages: {}", self.packages.join(" ")));
        let place = self.place(workspace);
        let fresh = place.with_extension("new");
        let archives = fresh.join("archives");
        if fresh.exists() {
            // An earlier run was interrupted.
            fs::remove_dir_all(&fresh)
                .with_context(|| format!("{} could not be removed", fresh.display()))?;
        }
        fs::create_dir_all(&archives)
            .with_context(|| format!("{} could not be made", archives.display()))?;
        let result = self.unpack(&fresh, &archives).and_then(|()| replace(&place, &fresh));
        if result.is_err() {
            // What is half done helps nobody.
            let _ = fs::remove_dir_all(&fresh);
        }
        result
    }

    fn unpack(&self, fresh: &Path, archives: &Path) -> Result<()> {
        let mut download = Command::new("apt-get");
        download.arg("download").args(self.wanted()?).current_dir(archives);
        command::quiet(&mut download)?;
        for archive in fs::read_dir(archives).context("the packages can't be listed")? {
            let archive = archive.context("the packages can't be listed")?.path();
            command::quiet(Command::new("dpkg-deb").arg("-x").arg(archive).arg(fresh))?;
        }
        fs::remove_dir_all(archives).context("the packages can't be removed")?;
        // Texts, which no server reads.
        let texts = fresh.join("usr/share");
        if texts.exists() {
            fs::remove_dir_all(texts).context("the texts can't be removed")?;
        }
        self.link_loader(fresh)?;
        fs::write(fresh.join(STAMP), self.stamp()).context("the folder can't be written")
    }

    /// Programs name their loader by a link that Debian's base files bring, which are not here.
    fn link_loader(&self, fresh: &Path) -> Result<()> {
        let link = fresh.join("lib64");
        if self.libraries == Libraries::All && !link.exists() {
            command::quiet(Command::new("ln").args(["-s", "usr/lib64"]).arg(link))?;
        }
        Ok(())
    }

    /// The packages and, as far as they are libraries, what they depend on.
    fn wanted(&self) -> Result<BTreeSet<String>> {
        let here = match self.libraries {
            Libraries::Missing => installed()?,
            Libraries::All => BTreeSet::new(),
        };
        let mut wanted = BTreeSet::new();
        let mut asked: BTreeSet<String> = self.packages.iter().map(|&name| name.into()).collect();
        while !asked.is_empty() {
            let mut depends = Command::new("apt-cache");
            depends.args(["depends", "--no-recommends", "--no-suggests"]).args(&asked);
            let output = command::quiet(depends.env("LC_ALL", "C"))?;
            wanted.append(&mut asked);
            asked = dependencies(&String::from_utf8_lossy(&output.stdout))
                .filter(|name| name.starts_with("lib") || name.starts_with("zlib"))
                .filter(|name| !wanted.contains(*name) && !here.contains(*name))
                .map(str::to_owned)
                .collect();
        }
        Ok(wanted)
    }
}

/// Puts the fresh folder where it belongs; programs that still run from the old one keep it open.
fn replace(place: &Path, fresh: &Path) -> Result<()> {
    if place.exists() {
        fs::remove_dir_all(place)
            .with_context(|| format!("{} could not be removed", place.display()))?;
    }
    fs::rename(fresh, place).with_context(|| format!("{} could not be made", place.display()))
}

/// Real packages among what `apt-cache depends` names as needed; virtual ones stand in brackets.
fn dependencies(output: &str) -> impl Iterator<Item = &str> {
    output.lines().filter_map(|line| {
        let (kind, name) = line.trim().trim_start_matches('|').split_once(": ")?;
        (matches!(kind, "Depends" | "PreDepends") && !name.starts_with('<')).then_some(name)
    })
}

/// The names of all packages that are installed.
fn installed() -> Result<BTreeSet<String>> {
    let format = "--showformat=${db:Status-Status} ${Package}\n";
    let output = command::quiet(Command::new("dpkg-query").args(["--show", format]))?;
    let lines = String::from_utf8_lossy(&output.stdout);
    Ok(lines.lines().filter_map(|line| line.strip_prefix("installed ")).map(Into::into).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_real_packages_that_are_needed_count_as_dependencies() {
        let output = "courier-base\n  PreDepends: init\n  Depends: libc6\n |Depends: libgamin0\n  \
                      Depends: <libfam0>\n    libgamin0\n  Conflicts: dovecot-imapd\n";
        assert_eq!(dependencies(output).collect::<Vec<_>>(), ["init", "libc6", "libgamin0"]);
    }

    #[test]
    fn a_folder_takes_the_place_of_an_older_one() {
        let base = std::env::temp_dir().join(format!("postern-unpack-{}", std::process::id()));
        let (place, fresh) = (base.join("server"), base.join("server.new"));
        for (folder, file) in [(&place, "old"), (&fresh, "new")] {
            fs::create_dir_all(folder).unwrap();
            fs::write(folder.join(file), "").unwrap();
        }
        replace(&place, &fresh).unwrap();
        assert!(place.join("new").exists() && !place.join("old").exists() && !fresh.exists());
        fs::remove_dir_all(base).unwrap();
    }
}
