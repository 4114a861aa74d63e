//! Step 2: gives a Wasm program its JavaScript side, and shrinks it for release.
//!
//! wasm-bindgen is linked in, so `Cargo.lock` keeps it at the version that the program was
//! compiled for. Its work is kept below the target folder for as long as the program, the mode
//! and this tool stay the same.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

use anyhow::{Context, Result};
use wasm_bindgen_cli_support::Bindgen;

use super::Mode;
use super::dist::{self, sha256};
use super::optimize::Optimizer;
use crate::progress;
use crate::workspace::Workspace;

/// A program that is ready for the browser.
pub(super) struct Bound {
    /// The program's name.
    pub(super) name: String,
    /// An ES module whose default export starts the program.
    pub(super) js: String,
    /// The program itself.
    pub(super) wasm: Vec<u8>,
    /// Modules that `js` imports from `./snippets/`, by their path below it.
    pub(super) snippets: BTreeMap<String, Vec<u8>>,
}

/// Binds one program, or takes what an earlier run made of the same bytes.
pub(super) fn bind(
    workspace: &Workspace,
    mode: Mode,
    optimizer: Option<&Optimizer>,
    name: &str,
    program: &Path,
) -> Result<Bound> {
    let read = |path: &Path| fs::read(path).with_context(|| format!("reading {}", path.display()));
    let this_tool = env::current_exe().context("the path of this program is unknown")?;
    let version = optimizer.map_or("", Optimizer::version);
    let key =
        [sha256(&read(program)?), sha256(&read(&this_tool)?), sha256(version.as_bytes())].concat();
    let folder = workspace.scratch.join("bound").join(mode.name()).join(name);
    let stamp = folder.join("key");
    let wasm = folder.join(format!("{name}_bg.wasm"));
    if fs::read(&stamp).ok().as_ref() != Some(&key) {
        dist::remove_folder(&folder)?;
        generate(mode, program, name, &folder)?;
        if let Some(optimizer) = optimizer {
            optimizer.shrink(&wasm)?;
        }
        fs::write(&stamp, key).with_context(|| format!("writing {}", stamp.display()))?;
    } else {
        progress::note(&format!("{name} is unchanged"));
    }

    let js = String::from_utf8(read(&folder.join(format!("{name}.js")))?)
        .context("wasm-bindgen wrote JavaScript that is not UTF-8")?;
    let snippets = dist::read_folder(&folder.join("snippets"))?;
    Ok(Bound { name: name.to_owned(), js, wasm: read(&wasm)?, snippets })
}

fn generate(mode: Mode, program: &Path, name: &str, folder: &Path) -> Result<()> {
    let release = mode.is_optimized();
    Bindgen::new()
        .input_path(program)
        .out_name(name)
        .web(true)?
        .typescript(false)
        .remove_name_section(release)
        .remove_producers_section(release)
        .generate(folder)
        .with_context(|| format!("wasm-bindgen could not bind {}", program.display()))
}
