//! The same inbox comes to ImapFlow.

use anyhow::{Context, Result, ensure};
use postern_tests::{
    dovecot::{Dovecot, PASSWORD},
    report::argument,
};
use serde_json::Value;
use tokio::process::Command;

use crate::Inbox;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/imap/flow.cjs");

/// Seconds in which it has what ours stores of every message, over a connection that has opened the
/// inbox; `None` if it is not installed.
pub(crate) async fn fetch(dovecot: &Dovecot, inbox: Inbox) -> Result<Option<f64>> {
    let Some(library) = argument("--imapflow") else { return Ok(None) };
    let mut node = Command::new("node");
    node.arg(SCRIPT).arg(library).arg(dovecot.imaps.port().to_string());
    let output = node.args([inbox.user, PASSWORD]).output().await.context("starting Node")?;
    let told: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let count = told["count"].as_u64();
    ensure!(count == Some(inbox.messages as u64), "ImapFlow has {count:?} messages");
    let millis = told["millis"].as_f64().context("ImapFlow's time is a number")?;
    Ok(Some(millis / 1e3))
}
