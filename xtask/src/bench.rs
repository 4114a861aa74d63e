//! `cargo xtask bench`: the benchmarks, each with its peer measured in the same run.
//!
//! A benchmark is a program of the tests' crate, `tests/benches/<name>.rs`. It writes a JSON list
//! of [`FIELDS`] to the file that follows `--json`; here the lists are checked, put together, and
//! shown with the ratios first.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::build::{self, Mode};
use crate::install::{self, Need};
use crate::workspace::{TESTS, Workspace};
use crate::{cargo, command, progress};

/// What every measured figure has. `peer` is null where `goal` is an absolute bound.
const FIELDS: [&str; 9] =
    ["name", "unit", "ours", "peer", "peer_name", "ratio", "goal", "met", "runs"];

/// The benchmarks that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Benchmark {
    /// The first sync of an inbox, from Dovecot
    Imap,
    /// A download, from Dovecot
    Pop3,
    /// Tunnels through the proxy
    Proxy,
    /// TLS that ends in Chromium, through the proxy
    Tls,
    /// The app in Chromium; the page must have been built with `--release`
    App,
    /// Parsing mail and making its HTML safe
    Mime,
}

impl Benchmark {
    /// What it needs besides Cargo.
    fn needs(self) -> &'static [Need] {
        match self {
            Self::Imap => &[Need::DovecotImap],
            Self::Pop3 => &[Need::DovecotPop3],
            Self::App | Self::Tls => &[Need::Chromium, Need::ChromeDriver],
            Self::Proxy | Self::Mime => &[],
        }
    }
}

/// What `bench` can be told.
#[derive(Args)]
pub(crate) struct Options {
    /// Only these [default: all]
    benchmark: Vec<Benchmark>,
    /// Write the figures into this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
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
        if *benchmark == Benchmark::Tls {
            install::ensure(workspace, Need::PAGE)?;
            build::page(workspace, Mode::Measure)?;
        }
        figures.extend(progress::step(&format!("measure {name}"), || measure(workspace, name))?);
    }
    print!("{}", table(&figures));
    if let Some(file) = &options.json {
        let text = format!("{:#}\n", Value::from(figures));
        fs::write(file, text).with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn measure(workspace: &Workspace, name: &str) -> Result<Vec<Value>> {
    let folder = workspace.scratch.join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let file = folder.join(format!("{name}.json"));
    let mut bench = cargo::command(&workspace.root);
    bench.args(["bench", "--package", TESTS, "--bench", name, "--", "--json"]).arg(&file);
    bench.arg("--page").arg(Mode::Measure.folder(workspace));
    command::show(&mut bench)?;
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

fn table(figures: &[Value]) -> String {
    let mut text = format!("\n{:>7} {:>7} {:4} figure\n", "ratio", "goal", "met");
    for figure in figures {
        let number = |field: &str| {
            figure[field].as_f64().map_or_else(|| "-".to_owned(), |number| format!("{number:.2}"))
        };
        let word = |field: &str| figure[field].as_str().unwrap_or("-").to_owned();
        let met = if figure["met"] == true { "yes" } else { "no" };
        let unit = word("unit");
        let beside = match figure["peer"].as_f64() {
            Some(peer) => format!("{} {peer:.2} {unit}", word("peer_name")),
            None if unit == "MB/s" => format!("at least {} {unit}", number("goal")),
            None => format!("at most {} {unit}", number("goal")),
        };
        text += &format!(
            "{:>7} {:>7} {met:4} {}: {} {unit}, {beside}\n",
            number("ratio"),
            number("goal"),
            word("name"),
            number("ours"),
        );
    }
    text
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

    #[test]
    fn ratios_come_first_in_the_table() {
        let table = table(&[figure()]);
        let line = table.lines().last().unwrap();
        assert_eq!(
            line.trim_start(),
            "1.20    1.00 yes  mime/parse: 120.00 MB/s, mail-parser 100.00 MB/s"
        );
    }

    #[test]
    fn an_absolute_bound_stands_where_a_peer_would() {
        let table = table(&[json!({
            "name": "app/open", "unit": "ms", "ours": 20.0, "peer": null, "peer_name": null,
            "ratio": null, "goal": 50.0, "met": true, "runs": 3,
        })]);
        let line = table.lines().last().unwrap();
        assert_eq!(line.trim_start(), "-   50.00 yes  app/open: 20.00 ms, at most 50.00 ms");
    }
}
