//! Checks for what a chore needs besides Cargo and installs what is missing, where it can.
//!
//! Rust's own parts come through rustup, everything else from Debian's packages when apt is there
//! and may be used; mail servers whose packages can't be installed beside each other are unpacked
//! into the target folder. Otherwise the failure names what is missing and the command that installs
//! it.

pub(crate) mod apt;
mod unpack;

use std::env::consts::ARCH;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use unpack::{Libraries, Unpacked};

use crate::workspace::{WASM_TARGET, Workspace};
use crate::{cargo, command, progress};

/// Compiles C for programs that need no library of the system, for this processor alone.
const MUSL_COMPILER: &str = "musl-gcc";

/// Something that a chore needs and Cargo does not bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need<'a> {
    /// Rust's standard library for another target, such as the browser.
    Target(&'a str),
    /// The C compiler for programs that need no library of the system: ring has parts in C.
    MuslCompiler,
    /// Rust's linter.
    Clippy,
    /// Rust's formatter.
    Rustfmt,
    /// The C compiler and the archiver that ring's Wasm build calls; asked for only when the engine
    /// uses ring.
    Clang,
    /// The IMAP server of the tests.
    DovecotImap,
    /// The POP3 server of the tests.
    DovecotPop3,
    /// Cyrus IMAP, a second server of the tests.
    Cyrus,
    /// Courier, the third.
    Courier,
    /// The browser of the tests.
    Chromium,
    /// What drives the browser.
    ChromeDriver,
}

/// Where a missing thing comes from.
enum Source<'a> {
    Rustup([&'a str; 3]),
    Debian(&'static [&'static str]),
    Unpacked(&'static Unpacked),
}

/// Conflicts with Dovecot's and with Courier's packages.
const CYRUS: Unpacked = Unpacked {
    folder: "cyrus",
    packages: &["cyrus-imapd", "cyrus-pop3d", "cyrus-common", "sasl2-bin"],
    libraries: Libraries::Missing,
};

/// Conflicts with Dovecot's and with Cyrus's packages. It finds its files from the root folder only.
const COURIER: Unpacked = Unpacked {
    folder: "courier",
    packages: &[
        "courier-imap",
        "courier-pop",
        "courier-base",
        "courier-authlib",
        "courier-authlib-userdb",
    ],
    libraries: Libraries::All,
};

impl Need<'static> {
    /// What a build of the page needs.
    pub(crate) const PAGE: &[Self] = &[Self::Target(WASM_TARGET), Self::Clang];
    /// What the lints need on top.
    pub(crate) const LINTS: &[Self] = &[Self::Clippy, Self::Rustfmt];
    /// What the tests with real servers and a real browser need on top.
    pub(crate) const SERVERS_AND_BROWSER: &[Self] = &[
        Self::DovecotImap,
        Self::DovecotPop3,
        Self::Cyrus,
        Self::Courier,
        Self::Chromium,
        Self::ChromeDriver,
    ];
}

impl<'a> Need<'a> {
    /// What a program for this target needs on top.
    pub(crate) fn of_target(triple: &'a str) -> Vec<Self> {
        let compiler = compiler(triple).map(|_| Self::MuslCompiler);
        [Some(Self::Target(triple)), compiler].into_iter().flatten().collect()
    }

    fn name(self) -> String {
        let name = match self {
            Self::Target(triple) => return format!("Rust's {triple} target"),
            Self::MuslCompiler => "musl's C compiler",
            Self::Clippy => "clippy",
            Self::Rustfmt => "rustfmt",
            Self::Clang => "clang with LLVM's archiver",
            Self::DovecotImap => "Dovecot's IMAP server",
            Self::DovecotPop3 => "Dovecot's POP3 server",
            Self::Cyrus => "Cyrus IMAP",
            Self::Courier => "Courier's IMAP and POP3 servers",
            Self::Chromium => "Chromium",
            Self::ChromeDriver => "chromedriver",
        };
        name.to_owned()
    }

    fn source(self) -> Source<'a> {
        match self {
            Self::Target(triple) => Source::Rustup(["target", "add", triple]),
            Self::MuslCompiler => Source::Debian(&["musl-tools"]),
            Self::Clippy => Source::Rustup(["component", "add", "clippy"]),
            Self::Rustfmt => Source::Rustup(["component", "add", "rustfmt"]),
            Self::Clang => Source::Debian(&["clang", "llvm"]),
            Self::DovecotImap => Source::Debian(&["dovecot-imapd"]),
            Self::DovecotPop3 => Source::Debian(&["dovecot-pop3d"]),
            Self::Cyrus => Source::Unpacked(&CYRUS),
            Self::Courier => Source::Unpacked(&COURIER),
            Self::Chromium => Source::Debian(&["chromium"]),
            Self::ChromeDriver => Source::Debian(&["chromium-driver"]),
        }
    }

    fn is_met(self, workspace: &Workspace) -> Result<bool> {
        Ok(match self {
            Self::Target(triple) => sysroot()?.join("lib/rustlib").join(triple).is_dir(),
            Self::MuslCompiler => command::find(MUSL_COMPILER).is_some(),
            Self::Clippy => toolchain_has("cargo-clippy")?,
            Self::Rustfmt => toolchain_has("cargo-fmt")?,
            Self::Clang => {
                let both = ["clang", "llvm-ar"].iter().all(|name| command::find(name).is_some());
                both || !engine_uses_ring(workspace)?
            }
            Self::DovecotImap => dovecot_has("imap"),
            Self::DovecotPop3 => dovecot_has("pop3"),
            Self::Cyrus => CYRUS.is_there(workspace),
            Self::Courier => COURIER.is_there(workspace),
            Self::Chromium => command::find("chromium").is_some(),
            Self::ChromeDriver => command::find("chromedriver").is_some(),
        })
    }
}

