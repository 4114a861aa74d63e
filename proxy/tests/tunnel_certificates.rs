//! Servers whose TLS the proxy refuses: each with a code for the page and a sentence for a person.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::{net::SocketAddr, time::Duration};

use postern_certificate::Problem;
use postern_tunnel::{CertificateInfo, FromPage, FromProxy, Refusal, Refused, TlsMode};
use rcgen::{BasicConstraints, ExtendedKeyUsagePurpose as Purpose, IsCa, date_time_ymd};
use support::{
    HOST, Running, destination,
    page::{Heard, PLENTY, Page, open},
    server::{echo_on, listen},
    start,
    tls::{Identity, Root, listen_tls},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The ways in which the proxy begins TLS.
const MODES: [TlsMode; 2] = [TlsMode::Proxy, TlsMode::ProxyStartTls];

/// Starts a proxy that trusts this authority and reaches this server.
async fn start_trusting(root: &Root, server: SocketAddr) -> Running {
    let root = root.certificate.clone();
    start(
        |config| config.limits.handshake = Duration::from_secs(2),
        |builder| builder.trust([root]).allow(destination(server)),
    )
    .await
}

/// Asks for TLS with the server in this way, and returns why there is none.
async fn refused(proxy: &Running, server: SocketAddr, tls: TlsMode) -> Refused {
    if tls == TlsMode::Proxy {
        return Page::refused(proxy.addr, open(HOST, server.port(), tls, PLENTY)).await;
    }
    let (mut page, _) = Page::open(proxy.addr, server.port(), tls, PLENTY).await;
    page.say(&FromPage::StartTls).await;
    page.hear_refused().await
}

/// What a person reads is a sentence about the host, without the program's own words.
fn assert_sentence(refused: &Refused) {
    let Refused { message, .. } = refused;
    assert!(message.contains(HOST) && message.ends_with('.'), "{message}");
    let own_words = ["::", "Error", "Incompatible", "InvalidMessage", "{", "("];
    assert!(!own_words.iter().any(|word| message.contains(word)), "{message}");
}

#[tokio::test]
async fn a_certificate_that_verifies_is_accepted_in_both_ways() {
    let root = Root::new();
    let server = listen_tls(&root.issue(HOST, |_| {}), echo_on).await;
    let proxy = start_trusting(&root, server).await;
    for tls in MODES {
        let (mut page, opened) = Page::open(proxy.addr, server.port(), tls, PLENTY).await;
        if tls == TlsMode::ProxyStartTls {
            page.say(&FromPage::StartTls).await;
            let Heard::Control(FromProxy::Secured(_)) = page.hear().await else { panic!("no TLS") };
        } else {
            assert!(opened.tls.is_some());
        }
        page.send(b"hello").await;
        assert_eq!(page.hear_bytes(5).await, b"hello");
    }
}

#[tokio::test]
async fn each_certificate_that_does_not_verify_is_told_with_its_problem() {
    let (root, other_root) = (Root::new(), Root::new());
    let purpose = "issued for another purpose";
    let cases: [(&str, Identity, Problem, &str); 8] = [
        (
            "expired",
            root.issue(HOST, |params| {
                params.not_before = date_time_ymd(2000, 1, 1);
                params.not_after = date_time_ymd(2001, 1, 1);
            }),
            Problem::Expired,
            "has expired",
        ),
        (
            "not valid yet",
            root.issue(HOST, |params| {
                params.not_before = date_time_ymd(4000, 1, 1);
                params.not_after = date_time_ymd(4001, 1, 1);
            }),
            Problem::NotYetValid,
            "is not valid yet",
        ),
        (
            "other host",
            root.issue("imap.example.com", |_| {}),
            Problem::OtherHost,
            "is not valid for this name, but for imap.example.com",
        ),
        (
            "a wildcard of another level",
            root.issue("*.mail.example.org", |_| {}),
            Problem::OtherHost,
            "is not valid for this name, but for *.mail.example.org",
        ),
        (
            "no host at all",
            root.issue(HOST, |params| params.subject_alt_names.clear()),
            Problem::OtherHost,
            "is not valid for this name.",
        ),
        ("self-signed", Identity::of(HOST), Problem::SelfSigned, "issued by the server itself"),
        (
            "for clients",
            root.issue(HOST, |params| params.extended_key_usages = vec![Purpose::ClientAuth]),
            Problem::Other(String::new()),
            purpose,
        ),
        (
            "an authority's own",
            root.issue(HOST, |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)),
            Problem::Other(String::new()),
            "can't be verified",
        ),
    ];
    for (name, identity, problem, words) in &cases {
        check(name, &root, identity, problem, words).await;
    }
    // Two authorities of the same name are taken for one, until the signature is looked at.
    let stranger = other_root.issue(HOST, |_| {});
    check("another key", &root, &stranger, &Problem::Other(String::new()), "signature").await;
}

#[tokio::test]
async fn a_certificate_from_a_stranger_is_told_as_one() {
    let stranger = Root::named("Stranger").issue(HOST, |_| {});
    let words = "comes from an issuer that this proxy does not trust";
    check("stranger", &Root::named("Trusted"), &stranger, &Problem::UnknownIssuer, words).await;
}

