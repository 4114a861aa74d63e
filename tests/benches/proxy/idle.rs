//! Connections that wait for news: the memory of each, and what it costs to bring them a line.

use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::{StreamExt, TryStreamExt, stream};
use postern_tests::{
    contest::Goal,
    report::{Unit, is_quick, scaled},
};
use serde_json::{Map, Value};
use tokio::{sync::mpsc, task::JoinSet, time::sleep};

use crate::{
    client::Connection,
    legs::Legs,
    measured::Measured,
    relays::{Kind, Relay, Relays},
    source::Wish,
};

/// How many connections the memory of each is told for.
pub(crate) const STEPS: [usize; 3] = [1_000, 5_000, 10_000];

/// Connections that a relay has had before it is measured, so that what it sets up once does not
/// count.
const BEFORE: usize = 50;

/// Connections that are being opened at a time.
const AT_A_TIME: usize = 32;

/// How long a relay may take to come to rest.
const REST: Duration = Duration::from_secs(1);

/// How often there is news on each connection.
const NEWS: Duration = Duration::from_secs(30);

/// At most so many percent of a processor while there is news.
const BOUND: Goal = Goal::AtMost(10.0);

/// The memory of a connection, for all that can do this; and for ours, if asked for, the processor
/// time that news cost.
pub(crate) async fn measure(
    relays: &Relays,
    legs: Legs,
    capacity: usize,
    with_news: bool,
) -> Result<Vec<Value>> {
    let steps = STEPS.map(|step| scaled(step).min(capacity));
    let mut memory = steps.map(|step| (step, Measured::default()));
    let (mut figures, mut absent) = (Vec::new(), Map::new());
    for kind in relays.able(legs) {
        // One of its own for each: closed connections occupy ports for a while.
        let source = relays.source()?;
        let relay = relays.start(kind, legs, &source).await?;
        let mut crowd = Crowd::new(&relay).await?;
        for (step, measured) in &mut memory {
            if *step > kind.capacity() {
                let each = crowd.grow(kind.capacity()).await?;
                absent.insert(
                    format!("{}, {step} idle, {legs}", kind.name()),
                    format!("at {} it takes {each:.0} kB for each", kind.capacity()).into(),
                );
                continue;
            }
            let each = crowd.grow(*step).await;
            measured.add(kind, each.with_context(|| format!("{} with {step}", kind.name()))?);
        }
        if with_news && kind == Kind::Postern {
            figures.push(crowd.news(legs).await?);
        }
    }
    let bound = Goal::AtMost(match (legs.page_tls, legs.upstream_tls) {
        (false, false) => 10.0,
        (true, false) | (false, true) => 24.0,
        (true, true) => 40.0,
    });
    let memory = memory.iter().map(|(step, measured)| {
        let name = format!("proxy/memory of each of {step} idle connections, {legs}");
        let mut figure = measured.figure(name, Unit::Kilobytes, bound, |_| false);
        figure["missing"] = absent.clone().into();
        figure
    });
    Ok(memory.chain(figures).collect())
}

/// Connections through one relay that wait.
struct Crowd<'a> {
    relay: &'a Relay,
    /// What the relay held without any.
    before: u64,
    waiting: JoinSet<Result<()>>,
    /// Tells each that it shall ask for news.
    wishes: Vec<mpsc::UnboundedSender<Wish>>,
}

impl<'a> Crowd<'a> {
    async fn new(relay: &'a Relay) -> Result<Self> {
        let mut crowd = Self { relay, before: 0, waiting: JoinSet::new(), wishes: Vec::new() };
        crowd.open(BEFORE.min(relay.kind.capacity())).await?;
        crowd.wishes.clear();
        crowd.waiting.shutdown().await;
        sleep(REST).await;
        crowd.before = relay.usage()?.resident;
        Ok(crowd)
    }

    /// Opens connections up to that number; returns by how many kilobytes for each the relay has
    /// grown since there were none.
    async fn grow(&mut self, size: usize) -> Result<f64> {
        self.open(size.saturating_sub(self.wishes.len())).await?;
        sleep(REST).await;
        self.check()?;
        let grown = self.relay.usage()?.resident.saturating_sub(self.before);
        Ok(grown as f64 / 1e3 / size as f64)
    }

    async fn open(&mut self, count: usize) -> Result<()> {
        let open = stream::iter(0..count).map(|_| self.relay.connect());
        let opened: Vec<_> = open.buffer_unordered(AT_A_TIME).try_collect().await?;
        for connection in opened {
            let (wish, wishes) = mpsc::unbounded_channel();
            self.waiting.spawn(wait(connection, wishes));
            self.wishes.push(wish);
        }
        Ok(())
    }

    /// The relay's share of a processor while each connection gets a line now and then.
    async fn news(&mut self, legs: Legs) -> Result<Value> {
        let period = if is_quick() { NEWS / 100 } else { NEWS };
        for wish in &self.wishes {
            wish.send(Wish::Trickle(period)).context("a connection does not wait any more")?;
        }
        // Until all have asked.
        sleep(REST).await;
        let before = self.relay.usage()?.processor;
        sleep(period).await;
        let used = self.relay.usage()?.processor.saturating_sub(before);
        self.check()?;
        let mut share = Measured::default();
        share.add(self.relay.kind, used.as_secs_f64() / period.as_secs_f64() * 100.0);
        let count = self.wishes.len();
        let name = format!("proxy/processor, {count} connections with news every 30 s, {legs}");
        Ok(share.figure(name, Unit::Percent, BOUND, |_| false))
    }

    /// Makes sure that all still wait.
    fn check(&mut self) -> Result<()> {
        match self.waiting.try_join_next() {
            Some(ended) => ended?.context("a connection broke while it waited"),
            None => Ok(()),
        }
    }
}

/// Takes whatever comes, for ever.
async fn wait(mut connection: Connection, mut wishes: mpsc::UnboundedReceiver<Wish>) -> Result<()> {
    let mut buffer = [0; 512];
    loop {
        tokio::select! {
            received = connection.receive(&mut buffer) => drop(received?),
            wish = wishes.recv() => match wish {
                Some(wish) => connection.ask(wish).await?,
                None => return Ok(()),
            },
        }
    }
}
