//! What a page does before its first tunnel.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use postern_tunnel::{TOKEN_PATH, Token};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

/// Fetches a token from a proxy that needs no access key, as its own page does.
///
/// # Errors
///
/// If the proxy does not answer, or gives none.
pub async fn fetch(proxy: SocketAddr) -> Result<String> {
    fetch_over(TcpStream::connect(proxy).await?, "http", proxy).await
}

/// Fetches one over a connection of its own, with TLS or without.
///
/// # Errors
///
/// If the proxy does not answer, or gives none.
pub async fn fetch_over(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    scheme: &str,
    proxy: SocketAddr,
) -> Result<String> {
    let request = format!(
        "POST {TOKEN_PATH} HTTP/1.1\r\nHost: {proxy}\r\nOrigin: {scheme}://{proxy}\r\n\
         Content-Length: 0\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    ensure!(answer.starts_with("HTTP/1.1 200 "), "no token: {answer}");
    let (_, body) = answer.split_once("\r\n\r\n").context("no body")?;
    Ok(Token::from_text(body)?.token)
}
