//! Sessions are resumed, but never with more trust than they were made with.

use postern_bridge::Endpoint;
use postern_mail::{Transport, TransportError};
use rustls::HandshakeKind;

use super::{
    super::Tls,
    server::{HOST, Identity, VERSIONS, endpoint, now},
};
use crate::limits::TRUSTED_CERTIFICATES;

/// Connects, exchanges a word, so that tickets arrive as well, and tells what the handshake was.
fn handshake(identity: &Identity, tls: &Tls, endpoint: &Endpoint) -> HandshakeKind {
    let mut stream = identity.connect(tls, endpoint).unwrap();
    now(stream.write(b"word".to_vec())).unwrap();
    assert_eq!(now(stream.read()).unwrap(), b"word");
    assert_eq!(stream.tls().unwrap().certificate.unwrap().fingerprint, identity.fingerprint());
    stream.connection.handshake_kind().unwrap()
}

#[test]
fn the_second_connection_to_a_host_resumes_the_session_of_the_first() {
    for version in VERSIONS {
        let identity = Identity::new(version);
        for trusted in [None, Some(identity.fingerprint())] {
            let (tls, endpoint) = (identity.as_root(), endpoint(HOST, trusted));
            assert_eq!(handshake(&identity, &tls, &endpoint), HandshakeKind::Full);
            for _ in 0..3 {
                assert_eq!(handshake(&identity, &tls, &endpoint), HandshakeKind::Resumed);
            }
        }
    }
}

#[test]
fn nobody_resumes_what_was_accepted_only_because_it_was_trusted() {
    for version in VERSIONS {
        let identity = Identity::new(version);
        // A root that is not this server's.
        let tls = Identity::new(version).as_root();
        handshake(&identity, &tls, &endpoint(HOST, Some(identity.fingerprint())));
        let refused = identity.connect(&tls, &endpoint(HOST, None)).err();
        assert!(matches!(refused, Some(TransportError::Certificate(_))), "{refused:?}");
    }
}

#[test]
fn nobody_who_trusts_another_certificate_resumes_what_has_verified() {
    for version in VERSIONS {
        let identity = Identity::new(version);
        let tls = identity.as_root();
        handshake(&identity, &tls, &endpoint(HOST, None));
        let other = Identity::new(version).fingerprint();
        let refused = identity.connect(&tls, &endpoint(HOST, Some(other))).err();
        assert!(matches!(refused, Some(TransportError::Certificate(_))), "{refused:?}");
    }
}

#[test]
fn sessions_of_as_many_trusted_certificates_as_allowed_are_kept_and_of_one_more_not() {
    let identity = Identity::new(VERSIONS[0]);
    let fingerprint = Some(identity.fingerprint());
    let tls = identity.as_root();
    let host = |number: usize| endpoint(&format!("host-{number}.example.org"), fingerprint);
    for number in 0..TRUSTED_CERTIFICATES {
        assert_eq!(handshake(&identity, &tls, &host(number)), HandshakeKind::Full);
    }
    assert_eq!(handshake(&identity, &tls, &host(0)), HandshakeKind::Resumed);
    // One more drives out the one that was not used for longest, which is no longer the first.
    assert_eq!(handshake(&identity, &tls, &host(TRUSTED_CERTIFICATES)), HandshakeKind::Full);
    assert_eq!(handshake(&identity, &tls, &host(0)), HandshakeKind::Resumed);
    assert_eq!(handshake(&identity, &tls, &host(1)), HandshakeKind::Full);
}
