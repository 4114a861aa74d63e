//! What the benchmarks have in common: figures as `cargo xtask bench` reads them.
//!
//! A benchmark measures ours and its peer in turns, so that whatever else the machine does meets
//! both, and reports medians.

use std::{
    env, fs,
    hint::black_box,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// How often each side is measured when that is quick; odd, so that a median is a measured value.
pub const RUNS: usize = 9;

/// How long one benchmark may take, all in all, unless it says otherwise.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a figure is measured in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unit {
    /// Megabytes per second: more is better.
    Rate,
    /// Seconds: fewer are better.
    Seconds,
    /// Milliseconds: fewer are better.
    Milliseconds,
    /// Seconds of a processor per gigabyte: fewer are better.
    SecondsPerGigabyte,
    /// Kilobytes: fewer are better.
    Kilobytes,
    /// Megabytes: fewer are better.
    Megabytes,
    /// Percent of something that is used: fewer are better.
    Percent,
}

impl Unit {
    /// Its short form.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rate => "MB/s",
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::SecondsPerGigabyte => "s/GB",
            Self::Kilobytes => "kB",
            Self::Megabytes => "MB",
            Self::Percent => "%",
        }
    }

    pub(crate) fn ratio(self, ours: f64, peer: f64) -> f64 {
        match self {
            Self::Rate => ours / peer,
            Self::Seconds
            | Self::Milliseconds
            | Self::SecondsPerGigabyte
            | Self::Kilobytes
            | Self::Megabytes
            | Self::Percent => peer / ours,
        }
    }
}

/// What is compared in one figure.
#[derive(Clone, Copy, Debug)]
pub struct Comparison<'a> {
    /// `benchmark/what`.
    pub name: &'a str,
    /// What is measured.
    pub unit: Unit,
    /// What ours is measured beside.
    pub peer_name: &'a str,
    /// How much better ours must at least be: 1 is as good, 0.5 is half as good.
    pub goal: f64,
}

impl Comparison<'_> {
    /// The figure, of values that were measured in turns.
    ///
    /// # Panics
    ///
    /// If a side was not measured.
    pub fn figure(&self, ours: Vec<f64>, peer: Vec<f64>) -> Value {
        let runs = ours.len();
        let (ours, peer) = (median(ours), median(peer));
        let ratio = self.unit.ratio(ours, peer);
        json!({
            "name": self.name,
            "unit": self.unit.name(),
            "ours": ours,
            "peer": peer,
            "peer_name": self.peer_name,
            "ratio": ratio,
            "goal": self.goal,
            "met": ratio >= self.goal,
            "runs": runs,
        })
    }

    /// Measures the rate of work that only computes, on so many bytes; a first turn that warms caches and
    /// allocators is not counted.
    pub fn compute<A, B>(
        &self,
        bytes: usize,
        mut ours: impl FnMut() -> A,
        mut peer: impl FnMut() -> B,
    ) -> Value {
        let (mut our_values, mut peer_values) = (Vec::new(), Vec::new());
        for run in 0..=RUNS {
            let our_value = rate(bytes, time(&mut ours));
            let peer_value = rate(bytes, time(&mut peer));
            if run > 0 {
                our_values.push(our_value);
                peer_values.push(peer_value);
            }
        }
        self.figure(our_values, peer_values)
    }
}

fn time<T>(work: &mut impl FnMut() -> T) -> Duration {
    let start = Instant::now();
    black_box(work());
    start.elapsed()
}

/// Megabytes per second.
pub fn rate(bytes: usize, took: Duration) -> f64 {
    bytes as f64 / 1e6 / took.as_secs_f64()
}

/// A figure without a peer: milliseconds that must be at most `bound`.
///
/// # Panics
///
/// If nothing was measured.
pub fn bounded(name: &str, bound: f64, measured: Vec<f64>) -> Value {
    at_most(name, Unit::Milliseconds, bound, measured)
}

/// A figure without a peer that must be at most `bound`.
///
/// # Panics
///
/// If nothing was measured.
pub fn at_most(name: &str, unit: Unit, bound: f64, measured: Vec<f64>) -> Value {
    let runs = measured.len();
    let ours = median(measured);
    json!({
        "name": name,
        "unit": unit.name(),
        "ours": ours,
        "peer": null,
        "peer_name": null,
        "ratio": null,
        "goal": bound,
        "met": ours <= bound,
        "runs": runs,
    })
}

/// The value in the middle.
///
/// # Panics
///
/// If there is none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Whether the program was started with `--quick`: to see whether a benchmark works, not to measure.
pub fn is_quick() -> bool {
    env::args_os().any(|argument| argument == "--quick")
}

/// So many, or a hundredth of it when that is enough; see [`is_quick`].
pub fn scaled(count: usize) -> usize {
    if is_quick() { (count / 100).max(1) } else { count }
}

/// Whether this has what follows `--only` in its name; everything is wanted if that is not there.
pub fn is_wanted(what: &str) -> bool {
    argument("--only").is_none_or(|only| what.contains(&*only.to_string_lossy()))
}

/// Measures, but not for ever.
///
/// # Errors
///
/// The measurement's, or that it takes longer than two minutes.
pub async fn in_time<T>(measurement: impl Future<Output = Result<T>>) -> Result<T> {
    within(PATIENCE, measurement).await
}

/// Measures for so long at most.
///
/// # Errors
///
/// The measurement's, or that it takes longer.
pub async fn within<T>(limit: Duration, measurement: impl Future<Output = Result<T>>) -> Result<T> {
    let measured = tokio::time::timeout(limit, measurement).await;
    measured.with_context(|| format!("the benchmark takes longer than {limit:?}"))?
}

/// What follows an argument such as `--json`.
pub fn argument(name: &str) -> Option<PathBuf> {
    env::args_os().skip_while(|argument| argument != name).nth(1).map(PathBuf::from)
}

/// Writes the figures to the file after `--json`, or else shows them.
///
/// # Errors
///
/// If the file can't be written.
pub fn deliver(figures: Vec<Value>) -> Result<()> {
    let text = format!("{:#}\n", Value::from(figures));
    match argument("--json") {
        Some(file) => fs::write(&file, text).with_context(|| format!("writing {}", file.display())),
        None => {
            print!("{text}");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_above_one_means_that_ours_is_better() {
        let figure = |unit, goal, ours, peer| {
            Comparison { name: "a/b", unit, peer_name: "c", goal }.figure(vec![ours], vec![peer])
        };
        let twice_the_rate = figure(Unit::Rate, 1.0, 200.0, 100.0);
        assert_eq!((&twice_the_rate["ratio"], &twice_the_rate["met"]), (&json!(2.0), &json!(true)));
        let twice_the_time = figure(Unit::Seconds, 0.67, 2.0, 1.0);
        assert_eq!(
            (&twice_the_time["ratio"], &twice_the_time["met"]),
            (&json!(0.5), &json!(false))
        );
    }

    #[test]
    fn a_bound_is_met_up_to_itself() {
        assert_eq!(bounded("a/b", 50.0, vec![90.0, 50.0, 10.0])["met"], true);
        assert_eq!(bounded("a/b", 50.0, vec![50.1])["met"], false);
    }
}
