//! What the tests share: a running proxy, a page, mail servers.

#![allow(dead_code, reason = "each test program uses a part")]

pub(crate) mod authority;
pub(crate) mod http;
pub(crate) mod https;
pub(crate) mod metrics;
pub(crate) mod name_server;
pub(crate) mod page;
pub(crate) mod provider;
pub(crate) mod scene;
pub(crate) mod server;
pub(crate) mod tls;
pub(crate) mod websocket;

use std::{net::SocketAddr, time::Duration};

use postern::{Builder, Config, Destination, Proxy, server::Reload};
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};

/// Longer than anything here takes, so that a test that hangs ends.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The name under which tests reach their mail server.
pub(crate) const HOST: &str = "mail.example.org";

/// A proxy that runs until it is dropped or stopped.
pub(crate) struct Running {
    pub(crate) addr: SocketAddr,
    pub(crate) redirect: Option<SocketAddr>,
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) reload: Reload,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

/// Starts a proxy on a free port.
pub(crate) async fn start(
    config: impl FnOnce(&mut Config),
    builder: impl FnOnce(Builder) -> Builder,
) -> Running {
    let mut settings = Config { listen: ([127, 0, 0, 1], 0).into(), ..Config::default() };
    // All pages of a test come from one address, and faster than people's.
    settings.limits.connections_per_client_per_minute = 100_000;
    settings.limits.destinations_per_client_per_hour = 100_000;
    settings.limits.tokens_per_client_per_minute = 100_000;
    config(&mut settings);
    let proxy = builder(Proxy::builder(settings)).bind().await.unwrap();
    let addr = proxy.local_addr();
    let (redirect, metrics, reload) = (proxy.redirect_addr(), proxy.metrics_addr(), proxy.reload());
    let (stop, stopped) = oneshot::channel();
    let served = tokio::spawn(proxy.serve(async move {
        let _ = stopped.await;
    }));
    Running { addr, redirect, metrics, reload, stop, served }
}

/// Starts a proxy that may reach one server as [`HOST`].
pub(crate) async fn start_for(server: SocketAddr) -> Running {
    start(|_| {}, |builder| builder.allow(destination(server))).await
}

/// A server as [`HOST`].
pub(crate) fn destination(address: SocketAddr) -> Destination {
    Destination { host: HOST.into(), port: address.port(), address, implicit_tls: false }
}

impl Running {
    /// Tells the proxy to stop.
    pub(crate) fn stop(self) -> JoinHandle<()> {
        self.stop.send(()).unwrap();
        self.served
    }
}

/// Waits, but not for ever.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it takes too long")
}
