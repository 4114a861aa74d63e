//! A certificate authority with an ACME directory (RFC 8555), as far as one order needs it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, head, post},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hyper::{header::LOCATION, server::conn::http1};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use rcgen::{
    BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256,
    PublicKeyData, SignatureAlgorithm,
};
use rustls_pki_types::CertificateDer;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch};

use super::{https, tls::Identity};

/// The protocol of the challenge (RFC 8737, section 6.2).
const CHALLENGE: &[u8] = b"acme-tls/1";

/// The object identifier of the challenge's extension (RFC 8737, section 3), in DER.
const ACME_IDENTIFIER: &[u8] = &[0x06, 8, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x1f];

/// How a public key on P-256 begins in a certificate request, before its 65 bytes.
const P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A running authority.
pub(crate) struct Authority {
    pub(crate) directory: String,
    /// What its own HTTPS shows.
    pub(crate) identity: Identity,
    /// What the certificates that it gives lead to.
    pub(crate) root: CertificateDer<'static>,
    /// Where the name leads that is asked for.
    pub(crate) name_leads_to: watch::Sender<Option<SocketAddr>>,
}

struct Inner {
    base: String,
    issuer: Issuer<'static, KeyPair>,
    name_leads_to: watch::Receiver<Option<SocketAddr>>,
    state: Mutex<Order>,
}

#[derive(Default)]
struct Order {
    is_authorized: bool,
    certificate: Option<String>,
}

struct PublicKey(Vec<u8>);

impl PublicKeyData for PublicKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl Authority {
    /// Starts one that takes one order, for [`https::NAME`].
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("https://{}", listener.local_addr().unwrap());
        let identity = Identity::of("127.0.0.1");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap().der().clone();
        let (sender, name_leads_to) = watch::channel(None);
        let inner = Arc::new(Inner {
            base: base.clone(),
            issuer: Issuer::new(params, key),
            name_leads_to,
            state: Mutex::default(),
        });
        let (router, acceptor) = (router(inner), identity.acceptor());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (router, acceptor) = (router.clone(), acceptor.clone());
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let service = TowerToHyperService::new(router);
                    let builder = http1::Builder::new();
                    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { directory: format!("{base}/directory"), identity, root, name_leads_to: sender }
    }
}

fn router(inner: Arc<Inner>) -> Router {
    Router::new()
        .route("/directory", get(directory))
        .route("/nonce", head(async || [("replay-nonce", "nonce")]))
        .route("/account", post(async || ([(LOCATION, "/account/1")], "{}")))
        .route("/new-order", post(order))
        .route("/order", post(order))
        .route("/authorization", post(authorization))
        .route("/challenge", post(challenge))
        .route("/finalize", post(finalize))
        .route("/certificate", post(certificate))
        .with_state(inner)
}

async fn directory(State(inner): State<Arc<Inner>>) -> String {
    let base = &inner.base;
    json!({
        "newNonce": format!("{base}/nonce"),
        "newAccount": format!("{base}/account"),
        "newOrder": format!("{base}/new-order"),
    })
    .to_string()
}

async fn order(State(inner): State<Arc<Inner>>) -> Response {
    let base = &inner.base;
    let state = inner.state.lock().unwrap();
    let status = match &*state {
        Order { certificate: Some(_), .. } => "valid",
        Order { is_authorized: true, .. } => "ready",
        Order { .. } => "pending",
    };
    let order = json!({
        "status": status,
        "authorizations": [format!("{base}/authorization")],
        "finalize": format!("{base}/finalize"),
        "certificate": format!("{base}/certificate"),
    });
    ([(LOCATION, format!("{base}/order"))], order.to_string()).into_response()
}

async fn authorization(State(inner): State<Arc<Inner>>) -> String {
    let is_authorized = inner.state.lock().unwrap().is_authorized;
    json!({
        "status": if is_authorized { "valid" } else { "pending" },
        "identifier": {"type": "dns", "value": https::NAME},
        "challenges": [{
            "type": "tls-alpn-01",
            "url": format!("{}/challenge", inner.base),
            "token": "token",
        }],
    })
    .to_string()
}

/// Looks where the name leads whether the challenge is answered there.
async fn challenge(State(inner): State<Arc<Inner>>) -> String {
    let mut name_leads_to = inner.name_leads_to.clone();
    let addr = name_leads_to.wait_for(Option::is_some).await.unwrap().unwrap();
    let certificate = https::certificate(addr, &[CHALLENGE]).await;
    let has_extension =
        certificate.windows(ACME_IDENTIFIER.len()).any(|part| part == ACME_IDENTIFIER);
    inner.state.lock().unwrap().is_authorized = has_extension;
    "{}".to_owned()
}

async fn finalize(state: State<Arc<Inner>>, body: Bytes) -> Response {
    let decode = |text: &Value| BASE64_URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let payload: Value = serde_json::from_slice(&decode(&body["payload"])).unwrap();
    let request = decode(&payload["csr"]);
    let at = request.windows(P256.len()).position(|part| part == P256).unwrap() + P256.len();
    let key = PublicKey(request[at..at + 65].to_vec());
    let params = CertificateParams::new(vec![https::NAME.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &state.issuer).unwrap();
    state.state.lock().unwrap().certificate = Some(certificate.pem());
    order(state).await
}

async fn certificate(State(inner): State<Arc<Inner>>) -> String {
    inner.state.lock().unwrap().certificate.clone().unwrap()
}
