//! The way to a host, under the same policy as a tunnel's.

use std::net::SocketAddr;

use tokio::net::TcpStream;
use tracing::debug;

use crate::{
    access::Asker,
    limits::PROBE_TIMEOUT,
    policy::{Host, Route, Target},
    server::Shared,
    tunnel::{self, ServerTls},
};

/// The way to hosts, for one client: each that is asked is one of its destinations.
pub(super) struct Reach<'a> {
    pub(super) shared: &'a Shared,
    pub(super) asker: &'a Asker,
}

impl Reach<'_> {
    /// Connects to a mail server whose host and port are allowed.
    pub(super) async fn mail(&self, target: &Target) -> Option<TcpStream> {
        self.may_ask(&target.host)?;
        self.connect(target).await
    }

    /// Connects to where a provider may publish settings, and does TLS. Unlike mail servers, such
    /// hosts must have public addresses whatever networks are permitted: anybody can make the proxy
    /// ask there.
    pub(super) async fn web(&self, host: &Host) -> Option<ServerTls> {
        self.may_ask(host)?;
        let policy = &self.shared.policy;
        let mut target = policy.web(host).ok()?;
        if !matches!(target.route, Route::Known(_)) {
            let located = policy.locate(&target, &self.shared.resolver).await.ok()?;
            let addresses: Vec<_> = located.iter().map(SocketAddr::ip).collect();
            policy.web_addresses(&addresses).ok()?;
            target.route = Route::Given(addresses);
        }
        let tcp = self.connect(&target).await?;
        self.secure(tcp, host).await
    }

    /// Does TLS with a certificate that must verify.
    pub(super) async fn secure(&self, tcp: TcpStream, host: &Host) -> Option<ServerTls> {
        match self.shared.tls.connect(tcp, host, PROBE_TIMEOUT).await {
            Ok((stream, _)) => Some(stream),
            Err(refused) => {
                debug!(code = ?refused.code, "no TLS");
                None
            }
        }
    }

    fn may_ask(&self, host: &Host) -> Option<()> {
        self.asker.may_ask(&host.to_string()).then_some(())
    }

    async fn connect(&self, target: &Target) -> Option<TcpStream> {
        match tunnel::connect(target, self.shared).await {
            Ok((tcp, _)) => Some(tcp),
            Err(refused) => {
                debug!(code = ?refused.code, "not reached");
                None
            }
        }
    }
}
