//! The HTTP server: binds, accepts, routes, and stops in good order.

mod accept;
mod activity;
mod clients;
mod connection;
mod demo;
mod forwarded;
mod headers;
mod health;
mod https;
mod impatient;
mod loaded;
mod origin;
mod places;
mod redirect;
mod stream;

use std::{future::pending, io, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    http::HeaderValue,
    middleware,
    routing::{any, get},
};
use postern_tunnel::credit::Budget;
use rustls_pki_types::CertificateDer;
use tokio::{
    net::TcpListener,
    sync::{Notify, Semaphore},
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};

pub use origin::{BadOrigin, Origin};

pub(crate) use activity::LiveTunnel;
pub(crate) use clients::{Client, Clients, Ticket};
pub(crate) use forwarded::TrustedProxies;
pub(crate) use origin::{AskingPage, Origins, Secure, TunnelPage};
pub(crate) use places::Seat;
pub(crate) use stream::{PageIo, Stream};

use self::{connection::Door, https::Tls, loaded::Loaded};
use crate::{
    access::{self, Mint, Quotas},
    config::{Config, ConfigErrors},
    discovery::{self, Finder, Records, SystemRecords},
    limits::{CLOSE_TIMEOUT, FAREWELLS, Limits, WINDOWS},
    metrics::{self, Metrics},
    page::{DemoAccount, PageConfig, Site},
    policy::{Destination, Lookups, Own, Policy, Resolve, SystemResolver},
    tunnel::{self, TlsConnector},
};

/// The proxy before it listens.
pub struct Builder {
    config: Config,
    roots: Vec<CertificateDer<'static>>,
    destinations: Vec<Destination>,
    resolver: Option<Arc<dyn Resolve>>,
    records: Option<Arc<dyn Records>>,
    demo: Option<DemoAccount>,
}

/// The proxy, listening.
pub struct Proxy {
    listener: Listener,
    /// Answers requests without TLS with the address that has it.
    redirect: Option<Listener>,
    metrics: Option<Listener>,
    reload: Reload,
    shared: Arc<Shared>,
}

struct Listener {
    tcp: TcpListener,
    local_addr: SocketAddr,
}

/// Tells a proxy to look at its certificate files now.
#[derive(Clone, Default)]
pub struct Reload(Arc<Notify>);

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
    /// TLS with pages, if the proxy ends it.
    https: Option<Arc<Tls>>,
    /// What tells browsers not to come without TLS.
    hsts: Option<HeaderValue>,
    pub(crate) metrics: Metrics,
    pub(crate) finder: Finder,
    pub(crate) quotas: Arc<Quotas>,
    pub(crate) proxies: TrustedProxies,
    pub(crate) tunnels: TaskTracker,
    /// Room for pages that are told why they get no tunnel.
    pub(crate) farewells: Semaphore,
    /// What the tunnels' windows may grow by.
    pub(crate) windows: Budget,
    /// No new tunnels.
    pub(crate) draining: CancellationToken,
    /// No tunnels any more.
    pub(crate) stopping: CancellationToken,
}

/// Why the proxy does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Settings can't be used.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// An address can't be listened on.
    #[error("{key}: {address}: {error}")]
    Listen {
        /// The setting that has the address.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system says.
        #[source]
        error: io::Error,
    },
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

    /// Looks up which servers domains name in another way than the system's.
    #[must_use]
    pub fn records(mut self, records: Arc<dyn Records>) -> Self {
        self.records = Some(records);
        self
    }

    /// Offers an account to try things out with.
    #[must_use]
    pub fn demo(mut self, demo: DemoAccount) -> Self {
        self.demo = Some(demo);
        self
    }

    /// Looks whether the proxy could start, as far as that shows without listening.
    ///
    /// # Errors
    ///
    /// With everything that is wrong with the settings and the files that they name. Nothing is
    /// changed: not even a folder is made.
    pub fn check(self) -> Result<(), ConfigErrors> {
        self.config.check()?;
        Loaded::load(&self.config, self.roots).map(drop)
    }

    /// Loads what the proxy serves and trusts, and starts to listen.
    ///
    /// # Errors
    ///
    /// If a setting can't be used, or an address can't be listened on.
    pub async fn bind(self) -> Result<Proxy, StartError> {
        let config = self.config;
        config.check().map_err(ConfigErrors::from)?;
        for warning in config.warnings() {
            warn!("{warning}");
        }
        if config.token_keys.is_empty() {
            info!(
                "`access.token_keys` is not set: tokens are signed with a key of this start, so no \
                 other copy of this proxy accepts them; to run several, give all the same keys"
            );
        }
        let Loaded { site, connector, https } = Loaded::load(&config, self.roots)?;
        if let Some(https) = &https {
            https.prepare().map_err(ConfigErrors::from)?;
        }
        if site.is_empty() {
            warn!("there is no page to serve: name its folder with --page");
        }
        let listener = Listener::bind("listen", config.listen).await?;
        let redirect_address = config.https.as_ref().and_then(|https| https.redirect_listen);
        let redirect = Listener::bind_if("https.redirect_listen", redirect_address).await?;
        let metrics = Listener::bind_if("metrics_listen", config.metrics_listen).await?;

        let listeners = [Some(&listener), redirect.as_ref(), metrics.as_ref()];
        let own = Own {
            addresses: config.own_addresses.clone(),
            ports: listeners.into_iter().flatten().map(|it| it.local_addr.port()).collect(),
        };

        let expiry = https.as_ref().map(|https| https.expiry());
        let records = self.records.unwrap_or_else(|| Arc::new(SystemRecords::new()));
        let finder = Finder::new(records, self.demo.as_ref());

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
            )
            .behind(config.nat64_prefixes.clone())
            .without(own),
            resolver: Lookups::new(
                self.resolver.unwrap_or_else(|| Arc::new(SystemResolver::new())),
            ),
            tls: connector,
            https,
            hsts: headers::hsts(config.https.as_ref()),
            metrics: Metrics::new(config.limits.connections, expiry),
            finder,
            quotas: Arc::new(Quotas::new(&config.limits)),
            proxies: TrustedProxies::new(config.trusted_proxies.clone()),
            tunnels: TaskTracker::new(),
            farewells: Semaphore::new(FAREWELLS),
            windows: Budget::new(WINDOWS),
            draining: CancellationToken::new(),
            stopping: CancellationToken::new(),
            config,
        };
        let (reload, shared) = (Reload::default(), Arc::new(shared));
        Ok(Proxy { listener, redirect, metrics, reload, shared })
    }
}

