//! Measures two ways of doing the same and reports them as `cargo xtask bench` reads them.

use std::{env, fs, hint::black_box, path::PathBuf, time::Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// How often each side is measured; odd, so that a median is a measured value.
const RUNS: usize = 9;

/// What is compared in one figure.
pub(crate) struct Comparison<'a> {
    /// `benchmark/what`.
    pub(crate) name: &'a str,
    /// What ours is measured beside.
    pub(crate) peer_name: &'a str,
    /// How much better ours must at least be: 1 is as good.
    pub(crate) goal: f64,
    /// How many bytes one run works through.
    pub(crate) bytes: usize,
}

impl Comparison<'_> {
    /// Measures MB/s. The sides take turns, so that whatever else the machine does meets both; a
    /// first turn that warms caches and allocators is not counted.
    pub(crate) fn rate<A, B>(
        &self,
        mut ours: impl FnMut() -> A,
        mut peer: impl FnMut() -> B,
    ) -> Value {
        let (mut our_rates, mut peer_rates) = (Vec::new(), Vec::new());
        for run in 0..=RUNS {
            let our_rate = self.megabytes_per_second(&mut ours);
            let peer_rate = self.megabytes_per_second(&mut peer);
            if run > 0 {
                our_rates.push(our_rate);
                peer_rates.push(peer_rate);
            }
        }
        let (ours, peer) = (median(our_rates), median(peer_rates));
        let ratio = ours / peer;
        json!({
            "name": self.name,
            "unit": "MB/s",
            "ours": ours,
            "peer": peer,
            "peer_name": self.peer_name,
            "ratio": ratio,
            "goal": self.goal,
            "met": ratio >= self.goal,
            "runs": RUNS,
        })
    }

    fn megabytes_per_second<T>(&self, work: &mut impl FnMut() -> T) -> f64 {
        let start = Instant::now();
        black_box(work());
        self.bytes as f64 / 1e6 / start.elapsed().as_secs_f64()
    }
}

/// Writes the figures to the file after `--json`, or else shows them.
pub(crate) fn deliver(figures: Vec<Value>) -> Result<()> {
    let text = format!("{:#}\n", Value::from(figures));
    match env::args_os().skip_while(|argument| argument != "--json").nth(1) {
        Some(file) => {
            let file = PathBuf::from(file);
            fs::write(&file, text).with_context(|| format!("writing {}", file.display()))
        }
        None => {
            print!("{text}");
            Ok(())
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
