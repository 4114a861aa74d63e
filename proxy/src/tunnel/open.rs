//! From the page's first message to a connection with the mail server.

use std::net::{IpAddr, SocketAddr};

use postern_tunnel::{FromPage, FromProxy, Open, Opened, Refusal, Refused, TlsMode};
use tokio::{net::TcpStream, time::timeout};
use tracing::info;

use super::{
    dial,
    page::Page,
    refusal::{bad_request, refuse},
    upstream::Upstream,
};
use crate::{
    client_hello::ClientHelloGate,
    limits::WINDOW,
    policy::{Denied, Host, ResolveError, Route, Target},
    server::Shared,
    websocket::Message,
};

/// An open way to a mail server.
pub(super) struct Way {
    pub(super) server: Upstream,
    pub(super) host: Host,
    pub(super) tls: TlsMode,
    /// What the page's first bytes must pass.
    pub(super) gate: Option<ClientHelloGate>,
    /// Stream bytes that the page takes at first.
    pub(super) credit: u32,
}

/// Why there is no way.
pub(super) enum Failure {
    Refused(Refused),
    /// The page is gone, or broke the WebSocket.
    PageGone,
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// Reads the page's first message, does what it says, and tells the page.
pub(super) async fn open(page: &mut Page, shared: &Shared) -> Result<Way, Failure> {
    let first = timeout(shared.limits().open, first_message(page)).await;
    let open = first.map_err(|_| bad_request("The page did not say where to connect."))??;
    if let Some(key) = &shared.config.access_key
        && !key.admits(open.access.as_deref())
    {
        return Err(refuse(Refusal::AccessDenied, "This proxy asks for its access key.").into());
    }
    let target = shared.policy.destination(&open.host, open.port).map_err(denied)?;
    // What the page sends there must be TLS, as the client hello's gate makes sure: no other mode
    // may be a way around it.
    if target.implicit_tls && matches!(open.tls, TlsMode::None | TlsMode::ProxyStartTls) {
        return Err(bad_request("This port speaks TLS from the start.").into());
    }
    let connecting = connect(&target, shared);
    let (tcp, peer) = timeout(shared.limits().connect, connecting).await.map_err(|_| {
        refuse(Refusal::ConnectTimedOut, format!("{} does not answer.", target.host))
    })??;

    let (server, tls) = match open.tls {
        TlsMode::Proxy => {
            let (stream, info) =
                shared.tls.connect(tcp, &target.host, shared.limits().handshake).await?;
            (Upstream::Tls(Box::new(stream)), Some(info))
        }
        TlsMode::EndToEnd | TlsMode::ProxyStartTls | TlsMode::None => (Upstream::Plain(tcp), None),
    };
    let opened = Opened { peer: peer.to_string(), tls, credit: WINDOW };
    let said = page.send(&Message::Text(FromProxy::Opened(opened).to_text())).await;
    said.map_err(|_| Failure::PageGone)?;
    info!(host = %target.host, port = target.port, %peer, tls = ?open.tls, "open");

    let blind = open.tls == TlsMode::EndToEnd && target.implicit_tls;
    let gate = blind.then(|| ClientHelloGate::new(target.host.clone()));
    Ok(Way { server, host: target.host, tls: open.tls, gate, credit: open.credit })
}

async fn first_message(page: &mut Page) -> Result<Open, Failure> {
    match page.receive().await {
        Ok(Some(Message::Text(text))) => match FromPage::from_text(&text) {
            Ok(FromPage::Open(open)) => Ok(open),
            _ => Err(bad_request("The first message must say where to connect.").into()),
        },
        Ok(Some(Message::Binary(_))) => {
            Err(bad_request("The first message must say where to connect.").into())
        }
        Ok(None) | Err(_) => Err(Failure::PageGone),
    }
}

/// Finds the host's addresses, vets them, and connects to one of those that were vetted.
async fn connect(target: &Target, shared: &Shared) -> Result<(TcpStream, SocketAddr), Refused> {
    let addresses = match &target.route {
        Route::Known(address) => vec![*address],
        Route::Given(addresses) => vet(addresses, target, shared)?,
        Route::Resolve => {
            let name = target.host.to_string();
            let addresses =
                shared.resolver.addresses(&name).await.map_err(|error| match error {
                    ResolveError::NotFound => unknown(&target.host),
                    ResolveError::Unavailable => refuse(
                        Refusal::UnknownHost,
                        format!("The name {name} can't be looked up at the moment."),
                    ),
                })?;
            vet(&addresses, target, shared)?
        }
    };
    dial::dial(&addresses).await.map_err(|error| {
        refuse(
            Refusal::ConnectFailed,
            format!(
                "{} does not accept connections on port {}: {error}.",
                target.host, target.port
            ),
        )
    })
}

fn vet(ips: &[IpAddr], target: &Target, shared: &Shared) -> Result<Vec<SocketAddr>, Refused> {
    if ips.is_empty() {
        return Err(unknown(&target.host));
    }
    shared.policy.addresses(ips).map_err(denied)?;
    let addresses: Vec<_> = ips.iter().map(|ip| SocketAddr::new(*ip, target.port)).collect();
    let own = |address: &&SocketAddr| {
        dial::local_address(**address)
            .is_some_and(|local| shared.policy.is_forbidden_self(address.ip(), local))
    };
    match addresses.iter().find(own) {
        Some(own) => Err(denied(Denied::Address(own.ip(), "the proxy's own machine"))),
        None => Ok(addresses),
    }
}

fn denied(denied: Denied) -> Refused {
    refuse(Refusal::NotAllowed, denied.to_string())
}

fn unknown(host: &Host) -> Refused {
    refuse(Refusal::UnknownHost, format!("There is no mail server called {host}."))
}
