//! POP3: a download into an empty store, natively and in Chromium, beside mpop and a socket that asks
//! for the same in one go and only drains the answers.
//!
//! `cargo xtask bench pop3` builds the page that it needs and names its folder after `--page`.

mod chromium;
mod mpop;
mod native;

use std::time::Duration;

use anyhow::Result;
use postern_tests::{
    contest::{Contest, Entry, Goal},
    corpus,
    dovecot::Dovecot,
    report::{Unit, at_most, bounded, deliver, is_wanted, scaled, within},
};
use serde_json::Value;
use tokio::task::LocalSet;

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// How often each side is measured; odd, so that a median is a measured value.
const RUNS: usize = 3;

/// How much slower than the bare drain ours may be.
const BESIDE_DRAIN: f64 = 1.3;

/// Megabytes that WebAssembly may have of memory in the end.
const MEMORY: f64 = 64.0;

/// Milliseconds that the page may be kept from answering, at most.
const LONGEST_TASK: f64 = 50.0;

/// The owner of the mail.
const USER: &str = "ben";

/// What waits on the server.
#[derive(Clone, Copy)]
struct Mail {
    messages: usize,
    bytes: usize,
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let figures = LocalSet::new().block_on(&runtime, within(PATIENCE, measure()))?;
    deliver(figures)
}

async fn measure() -> Result<Vec<Value>> {
    let letters: Vec<_> = corpus::sizes(scaled(10_000)).collect();
    let mail = Mail { messages: letters.len(), bytes: letters.iter().map(Vec::len).sum() };
    let dovecot = Dovecot::start()?;
    dovecot.deliver_all(USER, letters)?;
    // The server's first session takes longer: it gives every message its identifier.
    native::drain(&dovecot, mail).await?;

    let (mut drain, mut ours, mut mpop) = (Vec::new(), Vec::new(), Vec::new());
    let (mut browser, mut memory, mut longest) = (Vec::new(), Vec::new(), Vec::new());
    let page = match is_wanted("chromium") {
        true => chromium::Page::open(&dovecot).await?,
        false => None,
    };
    for _ in 0..RUNS {
        drain.push(native::drain(&dovecot, mail).await?);
        mpop.extend(mpop::receive(&dovecot, mail).await?);
        if is_wanted("native") {
            ours.push(native::receive(&dovecot, mail).await?);
        }
        if let Some(page) = &page {
            let received = page.receive(mail).await?;
            browser.push(received.seconds);
            memory.push(received.memory);
            longest.push(received.longest_task);
        }
    }
    if let Some(page) = page {
        page.close().await?;
    }

    let contest = |name: &str, goal, ours: Vec<f64>, beside_drain: bool| {
        let entry = |name: &str, values: &Vec<f64>, rival| Entry {
            name: name.into(),
            values: values.clone(),
            rival,
        };
        let mut peers = vec![entry("bare drain", &drain, beside_drain)];
        if !mpop.is_empty() {
            peers.push(entry("mpop", &mpop, !beside_drain));
        }
        let (name, unit, goal) = (format!("pop3/{name}"), Unit::Seconds, Goal::Ratio(goal));
        Contest { name, unit, goal, ours, peers }.figure()
    };
    let mut figures = Vec::new();
    if !ours.is_empty() {
        figures.push(contest("download, natively", 1.0 / BESIDE_DRAIN, ours, true));
    }
    if !browser.is_empty() {
        let name = "download in Chromium, into IndexedDB";
        figures.push(contest(name, 1.0, browser, false));
        figures.push(at_most("pop3/memory of the engine", Unit::Megabytes, MEMORY, memory));
        figures.push(bounded("pop3/longest task on the main thread", LONGEST_TASK, longest));
    }
    Ok(figures)
}