impl Proxy {
    /// A proxy with this configuration.
    pub fn builder(config: Config) -> Builder {
        Builder {
            config,
            roots: Vec::new(),
            destinations: Vec::new(),
            resolver: None,
            records: None,
            demo: None,
        }
    }

    /// The address that it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.listener.local_addr
    }

    /// Whether pages must come with TLS.
    pub fn is_https(&self) -> bool {
        self.shared.https.is_some()
    }

    /// The address that leads to the one with TLS.
    pub fn redirect_addr(&self) -> Option<SocketAddr> {
        self.redirect.as_ref().map(|listener| listener.local_addr)
    }

    /// The address that has the metrics.
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(|listener| listener.local_addr)
    }

    /// What tells it to look at its certificate files.
    pub fn reload(&self) -> Reload {
        self.reload.clone()
    }

    /// Serves until `shutdown` ends. Then it goes on to answer, but opens no tunnels, until those
    /// that there are have ended or the time for that is over.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let shared = &self.shared;
        let connections = TaskTracker::new();
        let doors = async {
            let port = redirect::public_port(&shared.config, self.local_addr());
            let without_tls = |router| Door { router, tls: None, shared: shared.clone() };
            let page = Door { tls: shared.https.clone(), ..without_tls(router(shared.clone())) };
            let redirect = without_tls(redirect::router(shared.clone(), port));
            let metrics = without_tls(metrics_router(shared.clone()));
            tokio::join!(
                accept::accept(Some(&self.listener.tcp), &page, &connections),
                accept::accept(self.redirect.as_ref().map(|it| &it.tcp), &redirect, &connections),
                accept::accept(self.metrics.as_ref().map(|it| &it.tcp), &metrics, &connections),
                async {
                    match &shared.https {
                        Some(https) => https.keep_fresh(&self.reload.0).await,
                        None => pending().await,
                    }
                },
            );
        };
        tokio::select! {
            () = doors => {}
            () = async { shutdown.await; drain(shared).await } => {}
        }
        drop((self.listener, self.redirect, self.metrics));
        stop(shared, &connections).await;
    }
}

impl Listener {
    async fn bind(key: &'static str, address: SocketAddr) -> Result<Self, StartError> {
        let listen_error = |error| StartError::Listen { key, address, error };
        let tcp = TcpListener::bind(address).await.map_err(listen_error)?;
        let local_addr = tcp.local_addr().map_err(listen_error)?;
        Ok(Self { tcp, local_addr })
    }

    async fn bind_if(
        key: &'static str,
        address: Option<SocketAddr>,
    ) -> Result<Option<Self>, StartError> {
        match address {
            Some(address) => Self::bind(key, address).await.map(Some),
            None => Ok(None),
        }
    }
}

impl Reload {
    /// Now.
    pub fn now(&self) {
        self.0.notify_one();
    }
}

impl Shared {
    pub(crate) fn limits(&self) -> &Limits {
        &self.config.limits
    }
}

/// Lets tunnels finish, while whoever asks is told that the proxy will go.
async fn drain(shared: &Shared) {
    info!(tunnels = shared.tunnels.len(), "stopping");
    shared.draining.cancel();
    shared.tunnels.close();
    let finished = async { tokio::join!(shared.tunnels.wait(), sleep(shared.limits().notice)) };
    // Tunnels that have not ended by then will be told to.
    let _ = tokio::time::timeout(shared.limits().drain, finished).await;
}

/// Ends what is left.
async fn stop(shared: &Shared, connections: &TaskTracker) {
    shared.draining.cancel();
    shared.stopping.cancel();
    shared.tunnels.close();
    connections.close();
    let last_words = async { tokio::join!(shared.tunnels.wait(), connections.wait()) };
    // What has not ended now will not be missed.
    let _ = tokio::time::timeout(CLOSE_TIMEOUT * 2, last_words).await;
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route(postern_tunnel::PATH, any(tunnel::upgrade))
        .route(postern_bridge::Discovery::PATH, get(discovery::discover))
        .route("/api/config", get(crate::page::config))
        .merge(health::routes())
        .route(postern_tunnel::TOKEN_PATH, get(access::token).post(access::token))
        .fallback(crate::page::file)
        .layer(middleware::map_response_with_state(shared.clone(), headers::secure))
        .with_state(shared)
}

fn metrics_router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/metrics", get(metrics::metrics))
        .merge(health::routes())
        .with_state(shared)
}
