//! The HTTP server: binds, accepts, routes, and stops in good order.

mod accept;
mod clients;
mod demo;
mod forwarded;
mod headers;
mod impatient;
mod origin;
mod stream;

use std::{fs, io, net::SocketAddr, path::PathBuf, sync::Arc};

use axum::{
    Router, middleware,
    routing::{any, get},
};
use rustls_pki_types::CertificateDer;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};

pub use origin::{BadOrigin, Origin};

pub(crate) use clients::{Client, Clients, Ticket};
pub(crate) use forwarded::TrustedProxies;
pub(crate) use origin::{AskingPage, Origins, TunnelPage};
pub(crate) use stream::{PageIo, Stream};

use crate::{
    access::{self, Mint, Quotas},
    config::{Config, ConfigError},
    limits::{CLOSE_TIMEOUT, Limits},
    page::{DemoAccount, PageConfig, Site},
    policy::{Destination, Lookups, Policy, Resolve, SystemResolver},
    tunnel::{self, TlsConnector},
};

/// The proxy before it listens.
pub struct Builder {
    config: Config,
    roots: Vec<CertificateDer<'static>>,
    destinations: Vec<Destination>,
    resolver: Option<Arc<dyn Resolve>>,
    demo: Option<DemoAccount>,
}

/// The proxy, listening.
pub struct Proxy {
    listener: TcpListener,
    local_addr: SocketAddr,
    shared: Arc<Shared>,
}

/// What all connections need.
pub(crate) struct Shared {
    pub(crate) site: Site,
    pub(crate) page_config: PageConfig,
    pub(crate) config: Config,
    pub(crate) origins: Origins,
    pub(crate) mint: Mint,
    pub(crate) policy: Policy,
    pub(crate) resolver: Lookups,
    pub(crate) tls: TlsConnector,
    pub(crate) quotas: Arc<Quotas>,
    pub(crate) proxies: TrustedProxies,
    pub(crate) tunnels: TaskTracker,
    /// No new tunnels.
    pub(crate) draining: CancellationToken,
    /// No tunnels any more.
    pub(crate) stopping: CancellationToken,
}

/// Why the proxy does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting can't be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address can't be listened on.
    #[error("listen: {0}: {1}")]
    Listen(SocketAddr, #[source] io::Error),
}

impl Builder {
    /// Trusts further certificates of authorities, or of servers that signed their own.
    #[must_use]
    pub fn trust(mut self, roots: impl IntoIterator<Item = CertificateDer<'static>>) -> Self {
        self.roots.extend(roots);
        self
    }

    /// Allows a destination whatever the policy says.
    #[must_use]
    pub fn allow(mut self, destination: Destination) -> Self {
        self.destinations.push(destination);
        self
    }

    /// Looks names up in another way than the system's.
    #[must_use]
    pub fn resolver(mut self, resolver: Arc<dyn Resolve>) -> Self {
        self.resolver = Some(resolver);
        self
    }

    /// Offers an account to try things out with.
    #[must_use]
    pub fn demo(mut self, demo: DemoAccount) -> Self {
        self.demo = Some(demo);
        self
    }

