//! From what the page asks for to a connection with the mail server.

use std::{net::SocketAddr, time::SystemTime};

use postern_tunnel::{
    Decode, FromPage, FromProxy, MAX_CONTROL, Open, Opened, Refusal, Refused, TlsInfo, TlsMode,
};
use tokio::{net::TcpStream, time::timeout};
use tracing::info;

use super::{
    dial,
    page::Page,
    refusal::{bad_request, refuse},
    upstream::Upstream,
};
use crate::{
    access::{Guest, TokenProblem, Visitor},
    client_hello::ClientHelloGate,
    limits::WINDOW,
    policy::{Host, Target, Unreachable},
    server::{Origin, Seat, Shared},
    websocket::Message,
};

/// What a page is told that says something else first.
const SAY_WHERE: &str = "The first message must say where to connect.";

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

/// Where the page wants to go.
pub(super) enum Asked {
    /// It has said so with the request of the WebSocket.
    Early(Box<Reached>),
    /// Its first message will say so.
    Later(Visitor),
}

/// A message that came with the request of the WebSocket, if it can be read.
pub(super) type Early = Result<Open, Decode>;

/// A connection with a mail server, of which the page has not heard yet.
pub(super) struct Reached {
    server: Upstream,
    peer: SocketAddr,
    /// What TLS there is already.
    info: Option<TlsInfo>,
    target: Target,
    tls: TlsMode,
    credit: u32,
    guest: Guest,
}

/// Goes where the page asks to, and tells it.
pub(super) async fn open(
    page: &mut Page,
    origin: &Origin,
    asked: Asked,
    shared: &Shared,
) -> Result<(Way, Guest), Failure> {
    let reached = match asked {
        Asked::Early(reached) => *reached,
        Asked::Later(visitor) => {
            let first = tokio::select! {
                first = timeout(shared.limits().open, first_message(page)) => first,
                excess = visitor.turned_out() => return Err(Refused::from(excess).into()),
            };
            let open =
                first.map_err(|_| bad_request("The page did not say where to connect."))??;
            reach(Ok(open), origin, visitor, shared, None).await?
        }
    };
    tell(page, reached, shared).await
}

/// Connects where a page wants to go, if it may. The seat is that of a connection which is no tunnel
/// yet: it is left as soon as the tunnel is counted, however long it takes to connect.
pub(super) async fn reach(
    open: Early,
    origin: &Origin,
    visitor: Visitor,
    shared: &Shared,
    seat: Option<&Seat>,
) -> Result<Reached, Refused> {
    let open = open.map_err(|_| bad_request(SAY_WHERE))?;
    let token = shared.mint.check(open.token.as_deref(), origin, SystemTime::now());
    token.map_err(access_denied)?;
    let guest = visitor.admit()?;
    if let Some(seat) = seat {
        seat.leave();
    }
    let target = shared.policy.destination(&open.host, open.port);
    let target = target.map_err(|denied| refuse(Refusal::NotAllowed, denied.to_string()))?;
    guest.may_reach(&target.host.to_string(), target.port)?;
    // What the page sends there must be TLS, as the client hello's gate makes sure: no other mode
    // may be a way around it.
    if target.implicit_tls && matches!(open.tls, TlsMode::None | TlsMode::ProxyStartTls) {
        return Err(bad_request("This port speaks TLS from the start."));
    }
    let connecting = connect(&target, shared);
    let (tcp, peer) = timeout(shared.limits().connect, connecting).await.map_err(|_| {
        refuse(Refusal::ConnectTimedOut, format!("{} does not answer.", target.host))
    })??;

    let (server, info) = match open.tls {
        TlsMode::Proxy => {
            let limit = shared.limits().handshake;
            let secured = shared.tls.connect(tcp, &target.host, limit).await;
            shared.metrics.server_handshake(secured.is_ok());
            let (stream, info) = secured?;
            (Upstream::Tls(stream), Some(info))
        }
        TlsMode::EndToEnd | TlsMode::ProxyStartTls | TlsMode::None => (Upstream::Plain(tcp), None),
    };
    Ok(Reached { server, peer, info, target, tls: open.tls, credit: open.credit, guest })
}

/// Tells the page that it has its way.
async fn tell(page: &mut Page, reached: Reached, shared: &Shared) -> Result<(Way, Guest), Failure> {
    let Reached { server, peer, info, target, tls, credit, guest } = reached;
    let opened = Opened { peer: peer.to_string(), tls: info, credit: WINDOW };
    let opened = Message::Text(FromProxy::Opened(opened).to_text());
    // A page that takes nothing must not hold a tunnel that no limit has begun to count for.
    let said = timeout(shared.limits().open, page.send(&opened)).await;
    if !matches!(said, Ok(Ok(()))) {
        return Err(Failure::PageGone);
    }
    info!(host = %target.host, port = target.port, %peer, ?tls, "open");

    let blind = tls == TlsMode::EndToEnd && target.implicit_tls;
    let gate = blind.then(|| ClientHelloGate::new(target.host.clone()));
    Ok((Way { server, host: target.host, tls, gate, credit }, guest))
}

async fn first_message(page: &mut Page) -> Result<Open, Failure> {
    match page.receive(MAX_CONTROL).await {
        Ok(Some(Message::Text(text))) => match FromPage::from_text(&text) {
            Ok(FromPage::Open(open)) => Ok(open),
            _ => Err(bad_request(SAY_WHERE).into()),
        },
        Ok(Some(Message::Binary(_))) => Err(bad_request(SAY_WHERE).into()),
        Ok(None) | Err(_) => Err(Failure::PageGone),
    }
}

/// Finds the host's addresses and connects to one of those that may be dialled.
pub(crate) async fn connect(
    target: &Target,
    shared: &Shared,
) -> Result<(TcpStream, SocketAddr), Refused> {
    let located = shared.policy.locate(target, &shared.resolver).await;
    let addresses = located.map_err(|error| {
        let code = match error {
            Unreachable::Denied(_) | Unreachable::AnswerTooLong(_) => Refusal::NotAllowed,
            Unreachable::Unknown(_) => Refusal::UnknownHost,
            Unreachable::Unavailable(_) => Refusal::LookupFailed,
        };
        refuse(code, error.to_string())
    })?;
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

fn access_denied(problem: TokenProblem) -> Refused {
    let message = match problem {
        TokenProblem::Missing => "The page did not show a token of this proxy.",
        TokenProblem::Foreign => "The page's token is not of this proxy, or of another page.",
        TokenProblem::Expired => "The page's token is too old.",
    };
    refuse(Refusal::AccessDenied, message)
}
