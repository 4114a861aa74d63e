//! HAProxy: the same TLS, and bare bytes.

use std::{fs, process::Command};

use anyhow::Result;

use super::Task;
use crate::certificates::{CERTIFICATE_AND_KEY, ROOT};

pub(super) fn command(task: &Task<'_>) -> Result<Command> {
    let Task { listen, upstream, folder, connections, .. } = task;
    let page_tls = if task.legs.page_tls {
        format!(" ssl crt {}", folder.join(CERTIFICATE_AND_KEY).display())
    } else {
        String::new()
    };
    let upstream_tls = if task.legs.upstream_tls {
        format!(" ssl verify required ca-file {}", folder.join(ROOT).display())
    } else {
        String::new()
    };
    let config = folder.join("haproxy.cfg");
    let text = format!(
        "global\n    \
             maxconn {connections}\n\
         defaults\n    \
             mode tcp\n    \
             timeout connect 5s\n    \
             timeout client 1h\n    \
             timeout server 1h\n\
         frontend page\n    \
             bind {listen}{page_tls}\n    \
             default_backend mail\n\
         backend mail\n    \
             server mail {upstream}{upstream_tls}\n"
    );
    fs::write(&config, text)?;
    let mut command = Command::new(task.path);
    command.args(["-db", "-f"]).arg(config);
    Ok(command)
}
