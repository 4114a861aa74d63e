//! `cargo xtask fuzz`: runs the fuzz targets for long, with libFuzzer and the stable compiler.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::workspace::{FUZZ, Workspace};
use crate::{cargo, command, progress};

/// What tells libFuzzer which ways an input took, and makes arithmetic that overflows panic. The
/// compiler has one option for all of it, but not a stable one.
const FLAGS: [&str; 7] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cdebug-assertions",
    "-Coverflow-checks",
];

/// What `fuzz` can be told.
#[derive(Args)]
pub(crate) struct Options {
    /// Only this target, such as client_hello
    target: Option<String>,
    /// How long each target runs
    #[arg(long, default_value_t = 120)]
    seconds: u32,
    /// Further arguments for libFuzzer, such as -jobs=2
    #[arg(last = true)]
    arguments: Vec<String>,
}

/// Runs the targets one after the other, and stops at the first that does not hold.
pub(crate) fn fuzz(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let targets = workspace.targets(FUZZ, "bin");
    let chosen: Vec<_> = match &options.target {
        Some(target) => targets.iter().filter(|name| *name == target).collect(),
        None => targets.iter().collect(),
    };
    if chosen.is_empty() {
        bail!("there is no such target, but {}", targets.join(", "));
    }
    for target in chosen {
        progress::step(&format!("fuzz {target}"), || run(workspace, target, options))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn run(workspace: &Workspace, target: &str, options: &Options) -> Result<()> {
    let build = workspace.scratch.join("fuzz");
    // What libFuzzer finds goes into the first folder that it is given.
    let found = build.join("corpus").join(target);
    let failures = build.join("failures").join(target);
    for folder in [&found, &failures] {
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    }
    let mut fuzz = cargo::command(&workspace.root);
    fuzz.env("RUSTFLAGS", FLAGS.join(" "));
    // With a target of its own, the flags are not for programs that run while building.
    fuzz.args(["run", "--release", "--target=host-tuple", "--package", FUZZ]);
    fuzz.args(["--features=libfuzzer", "--bin", target]).arg("--target-dir").arg(build);
    fuzz.arg("--").arg(found).arg(workspace.path(format!("fuzz/corpus/{target}")));
    fuzz.arg(format!("-artifact_prefix={}/", failures.display()));
    fuzz.arg(format!("-max_total_time={}", options.seconds)).args(&options.arguments);
    command::show(&mut fuzz)
}