/// Checks that the certificate is refused in both ways, for this reason; a problem without a name
/// is told in words alone.
async fn check(name: &str, root: &Root, identity: &Identity, problem: &Problem, words: &str) {
    let server = listen_tls(identity, echo_on).await;
    let proxy = start_trusting(root, server).await;
    for tls in MODES {
        let refused = refused(&proxy, server, tls).await;
        assert_eq!(refused.code, Refusal::BadCertificate, "{name}: {}", refused.message);
        assert_sentence(&refused);
        let told = refused.certificate.clone().unwrap();
        assert_eq!(told.certificate, CertificateInfo::of(&identity.certificate), "{name}");
        match (problem, &told.problem) {
            (Problem::Other(_), Problem::Other(why)) => {
                assert!(why.contains(words), "{name}: {why}");
            }
            (problem, told) => {
                assert_eq!(problem, told, "{name}");
                assert!(refused.message.contains(words), "{name}: {}", refused.message);
            }
        }
    }
}

/// A server that answers the ClientHello with this, and then hangs up or is silent.
async fn answering(answer: &'static [u8], hangs_up: bool) -> SocketAddr {
    listen(move |mut stream: TcpStream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(answer).await;
        if hangs_up {
            let _ = stream.shutdown().await;
        }
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await
}

/// The first words of a server that has agreed on TLS 1.1.
const TLS_1_1: &[u8] = b"\x16\x03\x02\x00\x2a\x02\x00\x00\x26\x03\x02\
    \x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\
    \x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x20\
    \x00\xc0\x13\x00";

#[tokio::test]
async fn each_server_with_which_tls_can_not_be_agreed_on_is_told() {
    let root = Root::new();
    let too_old = "speaks no version of TLS that is safe";
    let no_tls = "does not speak TLS";
    let ended = "ended the connection instead of agreeing on TLS";
    for (name, answer, hangs_up, words) in [
        ("an alert: too old", &b"\x15\x03\x01\x00\x02\x02\x46"[..], true, too_old),
        ("TLS 1.1", TLS_1_1, false, too_old),
        ("a greeting", b"* OK IMAP4rev1 ready\r\n", false, no_tls),
        ("another greeting", b"220 mail.example.org ESMTP\r\n", false, no_tls),
        ("HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n", true, no_tls),
        ("SSL 2", b"\x80\x03\x00\x00\x01", true, no_tls),
        ("nothing", b"", true, ended),
        ("half a record", &TLS_1_1[..20], true, ended),
        ("an alert: handshake failure", b"\x15\x03\x03\x00\x02\x02\x28", true, "failed"),
    ] {
        let server = answering(answer, hangs_up).await;
        let proxy = start_trusting(&root, server).await;
        for tls in MODES {
            let refused = refused(&proxy, server, tls).await;
            assert_eq!(refused.code, Refusal::TlsFailed, "{name}: {}", refused.message);
            assert!(refused.message.contains(words), "{name}: {}", refused.message);
            assert!(refused.message.contains(HOST), "{name}: {}", refused.message);
            assert!(refused.message.ends_with('.'), "{name}: {}", refused.message);
        }
    }
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_ended() {
    let root = Root::new();
    let silent = answering(b"", false).await;
    let stuck = answering(&TLS_1_1[..20], false).await;
    // Every byte is in time for itself, but not all of them together.
    let trickling = listen(|mut stream| async move {
        let mut pace = tokio::time::interval(Duration::from_millis(50));
        for byte in b"\x16\x03\x03\x40\x00".iter().chain(&[0; 0x4000]) {
            pace.tick().await;
            if stream.write_all(&[*byte]).await.is_err() {
                return;
            }
        }
    })
    .await;
    for server in [silent, stuck, trickling] {
        let proxy = start_trusting(&root, server).await;
        let refused = refused(&proxy, server, TlsMode::Proxy).await;
        assert_eq!(refused.code, Refusal::ConnectTimedOut, "{}", refused.message);
        assert_sentence(&refused);
    }
}

#[tokio::test]
async fn a_stream_without_its_proper_end_is_lost_in_both_ways() {
    let root = Root::new();
    let identity = root.issue(HOST, |_| {});
    for resets in [false, true] {
        let server = listen_tls(&identity, move |mut stream| async move {
            stream.write_all(b"half a mess").await.unwrap();
            stream.flush().await.unwrap();
            let mut byte = [0];
            stream.read_exact(&mut byte).await.unwrap();
            let tcp = &mut stream.get_mut().0;
            if resets {
                tcp.set_zero_linger().unwrap();
            } else {
                // TCP ends in good order, TLS does not.
                tcp.shutdown().await.unwrap();
                let _ = tcp.read(&mut byte).await;
            }
        })
        .await;
        let proxy = start_trusting(&root, server).await;
        for tls in MODES {
            let (mut page, _) = Page::open(proxy.addr, server.port(), tls, PLENTY).await;
            if tls == TlsMode::ProxyStartTls {
                page.say(&FromPage::StartTls).await;
                assert!(matches!(page.hear().await, Heard::Control(FromProxy::Secured(_))));
            }
            assert_eq!(page.hear_bytes(11).await, b"half a mess");
            page.send(b"?").await;
            let Heard::Control(FromProxy::Refused(refused)) = page.hear().await else {
                panic!("the loss was not told");
            };
            assert_eq!(refused.code, Refusal::Lost, "{}", refused.message);
            assert_sentence(&refused);
        }
    }
}
