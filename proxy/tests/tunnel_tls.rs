//! TLS that the proxy does.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use postern_certificate::Problem;
use postern_tunnel::{CertificateInfo, FromPage, FromProxy, Refusal, TlsMode};
use sha2::{Digest, Sha256};
use support::{
    HOST, Running, destination,
    page::{Heard, PLENTY, Page, open},
    server::{echo_on, listen},
    start, start_for,
    tls::{Identity, listen_tls},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const GO_AHEAD: &[u8] = b"a OK go ahead\r\n";

async fn start_trusting(identity: &Identity, server: std::net::SocketAddr) -> Running {
    let root = identity.certificate.clone();
    start(|_| {}, |builder| builder.trust([root]).allow(destination(server))).await
}

/// Waits for a line, gives the go-ahead and what else it shall send, then does TLS and echoes.
async fn starts_tls(identity: &Identity, injected: &'static [u8]) -> std::net::SocketAddr {
    let acceptor = identity.acceptor();
    listen(move |mut stream: TcpStream| {
        let acceptor = acceptor.clone();
        async move {
            let mut line = [0; 12];
            stream.read_exact(&mut line).await.unwrap();
            assert_eq!(&line, b"a STARTTLS\r\n");
            stream.write_all(&[GO_AHEAD, injected].concat()).await.unwrap();
            if let Ok(stream) = acceptor.accept(stream).await {
                echo_on(stream).await;
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_page_that_grants_nothing_hears_of_the_end_of_tls_and_of_its_loss() {
    let identity = Identity::of(HOST);
    let over = listen_tls(&identity, async |mut stream| stream.shutdown().await.unwrap()).await;
    let proxy = start_trusting(&identity, over).await;
    let (mut page, _) = Page::open(proxy.addr, over.port(), TlsMode::Proxy, 0).await;
    assert_eq!(page.hear().await, Heard::Control(FromProxy::Finish));

    // Without a word.
    let cut = listen_tls(&identity, async |_| {}).await;
    let proxy = start_trusting(&identity, cut).await;
    let (mut page, _) = Page::open(proxy.addr, cut.port(), TlsMode::Proxy, 0).await;
    assert_eq!(page.hear_refused().await.code, Refusal::Lost);

    let speaks = listen_tls(&identity, async |mut stream| {
        stream.write_all(&[7; 100_000]).await.unwrap();
        stream.shutdown().await.unwrap();
    })
    .await;
    let proxy = start_trusting(&identity, speaks).await;
    let (mut page, _) = Page::open(proxy.addr, speaks.port(), TlsMode::Proxy, 0).await;
    for grant in [1_u32, 50_000, 49_999] {
        page.say(&FromPage::Credit(grant)).await;
        assert!(page.hear_bytes(grant as usize).await.iter().all(|byte| *byte == 7));
    }
    assert_eq!(page.hear().await, Heard::Control(FromProxy::Finish));
}

#[tokio::test]
async fn bytes_go_through_tls_and_the_page_learns_how() {
    let identity = Identity::of(HOST);
    let server = listen_tls(&identity, echo_on).await;
    let proxy = start_trusting(&identity, server).await;
    let (mut page, opened) = Page::open(proxy.addr, server.port(), TlsMode::Proxy, PLENTY).await;
    let tls = opened.tls.unwrap();
    assert_eq!(tls.version, "TLSv1.3");
    assert!(tls.cipher.starts_with("TLS13_"), "{}", tls.cipher);
    let digest = Sha256::digest(&identity.certificate);
    let fingerprint: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let certificate = tls.certificate.unwrap();
    assert_eq!(certificate.fingerprint, fingerprint);
    assert_eq!(certificate.details.unwrap().names, [HOST]);

    page.send(b"hello").await;
    assert_eq!(page.hear_bytes(5).await, b"hello");
    page.say(&FromPage::Finish).await;
    assert_eq!(page.hear().await, Heard::Control(FromProxy::Finish));
    assert_eq!(page.hear().await, Heard::Closed);
}

#[tokio::test]
async fn tls_starts_later_when_the_page_asks_for_it() {
    let identity = Identity::of(HOST);
    let server = starts_tls(&identity, b"").await;
    let proxy = start_trusting(&identity, server).await;
    let (mut page, opened) =
        Page::open(proxy.addr, server.port(), TlsMode::ProxyStartTls, PLENTY).await;
    assert_eq!(opened.tls, None);
    page.send(b"a STARTTLS\r\n").await;
    assert_eq!(page.hear_bytes(GO_AHEAD.len()).await, GO_AHEAD);
    page.say(&FromPage::StartTls).await;
    // What is sent before the answer waits for TLS.
    page.send(b"hello").await;
    let Heard::Control(FromProxy::Secured(info)) = page.hear().await else { panic!("no TLS") };
    assert_eq!(info.version, "TLSv1.3");
    assert_eq!(page.hear_bytes(5).await, b"hello");

    page.say(&FromPage::StartTls).await;
    assert_eq!(page.hear_refused().await.code, Refusal::BadRequest);
}

#[tokio::test]
async fn what_comes_between_go_ahead_and_tls_ends_the_tunnel() {
    let identity = Identity::of(HOST);
    let server = starts_tls(&identity, b"* CAPABILITY injected\r\n").await;
    let proxy = start_trusting(&identity, server).await;
    // The page grants the go-ahead and no more, so the rest is still on its way.
    let credit = GO_AHEAD.len() as u32;
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::ProxyStartTls, credit).await;
    page.send(b"a STARTTLS\r\n").await;
    assert_eq!(page.hear_bytes(GO_AHEAD.len()).await, GO_AHEAD);
    page.say(&FromPage::StartTls).await;
    page.say(&FromPage::Credit(PLENTY)).await;
    match page.hear().await {
        Heard::Control(FromProxy::Refused(refused)) => {
            assert_eq!(refused.code, Refusal::TlsFailed, "{}", refused.message);
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_server_that_is_cut_off_has_not_finished() {
    let identity = Identity::of(HOST);
    let server = listen_tls(&identity, async |mut stream| {
        stream.write_all(b"half a mess").await.unwrap();
        stream.flush().await.unwrap();
        // TCP ends in good order, TLS does not.
        stream.get_mut().0.shutdown().await.unwrap();
        let _ = stream.get_mut().0.read(&mut [0]).await;
    })
    .await;
    let proxy = start_trusting(&identity, server).await;
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::Proxy, PLENTY).await;
    assert_eq!(page.hear_bytes(11).await, b"half a mess");
    match page.hear().await {
        Heard::Control(FromProxy::Refused(refused)) => assert_eq!(refused.code, Refusal::Lost),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_bad_certificate_is_explained() {
    let good = Identity::of(HOST);
    let other = Identity::of("other.example.org");
    let expired = Identity::expired(HOST);
    for (identity, trusted, problem, word) in [
        (&good, None, Problem::SelfSigned, "issued by the server itself"),
        (
            &other,
            Some(&other),
            Problem::OtherHost,
            "not valid for this name, but for other.example.org",
        ),
        (&expired, Some(&expired), Problem::Expired, "expired"),
    ] {
        let server = listen_tls(identity, echo_on).await;
        let roots: Vec<_> = trusted.map(|root| root.certificate.clone()).into_iter().collect();
        let proxy = start(|_| {}, |builder| builder.trust(roots).allow(destination(server))).await;
        let request = open(HOST, server.port(), TlsMode::Proxy, PLENTY);
        let refused = Page::refused(proxy.addr, request).await;
        assert_eq!(refused.code, Refusal::BadCertificate);
        assert!(refused.message.contains(word), "{}", refused.message);
        assert!(refused.message.contains(HOST), "{}", refused.message);
        let told = refused.certificate.unwrap();
        assert_eq!(told.problem, problem);
        assert_eq!(told.certificate, CertificateInfo::of(&identity.certificate));
    }
}

#[tokio::test]
async fn a_server_without_tls_fails() {
    for greeting in [&b"* OK IMAP ready\r\n"[..], b""] {
        let server = listen(move |mut stream| async move {
            stream.write_all(greeting).await.unwrap();
            let _ = stream.read(&mut [0; 1024]).await;
        })
        .await;
        let proxy = start_for(server).await;
        let request = open(HOST, server.port(), TlsMode::Proxy, PLENTY);
        let refused = Page::refused(proxy.addr, request).await;
        assert_eq!(refused.code, Refusal::TlsFailed, "{}", refused.message);
    }
}

#[tokio::test]
async fn roots_come_from_a_file_too() {
    let identity = Identity::of(HOST);
    let server = listen_tls(&identity, echo_on).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("roots.pem");
    std::fs::write(&path, identity.pem()).unwrap();
    let proxy =
        start(|config| config.roots = Some(path), |builder| builder.allow(destination(server)))
            .await;
    Page::open(proxy.addr, server.port(), TlsMode::Proxy, PLENTY).await;
}

#[tokio::test]
async fn roots_that_can_not_be_read_are_an_error_that_names_the_setting() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    for path in [empty, folder.path().join("missing.pem")] {
        let config = postern::Config { roots: Some(path), ..postern::Config::default() };
        let error = postern::Proxy::builder(config).bind().await.err().unwrap();
        assert!(error.to_string().starts_with("roots: "), "{error}");
    }
}
