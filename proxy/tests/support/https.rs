//! A proxy that ends HTTPS itself, and browsers that come to it.

use std::{fs, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use axum::body::Body;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use postern::{
    Builder, Config,
    config::{CertificateFiles, Https, Identity as Source},
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::CertificateDer;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{Running, soon, start, tls::Identity};

/// The name at which browsers find the proxy.
pub(crate) const NAME: &str = "localhost";

/// HTTP/1.1 and HTTP/2 as TLS knows them.
pub(crate) const HTTP1: &[u8] = b"http/1.1";
pub(crate) const HTTP2: &[u8] = b"h2";

/// The settings for a certificate in this folder.
pub(crate) fn https(folder: &Path) -> Https {
    Https {
        identity: Source::Files(CertificateFiles {
            certificate: folder.join("certificate.pem"),
            key: folder.join("key.pem"),
            // Only when told to, unless a test wants it otherwise.
            reload: Duration::from_secs(3600),
        }),
        redirect_listen: None,
        hsts: Duration::from_secs(60),
    }
}

/// Puts a certificate and its key into the folder.
pub(crate) fn install(identity: &Identity, folder: &Path) {
    fs::write(folder.join("certificate.pem"), identity.pem()).unwrap();
    fs::write(folder.join("key.pem"), identity.key_pem()).unwrap();
}

/// Starts a proxy with HTTPS; its certificate is in the folder.
pub(crate) async fn start_https(
    config: impl FnOnce(&mut Config),
    builder: impl FnOnce(Builder) -> Builder,
) -> (Running, Identity, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let identity = Identity::of(NAME);
    install(&identity, folder.path());
    let https = https(folder.path());
    let config = |settings: &mut Config| {
        settings.https = Some(https);
        config(settings);
    };
    (start(config, builder).await, identity, folder)
}

/// Connects as a browser that trusts this certificate and offers these protocols.
pub(crate) async fn connect(
    addr: SocketAddr,
    trusted: &CertificateDer<'static>,
    protocols: &[&[u8]],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let tcp = TcpStream::connect(addr).await?;
    let connector = TlsConnector::from(Arc::new(config));
    soon(connector.connect(NAME.try_into().unwrap(), tcp)).await
}

/// Connects as a browser that speaks HTTP/2.
pub(crate) async fn connect_http2(
    addr: SocketAddr,
    trusted: &CertificateDer<'static>,
) -> SendRequest<Body> {
    let stream = connect(addr, trusted, &[HTTP2, HTTP1]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(HTTP2));
    let builder = http2::Builder::new(TokioExecutor::new());
    let (requests, connection) = soon(builder.handshake(TokioIo::new(stream))).await.unwrap();
    tokio::spawn(connection);
    requests
}
