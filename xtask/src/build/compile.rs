//! Step 1: both client crates to Wasm, in one call so that they share dependencies.

use std::path::PathBuf;

use anyhow::Result;

use super::Mode;
use crate::cargo;
use crate::workspace::{WASM_TARGET, Workspace};

/// The two programs, as Cargo leaves them.
pub(super) struct Programs {
    /// What draws, on the page's main thread.
    pub(super) app: PathBuf,
    /// What speaks the protocols, in a worker.
    pub(super) engine: PathBuf,
}

/// Compiles both programs.
pub(super) fn compile(workspace: &Workspace, mode: Mode) -> Result<Programs> {
    let packages = ["--package=postern-app", "--package=postern-engine"];
    let target = ["--target", WASM_TARGET, "--profile", mode.wasm_profile()];
    // The browser tests ask the engine to test its store; people are given an engine that cannot.
    let features: &[&str] = match mode {
        Mode::Dev => &["--features=postern-engine/conformance"],
        Mode::Release => &[],
        Mode::Measure => &["--features=postern-engine/measure"],
    };
    let built = cargo::build(workspace, &[&packages, target.as_slice(), features].concat())?;
    let program = |name| cargo::program(&built, name).map(PathBuf::from);
    Ok(Programs { app: program("postern-app")?, engine: program("postern-engine")? })
}
