//! Installs Debian packages without starting the servers that they contain.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{command, progress};

/// Debian's hook that says whether a freshly installed server may start.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Installs the packages, with apt's lists fetched anew.
///
/// # Errors
/// When apt is not there, when this user may not use it, or when it fails. The error says what a
/// person can type instead.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    let wanted = packages.join(" ");
    if command::find("apt-get").is_none() {
        bail!("there is no apt-get here; install what Debian calls: {wanted}, then try again");
    }
    if !may_install()? {
        bail!(
            "only root may install packages; type \
             `sudo apt-get install --no-install-recommends {wanted}`, then try again"
        );
    }
    progress::note(&format!("installing from Debian's packages: {wanted}"));
    let _policy = NoServers::decree()?;
    apt(&["update"])?;
    let options = ["install", "--yes", "--no-install-recommends"];
    apt(&[options.as_slice(), packages].concat())
}

fn apt(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    // Another apt may be at work on a machine that has just started.
    command.args(["-o", "DPkg::Lock::Timeout=300"]).args(arguments);
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command::quiet(&mut command).map(drop)
}

fn may_install() -> Result<bool> {
    let output = command::quiet(Command::new("id").arg("-u"))?;
    Ok(output.stdout.trim_ascii() == b"0")
}

/// While this lives, packages may not start servers: the tests start their own.
struct NoServers {
    ours: bool,
}

impl NoServers {
    fn decree() -> Result<Self> {
        if Path::new(POLICY).exists() {
            return Ok(Self { ours: false });
        }
        let decree = Self { ours: true };
        fs::write(POLICY, "#!/bin/sh\nexit 101\n")
            .with_context(|| format!("{POLICY} could not be written"))?;
        command::quiet(Command::new("chmod").args(["755", POLICY]))?;
        Ok(decree)
    }
}

impl Drop for NoServers {
    fn drop(&mut self) {
        if self.ours
            && let Err(error) = fs::remove_file(POLICY)
        {
            progress::note(&format!("{POLICY} could not be removed again: {error}"));
        }
    }
}
