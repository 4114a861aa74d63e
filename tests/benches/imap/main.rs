//! IMAP: the first sync of a large inbox, natively and in Chromium, beside ImapFlow and a socket that
//! only drains the server's answer; memory while a large body streams; and the parser alone, beside
//! others.
//!
//! `cargo xtask bench imap` builds the page that it needs and installs ImapFlow, and names their
//! folders after `--page` and `--imapflow`.

mod body;
mod chromium;
mod flow;
mod native;
mod parser;

use std::{fmt::Display, time::Duration};

use anyhow::Result;
use postern_tests::{
    contest::{Contest, Entry, Goal},
    corpus,
    dovecot::Dovecot,
    report::{Unit, deliver, is_wanted, scaled, within},
};
use serde_json::Value;
use tokio::task::LocalSet;

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(900);

/// How much slower than the bare drain ours may be.
const BESIDE_DRAIN: f64 = 1.5;

/// How much faster than ImapFlow ours must be in the browser.
const BESIDE_IMAPFLOW: f64 = 2.0;

/// What a message of a large inbox may cost more than one of a small.
const GROWTH: f64 = 1.25;

/// Bytes of memory that a body may take while it streams.
const STREAMING: f64 = 8e6;

/// An inbox to measure with.
#[derive(Clone, Copy)]
struct Inbox {
    user: &'static str,
    messages: usize,
    /// How often it is measured; odd, so that a median is a measured value.
    runs: usize,
}

/// How many times as often what needs no browser and no other program is measured; odd as well.
const NATIVE_RUNS: usize = 3;

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let figures = LocalSet::new().block_on(&runtime, within(PATIENCE, measure()))?;
    deliver(figures)
}

async fn measure() -> Result<Vec<Value>> {
    let mut figures = Vec::new();
    if is_wanted("sync") {
        figures.extend(sync().await?);
    }
    if is_wanted("body") {
        figures.extend(body::measure().await?);
    }
    if is_wanted("parser") {
        figures.push(parser::figure().await?);
    }
    Ok(figures)
}

/// The seconds that an inbox took each of those that take part.
#[derive(Default)]
struct Seconds {
    drain: Vec<f64>,
    imapflow: Vec<f64>,
    native: Vec<f64>,
    chromium: Vec<f64>,
}

async fn sync() -> Result<Vec<Value>> {
    let inboxes = [
        Inbox { user: "ben", messages: scaled(10_000), runs: 3 },
        Inbox { user: "ada", messages: scaled(100_000), runs: 3 },
    ];
    let dovecot = Dovecot::start()?;
    let page = chromium::Page::open(&dovecot).await?;
    let mut all = Vec::new();
    for inbox in inboxes {
        dovecot.deliver_all(inbox.user, corpus::letters(inbox.messages))?;
        // The server's first answer takes ten times longer: it reads every message. In a large mailbox
        // the second one takes longer as well.
        for _ in 0..2 {
            native::drain(&dovecot, inbox).await?;
        }
        let mut seconds = Seconds::default();
        for _ in 0..inbox.runs {
            // Short, and where the system puts what takes part makes much of it.
            for _ in 0..NATIVE_RUNS {
                seconds.drain.push(native::drain(&dovecot, inbox).await?);
                seconds.native.push(native::sync(&dovecot, inbox).await?);
            }
            seconds.chromium.extend(page.sync(inbox).await?);
            seconds.imapflow.extend(flow::fetch(&dovecot, inbox).await?);
        }
        all.push((inbox.messages, seconds));
    }
    page.close().await?;
    let mut figures = Vec::new();
    for (messages, seconds) in &all {
        let entry = |name: &str, values: &Vec<f64>, rival| {
            (!values.is_empty()).then(|| Entry { name: name.into(), values: values.clone(), rival })
        };
        let contest = |name: &dyn Display, goal, ours: &Vec<f64>, peers: [Option<Entry>; 2]| {
            Contest {
                name: format!("imap/{name} of {messages}"),
                unit: Unit::Seconds,
                goal: Goal::Ratio(goal),
                ours: ours.clone(),
                peers: peers.into_iter().flatten().collect(),
            }
            .figure()
        };
        let Seconds { drain, imapflow, native, chromium } = seconds;
        let peers = |beside_drain| {
            [entry("bare drain", drain, beside_drain), entry("ImapFlow", imapflow, !beside_drain)]
        };
        figures.push(contest(&"first sync", 1.0 / BESIDE_DRAIN, native, peers(true)));
        if !chromium.is_empty() {
            let name = "first sync in Chromium, into IndexedDB,";
            figures.push(contest(&name, BESIDE_IMAPFLOW, chromium, peers(false)));
        }
    }
    let [(few, small), (many, large)] = &all[..] else { return Ok(figures) };
    let mut growth = |name: &str, small: &[f64], large: &[f64]| {
        if small.is_empty() {
            return;
        }
        let each = |seconds: &[f64], messages: usize| {
            seconds.iter().map(|own| own * 1e3 / messages as f64).collect::<Vec<_>>()
        };
        let beside =
            Entry { name: format!("one of {few}"), values: each(small, *few), rival: true };
        let figure = Contest {
            name: format!("imap/one message of {many}, {name}"),
            unit: Unit::Milliseconds,
            goal: Goal::Ratio(1.0 / GROWTH),
            ours: each(large, *many),
            peers: vec![beside],
        };
        figures.push(figure.figure());
    };
    growth("natively", &small.native, &large.native);
    growth("in Chromium", &small.chromium, &large.chromium);
    Ok(figures)
}
