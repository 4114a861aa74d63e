//! Byte streams to mail servers, through the proxy.
//!
//! | Module | Job |
//! |---|---|
//! | [`tunnel`] | a byte stream in a WebSocket |
//! | [`stream`] | the tunnel's rules: frames in, bytes and credit out |
//! | [`socket`] | the browser's WebSocket as a queue of events |
//! | [`tls`] | TLS that ends in the page, above a tunnel |
//! | [`certificate`] | certificates as the page tells them to the person |

mod certificate;
mod socket;
mod stream;
mod tls;
mod tunnel;

use postern_bridge::{Endpoint, Security, TlsEnd, TlsSession};
use postern_mail::{Connector, Transport, TransportError};
use postern_tunnel::{Open, TlsMode, credit::Budget};

use self::{
    tls::{Tls, TlsStream},
    tunnel::Tunnel,
};
use crate::{
    access::Access,
    limits::{WINDOW, WINDOWS},
};

/// Opens tunnels to the proxy that served the page.
pub(crate) struct TunnelConnector {
    url: String,
    access: Access,
    tls: Tls,
    windows: Budget,
}

impl TunnelConnector {
    /// `origin` is the page's, such as `https://mail.example.org`.
    pub(crate) fn new(origin: &str, access: Access) -> Self {
        // `http` becomes `ws`, and `https` becomes `wss`.
        let url = format!("{}{}", origin.replacen("http", "ws", 1), postern_tunnel::PATH);
        Self { url, access, tls: Tls::new(), windows: Budget::new(WINDOWS) }
    }

    /// Opens a tunnel. A token that the proxy does not accept is replaced once: the proxy may have
    /// been started anew, or the clock here may be wrong.
    async fn tunnel(&self, endpoint: &Endpoint) -> Result<Tunnel, TransportError> {
        let open = |token| Open {
            host: endpoint.host.clone(),
            port: endpoint.port,
            tls: tls_mode(endpoint.security, endpoint.tls_end),
            credit: WINDOW,
            token: Some(token),
        };
        let token = self.access.token().await?;
        match Tunnel::open(&self.url, &open(token.clone()), &self.windows).await {
            Err(TransportError::Denied(_)) => {
                self.access.drop_token(&token);
                let token = self.access.token().await?;
                Tunnel::open(&self.url, &open(token), &self.windows).await
            }
            opened => opened,
        }
    }
}

impl Connector for TunnelConnector {
    type Transport = MailTransport;

    async fn connect(&self, endpoint: &Endpoint) -> Result<MailTransport, TransportError> {
        let open = async || self.tunnel(endpoint).await;
        let layer = match (endpoint.tls_end, endpoint.security) {
            (TlsEnd::Proxy, _) | (_, Security::Plain) => {
                Layer::Tunnel(Box::new(open().await?), None)
            }
            (TlsEnd::Browser, Security::StartTls) => {
                let upgrade = Upgrade { tls: self.tls.clone(), endpoint: endpoint.clone() };
                Layer::Tunnel(Box::new(open().await?), Some(upgrade))
            }
            (TlsEnd::Browser, Security::Tls) => {
                Layer::Tls(Box::new(self.tls.connect(endpoint, open).await?))
            }
        };
        Ok(MailTransport { layer })
    }
}

fn tls_mode(security: Security, end: TlsEnd) -> TlsMode {
    match (security, end) {
        (Security::Plain, _) => TlsMode::None,
        (Security::Tls | Security::StartTls, TlsEnd::Browser) => TlsMode::EndToEnd,
        (Security::Tls, TlsEnd::Proxy) => TlsMode::Proxy,
        (Security::StartTls, TlsEnd::Proxy) => TlsMode::ProxyStartTls,
    }
}

/// A byte stream to a mail server.
pub(crate) struct MailTransport {
    layer: Layer,
}

/// What the stream consists of.
enum Layer {
    /// What goes through the tunnel; and how TLS would be put above it, if that is our task.
    Tunnel(Box<Tunnel>, Option<Upgrade>),
    /// TLS above a tunnel.
    Tls(Box<TlsStream<Tunnel>>),
    /// An upgrade failed.
    Gone,
}

/// What it takes to make a tunnel secure.
struct Upgrade {
    tls: Tls,
    endpoint: Endpoint,
}

impl Transport for MailTransport {
    async fn read(&mut self) -> Result<Vec<u8>, TransportError> {
        match &mut self.layer {
            Layer::Tunnel(tunnel, _) => tunnel.read().await,
            Layer::Tls(stream) => stream.read().await,
            Layer::Gone => Err(TransportError::Lost),
        }
    }

    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), TransportError> {
        match &mut self.layer {
            Layer::Tunnel(tunnel, _) => tunnel.write(bytes).await,
            Layer::Tls(stream) => stream.write(bytes).await,
            Layer::Gone => Err(TransportError::Lost),
        }
    }

    async fn start_tls(&mut self) -> Result<(), TransportError> {
        match std::mem::replace(&mut self.layer, Layer::Gone) {
            Layer::Tunnel(mut tunnel, None) => {
                tunnel.start_tls().await?;
                self.layer = Layer::Tunnel(tunnel, None);
            }
            Layer::Tunnel(mut tunnel, Some(upgrade)) => {
                tunnel.check_quiet()?;
                let stream = upgrade.tls.upgrade(&upgrade.endpoint, *tunnel).await?;
                self.layer = Layer::Tls(Box::new(stream));
            }
            Layer::Tls(mut stream) => stream.start_tls().await?,
            Layer::Gone => return Err(TransportError::Lost),
        }
        Ok(())
    }

    fn tls(&self) -> Option<TlsSession> {
        match &self.layer {
            Layer::Tunnel(tunnel, _) => tunnel.tls(),
            Layer::Tls(stream) => stream.tls(),
            Layer::Gone => None,
        }
    }

    async fn close(&mut self) {
        match &mut self.layer {
            Layer::Tunnel(tunnel, _) => tunnel.close().await,
            Layer::Tls(stream) => stream.close().await,
            Layer::Gone => {}
        }
    }
}
