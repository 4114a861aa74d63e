//! Whether the page that is there is worth measuring.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};

/// Where the build puts the page's programs.
const ASSETS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../dist/assets");

/// Makes sure that the page was built as it is deployed.
///
/// # Errors
///
/// If there is none, or one that was built in a hurry; the error says how to build it.
pub(crate) fn ensure_release() -> Result<()> {
    let build = "build the page first: `cargo xtask build --release`";
    let files = fs::read_dir(ASSETS).with_context(|| format!("there is no page; {build}"))?;
    for file in files {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            ensure!(!has_names(&path)?, "the page is not a release; {build}");
        }
    }
    Ok(())
}

/// Whether a Wasm program still has the names of its functions; a release has not.
fn has_names(path: &Path) -> Result<bool> {
    let program = fs::read(path)?;
    let mut rest = program.get(8..).context("a Wasm program is longer")?;
    while let Some((&id, after)) = rest.split_first() {
        let (size, content) = number(after)?;
        let (section, next) = content.split_at_checked(size).context("a section is cut off")?;
        // A custom section begins with its name.
        if id == 0 && section.starts_with(b"\x04name") {
            return Ok(true);
        }
        rest = next;
    }
    Ok(false)
}

/// A LEB128 number and what follows it.
fn number(bytes: &[u8]) -> Result<(usize, &[u8])> {
    let end = bytes.iter().position(|byte| byte & 0x80 == 0).context("a number has no end")?;
    let (digits, rest) = bytes.split_at(end + 1);
    ensure!(digits.len() <= 5, "a number is too long");
    let value = digits.iter().rev().fold(0, |value, digit| value << 7 | usize::from(digit & 0x7f));
    Ok((value, rest))
}
