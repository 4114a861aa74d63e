//! The proxy as an operator would run it, in this process, with the page that the build has made.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::{Context, Result};
use futures_util::future::BoxFuture;
use postern::{
    Config, Destination, Proxy,
    demo::Demo,
    discovery::{Records, Srv},
};
use rustls::pki_types::CertificateDer;
use tokio::{sync::oneshot, task::JoinHandle};

/// Where `cargo xtask build` puts the page.
pub const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../dist");

/// What a site may reach beyond public mail servers.
#[derive(Default)]
pub struct Reach<'a> {
    /// Roots that the proxy trusts.
    pub roots: Vec<CertificateDer<'static>>,
    /// Servers on this machine.
    pub servers: Vec<SocketAddr>,
    /// A demo server.
    pub demo: Option<&'a Demo>,
    /// Servers on this machine that are known by a name and a port.
    pub named: Vec<(&'static str, u16, SocketAddr)>,
    /// What the DNS says of services, by their names such as `_imaps._tcp.example.org`; if there is
    /// nothing, the real one is asked.
    pub services: Vec<(&'static str, Srv)>,
    /// Where the page is, if not where `cargo xtask build` puts it.
    pub page: Option<PathBuf>,
    /// The access key that people must enter.
    pub access_key: Option<&'a str>,
}

/// The DNS as a test wants it.
struct Services(Vec<(&'static str, Srv)>);

impl Records for Services {
    fn services<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Vec<Srv>> {
        let of = self.0.iter().filter(|(own, _)| *own == name);
        let answer = of.map(|(_, srv)| srv.clone()).collect();
        Box::pin(async move { answer })
    }

    fn exchanges<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Vec<(u16, String)>> {
        Box::pin(async { Vec::new() })
    }
}

/// A running proxy; stops in good order when dropped or stopped.
pub struct Site {
    /// The page's address.
    pub url: String,
    shutdown: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Site {
    /// Starts a proxy.
    ///
    /// # Errors
    ///
    /// If the page is not built, or no port is free.
    pub async fn start(reach: Reach<'_>) -> Result<Self> {
        let page = reach.page.unwrap_or_else(|| PAGE.into());
        anyhow::ensure!(page.join("index.html").exists(), "no page: run `cargo xtask build` first");
        let limits = postern::limits::Limits {
            connect: std::time::Duration::from_secs(3),
            handshake: std::time::Duration::from_secs(3),
            drain: std::time::Duration::from_millis(100),
            ..Default::default()
        };
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let access_key = reach.access_key.map(str::parse).transpose();
        let access_key = access_key.map_err(anyhow::Error::msg)?;
        let page = Some(page);
        let config = Config { listen, page, access_key, limits, ..Config::default() };
        let mut builder = Proxy::builder(config).trust(reach.roots);
        for address in reach.servers {
            let (host, port) = ("localhost".into(), address.port());
            builder = builder.allow(Destination { host, port, address, implicit_tls: true });
        }
        for (host, port, address) in reach.named {
            let host = host.into();
            builder = builder.allow(Destination { host, port, address, implicit_tls: true });
        }
        if !reach.services.is_empty() {
            builder = builder.records(Arc::new(Services(reach.services)));
        }
        if let Some(demo) = reach.demo {
            builder = builder.demo_server(demo);
        }
        let proxy = builder.bind().await.context("the proxy does not start")?;
        let url = format!("http://{}/", proxy.local_addr());
        let (shutdown, stop) = oneshot::channel();
        let task = tokio::spawn(proxy.serve(async {
            // A sender that is dropped says the same.
            let _ = stop.await;
        }));
        Ok(Self { url, shutdown, task })
    }

    /// Stops the proxy and waits until it has stopped.
    ///
    /// # Errors
    ///
    /// If it panicked.
    pub async fn stop(self) -> Result<()> {
        drop(self.shutdown);
        Ok(self.task.await?)
    }
}
