//! Copies of the page whose worker finds the browser another one than it is.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use postern_tests::site::PAGE;
use tempfile::TempDir;

/// Where the worker's script is interrupted: behind what keeps the page's messages for later.
const BEFORE: &str = "const program =";

/// A copy of the page whose worker runs this script, a module's, before it starts the engine.
pub(crate) fn page(first: &str) -> Result<TempDir> {
    let copy = TempDir::with_prefix("postern-page-")?;
    copy_folder(PAGE.as_ref(), copy.path())?;
    let mut patched = 0;
    for file in fs::read_dir(copy.path().join("assets"))? {
        let path = file?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("worker-") && !name.ends_with(".js") {
            // The compressed ones are as they were.
            fs::remove_file(path)?;
        } else if name.starts_with("worker-") {
            let script = fs::read_to_string(&path)?;
            let (begin, rest) = script.split_once(BEFORE).context("the worker is another one")?;
            fs::write(&path, [begin, first, BEFORE, rest].concat())?;
            patched += 1;
        }
    }
    ensure!(patched == 1, "{patched} workers are patched");
    Ok(copy)
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir(&to)?;
            copy_folder(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
