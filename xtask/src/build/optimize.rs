//! Shrinks Wasm with Binaryen's wasm-opt, when that is there.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::command;
use crate::workspace::Workspace;

/// What Rust's compiler uses by itself, and no more: browsers of the last years know all of it.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// A wasm-opt that works.
pub(super) struct Optimizer {
    program: PathBuf,
    version: String,
}

impl Optimizer {
    /// Looks in `node_modules/.bin` and in `PATH`.
    pub(super) fn find(workspace: &Workspace) -> Result<Option<Self>> {
        let local = workspace.path("node_modules/.bin/wasm-opt");
        let program = if local.is_file() { Some(local) } else { command::find("wasm-opt") };
        let Some(program) = program else { return Ok(None) };
        let output = command::quiet(Command::new(&program).arg("--version"))?;
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(Some(Self { program, version }))
    }

    /// What it says of itself.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// Replaces a file by an equivalent smaller one.
    pub(super) fn shrink(&self, wasm: &Path) -> Result<()> {
        let smaller = wasm.with_extension("smaller.wasm");
        let mut command = Command::new(&self.program);
        command.arg("-Os").args(FEATURES).arg(wasm).arg("-o").arg(&smaller);
        command::quiet(&mut command)?;
        std::fs::rename(&smaller, wasm)
            .with_context(|| format!("replacing {} by its smaller form", wasm.display()))
    }
}
