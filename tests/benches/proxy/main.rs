//! The proxy's tunnels, beside relays that people would otherwise use.
//!
//! Everything runs on loopback: this program is the pages, [`source`] the mail server, and each of
//! the [`relays`] a process of its own between them, so that its cost can be told from theirs.
//!
//! | Module | Measures |
//! |---|---|
//! | [`bulk`] | downloads: rate, and processor time of the relay |
//! | [`opening`] | from the wish for a connection to the first byte |
//! | [`latency`] | how much later an answer comes at half load |
//! | [`idle`] | memory of connections that wait, and what news on them cost |

mod bulk;
mod certificates;
mod client;
mod idle;
mod latency;
mod legs;
mod measured;
mod opening;
mod relays;
mod source;

use std::time::Duration;

use anyhow::Result;
use postern_tests::{
    program::raise_open_files,
    report::{argument, deliver, within},
};
use serde_json::Value;

use crate::{idle::STEPS, legs::Legs, relays::Relays};

/// How long each measurement may take: the relays are slow to take thousands of connections with TLS.
const PATIENCE: Duration = Duration::from_secs(900);

/// Files that a relay opens besides its connections, at most.
const OTHER_FILES: usize = 400;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let files = raise_open_files();
    if let Some(folder) = argument(source::ARGUMENT) {
        return source::serve(&folder).await;
    }
    // A relay has two for each connection.
    let connections = (files.saturating_sub(OTHER_FILES) / 2).min(STEPS[STEPS.len() - 1]);
    deliver(measure(connections).await?)
}

/// What follows `--only`: a part of the name of what shall be measured, such as `bulk` or
/// `idle, blind`; everything, if it is not there.
fn only() -> Option<String> {
    argument("--only").map(|only| only.to_string_lossy().into_owned())
}

async fn measure(connections: usize) -> Result<Vec<Value>> {
    let relays = Relays::find(connections)?;
    let only = only();
    // Says what comes next, since it takes minutes.
    let begins = |what: &str, legs: Legs| {
        let what = format!("{what}, {legs}");
        let is_wanted = only.as_ref().is_none_or(|only| what.contains(only));
        if is_wanted {
            eprintln!("    {what}");
        }
        is_wanted
    };
    let mut figures = Vec::new();
    for legs in Legs::ALL {
        if begins("bulk", legs) {
            figures.extend(within(PATIENCE, bulk::measure(&relays, legs)).await?);
        }
    }
    for legs in Legs::ALL {
        if begins("open", legs) {
            figures.extend(within(PATIENCE, opening::measure(&relays, legs)).await?);
        }
    }
    for legs in [Legs::BLIND, Legs::BOTH_TLS] {
        if begins("latency", legs) {
            figures.push(within(PATIENCE, latency::measure(&relays, legs)).await?);
        }
    }
    for legs in [Legs::BLIND, Legs::PAGE_TLS, Legs::BOTH_TLS] {
        if begins("idle", legs) {
            let idle = idle::measure(&relays, legs, connections, legs == Legs::BLIND);
            figures.extend(within(PATIENCE, idle).await?);
        }
    }
    for figure in &mut figures {
        for (name, reason) in &relays.missing {
            figure["missing"][name] = reason.as_str().into();
        }
    }
    Ok(figures)
}
