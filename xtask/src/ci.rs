//! `cargo xtask ci`: format, lints, tests.

use std::process::ExitCode;

use anyhow::Result;

use crate::build::{self, Mode};
use crate::install::{self, Need};
use crate::test::{self, Options};
use crate::workspace::{CLIENT, WASM_TARGET, Workspace};
use crate::{cargo, command, progress};

/// Stops at the first of them that does not hold.
pub(crate) fn ci(workspace: &Workspace) -> Result<ExitCode> {
    install::ensure(workspace, &[Need::LINTS, Need::PAGE].concat())?;
    progress::step("check the format", || {
        command::show(cargo::command(&workspace.root).args(["fmt", "--all", "--check"]))
    })?;
    progress::step("lint the native crates", || {
        let mut clippy = cargo::command(&workspace.root);
        clippy.args(["clippy", "--workspace", "--all-targets"]);
        clippy.args(CLIENT.map(|package| ["--exclude", package]).concat());
        command::show(clippy.args(["--", "-D", "warnings"]))
    })?;
    // As it is released, and as the tests have it.
    for features in [&[] as &[&str], &["--features=postern-engine/conformance"]] {
        progress::step("lint the client for Wasm", || {
            let mut clippy = cargo::command(&workspace.root);
            clippy.args(["clippy", "--all-targets", "--target", WASM_TARGET]);
            clippy.args(CLIENT.map(|package| ["--package", package]).concat());
            command::show(clippy.args(features).args(["--", "-D", "warnings"]))
        })?;
    }
    build::page(workspace, Mode::Dev)?;
    // It holds the page, so it comes after it.
    progress::step("lint the proxy as it is released", || {
        let mut clippy = cargo::command(&workspace.root);
        clippy.args(["clippy", "--package=postern", "--all-targets", "--features=embed"]);
        command::show(clippy.args(["--", "-D", "warnings"]))
    })?;
    test::test(workspace, &Options::ALL)
}