    /// Loads what the proxy serves and trusts, and starts to listen.
    ///
    /// # Errors
    ///
    /// If a setting can't be used, or the address can't be listened on.
    pub async fn bind(self) -> Result<Proxy, StartError> {
        let config = self.config;
        config.check()?;
        if config.is_open_relay() {
            warn!("strangers can use this proxy to reach every mail server");
        }
        if config.is_public() && config.origins.is_empty() {
            warn!(
                "a page that is opened by a name can't connect: set `origins` to the addresses at \
                 which people open it, such as https://mail.example.org"
            );
        }
        if config.token_keys.is_empty() {
            info!(
                "`access.token_keys` is not set: tokens are signed with a key of this start, so no \
                 other copy of this proxy accepts them; to run several, give all the same keys"
            );
        }
        let site = match &config.page {
            Some(folder) => Site::from_folder(folder).map_err(|error| {
                ConfigError::new("page", format!("{}: {error}", folder.display()))
            })?,
            None => Site::embedded(),
        };
        if site.is_empty() {
            warn!("there is no page to serve: name its folder with --page");
        }
        let mut roots = self.roots;
        if let Some(path) = &config.roots {
            roots.extend(read_roots(path)?);
        }
        let tls = TlsConnector::new(roots).map_err(|error| ConfigError::new("roots", error))?;

        let listen_error = |error| StartError::Listen(config.listen, error);
        let listener = TcpListener::bind(config.listen).await.map_err(listen_error)?;
        let local_addr = listener.local_addr().map_err(listen_error)?;
        let shared = Shared {
            site,
            page_config: PageConfig::new(self.demo, config.access_key.is_some()),
            origins: Origins::new(config.origins.clone()),
            mint: Mint::new(&config.token_keys),
            policy: Policy::new(
                config.allow.clone(),
                config.allow_networks.clone(),
                config.ports.iter().copied(),
                self.destinations,
            ),
            resolver: Lookups::new(
                self.resolver.unwrap_or_else(|| Arc::new(SystemResolver::new())),
            ),
            tls,
            quotas: Arc::new(Quotas::new(&config.limits)),
            proxies: TrustedProxies::new(config.trusted_proxies.clone()),
            tunnels: TaskTracker::new(),
            draining: CancellationToken::new(),
            stopping: CancellationToken::new(),
            config,
        };
        Ok(Proxy { listener, local_addr, shared: Arc::new(shared) })
    }
}

impl Proxy {
    /// A proxy with this configuration.
    pub fn builder(config: Config) -> Builder {
        Builder { config, roots: Vec::new(), destinations: Vec::new(), resolver: None, demo: None }
    }

    /// The address that it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown` ends, and then until its tunnels have ended or the time for that is
    /// over.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let Self { listener, shared, .. } = self;
        let router = router(shared.clone());
        let requests = TaskTracker::new();
        tokio::select! {
            () = accept::accept(&listener, &router, &requests, &shared) => {}
            () = shutdown => {}
        }
        drop(listener);
        drain(&shared, &requests).await;
    }
}

impl Shared {
    pub(crate) fn limits(&self) -> &Limits {
        &self.config.limits
    }
}

async fn drain(shared: &Shared, requests: &TaskTracker) {
    info!(tunnels = shared.tunnels.len(), "stopping");
    shared.draining.cancel();
    requests.close();
    shared.tunnels.close();
    let ended = tokio::time::timeout(shared.limits().drain, shared.tunnels.wait()).await;
    if ended.is_err() {
        shared.stopping.cancel();
    }
    let last_words = async { tokio::join!(shared.tunnels.wait(), requests.wait()) };
    // What has not ended now will not be missed.
    let _ = tokio::time::timeout(CLOSE_TIMEOUT * 2, last_words).await;
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route(postern_tunnel::PATH, any(tunnel::upgrade))
        .route("/api/config", get(crate::page::config))
        .route(postern_tunnel::TOKEN_PATH, get(access::token).post(access::token))
        .route("/healthz", get(async || "ok\n"))
        .fallback(crate::page::file)
        .layer(middleware::map_response_with_state(shared.clone(), headers::secure))
        .with_state(shared)
}

fn read_roots(path: &PathBuf) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    use rustls_pki_types::pem::PemObject;
    let error = |error: &dyn std::fmt::Display| {
        ConfigError::new("roots", format!("{}: {error}", path.display()))
    };
    let pem = fs::read(path).map_err(|problem| error(&problem))?;
    let roots: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match roots.map_err(|problem| error(&problem))? {
        roots if roots.is_empty() => Err(error(&"there is no certificate in it")),
        roots => Ok(roots),
    }
}
