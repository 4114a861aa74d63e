//! What was measured of each relay.

use std::collections::BTreeMap;

use postern_tests::{
    contest::{Contest, Entry, Goal},
    report::Unit,
};
use serde_json::Value;

use crate::relays::Kind;

/// Values of one figure, by relay.
#[derive(Default)]
pub(crate) struct Measured(BTreeMap<Kind, Vec<f64>>);

impl Measured {
    pub(crate) fn add(&mut self, kind: Kind, value: f64) {
        self.0.entry(kind).or_default().push(value);
    }

    /// The figure of ours, beside all others; it must reach its goal against those that `rival`
    /// names.
    pub(crate) fn figure(
        &self,
        name: String,
        unit: Unit,
        goal: Goal,
        rival: impl Fn(Kind) -> bool,
    ) -> Value {
        let entry = |(&kind, values): (&Kind, &Vec<f64>)| Entry {
            name: kind.name().to_owned(),
            values: values.clone(),
            rival: rival(kind),
        };
        let others = self.0.iter().filter(|(kind, _)| **kind != Kind::Postern);
        let ours = self.0.get(&Kind::Postern).cloned().unwrap_or_default();
        Contest { name, unit, goal, ours, peers: others.map(entry).collect() }.figure()
    }
}

/// The value below which so large a part of them lies.
pub(crate) fn quantile(mut values: Vec<f64>, part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let position = (values.len() as f64 * part) as usize;
    values.get(position.min(values.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}
