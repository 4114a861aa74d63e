use postern_bridge::{
    Certificate, CertificateDetails, CertificateProblem, RefusedCertificate, TlsEnd,
};
use postern_certificate::{Details, Problem};
use postern_tunnel::{CertificateInfo, Opened, RefusedCertificate as ByProxy, TlsInfo};

use super::*;

fn stream() -> Stream {
    Stream::new("imap.example.org", 993, &Budget::new(0))
}

fn opened() -> Stream {
    let mut stream = stream();
    let opened = Opened { peer: "192.0.2.1:143".into(), tls: None, credit: 10 };
    stream.text(&FromProxy::Opened(opened).to_text());
    stream
}

fn info() -> TlsInfo {
    let (version, cipher) = ("TLSv1.3".into(), "TLS13_AES_128_GCM_SHA256".into());
    TlsInfo { version, cipher, certificate: Some(certificate_info()) }
}

fn certificate_info() -> CertificateInfo {
    let details = Details {
        subject: "CN=imap.example.org".into(),
        issuer: "CN=Example".into(),
        names: vec!["imap.example.org".into()],
        not_before: 1,
        not_after: 2,
    };
    CertificateInfo { fingerprint: "0f".repeat(32), details: Some(details) }
}

/// The same as the page tells it.
fn certificate() -> Certificate {
    let details = CertificateDetails {
        subject: "CN=imap.example.org".into(),
        issuer: "CN=Example".into(),
        names: vec!["imap.example.org".into()],
        not_before: 1000,
        not_after: 2000,
    };
    Certificate { fingerprint: [0x0f; 32].into(), details: Some(details) }
}

fn secured() -> String {
    FromProxy::Secured(info()).to_text()
}

fn refused(code: Refusal) -> String {
    FromProxy::Refused(Refused { code, message: "Why.".into(), certificate: None }).to_text()
}

#[test]
fn bytes_come_in_order_and_then_the_end() {
    let mut stream = opened();
    stream.binary(b"one".to_vec());
    stream.binary(b"two".to_vec());
    stream.text(&FromProxy::Finish.to_text());
    stream.closed();
    assert_eq!(stream.take(), Some((b"one".to_vec(), None)));
    assert_eq!(stream.take(), Some((b"two".to_vec(), None)));
    assert_eq!(stream.take(), None);
    assert_eq!(stream.is_finished(), Ok(true));
    assert_eq!(stream.check(), Err(TransportError::Lost));
}

#[test]
fn a_full_window_is_fine_and_one_byte_more_breaks_the_stream() {
    let mut stream = opened();
    stream.binary(vec![0; WINDOW as usize]);
    assert_eq!(stream.is_finished(), Ok(false));
    stream.binary(vec![0; 1]);
    assert_eq!(stream.is_finished(), Err(TransportError::Lost));
}

#[test]
fn what_is_read_is_granted_again() {
    let mut stream = opened();
    stream.binary(vec![0; WINDOW as usize / 2]);
    assert_eq!(stream.take().and_then(|(_, grant)| grant), Some(WINDOW / 2));
}

#[test]
fn a_window_that_the_proxy_uses_up_grows_within_the_budget() {
    let mut stream = Stream::new("imap.example.org", 993, &Budget::new(WINDOW));
    let opened = Opened { peer: "192.0.2.1:143".into(), tls: None, credit: 10 };
    stream.text(&FromProxy::Opened(opened).to_text());
    stream.binary(vec![0; WINDOW as usize]);
    assert_eq!(stream.take().and_then(|(_, grant)| grant), Some(2 * WINDOW));
    stream.binary(vec![0; 2 * WINDOW as usize]);
    assert_eq!(stream.take().and_then(|(_, grant)| grant), Some(2 * WINDOW));
}

#[test]
fn credit_that_the_proxy_reclaims_is_returned_and_not_spent() {
    let mut stream = opened();
    assert_eq!(stream.text(&FromProxy::Reclaim(4).to_text()), Some(6));
    assert_eq!(stream.text(&FromProxy::Reclaim(4).to_text()), None);
    assert_eq!(stream.spend(7), 4);
}

#[test]
fn no_more_is_spent_than_was_granted() {
    let mut stream = opened();
    assert_eq!(stream.spend(7), 7);
    assert_eq!(stream.spend(7), 3);
    assert_eq!(stream.spend(7), 0);
    stream.text(&FromProxy::Credit(5).to_text());
    assert_eq!(stream.spend(7), 5);
    stream.text(&FromProxy::Credit(u32::MAX).to_text());
    stream.text(&FromProxy::Credit(1).to_text());
    assert_eq!(stream.check(), Err(TransportError::Lost));
}

