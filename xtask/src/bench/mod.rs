//! `cargo xtask bench`: the benchmarks, each with its peer measured in the same run.
//!
//! A benchmark is a program of the tests' crate, `tests/benches/<name>`. It writes a JSON list
//! of [`FIELDS`] to the file that follows `--json`; here the lists are checked, put together, and
//! shown with the ratios first.

mod relays;
mod table;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::build::{self, Mode};
use crate::install::{self, Need, apt};
use crate::workspace::{TESTS, Workspace};
use crate::{cargo, command, progress};

/// What every measured figure has. `peer` is null where `goal` is an absolute bound. Where there are
/// several peers, `peer` is the best of them, `peers` has all, and `missing` says why some are not
/// there.
const FIELDS: [&str; 9] =
    ["name", "unit", "ours", "peer", "peer_name", "ratio", "goal", "met", "runs"];

/// Which ImapFlow ours is measured beside.
const IMAPFLOW: &str = "2.10.2";

/// The benchmarks that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Benchmark {
    /// The first sync of an inbox, from Dovecot, natively and in Chromium
    Imap,
    /// A download, from Dovecot, natively and in Chromium
    Pop3,
    /// Tunnels through the proxy
    Proxy,
    /// TLS that ends in Chromium, through the proxy
    Tls,
    /// The app in Chromium; the page must have been built with `--release`
    App,
    /// Parsing mail and making its HTML safe
    Mime,
    /// Searching what is stored
    Search,
    /// Putting what is stored into conversations
    Threads,
}

impl Benchmark {
    /// What it needs besides Cargo.
    fn needs(self) -> &'static [Need<'static>] {
        match self {
            // The server speaks both wherever it is started.
            Self::Imap | Self::Pop3 => {
                &[Need::DovecotImap, Need::DovecotPop3, Need::Chromium, Need::ChromeDriver]
            }
            Self::App | Self::Tls => &[Need::Chromium, Need::ChromeDriver],
            Self::Proxy | Self::Mime | Self::Search | Self::Threads => &[],
        }
    }

    /// Builds and installs what only this one needs; returns what the program must be told of it.
    fn prepare(self, workspace: &Workspace) -> Result<Vec<OsString>> {
        match self {
            Self::Proxy => Ok(vec!["--relays".into(), relays::prepare(workspace)?.into()]),
            Self::Tls => measuring_page(workspace),
            Self::Imap => {
                let mut arguments = measuring_page(workspace)?;
                match relays::npm(workspace.scratch.join("imapflow"), "imapflow", IMAPFLOW) {
                    Ok(library) => arguments.extend(["--imapflow".into(), library.into()]),
                    Err(error) => progress::note(&format!("without ImapFlow: {error:#}")),
                }
                Ok(arguments)
            }
            Self::Pop3 => {
                if command::find("mpop").is_none()
                    && let Err(error) = apt::install(&["mpop"])
                {
                    progress::note(&format!("without mpop: {error:#}"));
                }
                measuring_page(workspace)
            }
            Self::App | Self::Mime | Self::Search | Self::Threads => Ok(Vec::new()),
        }
    }
}

/// Builds the page whose engine can be asked how fast it is.
fn measuring_page(workspace: &Workspace) -> Result<Vec<OsString>> {
    install::ensure(workspace, Need::PAGE)?;
    build::page(workspace, Mode::Measure)?;
    Ok(vec!["--page".into(), Mode::Measure.folder(workspace).into()])
}

/// What `bench` can be told.
#[derive(Args)]
pub(crate) struct Options {
    /// Only these [default: all]
    benchmark: Vec<Benchmark>,
    /// Write the figures into this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Only see whether they work: with a hundredth of the work, the figures mean nothing
    #[arg(long)]
    quick: bool,
    /// Only what has this in its name: `bulk` or `idle, blind` of the proxy's, `sync`, `body` or
    /// `parser` of IMAP's, `native` or `chromium` of POP3's
    #[arg(long, value_name = "PART")]
    only: Option<String>,
}

/// Runs the benchmarks one after the other and shows what they found.
pub(crate) fn bench(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let chosen = match options.benchmark.as_slice() {
        [] => Benchmark::value_variants(),
        chosen => chosen,
    };
    let needs: Vec<_> = chosen.iter().flat_map(|benchmark| benchmark.needs()).copied().collect();
    if !needs.is_empty() {
        install::ensure(workspace, &needs)?;
    }
    let mut figures = Vec::new();
    for benchmark in chosen {
        let value = benchmark.to_possible_value().context("every benchmark has a name")?;
        let name = value.get_name();
        let mut arguments = benchmark.prepare(workspace)?;
        arguments.extend(options.quick.then(|| "--quick".into()));
        arguments.extend(options.only.iter().flat_map(|only| ["--only".into(), only.into()]));
        let measure = || measure(workspace, name, &arguments);
        figures.extend(progress::step(&format!("measure {name}"), measure)?);
    }
    print!("{}", table::table(&figures));
    if let Some(file) = &options.json {
        let text = format!("{:#}\n", Value::from(figures));
        fs::write(file, text).with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn measure(workspace: &Workspace, name: &str, arguments: &[OsString]) -> Result<Vec<Value>> {
    let folder = workspace.scratch.join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let file = folder.join(format!("{name}.json"));
    let mut bench = cargo::command(&workspace.root);
    bench.args(["bench", "--package", TESTS, "--bench", name, "--", "--json"]).arg(&file);
    command::show(bench.args(arguments))?;
    read(&file)
}

/// The figures of one benchmark.
fn read(file: &Path) -> Result<Vec<Value>> {
    let text = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    let figures: Vec<Value> = serde_json::from_slice(&text)
        .with_context(|| format!("{} is not a JSON list", file.display()))?;
    check(&figures)?;
    Ok(figures)
}

fn check(figures: &[Value]) -> Result<()> {
    if figures.is_empty() {
        bail!("the benchmark measured nothing");
    }
    for figure in figures {
        if let Some(lacking) = FIELDS.iter().find(|field| figure.get(field).is_none()) {
            bail!("a figure has no \"{lacking}\": {figure}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn figure() -> Value {
        json!({
            "name": "mime/parse", "unit": "MB/s", "ours": 120.0, "peer": 100.0,
            "peer_name": "mail-parser", "ratio": 1.2, "goal": 1.0, "met": true, "runs": 9,
        })
    }

    #[test]
    fn a_figure_that_lacks_a_field_is_refused() {
        check(&[figure()]).unwrap();
        let mut incomplete = figure();
        incomplete.as_object_mut().unwrap().remove("goal");
        assert!(check(&[incomplete]).unwrap_err().to_string().contains("no \"goal\""));
        assert!(check(&[]).is_err());
    }
}
