//! The project's chores: `cargo xtask run | build | test | bench | fuzz | ci`.
//!
//! Everything here works from any folder of the workspace, needs no shell and no tool that Cargo
//! cannot fetch, except for those that [`install`] looks for and installs where it can.

mod bench;
mod build;
mod cargo;
mod ci;
mod command;
mod fuzz;
mod install;
mod progress;
mod run;
mod tally;
mod test;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// The project's chores.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Build everything, then start the proxy with the demo mail server and print its address
    Run(run::Options),
    /// Build the page into dist/; with --release also the one binary that embeds it
    Build(build::Options),
    /// Run the tests: units, protocols, real mail servers, a real browser
    Test(test::Options),
    /// Measure speed beside peers in the same run
    Bench(bench::Options),
    /// Run the fuzz targets for long; the tests run them for a moment
    Fuzz(fuzz::Options),
    /// What must pass before a change lands: format, lints, tests
    Ci,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match perform(arguments.chore) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(chore: Chore) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::find()?;
    match chore {
        Chore::Run(options) => run::run(&workspace, &options),
        Chore::Build(options) => build::build(&workspace, &options),
        Chore::Test(options) => test::test(&workspace, &options),
        Chore::Bench(options) => bench::bench(&workspace, &options),
        Chore::Fuzz(options) => fuzz::fuzz(&workspace, &options),
        Chore::Ci => ci::ci(&workspace),
    }
}