#[test]
fn a_socket_that_closes_before_the_way_is_open_means_offline() {
    let mut stream = stream();
    stream.closed();
    assert_eq!(stream.check(), Err(TransportError::Offline));
    let mut stream = opened();
    stream.closed();
    assert_eq!(stream.check(), Err(TransportError::Lost));
}

#[test]
fn each_refusal_tells_what_is_wrong() {
    let why = || "Why.".to_owned();
    for (code, error) in [
        (Refusal::BadRequest, TransportError::NotAllowed(why())),
        (Refusal::AccessDenied, TransportError::Denied(why())),
        (Refusal::NotAllowed, TransportError::NotAllowed(why())),
        (Refusal::TooMany, TransportError::Busy(why())),
        (Refusal::ShuttingDown, TransportError::Busy(why())),
        (Refusal::UnknownHost, TransportError::UnknownHost),
        (Refusal::LookupFailed, TransportError::LookupFailed),
        (Refusal::ConnectFailed, TransportError::ConnectFailed),
        (Refusal::ConnectTimedOut, TransportError::TimedOut),
        (
            Refusal::BadCertificate,
            TransportError::Certificate(Box::new(RefusedCertificate {
                host: "imap.example.org".into(),
                port: 993,
                verifier: TlsEnd::Proxy,
                problem: CertificateProblem::Other(why()),
                certificate: None,
            })),
        ),
        (Refusal::TlsFailed, TransportError::Tls(why())),
        (Refusal::Lost, TransportError::Lost),
        (Refusal::Idle, TransportError::Lost),
    ] {
        let mut stream = stream();
        stream.text(&refused(code));
        stream.closed();
        assert_eq!(stream.check(), Err(error));
    }
}

#[test]
fn a_refusal_of_a_later_proxy_counts_as_a_connection_that_was_lost() {
    let mut stream = stream();
    stream.text(r#"{"refused":{"code":"something-new","message":"Why."}}"#);
    assert_eq!(stream.check(), Err(TransportError::Lost));
}

#[test]
fn a_certificate_that_the_proxy_refused_is_told_but_can_not_be_trusted() {
    let mut stream = stream();
    let by_proxy = ByProxy { problem: Problem::Expired, certificate: certificate_info() };
    let refused = Refused {
        code: Refusal::BadCertificate,
        message: "Why.".into(),
        certificate: Some(Box::new(by_proxy)),
    };
    stream.text(&FromProxy::Refused(refused).to_text());
    let Err(TransportError::Certificate(refused)) = stream.check() else { panic!("no reason") };
    assert_eq!(refused.problem, CertificateProblem::Expired);
    assert_eq!(refused.certificate, Some(certificate()));
    assert_eq!(refused.trustable(), None);
}

#[test]
fn clear_text_where_tls_should_begin_is_refused() {
    let mut stream = opened();
    stream.binary(b"a".to_vec());
    assert_eq!(stream.begin_tls(), Err(early_bytes()));

    let mut stream = opened();
    assert_eq!(stream.begin_tls(), Ok(()));
    stream.binary(b"a".to_vec());
    assert_eq!(stream.check(), Err(early_bytes()));
    assert_eq!(stream.take(), None);

    let mut stream = opened();
    assert_eq!(stream.begin_tls(), Ok(()));
    assert_eq!(stream.tls(), None);
    stream.text(&secured());
    stream.binary(b"a".to_vec());
    assert!(stream.is_secured());
    assert!(stream.tls().is_some());
    assert_eq!(stream.take(), Some((b"a".to_vec(), None)));
}

#[test]
fn what_the_proxy_tells_of_its_session_is_kept() {
    let mut stream = stream();
    let opened = Opened { peer: "192.0.2.1:993".into(), tls: Some(info()), credit: 10 };
    stream.text(&FromProxy::Opened(opened).to_text());
    let expected = TlsSession {
        version: "TLSv1.3".into(),
        cipher: "TLS13_AES_128_GCM_SHA256".into(),
        certificate: Some(certificate()),
        end: TlsEnd::Proxy,
    };
    assert_eq!(stream.tls(), Some(&expected));
}

#[test]
fn a_proxy_that_breaks_the_rules_is_not_listened_to() {
    for text in [secured(), FromProxy::Credit(1).to_text(), "{".into()] {
        let mut stream = stream();
        stream.text(&text);
        assert_eq!(stream.check(), Err(TransportError::Lost));
    }
    let mut stream = stream();
    stream.binary(b"a".to_vec());
    assert_eq!(stream.check(), Err(TransportError::Lost));
}
