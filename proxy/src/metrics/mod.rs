//! What an operator can watch, as Prometheus reads it.
//!
//! No label holds anything that a stranger chooses: no host, no address, no path. So a stranger
//! can't multiply what is counted here.

mod certificate;
mod process;

use std::sync::Arc;

use axum::{
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use postern_tunnel::Refusal;
use prometheus_client::{
    encoding::text,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::{Registry, Unit},
};
use tokio::time::Instant;

pub(crate) use certificate::Expiry;

use self::process::Process;
use crate::server::Shared;

/// The format's name (OpenMetrics 1.0).
const FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Seconds that tell apart how long tunnels are open: a POP3 session, a letter sent, an hour of
/// reading, a day of IDLE.
const OPEN_TIMES: [f64; 10] =
    [0.1, 0.5, 1.0, 5.0, 30.0, 120.0, 600.0, 3600.0, 4.0 * 3600.0, 24.0 * 3600.0];

/// One label, with one of a few values.
type Label = [(&'static str, String); 1];

/// Everything that is counted.
pub(crate) struct Metrics {
    registry: Registry,
    tunnels: Gauge,
    opened: Counter,
    refused: Family<Label, Counter>,
    ended: Family<Label, Counter>,
    up: Counter,
    down: Counter,
    open_time: Histogram,
    page_handshakes: Outcomes,
    server_handshakes: Outcomes,
    connections: Gauge,
    accepted: Counter,
    turned_away: Counter,
    requests: Family<Label, Counter>,
}

/// How often something went well, and how often it did not.
struct Outcomes {
    done: Counter,
    failed: Counter,
}

/// A tunnel that is open, until it is dropped.
pub(crate) struct OpenTunnel {
    tunnels: Gauge,
    open_time: Histogram,
    up: Progress,
    down: Progress,
    since: Instant,
}

/// A connection that requests come through, until it is dropped.
pub(crate) struct OpenConnection(Gauge);

/// How much of one direction has been counted.
struct Progress {
    counter: Counter,
    counted: u64,
}

impl Metrics {
    /// Nothing has happened yet. There may be this many tunnels, and a certificate.
    pub(crate) fn new(most_tunnels: usize, certificate: Option<Expiry>) -> Self {
        let mut registry = Registry::default();
        if let Some(expiry) = certificate {
            registry.register_collector(Box::new(expiry));
        }
        registry.register_collector(Box::new(Process::new()));
        let own = registry.sub_registry_with_prefix("postern");
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        own.register("build", "The program", version);
        let limit = gauge(own, "tunnels_limit", "Tunnels that may be open");
        limit.set(most_tunnels.try_into().unwrap_or(i64::MAX));

        let bytes = Family::<Label, Counter>::default();
        own.register_with_unit("tunnels_carried", "What they carried", Unit::Bytes, bytes.clone());
        let direction = |to: &str| bytes.get_or_create_owned(&[("to", to.to_owned())]);
        let open_time = Histogram::new(OPEN_TIMES);
        let help = "How long tunnels were open";
        own.register_with_unit("tunnels_open_time", help, Unit::Seconds, open_time.clone());
        let handshakes = Family::<[(&'static str, &'static str); 2], Counter>::default();
        own.register("tls_handshakes", "TLS handshakes of the proxy", handshakes.clone());
        let outcomes = |with| Outcomes {
            done: handshakes.get_or_create_owned(&[("with", with), ("outcome", "done")]),
            failed: handshakes.get_or_create_owned(&[("with", with), ("outcome", "failed")]),
        };
        Self {
            tunnels: gauge(own, "tunnels_open", "Tunnels that are open"),
            opened: counter(own, "tunnels_opened", "Tunnels that were opened"),
            refused: family(own, "tunnels_refused", "Tunnels that were not opened"),
            ended: family(own, "tunnels_ended", "Tunnels that are over"),
            up: direction("server"),
            down: direction("page"),
            open_time,
            page_handshakes: outcomes("page"),
            server_handshakes: outcomes("server"),
            connections: gauge(own, "http_connections_open", "Connections with clients"),
            accepted: counter(own, "http_connections_accepted", "Connections with clients so far"),
            turned_away: counter(own, "http_connections_turned_away", "Those without a place"),
            requests: family(own, "http_requests", "Requests, by what became of them"),
            registry,
        }
    }

    /// A tunnel is open.
    pub(crate) fn tunnel_opened(&self) -> OpenTunnel {
        self.opened.inc();
        self.tunnels.inc();
        OpenTunnel {
            tunnels: self.tunnels.clone(),
            open_time: self.open_time.clone(),
            up: Progress { counter: self.up.clone(), counted: 0 },
            down: Progress { counter: self.down.clone(), counted: 0 },
            since: Instant::now(),
        }
    }

    /// A tunnel was not opened.
    pub(crate) fn tunnel_refused(&self, code: Refusal) {
        self.refused.get_or_create(&[("code", name(code))]).inc();
    }

    /// A tunnel that was open is over: with this code, or in good order.
    pub(crate) fn tunnel_ended(&self, code: Option<Refusal>) {
        let end = code.map_or_else(|| "complete".to_owned(), name);
        self.ended.get_or_create(&[("code", end)]).inc();
    }

    /// A page has asked for TLS, and got it or not.
    pub(crate) fn page_handshake(&self, done: bool) {
        self.page_handshakes.count(done);
    }

    /// A mail server was asked for TLS by the proxy, and agreed or not.
    pub(crate) fn server_handshake(&self, done: bool) {
        self.server_handshakes.count(done);
    }

    /// A client has connected.
    pub(crate) fn connection(&self) -> OpenConnection {
        self.accepted.inc();
        self.connections.inc();
        OpenConnection(self.connections.clone())
    }

    /// There was no place for a client's connection, or no longer one.
    pub(crate) fn connection_turned_away(&self) {
        self.turned_away.inc();
    }

    /// A request was answered.
    pub(crate) fn request(&self, status: StatusCode) {
        let class = format!("{}xx", status.as_u16() / 100);
        self.requests.get_or_create(&[("status", class)]).inc();
    }

    fn to_text(&self) -> String {
        let mut text = String::new();
        text::encode(&mut text, &self.registry).expect("a text takes whatever is written to it");
        text
    }
}

impl OpenTunnel {
    /// So many bytes have gone to the server and to the page since it was opened.
    pub(crate) fn carried(&mut self, up: u64, down: u64) {
        self.up.reached(up);
        self.down.reached(down);
    }
}

impl Drop for OpenTunnel {
    fn drop(&mut self) {
        self.tunnels.dec();
        self.open_time.observe(self.since.elapsed().as_secs_f64());
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Progress {
    fn reached(&mut self, bytes: u64) {
        if bytes > self.counted {
            self.counter.inc_by(bytes - self.counted);
            self.counted = bytes;
        }
    }
}

impl Outcomes {
    fn count(&self, done: bool) {
        if done { &self.done } else { &self.failed }.inc();
    }
}

/// `GET /metrics`.
pub(crate) async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    ([(CONTENT_TYPE, FORMAT)], shared.metrics.to_text()).into_response()
}

/// The code as it goes over the wire.
fn name(code: Refusal) -> String {
    let name = serde_json::to_value(code).ok();
    name.and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

fn gauge(registry: &mut Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::default();
    registry.register(name, help, gauge.clone());
    gauge
}

fn counter(registry: &mut Registry, name: &str, help: &str) -> Counter {
    let counter = Counter::default();
    registry.register(name, help, counter.clone());
    counter
}

fn family(registry: &mut Registry, name: &str, help: &str) -> Family<Label, Counter> {
    let family = Family::default();
    registry.register(name, help, family.clone());
    family
}
