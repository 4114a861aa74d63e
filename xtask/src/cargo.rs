//! Calls Cargo and learns from it which files it made.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::command::line;
use crate::workspace::Workspace;

/// The Cargo that runs this program, in the given folder.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder);
    // `cargo run` tells this program about its own package. Build scripts that watch such variables
    // (ring's does) would run again after each change between `cargo build` and `cargo xtask`.
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_about_a_package) {
            command.env_remove(name);
        }
    }
    command
}

fn is_about_a_package(variable: &str) -> bool {
    variable.starts_with("CARGO_PKG_") || variable.starts_with("CARGO_MANIFEST_")
}

/// A file that a build made, with the name of the target that it belongs to.
pub(crate) struct Artifact {
    /// The target's name, such as `postern-app`.
    pub(crate) target: String,
    /// The executable or the Wasm program.
    pub(crate) file: PathBuf,
}

/// Builds and returns the programs that were made (also those that were already fresh).
///
/// # Errors
/// When Cargo fails; its diagnostics are on the terminal by then.
pub(crate) fn build(workspace: &Workspace, arguments: &[&str]) -> Result<Vec<Artifact>> {
    let mut command = command(&workspace.root);
    command.arg("build").args(arguments).arg("--message-format=json-render-diagnostics");
    let line = line(&command);
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("`{line}` could not be started"))?;
    if !output.status.success() {
        bail!("`{line}` ended with {}; what it said is above", output.status);
    }
    Ok(artifacts(&String::from_utf8_lossy(&output.stdout)))
}

/// The program of that name among what was built.
///
/// # Errors
/// When the build made no such program.
pub(crate) fn program<'a>(artifacts: &'a [Artifact], name: &str) -> Result<&'a Path> {
    let found = artifacts.iter().find(|artifact| artifact.target == name);
    found
        .map(|artifact| artifact.file.as_path())
        .with_context(|| format!("no program {name} was built"))
}

fn artifacts(messages: &str) -> Vec<Artifact> {
    let parsed = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    parsed
        .filter(|message| message["reason"] == "compiler-artifact")
        .filter_map(|message| {
            let file = message["executable"].as_str()?;
            let target = message["target"]["name"].as_str()?;
            Some(Artifact { target: target.to_owned(), file: PathBuf::from(file) })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_is_not_told_about_the_package_of_this_program() {
        let command = command(Path::new("."));
        let removed = |name| command.get_envs().any(|(key, value)| key == name && value.is_none());
        assert!(removed("CARGO_PKG_NAME") && removed("CARGO_MANIFEST_DIR"));
        assert!(!removed("CARGO_TARGET_DIR"));
    }

    #[test]
    fn programs_are_found_among_cargos_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"postern"},"executable":null}"#,
            "\nsome words that are no JSON\n",
            r#"{"reason":"compiler-artifact","target":{"name":"postern"},"executable":"/t/postern"}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        let artifacts = artifacts(messages);
        assert_eq!(program(&artifacts, "postern").unwrap(), Path::new("/t/postern"));
        assert!(program(&artifacts, "another").is_err());
    }
}