/// The C compiler for this target, where it is another than this machine's own and can be installed.
pub(crate) fn compiler(triple: &str) -> Option<&'static str> {
    let is_for_here = triple == format!("{ARCH}-unknown-linux-musl");
    (is_for_here && !cfg!(target_env = "musl")).then_some(MUSL_COMPILER)
}

/// Makes sure that everything asked for is there.
///
/// # Errors
/// When something is missing and cannot be installed from here; the error names each such thing
/// and the command that would install it.
pub(crate) fn ensure(workspace: &Workspace, needs: &[Need<'_>]) -> Result<()> {
    progress::step("look for what this needs", || {
        apt::clean_up()?;
        let missing = missing(workspace, needs)?;
        let mut packages = Vec::new();
        let mut unpacked = Vec::new();
        for need in &missing {
            match need.source() {
                Source::Rustup(arguments) => rustup(*need, arguments)?,
                Source::Debian(of_it) => packages.extend_from_slice(of_it),
                Source::Unpacked(of_it) => unpacked.push(of_it),
            }
        }
        let lacks = || format!("missing: {}", names(&missing));
        if !packages.is_empty() {
            apt::install(&packages).with_context(lacks)?;
        }
        // After those: what is installed by now need not be unpacked.
        if !unpacked.is_empty() {
            unpack::fetch(workspace, &unpacked).with_context(lacks)?;
        }
        let still = self::missing(workspace, needs)?;
        if !still.is_empty() {
            bail!("still missing after installing it: {}", names(&still));
        }
        Ok(())
    })
}

fn missing<'a>(workspace: &Workspace, needs: &[Need<'a>]) -> Result<Vec<Need<'a>>> {
    let mut missing = Vec::new();
    for need in needs {
        if !need.is_met(workspace)? {
            missing.push(*need);
        }
    }
    Ok(missing)
}

fn names(needs: &[Need<'_>]) -> String {
    needs.iter().map(|need| need.name()).collect::<Vec<_>>().join(", ")
}

/// Calls rustup, which works on the toolchain that runs this program.
fn rustup(need: Need<'_>, arguments: [&str; 3]) -> Result<()> {
    let mut command = Command::new("rustup");
    command.args(arguments);
    let line = command::line(&command);
    if command::find("rustup").is_none() {
        bail!(
            "{} is missing, and there is no rustup to install it: install your distribution's \
             package for it, or Rust from https://rustup.rs and then `{line}`",
            need.name()
        );
    }
    progress::note(&format!("installing {} with `{line}`", need.name()));
    command::quiet(&mut command).map(drop)
}

fn sysroot() -> Result<PathBuf> {
    let output = command::quiet(Command::new("rustc").args(["--print", "sysroot"]))?;
    let path = String::from_utf8(output.stdout).context("the sysroot's path is not UTF-8")?;
    Ok(PathBuf::from(path.trim()))
}

/// Whether the toolchain has a program. One on the PATH counts only where there is no rustup:
/// rustup puts a stand-in there for each program, whether the toolchain has it or not.
fn toolchain_has(program: &str) -> Result<bool> {
    let on_path = command::find("rustup").is_none() && command::find(program).is_some();
    Ok(on_path || sysroot_has(&sysroot()?, program))
}

fn sysroot_has(sysroot: &Path, program: &str) -> bool {
    let file = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    sysroot.join("bin").join(file).is_file()
}

/// Debian keeps each of Dovecot's protocols in a package and a program of its own.
fn dovecot_has(protocol: &str) -> bool {
    command::find("dovecot").is_some()
        && ["/usr/lib/dovecot", "/usr/libexec/dovecot", "/usr/local/libexec/dovecot"]
            .iter()
            .any(|folder| Path::new(folder).join(protocol).is_file())
}

/// Whether the engine's TLS needs a C compiler that knows Wasm.
fn engine_uses_ring(workspace: &Workspace) -> Result<bool> {
    let tree = command::quiet(cargo::command(&workspace.root).args([
        "tree",
        "--package=postern-engine",
        "--edges=normal,build",
        "--prefix=none",
        "--target",
        WASM_TARGET,
    ]))?;
    Ok(String::from_utf8_lossy(&tree.stdout).lines().any(|line| line.starts_with("ring v")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_static_program_for_this_processor_needs_a_compiler_of_its_own_and_others_do_not() {
        let own = format!("{ARCH}-unknown-linux-musl");
        let here = !cfg!(target_env = "musl");
        assert_eq!(Need::of_target(&own).contains(&Need::MuslCompiler), here);
        for other in ["sparc-unknown-linux-musl", "x86_64-unknown-linux-gnu"] {
            assert_eq!(Need::of_target(other), [Need::Target(other)]);
        }
    }
}
