//! `cargo xtask test`: every test there is, in groups, with a summary at the end.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::build::{self, Mode};
use crate::install::{self, Need};
use crate::tally::{Failure, Tally};
use crate::workspace::{CLIENT, TESTS, WASM_TARGET, Workspace};
use crate::{cargo, command, progress};

/// What `test` can be told.
#[derive(Args)]
pub(crate) struct Options {
    /// Leave out the tests that need real mail servers or a browser
    #[arg(long)]
    quick: bool,
    /// Cut POP3 downloads after every byte, and kill the browser fifty times in the middle of them
    #[arg(long, conflicts_with = "quick")]
    long: bool,
    /// Only tests whose name contains one of these
    filter: Vec<String>,
}

impl Options {
    /// All tests, with everything that they need.
    pub(crate) const ALL: Self = Self { quick: false, long: false, filter: Vec::new() };

    /// What the tests are told besides their names.
    fn variables(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        LONG.into_iter().filter(|_| self.long)
    }
}

/// What the long run tells the tests: after how many bytes each a POP3 download is cut, and how often the
/// browser is killed.
const LONG: [(&str, &str); 2] = [("POSTERN_CUT_EVERY", "1"), ("POSTERN_KILLS", "50")];

/// A row of the summary.
struct Group {
    name: String,
    tally: Tally,
    took: Duration,
    /// Why the group broke, when it did so other than by a test that failed.
    broken: Option<String>,
}

