//! Runs other programs: shown as they go, or kept quiet until they fail.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

/// How many of a quiet program's last lines a failure repeats.
const LAST_LINES: usize = 30;

/// Runs a program whose output goes straight to the terminal.
///
/// # Errors
/// When it cannot be started or ends with another code than 0; its own words are then just above.
pub(crate) fn show(command: &mut Command) -> Result<()> {
    let line = line(command);
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("`{line}` could not be started"))?;
    if !status.success() {
        bail!("`{line}` ended with {status}; what it said is above");
    }
    Ok(())
}

/// Runs a program without showing its output and returns what it wrote.
///
/// # Errors
/// When it cannot be started or ends with another code than 0; the error holds its last lines.
pub(crate) fn quiet(command: &mut Command) -> Result<Output> {
    let line = line(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("`{line}` could not be started"))?;
    if !output.status.success() {
        let said = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
        bail!("`{line}` ended with {}:\n{}", output.status, last_lines(&said));
    }
    Ok(output)
}

/// The command as a person would type it.
pub(crate) fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let quoted = words.map(|word| {
        let word = word.to_string_lossy();
        if word.is_empty() || word.contains(char::is_whitespace) {
            format!("'{word}'")
        } else {
            word.into_owned()
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// Looks for a program in `PATH` and then in the folders where Debian keeps servers.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let servers = ["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from);
    env::split_paths(&path)
        .chain(servers)
        .map(|folder| folder.join(format!("{program}{}", env::consts::EXE_SUFFIX)))
        .find(|candidate| candidate.is_file())
}

fn last_lines(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let lines: Vec<&str> = text.lines().collect();
    let kept = lines.len().saturating_sub(LAST_LINES);
    lines[kept..].iter().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_quotes_what_a_shell_would_split() {
        let mut command = Command::new("cargo");
        command.args(["test", "two words", ""]);
        assert_eq!(line(&command), "cargo test 'two words' ''");
    }

    #[test]
    fn only_the_last_lines_of_a_failure_are_repeated() {
        let output: String = (1..=LAST_LINES + 1).map(|number| format!("{number}\n")).collect();
        let repeated = last_lines(output.as_bytes());
        assert_eq!(repeated.lines().count(), LAST_LINES);
        assert!(repeated.starts_with("    2\n"));
    }

    #[test]
    fn a_failure_repeats_the_command_line_and_its_words() {
        let mut command = Command::new(env!("CARGO"));
        let error = quiet(command.arg("no-such-chore")).unwrap_err().to_string();
        assert!(error.contains("no-such-chore` ended with"), "{error}");
        assert!(error.contains("no such command"), "{error}");
    }
}
