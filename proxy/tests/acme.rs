//! A certificate from an authority.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::{net::SocketAddr, path::Path, time::Duration};

use postern::{
    Builder, Config,
    config::{Acme, Https, Identity},
};
use support::{
    Running,
    authority::Authority,
    http::get,
    https::{HTTP1, NAME, connect},
    metrics::value,
    soon, start,
};

/// Until when the certificate is valid.
const EXPIRY: &str = "postern_certificate_expiry_timestamp_seconds";

async fn start_acme(
    authority: &Authority,
    cache: &Path,
    builder: impl FnOnce(Builder) -> Builder,
) -> (Running, SocketAddr) {
    let acme = Acme {
        domains: vec![NAME.to_owned()],
        contact: Some("mailto:postmaster@example.org".to_owned()),
        cache: cache.to_owned(),
        directory: authority.directory.clone(),
    };
    let https =
        Https { identity: Identity::Acme(acme), redirect_listen: None, hsts: Duration::ZERO };
    let config = |settings: &mut Config| {
        settings.https = Some(https);
        settings.metrics_listen = Some(([127, 0, 0, 1], 0).into());
    };
    let proxy = start(config, builder).await;
    let metrics = proxy.metrics.unwrap();
    (proxy, metrics)
}

async fn ready(metrics: SocketAddr) {
    soon(async {
        while get(metrics, "/readyz", &[]).await.status != 200 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_certificate_is_got_kept_and_shown_by_the_next_start() {
    let authority = Authority::start().await;
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("cache");
    let trust = |builder: Builder| builder.trust([authority.identity.certificate.clone()]);
    let (proxy, metrics) = start_acme(&authority, &cache, trust).await;
    let waiting = get(metrics, "/readyz", &[]).await;
    assert_eq!((waiting.status, waiting.text()), (503, "no certificate yet\n"));
    assert!(connect(proxy.addr, &authority.root, &[HTTP1]).await.is_err());
    assert_eq!(value(metrics, EXPIRY).await, None);
    // From here on the authority finds the proxy under the name.
    authority.name_leads_to.send(Some(proxy.addr)).unwrap();
    ready(metrics).await;
    connect(proxy.addr, &authority.root, &[HTTP1]).await.unwrap();
    let expiry = soon(async {
        loop {
            if let Some(expiry) = value(metrics, EXPIRY).await {
                return expiry;
            }
        }
    })
    .await;
    soon(proxy.stop()).await.unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&cache).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "keys are in it");
    }

    // The next start does not trust the authority's own HTTPS, so it can't ask it for another one.
    let (proxy, metrics) = start_acme(&authority, &cache, |builder| builder).await;
    ready(metrics).await;
    connect(proxy.addr, &authority.root, &[HTTP1]).await.unwrap();
    assert_eq!(value(metrics, EXPIRY).await, Some(expiry));
}

#[tokio::test]
async fn while_the_authority_gives_nothing_the_proxy_lives_and_is_not_ready() {
    let authority = Authority::start().await;
    let folder = tempfile::tempdir().unwrap();
    let (_proxy, metrics) =
        start_acme(&authority, &folder.path().join("cache"), |builder| builder).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(get(metrics, "/readyz", &[]).await.status, 503);
    assert_eq!(get(metrics, "/healthz", &[]).await.text(), "ok\n");
}
