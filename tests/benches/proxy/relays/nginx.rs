//! nginx with its `stream` module: the same TLS, and bare bytes.

use std::{fs, path::Path, process::Command};

use anyhow::Result;

use super::Task;
use crate::certificates::{CERTIFICATE, KEY, NAME, ROOT};

/// Where Debian keeps what others have built in.
const STREAM: &str = "/usr/lib/nginx/modules/ngx_stream_module.so";

pub(super) fn command(task: &Task<'_>) -> Result<Command> {
    let Task { listen, upstream, folder, connections, .. } = task;
    let module =
        if Path::new(STREAM).exists() { format!("load_module {STREAM};\n") } else { String::new() };
    // Older ones do not offer TLS 1.3 unless they are told to.
    let (ssl, page_tls) = if task.legs.page_tls {
        let (certificate, key) = (folder.join(CERTIFICATE), folder.join(KEY));
        let text = format!(
            "ssl_certificate {}; ssl_certificate_key {}; ssl_protocols TLSv1.3;",
            certificate.display(),
            key.display()
        );
        (" ssl", text)
    } else {
        ("", String::new())
    };
    let upstream_tls = if task.legs.upstream_tls {
        format!(
            "proxy_ssl on; proxy_ssl_protocols TLSv1.3; proxy_ssl_verify on; proxy_ssl_name {NAME}; \
             proxy_ssl_trusted_certificate {};",
            folder.join(ROOT).display()
        )
    } else {
        String::new()
    };
    let config = folder.join("nginx.conf");
    let text = format!(
        "{module}\
         daemon off;\n\
         pid {};\n\
         error_log stderr;\n\
         worker_processes auto;\n\
         events {{ worker_connections {}; }}\n\
         stream {{\n    \
             proxy_timeout 1h;\n    \
             server {{\n        \
                 listen {listen}{ssl};\n        \
                 {page_tls}\n        \
                 {upstream_tls}\n        \
                 proxy_pass {upstream};\n    \
             }}\n\
         }}\n",
        folder.join("nginx.pid").display(),
        2 * connections + 64,
    );
    fs::write(&config, text)?;
    let mut command = Command::new(task.path);
    command.args(["-e", "stderr", "-p"]).arg(folder).arg("-c").arg(config);
    Ok(command)
}
