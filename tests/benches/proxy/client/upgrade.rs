//! The request that makes a WebSocket (RFC 6455, section 4.1).

use std::net::SocketAddr;

use anyhow::{Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Stream;

/// The longest answer that is read.
const MAX_ANSWER: usize = 8 * 1024;

/// Sends the request and reads the answer; returns what came behind it.
pub(super) async fn upgrade(
    stream: &mut Stream,
    scheme: &str,
    relay: SocketAddr,
    subprotocols: Option<&str>,
) -> Result<Vec<u8>> {
    let subprotocols = subprotocols
        .map(|names| format!("Sec-WebSocket-Protocol: {names}\r\n"))
        .unwrap_or_default();
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {relay}\r\nOrigin: {scheme}://{relay}\r\n\
         Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{subprotocols}\r\n",
        postern_tunnel::PATH,
    );
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut answer = Vec::with_capacity(512);
    loop {
        ensure!(stream.read_buf(&mut answer).await? > 0, "no answer to the upgrade");
        if let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&answer[..end]);
            ensure!(head.starts_with("HTTP/1.1 101 "), "no WebSocket: {head}");
            return Ok(answer.split_off(end + 4));
        }
        ensure!(answer.len() < MAX_ANSWER, "the answer to the upgrade does not end");
    }
}
