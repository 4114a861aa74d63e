//! Postern's proxy, as it is released.

use std::{fs, net::SocketAddr, process::Command};

use anyhow::Result;
use postern_tunnel::{Open, TlsMode};

use super::Task;
use crate::{certificates, client::WINDOW, legs::Legs};

/// Connections that may be opened a minute: more than can be.
const A_MINUTE: u32 = 1_000_000;

pub(super) fn command(task: &Task<'_>) -> Result<Command> {
    let Task { listen, upstream, folder, connections, .. } = task;
    let roots = folder.join(certificates::ROOT);
    let config = folder.join("postern.toml");
    // All clients of the benchmark have one address.
    let mut text = format!(
        "listen = '{listen}'\n\
         allow_networks = ['{}']\n\
         ports = [{}]\n\
         roots = '{}'\n\
         [limits]\n\
         connections = {connections}\n\
         connections_per_client = {connections}\n\
         connections_per_minute = {A_MINUTE}\n\
         connections_per_client_per_minute = {A_MINUTE}\n",
        upstream.ip(),
        upstream.port(),
        roots.display(),
    );
    if task.legs.page_tls {
        let (certificate, key) =
            (folder.join(certificates::CERTIFICATE), folder.join(certificates::KEY));
        text += &format!(
            "[https]\ncertificate = '{}'\nkey = '{}'\n",
            certificate.display(),
            key.display()
        );
    }
    fs::write(&config, text)?;
    let mut command = Command::new(task.path);
    command.arg("--config").arg(config);
    Ok(command)
}

/// What a page says first.
pub(super) fn open(upstream: SocketAddr, legs: Legs, token: String) -> Open {
    let tls = if legs.upstream_tls { TlsMode::Proxy } else { TlsMode::EndToEnd };
    Open {
        host: upstream.ip().to_string(),
        port: upstream.port(),
        tls,
        credit: WINDOW,
        token: Some(token),
    }
}
