//! Where things are: the workspace's folders and Cargo's answer to what is in them.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{cargo, command};

/// The crates that run in the browser; everything else is tested natively.
pub(crate) const CLIENT: [&str; 2] = ["postern-app", "postern-engine"];
/// The crate whose tests need real servers and a real browser.
pub(crate) const TESTS: &str = "postern-tests";
/// The crate with the fuzz targets.
pub(crate) const FUZZ: &str = "postern-fuzz";
/// The target that the client crates are compiled for.
pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The workspace that this program belongs to.
pub(crate) struct Workspace {
    /// The folder of the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Where the build's own intermediate files go; inside of Cargo's target folder.
    pub(crate) scratch: PathBuf,
    metadata: Value,
}

impl Workspace {
    /// Asks Cargo, so that `CARGO_TARGET_DIR` and `build.target-dir` are honoured.
    ///
    /// # Errors
    /// When Cargo cannot read the workspace.
    pub(crate) fn find() -> Result<Self> {
        // Set by `cargo run`; the folder known at compile time serves a copied binary.
        let manifest = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let folder = manifest.parent().context("xtask has no folder above it")?;
        let output = command::quiet(cargo::command(folder).args([
            "metadata",
            "--format-version=1",
            "--no-deps",
        ]))?;
        let metadata: Value =
            serde_json::from_slice(&output.stdout).context("`cargo metadata` wrote no JSON")?;
        let path = |key: &str| {
            let path = metadata[key].as_str().map(PathBuf::from);
            path.with_context(|| format!("`cargo metadata` did not tell {key}"))
        };
        let (root, target) = (path("workspace_root")?, path("target_directory")?);
        Ok(Self { root, scratch: target.join("xtask"), metadata })
    }

    /// The folder that the page is built into.
    pub(crate) fn dist(&self) -> PathBuf {
        self.root.join("dist")
    }

    /// The names of a package's targets of one kind (`test`, `bench`, `lib`…), in Cargo's order.
    pub(crate) fn targets(&self, package: &str, kind: &str) -> Vec<&str> {
        let packages = self.metadata["packages"].as_array().into_iter().flatten();
        packages
            .filter(|candidate| candidate["name"] == package)
            .flat_map(|found| found["targets"].as_array().into_iter().flatten())
            .filter(|target| {
                target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|k| k == kind))
            })
            .filter_map(|target| target["name"].as_str())
            .collect()
    }

    /// A path below the root.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }
}
