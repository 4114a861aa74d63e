//! A proxy among hostile pages and servers, with a page that means no harm.

use std::{net::SocketAddr, time::Duration};

use postern::limits::Limits;
use postern_tunnel::TlsMode;
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::{
    Running, destination,
    page::{PLENTY, Page},
    server::{echo, listen},
    soon, start,
    websocket::{Client, tunnel},
};

/// Far more than the buffers of this machine's sockets and a window come to.
pub(crate) const MUCH: usize = 64 << 20;

/// A limit that ends a test soon, but no tunnel that does something, however busy the machine is.
pub(crate) const SHORT: Duration = Duration::from_secs(2);

/// A proxy with a page that means no harm, which notices when it is not served.
pub(crate) struct Scene {
    pub(crate) proxy: Running,
    /// What hostile pages reach.
    pub(crate) server: SocketAddr,
    harmless: SocketAddr,
    enough: oneshot::Sender<()>,
    witness: JoinHandle<()>,
}

impl Scene {
    /// A scene with a server that echoes.
    pub(crate) async fn new(limits: impl FnOnce(&mut Limits)) -> Self {
        Self::with_server(echo().await, limits).await
    }

    /// A scene in which hostile pages reach this server.
    pub(crate) async fn with_server(server: SocketAddr, limits: impl FnOnce(&mut Limits)) -> Self {
        let harmless = echo().await;
        let proxy = start(
            |config| limits(&mut config.limits),
            |builder| builder.allow(destination(server)).allow(destination(harmless)),
        )
        .await;
        let (mut page, _) = Page::open(proxy.addr, harmless.port(), TlsMode::None, u32::MAX).await;
        let (enough, mut told) = oneshot::channel();
        let witness = tokio::spawn(async move {
            while told.try_recv().is_err() {
                page.send(b"still served?").await;
                assert_eq!(page.hear_bytes(13).await, b"still served?");
            }
        });
        Self { proxy, server, harmless, enough, witness }
    }

    /// A tunnel to the server, for a hostile page.
    pub(crate) async fn tunnel(&self) -> Client<TcpStream> {
        tunnel(self.proxy.addr, self.server.port(), PLENTY).await
    }

    /// The page that means no harm was served all the time, and another one is.
    pub(crate) async fn others_were_served(self) {
        self.enough.send(()).unwrap();
        soon(self.witness).await.unwrap();
        Page::open(self.proxy.addr, self.harmless.port(), TlsMode::None, PLENTY).await;
    }
}

/// A server that neither reads nor writes nor hangs up.
pub(crate) async fn silent() -> SocketAddr {
    listen(async |stream| {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await
}

/// A server that sends without end; it reports how much that was when it is cut off.
pub(crate) async fn endless(report: mpsc::UnboundedSender<usize>) -> SocketAddr {
    listen(move |mut stream| {
        let report = report.clone();
        async move {
            let piece = vec![0; 64 * 1024];
            let mut sent = 0;
            while stream.write_all(&piece).await.is_ok() {
                sent += piece.len();
            }
            let _ = report.send(sent);
        }
    })
    .await
}
