//! A proxy that ends HTTPS itself, and browsers that come to it.

use std::{fs, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use axum::body::Body;
use hyper::{
    Method, Request, StatusCode,
    client::conn::http2::{self, SendRequest},
    ext::Protocol,
    upgrade::Upgraded,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use postern::{
    Builder, Config,
    config::{CertificateFiles, Https, Identity as Source},
};
use postern_tunnel::{PATH, SUBPROTOCOL, TOKEN_PATH, Token};
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::ring,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
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
    connect_http2_with_window(addr, trusted, None).await
}

/// The same with a window of so many bytes for each stream.
pub(crate) async fn connect_http2_with_window(
    addr: SocketAddr,
    trusted: &CertificateDer<'static>,
    window: Option<u32>,
) -> SendRequest<Body> {
    let stream = connect(addr, trusted, &[HTTP2, HTTP1]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(HTTP2));
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.initial_stream_window_size(window);
    let (requests, connection) = soon(builder.handshake(TokioIo::new(stream))).await.unwrap();
    tokio::spawn(connection);
    requests
}

/// Fetches a token over HTTP/2.
pub(crate) async fn fetch_token(proxy: &Running, identity: &Identity) -> String {
    let mut requests = connect_http2(proxy.addr, &identity.certificate).await;
    let origin = origin(proxy.addr);
    let request = Request::post(format!("{origin}{TOKEN_PATH}")).header("origin", origin);
    let request = request.body(Body::empty()).unwrap();
    let answer = soon(requests.send_request(request)).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let body = axum::body::to_bytes(Body::new(answer.into_body()), 10_000).await.unwrap();
    serde_json::from_slice::<Token>(&body).unwrap().token
}

/// Opens a WebSocket over HTTP/2.
pub(crate) async fn upgrade_http2(
    requests: &mut SendRequest<Body>,
    proxy: SocketAddr,
) -> TokioIo<Upgraded> {
    let request = tunnel_request(proxy, &origin(proxy));
    let answer = soon(requests.send_request(request)).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["sec-websocket-protocol"], SUBPROTOCOL);
    TokioIo::new(hyper::upgrade::on(answer).await.unwrap())
}

/// An extended CONNECT (RFC 8441, section 5) of a page of this origin.
pub(crate) fn tunnel_request(proxy: SocketAddr, page: &str) -> Request<Body> {
    Request::builder()
        .method(Method::CONNECT)
        .uri(format!("{}{PATH}", origin(proxy)))
        .extension(Protocol::from_static("websocket"))
        .header("origin", page)
        .header("sec-websocket-version", "13")
        .header("sec-websocket-protocol", SUBPROTOCOL)
        .body(Body::empty())
        .unwrap()
}

/// Where browsers find the proxy's page.
pub(crate) fn origin(proxy: SocketAddr) -> String {
    format!("https://{NAME}:{}", proxy.port())
}

/// The certificate that is shown, whatever it is, to a client that offers these protocols; one of
/// them must be agreed on.
pub(crate) async fn certificate(addr: SocketAddr, protocols: &[&[u8]]) -> CertificateDer<'static> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anything))
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let tcp = TcpStream::connect(addr).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    let stream = soon(connector.connect(NAME.try_into().unwrap(), tcp)).await.unwrap();
    let session = stream.get_ref().1;
    assert!(protocols.contains(&session.alpn_protocol().unwrap()));
    session.peer_certificates().unwrap()[0].clone().into_owned()
}

/// Takes every certificate.
#[derive(Debug)]
struct Anything;

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
