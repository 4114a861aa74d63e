//! The way to a host, under the same policy as a tunnel's.

use std::net::SocketAddr;

use tokio::net::TcpStream;
use tracing::debug;

use crate::{
    limits::PROBE_TIMEOUT,
    policy::{Host, Route, Target},
    server::Shared,
    tunnel::{self, ServerTls},
};

/// Connects to a mail server whose host and port are allowed.
pub(super) async fn mail(target: &Target, shared: &Shared) -> Option<TcpStream> {
    connect(target, shared).await
}

/// Connects to where a provider may publish settings, and does TLS. Unlike mail servers, such hosts
/// must have public addresses whatever networks are permitted: anybody can make the proxy ask there.
pub(super) async fn web(host: &Host, shared: &Shared) -> Option<ServerTls> {
    let mut target = shared.policy.web(host).ok()?;
    if !matches!(target.route, Route::Known(_)) {
        let located = shared.policy.locate(&target, &shared.resolver).await.ok()?;
        let addresses: Vec<_> = located.iter().map(SocketAddr::ip).collect();
        shared.policy.public_addresses(&addresses).ok()?;
        target.route = Route::Given(addresses);
    }
    let tcp = connect(&target, shared).await?;
    secure(tcp, host, shared).await
}

/// Does TLS with a certificate that must verify.
pub(super) async fn secure(tcp: TcpStream, host: &Host, shared: &Shared) -> Option<ServerTls> {
    match shared.tls.connect(tcp, host, PROBE_TIMEOUT).await {
        Ok((stream, _)) => Some(stream),
        Err(refused) => {
            debug!(code = ?refused.code, "no TLS");
            None
        }
    }
}

async fn connect(target: &Target, shared: &Shared) -> Option<TcpStream> {
    match tunnel::connect(target, shared).await {
        Ok((tcp, _)) => Some(tcp),
        Err(refused) => {
            debug!(code = ?refused.code, "not reached");
            None
        }
    }
}
