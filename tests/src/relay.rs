//! A relay of a few lines between WebSockets and one server: what the proxy is measured beside.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, Result};
use futures_util::{SinkExt, StreamExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_tungstenite::{accept_async, tungstenite::Message};

/// A running relay; ends when dropped.
pub struct Relay {
    /// Where it listens.
    pub address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Relay {
    /// Starts one that carries every WebSocket's bytes to `server` and back.
    ///
    /// # Errors
    ///
    /// If no port is free.
    pub async fn start(server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((page, _)) = listener.accept().await {
                connections.spawn(async move {
                    // Whose connection breaks is no matter to the others.
                    let _ = relay(page, server).await;
                });
            }
        });
        Ok(Self { address, _tasks: tasks })
    }
}

async fn relay(page: TcpStream, server: SocketAddr) -> Result<()> {
    page.set_nodelay(true)?;
    let (mut to_page, mut from_page) = accept_async(page).await?.split();
    let server = TcpStream::connect(server).await?;
    server.set_nodelay(true)?;
    let (mut from_server, mut to_server) = server.into_split();
    let down = async {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match from_server.read(&mut buffer).await? {
                0 => return Ok(to_page.close().await?),
                length => to_page.send(Message::binary(buffer[..length].to_vec())).await?,
            }
        }
    };
    let up = async {
        loop {
            let message = from_page.next().await.context("the page went")??;
            to_server.write_all(&message.into_data()).await?;
        }
    };
    tokio::select! {
        done = down => done,
        failed = up => failed,
    }
}
