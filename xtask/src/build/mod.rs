//! `cargo xtask build`: from sources to `dist/`, one file per step.

mod bind;
mod compile;
mod compress;
mod dist;
mod layout;
mod optimize;
mod page;
mod placeholder;
mod policy;
mod sizes;

use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use anyhow::Result;
use clap::Args;

use self::optimize::Optimizer;
use crate::install::{self, Need};
use crate::workspace::Workspace;
use crate::{cargo, progress};

/// What `build` can be told.
#[derive(Args)]
pub(crate) struct Options {
    /// Small and fast, and one proxy binary that embeds the page
    #[arg(long)]
    release: bool,

    /// What machine the binary is for, such as x86_64-unknown-linux-musl: one that needs no
    /// library of the system
    #[arg(long, value_name = "TRIPLE", requires = "release")]
    target: Option<String>,
}

/// How much time a build may take for a better result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Soon done; the page is some times larger.
    Dev,
    /// What people are given.
    Release,
    /// The same, with an engine that can be asked how fast it is.
    Measure,
}

impl Mode {
    fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Release => "release",
            Self::Measure => "measure",
        }
    }

    /// Whether small and fast counts more than soon done.
    fn is_optimized(self) -> bool {
        matches!(self, Self::Release | Self::Measure)
    }

    /// The folder that the page is built into.
    pub(crate) fn folder(self, workspace: &Workspace) -> PathBuf {
        match self {
            Self::Dev | Self::Release => workspace.dist(),
            Self::Measure => workspace.scratch.join("measure"),
        }
    }

    /// Cargo's profile for the two Wasm programs.
    fn wasm_profile(self) -> &'static str {
        match self {
            Self::Dev => "wasm-dev",
            Self::Release | Self::Measure => "wasm-release",
        }
    }
}

/// Builds the page and, for release, the binary.
pub(crate) fn build(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let target = options.target.as_deref();
    let of_target = target.map(Need::of_target).unwrap_or_default();
    install::ensure(workspace, &[Need::PAGE, &of_target].concat())?;
    if !options.release {
        page(workspace, Mode::Dev)?;
        return Ok(ExitCode::SUCCESS);
    }
    let sizes = page(workspace, Mode::Release)?;
    let built = progress::step("compile the proxy, with the page inside", || {
        let target = target.map(target_arguments).unwrap_or_default();
        let target = target.iter().map(String::as_str);
        let arguments = proxy_arguments(Mode::Release).iter().copied().chain(target);
        cargo::build(workspace, &arguments.collect::<Vec<_>>())
    })?;
    println!("\nthe program: {}", cargo::program(&built, "postern")?.display());
    print!("{}", sizes::table(&sizes));
    Ok(ExitCode::SUCCESS)
}

/// Builds the page and returns what each of its files weighs.
pub(crate) fn page(workspace: &Workspace, mode: Mode) -> Result<Vec<sizes::Size>> {
    let programs = progress::step("compile the page and its engine to Wasm", || {
        compile::compile(workspace, mode)
    })?;
    let optimizer = if mode.is_optimized() { Optimizer::find(workspace)? } else { None };
    if mode.is_optimized() && optimizer.is_none() {
        progress::note("no wasm-opt (npm package binaryen) was found; the page will be larger");
    }
    let (app, engine) = progress::step("bind both to the browser", || {
        let bind = |name, program| bind::bind(workspace, mode, optimizer.as_ref(), name, program);
        thread::scope(|scope| {
            let app = scope.spawn(|| bind("postern-app", &programs.app));
            let engine = bind("postern-engine", &programs.engine)?;
            Ok((app.join().expect("a step that fails does not panic")?, engine))
        })
    })?;
    let dist = progress::step("lay out the page", || layout::layout(workspace, &app, &engine))?;
    progress::step("compress and write the page", || {
        let packed = compress::compress(&dist, mode, &workspace.scratch.join("compressed"))?;
        dist.write(&mode.folder(workspace), &packed)?;
        Ok(sizes::measure(&dist, &packed))
    })
}

/// What Cargo is told to build for another target.
fn target_arguments(triple: &str) -> Vec<String> {
    let mut arguments = vec!["--target".to_owned(), triple.to_owned()];
    if let Some(compiler) = install::compiler(triple) {
        // Whoever has set the variable keeps what it says.
        let variable = format!("CC_{}", triple.replace('-', "_"));
        arguments.extend(["--config".to_owned(), format!("env.{variable}='{compiler}'")]);
    }
    arguments
}

/// What Cargo is told to build the proxy.
pub(crate) fn proxy_arguments(mode: Mode) -> &'static [&'static str] {
    match mode {
        Mode::Dev => &["--package=postern", "--bin=postern"],
        Mode::Release | Mode::Measure => {
            &["--package=postern", "--bin=postern", "--release", "--features=embed"]
        }
    }
}
