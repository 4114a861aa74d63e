//! How much later an answer comes because of the relay, when the machine is half busy: with the
//! relay, those who ask and those who answer, which all run on it.

use std::{
    fs,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use postern_tests::{
    contest::Goal,
    report::{Unit, is_quick},
};
use serde_json::Value;
use tokio::{sync::Semaphore, task::JoinSet, time::timeout};

use crate::{
    client::Connection,
    legs::Legs,
    measured::{Measured, quantile},
    relays::{Kind, Relay, Relays},
    source::Wish,
};

/// Connections that ask.
const CONNECTIONS: usize = 50;

/// Bytes of a question, and of its answer.
const QUESTION: usize = 1024;

/// How often each relay is measured, by turns; odd, so that a median is a measured value.
const RUNS: usize = 9;

/// How long at a time: so short that where something else on the machine interrupts for some
/// milliseconds, as happens a few times a second, less than half of the runs know of it.
const PERIOD: Duration = Duration::from_millis(100);

/// How long it is found out what a relay can do.
const TRIAL: Duration = Duration::from_millis(500);

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a relay of others is asked when it loses an answer.
const ATTEMPTS: usize = 3;

/// At most so many milliseconds more than without a relay.
const BOUND: Goal = Goal::AtMost(0.5);

/// The slowest hundredth of the answers, beside the same without a relay.
pub(crate) async fn measure(relays: &Relays, legs: Legs) -> Result<Value> {
    let source = relays.source()?;
    let running = relays.start_all(legs, &source).await?;
    let direct = relays.direct(legs, &source)?;
    let without_relay = || Connection::greeted(&direct);
    let (trial, period, runs) =
        if is_quick() { (PERIOD, PERIOD / 2, 3) } else { (TRIAL, PERIOD, RUNS) };
    let mut rates = Vec::new();
    for relay in &running {
        let most = async || Asking::start(|| relay.connect()).await?.most(trial).await;
        let most = attempt(relay, most).await?;
        let busy = async || {
            let half = Asking::start(|| relay.connect()).await?;
            let before = Processors::now();
            half.paced(most / 2.0, trial).await?;
            Ok(before.zip(Processors::now()).map_or(0.5, |(before, now)| now.busy(&before)))
        };
        // Questions that come one by one are more work than those that wait for each other, so that
        // half of the most is more than half of what the machine can do.
        let busy = attempt(relay, busy).await?;
        rates.push(most / 2.0 * (0.5 / busy).min(1.0));
    }
    let mut added = Measured::default();
    for _ in 0..runs {
        for (relay, rate) in running.iter().zip(&rates) {
            let with = paced(relay, *rate, period).await?;
            let without = Asking::start(without_relay).await?.paced(*rate, period).await?;
            // Nothing may have been added that is more than chance.
            added.add(relay.kind, (with.as_secs_f64() - without.as_secs_f64()) * 1e3);
        }
    }
    let name = format!("proxy/added latency at half load, p99, {legs}");
    Ok(added.figure(name, Unit::Milliseconds, BOUND, |_| false))
}

/// As [`Asking::paced`], through a relay.
async fn paced(relay: &Relay, rate: f64, period: Duration) -> Result<Duration> {
    let paced = async || Asking::start(|| relay.connect()).await?.paced(rate, period).await;
    attempt(relay, paced).await
}

/// Measures a relay, and again if it is another than ours and loses an answer: wstcp now and then does.
async fn attempt<T>(relay: &Relay, measure: impl AsyncFn() -> Result<T>) -> Result<T> {
    for _ in 1..ATTEMPTS {
        match measure().await {
            Err(error) if relay.kind != Kind::Postern => {
                eprintln!("    {}, once more: {error:#}", relay.kind.name());
            }
            measured => return measured,
        }
    }
    measure().await
}

/// What the machine's processors have done since it started, in ticks.
struct Processors {
    busy: f64,
    all: f64,
}

impl Processors {
    /// What Linux says; elsewhere nobody knows.
    fn now() -> Option<Self> {
        let stat = fs::read_to_string("/proc/stat").ok()?;
        let ticks = stat.lines().next()?.split_whitespace().skip(1).take(8);
        let ticks: Vec<f64> = ticks.map(str::parse).collect::<Result<_, _>>().ok()?;
        let (idle, waiting) = (ticks.get(3)?, ticks.get(4)?);
        let all = ticks.iter().sum();
        Some(Self { busy: all - idle - waiting, all })
    }

    /// The share of the time since then in which they were busy.
    fn busy(&self, before: &Self) -> f64 {
        (self.busy - before.busy) / (self.all - before.all)
    }
}

/// Connections on which one question at a time is asked.
struct Asking(Vec<Connection>);

impl Asking {
    async fn start(open: impl AsyncFn() -> Result<Connection>) -> Result<Self> {
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            let mut connection = open().await?;
            connection.ask(Wish::Echo).await?;
            connections.push(connection);
        }
        Ok(Self(connections))
    }

    /// How many questions a second are answered when each connection asks as soon as it can.
    async fn most(self, period: Duration) -> Result<f64> {
        let tickets = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        let closing = tickets.clone();
        let asked = self.ask(&tickets, async move {
            tokio::time::sleep(period).await;
            closing.close();
        });
        Ok(asked.await?.len() as f64 / period.as_secs_f64())
    }

    /// How late the slowest hundredth of the answers comes when so many questions are asked a
    /// second, evenly.
    async fn paced(self, rate: f64, period: Duration) -> Result<Duration> {
        let tickets = Arc::new(Semaphore::new(0));
        let pacing = tickets.clone();
        // A thread of its own: the runtime's clock counts milliseconds.
        let pace = tokio::task::spawn_blocking(move || {
            let start = Instant::now();
            let mut issued = 0;
            while start.elapsed() < period {
                let due = (start.elapsed().as_secs_f64() * rate) as usize;
                pacing.add_permits(due - issued);
                issued = due;
                thread::sleep(Duration::from_secs_f64(1.0 / rate));
            }
            pacing.close();
        });
        let latencies = self.ask(&tickets, async { pace.await.unwrap_or_default() }).await?;
        let seconds = latencies.iter().map(Duration::as_secs_f64).collect();
        Ok(Duration::from_secs_f64(quantile(seconds, 0.99)))
    }

    /// Asks a question for each ticket until there will be no more; returns how late each answer
    /// came.
    async fn ask(
        self,
        tickets: &Arc<Semaphore>,
        issue: impl Future<Output = ()>,
    ) -> Result<Vec<Duration>> {
        let mut asking = JoinSet::new();
        for connection in self.0 {
            asking.spawn(ask(connection, tickets.clone()));
        }
        issue.await;
        let mut latencies = Vec::new();
        while let Some(asked) = asking.join_next().await {
            latencies.extend(asked??);
        }
        Ok(latencies)
    }
}

async fn ask(mut connection: Connection, tickets: Arc<Semaphore>) -> Result<Vec<Duration>> {
    let question = connection.framed(&[b'?'; QUESTION]);
    let mut buffer = vec![0; 2 * QUESTION];
    let mut latencies = Vec::new();
    while let Ok(ticket) = tickets.acquire().await {
        ticket.forget();
        let start = Instant::now();
        connection.write(&question).await?;
        let mut received = 0;
        while received < QUESTION {
            let more = timeout(PATIENCE, connection.receive(&mut buffer)).await;
            received += more.context("a question got no answer")??;
        }
        latencies.push(start.elapsed());
    }
    Ok(latencies)
}
