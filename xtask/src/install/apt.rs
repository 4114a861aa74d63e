//! Installs Debian packages without starting the servers that they contain.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{command, progress};

/// Debian's hook that says whether a freshly installed server may start.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// What stands in it while packages are installed; its text tells it from a policy of the machine's
/// owner.
const DECREE: &str = "#!/bin/sh\n\
    # Written by `cargo xtask` of Postern while it installs packages; removed afterwards.\n\
    exit 101\n";

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
    let _policy = NoServers::decree(Path::new(POLICY))?;
    update()?;
    let options = ["install", "--yes", "--no-install-recommends"];
    apt(&[options.as_slice(), packages].concat())
}

/// Fetches apt's lists anew; only root may.
///
/// # Errors
/// When apt fails.
pub(super) fn update() -> Result<()> {
    apt(&["update"])
}

fn apt(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    // Another apt may be at work on a machine that has just started.
    command.args(["-o", "DPkg::Lock::Timeout=300"]).args(arguments);
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command::quiet(&mut command).map(drop)
}

/// Whether this user is root.
///
/// # Errors
/// When nobody tells.
pub(super) fn may_install() -> Result<bool> {
    let output = command::quiet(Command::new("id").arg("-u"))?;
    Ok(output.stdout.trim_ascii() == b"0")
}

/// While this lives, packages may not start servers: the tests start their own.
struct NoServers<'a> {
    policy: &'a Path,
    ours: bool,
}

impl<'a> NoServers<'a> {
    fn decree(policy: &'a Path) -> Result<Self> {
        if policy.exists() && !is_left_over(policy) {
            return Ok(Self { policy, ours: false });
        }
        let decree = Self { policy, ours: true };
        fs::write(policy, DECREE)
            .with_context(|| format!("{} could not be written", policy.display()))?;
        command::quiet(Command::new("chmod").arg("755").arg(policy))?;
        Ok(decree)
    }
}

impl Drop for NoServers<'_> {
    fn drop(&mut self) {
        if self.ours
            && let Err(error) = fs::remove_file(self.policy)
        {
            let policy = self.policy.display();
            progress::note(&format!("{policy} could not be removed again: {error}"));
        }
    }
}

/// Removes a decree of ours that was left because somebody interrupted the installation.
///
/// # Errors
/// When it is there and cannot be removed: as long as it is, no server of this machine starts with
/// its package.
pub(super) fn clean_up() -> Result<()> {
    clean_up_at(Path::new(POLICY))
}

fn clean_up_at(policy: &Path) -> Result<()> {
    if !is_left_over(policy) {
        return Ok(());
    }
    fs::remove_file(policy)
        .with_context(|| format!("an earlier run left {}: remove it", policy.display()))
}

fn is_left_over(policy: &Path) -> bool {
    fs::read(policy).is_ok_and(|text| text == DECREE.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A path of this test's own.
    fn policy(name: &str) -> std::path::PathBuf {
        std::env::temp_dir().join(format!("postern-policy-{name}-{}", std::process::id()))
    }

    #[test]
    fn a_decree_that_an_interrupted_run_left_is_removed() {
        let policy = policy("left");
        std::mem::forget(NoServers::decree(&policy).unwrap());
        assert!(policy.exists());
        clean_up_at(&policy).unwrap();
        assert!(!policy.exists());
        clean_up_at(&policy).unwrap();
    }

    #[test]
    fn a_policy_of_the_machines_owner_stays() {
        let policy = policy("owner");
        fs::write(&policy, "#!/bin/sh\nexit 101\n").unwrap();
        drop(NoServers::decree(&policy).unwrap());
        clean_up_at(&policy).unwrap();
        assert!(policy.exists());
        fs::remove_file(&policy).unwrap();
    }
}
