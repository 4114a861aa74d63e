//! Whose certificate is accepted, and what is told of one that is not.

use postern_bridge::{CertificateProblem, Endpoint, RefusedCertificate, TlsEnd};
use postern_mail::TransportError;
use rustls::RootCertStore;

use super::{
    super::{Roots, Tls},
    server::{HOST, Identity, VERSIONS, endpoint},
};

/// What is told of the refused certificate.
fn refused(identity: &Identity, tls: &Tls, endpoint: &Endpoint) -> RefusedCertificate {
    match identity.connect(tls, endpoint).err() {
        Some(TransportError::Certificate(refused)) => *refused,
        other => panic!("{other:?}"),
    }
}

/// TLS as people have it.
fn by_public_roots() -> Tls {
    let roots = webpki_roots::TLS_SERVER_ROOTS.to_vec();
    Tls::with(Roots::known(RootCertStore { roots }))
}

#[test]
fn a_refused_certificate_is_told_with_all_that_it_says() {
    let identity = Identity::expired();
    let refused = refused(&identity, &identity.as_root(), &endpoint(HOST, None));
    assert_eq!((&*refused.host, refused.port), (HOST, 993));
    assert_eq!(refused.verifier, TlsEnd::Browser);
    assert_eq!(refused.problem, CertificateProblem::Expired);
    assert_eq!(refused.trustable(), Some(identity.fingerprint()));
    let details = refused.certificate.unwrap().details.unwrap();
    assert_eq!(details.names, [HOST]);
    assert_eq!((details.not_before, details.not_after), (946_684_800_000, 978_307_200_000));
    assert_eq!(details.issuer, details.subject);
}

#[test]
fn a_certificate_for_another_host_is_refused() {
    let identity = Identity::new(VERSIONS[0]);
    let endpoint = endpoint("other.example.org", None);
    let refused = refused(&identity, &identity.as_root(), &endpoint);
    assert_eq!(refused.problem, CertificateProblem::OtherHost);
    assert_eq!(refused.host, "other.example.org");
}

#[test]
fn a_certificate_that_no_public_authority_vouches_for_is_refused_until_it_is_trusted() {
    for version in VERSIONS {
        let identity = Identity::new(version);
        let tls = by_public_roots();
        let first = refused(&identity, &tls, &endpoint(HOST, None));
        assert_eq!(first.problem, CertificateProblem::SelfSigned);
        let trusting = endpoint(HOST, first.trustable());
        identity.connect(&tls, &trusting).unwrap();
    }
}

#[test]
fn a_trusted_certificate_that_changes_is_refused_even_if_the_new_one_verifies() {
    let trusted = Identity::new(VERSIONS[0]).fingerprint();
    let changed = Identity::new(VERSIONS[0]);
    for (tls, verifies) in [(changed.as_root(), true), (by_public_roots(), false)] {
        let refused = refused(&changed, &tls, &endpoint(HOST, Some(trusted)));
        assert_eq!(refused.problem, CertificateProblem::Changed { trusted, verifies });
        assert_eq!(refused.certificate.unwrap().fingerprint, changed.fingerprint());
    }
}

#[test]
fn a_certificate_that_is_trusted_for_one_host_is_refused_for_another() {
    let identity = Identity::new(VERSIONS[0]);
    let tls = by_public_roots();
    identity.connect(&tls, &endpoint(HOST, Some(identity.fingerprint()))).unwrap();
    for host in ["other.example.org", "org", "192.0.2.1"] {
        let refused = refused(&identity, &tls, &endpoint(host, None));
        assert_eq!(refused.problem, CertificateProblem::SelfSigned);
    }
}
