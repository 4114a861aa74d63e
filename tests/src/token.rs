//! What a page does before its first tunnel.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use postern_tunnel::{TOKEN_PATH, Token};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Fetches a token from a proxy that needs no access key, as its own page does.
///
/// # Errors
///
/// If the proxy does not answer, or gives none.
pub async fn fetch(proxy: SocketAddr) -> Result<String> {
    let request = format!(
        "POST {TOKEN_PATH} HTTP/1.1\r\nHost: {proxy}\r\nOrigin: http://{proxy}\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n"
    );
    let mut stream = TcpStream::connect(proxy).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    ensure!(answer.starts_with("HTTP/1.1 200 "), "no token: {answer}");
    let (_, body) = answer.split_once("\r\n\r\n").context("no body")?;
    Ok(Token::from_text(body)?.token)
}
