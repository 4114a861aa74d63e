//! Whole handshakes between a client with our verifier and servers with all kinds of certificates.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::sync::Arc;

use postern_certificate::{Problem, Refused, Verifier, Why, fingerprint};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, date_time_ymd,
};
use rustls::{
    ClientConfig, ClientConnection, Error, RootCertStore, ServerConfig, ServerConnection,
    SupportedProtocolVersion,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};

const HOST: &str = "mail.example.org";

/// A certificate, and a key that need not be its own.
struct Identity {
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

type Authority = CertifiedIssuer<'static, KeyPair>;
type Change = fn(&mut CertificateParams);

fn identity(host: &str, change: Change, issuer: Option<&Authority>) -> Identity {
    let mut params = CertificateParams::new([host.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, host);
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = match issuer {
        Some(issuer) => params.signed_by(&key, issuer),
        None => params.self_signed(&key),
    };
    Identity { certificate: certificate.unwrap().der().clone(), key }
}

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Accepts what this authority vouches for.
fn verifier(authority: &Authority) -> Verifier {
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    Verifier::new(roots.into(), provider()).unwrap()
}

/// Presents the same certificate to everybody.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// Lets client and server talk until the client is content, or is not.
fn handshake(
    verifier: &Verifier,
    version: &'static SupportedProtocolVersion,
    identity: &Identity,
) -> Result<(), Error> {
    let key = PrivateKeyDer::Pkcs8(identity.key.serialize_der().into());
    let key = ring::sign::any_supported_type(&key).unwrap();
    let certified = CertifiedKey::new(vec![identity.certificate.clone()], key);
    let server = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Always(certified.into())));
    let client = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[version])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier.clone()))
        .with_no_client_auth();
    let mut server = ServerConnection::new(server.into()).unwrap();
    let mut client = ClientConnection::new(client.into(), HOST.try_into().unwrap()).unwrap();
    while client.is_handshaking() {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        let mut arriving = &wire[..];
        while !arriving.is_empty() {
            server.read_tls(&mut arriving).unwrap();
            server.process_new_packets().unwrap();
        }
        wire.clear();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        let mut arriving = &wire[..];
        while !arriving.is_empty() {
            client.read_tls(&mut arriving).unwrap();
            client.process_new_packets()?;
        }
    }
    Ok(())
}

/// Why a client refuses a server, with either version of TLS; `None` if it accepts it.
fn refusal(verifier: &Verifier, identity: &Identity) -> Option<Why> {
    let [why, same] = [&TLS13, &TLS12].map(|version| {
        let error = handshake(verifier, version, identity).err()?;
        let refused = Refused::from_error(&error).unwrap_or_else(|| panic!("{error}"));
        assert_eq!(refused.certificate, identity.certificate);
        Some(refused.why.clone())
    });
    assert_eq!(why, same);
    why
}

fn expired(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(2001, 1, 1);
}

fn not_yet_valid(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2100, 1, 1);
    params.not_after = date_time_ymd(2101, 1, 1);
}

fn for_clients(params: &mut CertificateParams) {
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
}

fn of_an_authority(params: &mut CertificateParams) {
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
}

fn as_it_is(_: &mut CertificateParams) {}

#[test]
fn each_thing_that_may_be_wrong_is_told() {
    let ours = authority("Ours");
    let other = authority("Other");
    let imitated = authority("Ours");
    let signature = "The certificate's signature, or the server's own, is wrong.";
    let purpose = "The certificate was issued for another purpose than to identify a server.";
    let cases: [(&str, Change, Option<&Authority>, Option<Problem>); 10] = [
        (HOST, as_it_is, Some(&ours), None),
        (HOST, expired, Some(&ours), Some(Problem::Expired)),
        (HOST, not_yet_valid, Some(&ours), Some(Problem::NotYetValid)),
        ("other.example.org", as_it_is, Some(&ours), Some(Problem::OtherHost)),
        (HOST, as_it_is, Some(&other), Some(Problem::UnknownIssuer)),
        (HOST, as_it_is, Some(&imitated), Some(Problem::Other(signature.into()))),
        (HOST, as_it_is, None, Some(Problem::SelfSigned)),
        (HOST, of_an_authority, None, Some(Problem::SelfSigned)),
        (HOST, expired, None, Some(Problem::Expired)),
        (HOST, for_clients, Some(&ours), Some(Problem::Other(purpose.into()))),
    ];
    for (host, change, issuer, problem) in cases {
        let identity = identity(host, change, issuer);
        assert_eq!(refusal(&verifier(&ours), &identity), problem.map(Why::Invalid));
    }
}

#[test]
fn the_trusted_certificate_is_accepted_whatever_is_wrong_with_it() {
    let ours = authority("Ours");
    let other = authority("Other");
    let cases: [(&str, Change, Option<&Authority>); 8] = [
        (HOST, as_it_is, Some(&ours)),
        (HOST, expired, Some(&ours)),
        (HOST, not_yet_valid, Some(&ours)),
        ("other.example.org", as_it_is, Some(&ours)),
        (HOST, as_it_is, Some(&other)),
        (HOST, as_it_is, None),
        (HOST, of_an_authority, None),
        (HOST, for_clients, Some(&ours)),
    ];
    for (host, change, issuer) in cases {
        let identity = identity(host, change, issuer);
        let trusting = verifier(&ours).trusting_only(fingerprint(&identity.certificate));
        assert_eq!(refusal(&trusting, &identity), None);
    }
}

#[test]
fn any_other_than_the_trusted_certificate_is_refused_even_one_that_verifies() {
    let ours = authority("Ours");
    let trusted = identity(HOST, as_it_is, None);
    let trusting = verifier(&ours).trusting_only(fingerprint(&trusted.certificate));
    for (issuer, verifies) in [(Some(&ours), true), (None, false)] {
        let changed = identity(HOST, as_it_is, issuer);
        assert_eq!(refusal(&trusting, &changed), Some(Why::Changed { verifies }));
    }
}

#[test]
fn a_server_that_lacks_the_certificates_key_is_refused_even_if_the_certificate_is_trusted() {
    let ours = authority("Ours");
    let stolen = identity(HOST, as_it_is, Some(&ours)).certificate;
    let thief = Identity { certificate: stolen, key: KeyPair::generate().unwrap() };
    let trusting = verifier(&ours).trusting_only(fingerprint(&thief.certificate));
    for verifier in [verifier(&ours), trusting] {
        let why = refusal(&verifier, &thief);
        assert!(matches!(why, Some(Why::Invalid(Problem::Other(_)))), "{why:?}");
    }
}
