//! From the wish for a connection to the mail server's first byte.

use anyhow::Result;
use postern_tests::{
    contest::Goal,
    report::{Unit, scaled},
};
use serde_json::Value;

use crate::{
    legs::Legs,
    measured::{Measured, quantile},
    relays::{Kind, Relays},
};

/// How many connections are opened one after the other, in each of some rounds.
const OPENED: usize = 100;

/// How many rounds; odd, so that a median is a measured value.
const ROUNDS: usize = 9;

/// The median and the slowest hundredth, of all that can do this.
pub(crate) async fn measure(relays: &Relays, legs: Legs) -> Result<Vec<Value>> {
    let source = relays.source()?;
    let running = relays.start_all(legs, &source).await?;
    let (mut medians, mut slowest) = (Measured::default(), Measured::default());
    for relay in &running {
        // A first one warms up.
        relay.connect().await?;
    }
    for _ in 0..ROUNDS {
        for relay in &running {
            let mut values = Vec::new();
            for _ in 0..scaled(OPENED) {
                let (_, took) = relay.connect_timed().await?;
                values.push(took.as_secs_f64() * 1e3);
            }
            medians.add(relay.kind, quantile(values.clone(), 0.5));
            slowest.add(relay.kind, quantile(values, 0.99));
        }
    }
    let figure = |measured: Measured, what: &str| {
        let name = format!("proxy/open to first byte, {what}, {legs}");
        measured.figure(name, Unit::Milliseconds, Goal::Ratio(1.0), Kind::is_for_pages)
    };
    Ok(vec![figure(medians, "median"), figure(slowest, "p99")])
}