/// Runs the tests and prints what came of them; the last line is `N passed, N failed`.
pub(crate) fn test(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let mut needs = Need::PAGE.to_vec();
    if !options.quick {
        needs.extend_from_slice(Need::SERVERS_AND_BROWSER);
    }
    install::ensure(workspace, &needs)?;

    let filter = &options.filter;
    let mut groups = Vec::new();
    let mut native = vec!["--workspace", "--exclude", TESTS];
    native.extend(CLIENT.iter().flat_map(|package| ["--exclude", package]));
    groups.push(run_group(workspace, "native crates", &native, options)?);
    let client = CLIENT.map(|package| ["--package", package]).concat();
    groups.push(run_group(workspace, "client, natively", &client, options)?);

    if options.quick {
        groups.push(step_group("client, for Wasm", || {
            progress::step("check the client for Wasm", || check_wasm(workspace))
        }));
    } else {
        let page = step_group("build of the page", || build::page(workspace, Mode::Dev).map(drop));
        let built = page.broken.is_none();
        groups.push(page);
        if built {
            let library = ["--package", TESTS, "--lib", "--bins"];
            groups.push(run_group(workspace, "test harness", &library, options)?);
            for target in workspace.targets(TESTS, "test") {
                let arguments = ["--package", TESTS, "--test", target];
                groups.push(run_group(workspace, &format!("tests/{target}"), &arguments, options)?);
            }
        }
    }

    print!("{}", summary(&groups));
    if !filter.is_empty() && groups.iter().all(|group| group.tally.run() == 0) {
        bail!("no test ran: none has {} in its name", filter.join(" or "));
    }
    let held = groups.iter().all(|group| group.broken.is_none() && group.tally.failed == 0);
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn check_wasm(workspace: &Workspace) -> Result<()> {
    let mut check = cargo::command(&workspace.root);
    check.args(["check", "--target", WASM_TARGET]);
    check.args(CLIENT.map(|package| ["--package", package]).concat());
    command::show(&mut check)
}

/// A row for what has no tests of its own, but without which others mean nothing.
fn step_group(name: &str, work: impl FnOnce() -> Result<()>) -> Group {
    let start = Instant::now();
    let broken = work().err().map(|error| format!("{error:#}"));
    Group { name: name.to_owned(), tally: Tally::default(), took: start.elapsed(), broken }
}

/// Runs one group to its end, also past failures, and lets its output through while counting.
fn run_group(workspace: &Workspace, name: &str, what: &[&str], options: &Options) -> Result<Group> {
    eprintln!("==> test: {name}");
    let start = Instant::now();
    let mut command = cargo::command(&workspace.root);
    // An error says what was expected and what came; the way to it only hides that.
    command
        .env("RUST_LIB_BACKTRACE", "0")
        .envs(options.variables())
        .args(["test", "--no-fail-fast"])
        .args(what)
        .arg("--")
        .args(&options.filter);
    let (tally, succeeded) = stream(&mut command)?;
    let broken = (!succeeded && tally.failed == 0)
        .then(|| format!("`{}` failed; what it said is above", command::line(&command)));
    Ok(Group { name: name.to_owned(), tally, took: start.elapsed(), broken })
}

fn stream(command: &mut Command) -> Result<(Tally, bool)> {
    let line = command::line(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("`{line}` could not be started"))?;
    let mut output = BufReader::new(child.stdout.take().context("the output is piped")?);
    let mut tally = Tally::default();
    let mut bytes = Vec::new();
    let mut screen = std::io::stdout().lock();
    while output.read_until(b'\n', &mut bytes).context("reading test output")? > 0 {
        screen.write_all(&bytes).context("writing test output")?;
        tally.read(String::from_utf8_lossy(&bytes).trim_end());
        bytes.clear();
    }
    let status = child.wait().with_context(|| format!("`{line}` was lost"))?;
    Ok((tally, status.success()))
}

/// The table at the end. A group that broke without naming a test counts as one failure.
fn summary(groups: &[Group]) -> String {
    let width = groups.iter().map(|group| group.name.len()).max().unwrap_or(0);
    let mut text = format!("\n{:width$}    run  passed  failed  skipped     time\n", "");
    let mut total = Tally::default();
    for Group { name, tally, took, broken } in groups {
        let (run, passed, failed) = (tally.run(), tally.passed, tally.failed);
        let (skipped, seconds) = (tally.skipped, took.as_secs_f64());
        text += &format!(
            "{name:width$} {run:>6} {passed:>7} {failed:>7} {skipped:>8} {seconds:>6.1} s\n"
        );
        total += tally;
        total.failed += u32::from(broken.is_some());
    }
    for Failure { test, said } in &total.failures {
        text += &format!("failed: {test}{said}\n");
    }
    for group in groups {
        if let Some(reason) = &group.broken {
            text += &format!("broken: {}: {reason}\n", group.name);
        }
    }
    text + &format!("\n{} passed, {} failed\n", total.passed, total.failed)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn group(name: &str, tally: Tally, broken: Option<String>) -> Group {
        Group { name: name.to_owned(), tally, took: Duration::from_secs(2), broken }
    }

    #[test]
    fn the_summarys_last_line_is_the_plain_total() {
        let first = Tally { passed: 3, ..Tally::default() };
        let failure = Failure { test: "x::y".to_owned(), said: "\n    Error: why".to_owned() };
        let second =
            Tally { passed: 4, failed: 1, skipped: 2, failures: vec![failure], ..Tally::default() };
        let text = summary(&[group("native", first, None), group("browser", second, None)]);
        assert!(text.ends_with("\n7 passed, 1 failed\n"), "{text}");
        assert!(text.contains("failed: x::y\n    Error: why\n"), "{text}");
    }

    /// All Rust files below a folder, one after the other.
    fn sources(folder: &Path) -> String {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries
            .map(|path| match path.extension() {
                Some(ending) if ending == "rs" => std::fs::read_to_string(&path).unwrap(),
                _ if path.is_dir() => sources(&path),
                _ => String::new(),
            })
            .collect()
    }

    #[test]
    fn the_long_run_alone_sets_what_tests_look_at() {
        assert_eq!(Options::ALL.variables().count(), 0);
        let long = Options { long: true, ..Options::ALL };
        let tests = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/tests"));
        let names: Vec<_> = long.variables().map(|(name, _)| name).collect();
        assert_eq!(names.len(), LONG.len());
        for name in names {
            assert!(tests.contains(&format!("\"{name}\"")), "no test looks at {name}");
        }
    }

    #[test]
    fn a_page_that_does_not_build_is_in_the_summary() {
        let group = step_group("page", || bail!("no style sheets"));
        assert!(
            summary(&[group]).ends_with("broken: page: no style sheets\n\n0 passed, 1 failed\n")
        );
    }

    #[test]
    fn a_group_that_does_not_compile_counts_as_a_failure() {
        let text = summary(&[group("native", Tally::default(), Some("why".to_owned()))]);
        assert!(text.ends_with("broken: native: why\n\n0 passed, 1 failed\n"), "{text}");
    }
}
