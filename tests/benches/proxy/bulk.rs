//! Downloads, as fast as they go: how fast that is, and what it costs the relay.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use postern_tests::{
    contest::Goal,
    report::{Unit, rate, scaled},
};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::{
    client::Connection,
    legs::Legs,
    measured::Measured,
    relays::{Kind, Relay, Relays},
    source::Wish,
};

/// Bytes that all connections together fetch in one run.
const BYTES: usize = 400_000_000;

/// How many connections share them.
const CONNECTIONS: [usize; 2] = [1, 50];

/// Runs that count; odd, so that a median is a measured value.
const RUNS: usize = 3;

/// How much a client reads at a time.
const BUFFER: usize = 256 * 1024;

/// At least a quarter less than the best WebSocket relay takes.
const LESS_TIME: Goal = Goal::Ratio(4.0 / 3.0);
/// At most a third more than HAProxy takes.
const LITTLE_MORE_TIME: Goal = Goal::Ratio(0.75);

/// Rates and processor time of all that can do this.
pub(crate) async fn measure(relays: &Relays, legs: Legs) -> Result<Vec<Value>> {
    let source = relays.source()?;
    let running = relays.start_all(legs, &source).await?;
    let mut figures = Vec::new();
    for connections in CONNECTIONS {
        let (mut rates, mut costs) = (Measured::default(), Measured::default());
        for relay in &running {
            // A first turn warms up.
            fetch(relay, connections, scaled(BYTES) / 8).await?;
        }
        for _ in 0..RUNS {
            for relay in &running {
                let bytes = scaled(BYTES);
                let fetched = fetch(relay, connections, bytes).await;
                let (took, processor) =
                    fetched.with_context(|| format!("{} ({legs}) in bulk", relay.kind.name()))?;
                rates.add(relay.kind, rate(bytes, took));
                costs.add(relay.kind, processor.as_secs_f64() / (bytes as f64 / 1e9));
            }
        }
        let of = match connections {
            1 => format!("1 connection, {legs}"),
            many => format!("{many} connections, {legs}"),
        };
        figures.push(rates.figure(
            format!("proxy/bulk, {of}"),
            Unit::Rate,
            Goal::Ratio(1.0),
            Kind::is_for_pages,
        ));
        let mut cost = |name: &str, goal, rival: fn(Kind) -> bool| {
            let name = format!("proxy/{name}, {of}");
            figures.push(costs.figure(name, Unit::SecondsPerGigabyte, goal, rival));
        };
        cost("processor time", LESS_TIME, Kind::is_for_pages);
        if legs.have_tls() {
            cost("processor time beside HAProxy", LITTLE_MORE_TIME, |kind| kind == Kind::Haproxy);
        }
    }
    Ok(figures)
}

/// How long it takes until so many connections, all at once, have everything, and the relay's
/// processor time for it.
async fn fetch(relay: &Relay, connections: usize, bytes: usize) -> Result<(Duration, Duration)> {
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(relay.connect().await?);
    }
    let mut clients = JoinSet::new();
    let before = relay.usage()?;
    let start = Instant::now();
    for connection in open {
        clients.spawn(drain(connection, bytes / connections));
    }
    while let Some(client) = clients.join_next().await {
        client??;
    }
    let took = start.elapsed();
    Ok((took, relay.usage()?.processor.saturating_sub(before.processor)))
}

/// Fetches so many bytes and throws them away; gives the connection back, so that its end is not
/// measured.
async fn drain(mut connection: Connection, bytes: usize) -> Result<Connection> {
    connection.ask(Wish::Bulk(bytes)).await?;
    let mut buffer = vec![0; BUFFER];
    let mut received = 0;
    while received < bytes {
        received += connection.receive(&mut buffer).await?;
    }
    ensure!(received == bytes, "{received} bytes instead of {bytes}");
    Ok(connection)
}
