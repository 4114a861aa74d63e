//! What an operator can watch.

use std::net::SocketAddr;

use super::{http::get, soon};

/// The value of one line of the metrics.
pub(crate) async fn value(metrics: SocketAddr, name: &str) -> Option<f64> {
    let answer = get(metrics, "/metrics", &[]).await;
    let mut lines = answer.text().lines();
    let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map(|value| value.parse().unwrap())
}

/// Waits until it has this value.
pub(crate) async fn reaches(metrics: SocketAddr, name: &str, expected: f64) {
    soon(async { while value(metrics, name).await != Some(expected) {} }).await;
}
