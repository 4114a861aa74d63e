//! A new certificate, without a restart.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use postern::config::Identity as Source;
use rustls_pki_types::CertificateDer;
use support::{
    https::{HTTP1, NAME, connect, install, start_https},
    metrics::{reaches, value},
    soon, start,
    tls::Identity,
};

/// Waits until the proxy shows this certificate.
async fn shown(addr: SocketAddr, certificate: &CertificateDer<'static>) {
    soon(async { while connect(addr, certificate, &[HTTP1]).await.is_err() {} }).await;
}

#[tokio::test]
async fn a_new_certificate_is_shown_when_told_and_nobody_is_turned_away() {
    let (proxy, first, folder) = start_https(|_| {}, |builder| builder).await;
    let second = Identity::of(NAME);
    let over = Arc::new(AtomicBool::new(false));
    let load = (0..2).map(|_| {
        let (addr, over) = (proxy.addr, over.clone());
        let known = [first.certificate.clone(), second.certificate.clone()];
        tokio::spawn(async move {
            while !over.load(Ordering::Relaxed) {
                // Whoever trusts both comes in at any time.
                let [first, second] = &known;
                let either = connect(addr, first, &[HTTP1]).await.is_ok()
                    || connect(addr, second, &[HTTP1]).await.is_ok();
                assert!(either);
            }
        })
    });
    let load: Vec<_> = load.collect();
    let mut open = connect(proxy.addr, &first.certificate, &[HTTP1]).await.unwrap();
    install(&second, folder.path());
    proxy.reload.now();
    shown(proxy.addr, &second.certificate).await;
    assert!(connect(proxy.addr, &first.certificate, &[HTTP1]).await.is_err());
    over.store(true, Ordering::Relaxed);
    for load in load {
        soon(load).await.unwrap();
    }
    // What was open before goes on.
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    open.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    soon(open.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.ends_with("ok\n"), "{answer}");
}

#[tokio::test]
async fn the_metrics_tell_until_when_the_certificate_is_valid() {
    let name = "postern_certificate_expiry_timestamp_seconds";
    let metrics_listen = Some(([127, 0, 0, 1], 0).into());
    let (proxy, _, folder) =
        start_https(|config| config.metrics_listen = metrics_listen, |builder| builder).await;
    let metrics = proxy.metrics.unwrap();
    // 1 January of the year 4096, as the library that made it has it.
    assert_eq!(value(metrics, name).await, Some(67_090_118_400.0));
    install(&Identity::expired(NAME), folder.path());
    proxy.reload.now();
    reaches(metrics, name, 978_307_200.0).await;
    let plain = start(|config| config.metrics_listen = metrics_listen, |builder| builder).await;
    assert_eq!(value(plain.metrics.unwrap(), name).await, None);
}

#[tokio::test]
async fn new_files_are_noticed_without_being_told() {
    let (proxy, _, folder) = start_https(
        |config| {
            let Source::Files(files) = &mut config.https.as_mut().unwrap().identity else {
                panic!("not from files")
            };
            files.reload = Duration::from_millis(20);
        },
        |builder| builder,
    )
    .await;
    let second = Identity::of(NAME);
    install(&second, folder.path());
    shown(proxy.addr, &second.certificate).await;
}

#[tokio::test]
async fn a_broken_pair_leaves_the_old_one_and_a_good_one_comes_after() {
    let (proxy, first, folder) = start_https(
        |config| {
            let Source::Files(files) = &mut config.https.as_mut().unwrap().identity else {
                panic!("not from files")
            };
            files.reload = Duration::from_millis(5);
        },
        |builder| builder,
    )
    .await;
    let (second, third) = (Identity::of(NAME), Identity::of(NAME));
    let [certificate, key] = ["certificate.pem", "key.pem"].map(|file| folder.path().join(file));
    for broken in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        std::fs::write(&certificate, broken).unwrap();
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            connect(proxy.addr, &first.certificate, &[HTTP1]).await.unwrap();
        }
    }
    // The half of another pair, and then no file at all.
    std::fs::write(&certificate, second.pem()).unwrap();
    tokio::time::sleep(Duration::from_millis(30)).await;
    connect(proxy.addr, &first.certificate, &[HTTP1]).await.unwrap();
    std::fs::remove_file(&key).unwrap();
    tokio::time::sleep(Duration::from_millis(30)).await;
    connect(proxy.addr, &first.certificate, &[HTTP1]).await.unwrap();
    install(&third, folder.path());
    shown(proxy.addr, &third.certificate).await;
}
