//! Relays between WebSockets and one server.

use std::process::Command;

use super::Task;
use crate::certificates::{CERTIFICATE, KEY, ROOT};

/// The relay of a few lines.
const WS_RELAY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/proxy/relays/ws.cjs");

/// On Node, with npm's `ws`, whose folder is the path.
pub(super) fn ws(task: &Task<'_>) -> Command {
    let mut command = Command::new("node");
    command.arg(WS_RELAY).arg(task.path);
    command.args([task.listen.to_string(), task.upstream.to_string()]);
    command.arg(task.folder);
    command.args(task.legs.page_tls.then_some("--page-tls"));
    command.args(task.legs.upstream_tls.then_some("--upstream-tls"));
    command
}

/// On Python, from PyPI.
pub(super) fn websockify(task: &Task<'_>) -> Command {
    let mut command = Command::new(task.path);
    if task.legs.page_tls {
        command.arg("--cert").arg(task.folder.join(CERTIFICATE));
        command.arg("--key").arg(task.folder.join(KEY)).arg("--ssl-only");
    }
    if task.legs.upstream_tls {
        command.arg("--ssl-target");
        // Python's TLS trusts what this names.
        command.env("SSL_CERT_FILE", task.folder.join(ROOT));
    }
    command.args([task.listen.to_string(), task.upstream.to_string()]);
    command
}

/// In Rust, from crates.io.
pub(super) fn wstcp(task: &Task<'_>) -> Command {
    let mut command = Command::new(task.path);
    command.args(["--bind-addr", &task.listen.to_string(), &task.upstream.to_string()]);
    command
}
