//! The certificates of the demo server: the same in each run, so that a browser that trusts them once
//! goes on to trust them.
//!
//! Everybody can make their keys again, as these are no secret: the demo is reached on the machine it
//! runs on alone, with a password that the page is told.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ED25519, date_time_ymd,
};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;

use super::DOMAIN;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// What stands before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410 section 7).
const PKCS8_PREFIX: [u8; 16] =
    [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// A root that a test may trust, and what serves under a leaf that it signed.
pub(super) struct Identity {
    pub(super) root: CertificateDer<'static>,
    /// The SHA-256 digest of the leaf.
    pub(super) fingerprint: [u8; 32],
    pub(super) acceptor: TlsAcceptor,
}

impl Identity {
    /// Makes a root and a leaf for [`DOMAIN`], `localhost`, `127.0.0.1` and `::1`.
    ///
    /// Ed25519 signs the same with the same bytes (RFC 8032), so the certificates never change.
    pub(super) fn make() -> Result<Self, Error> {
        let mut root = CertificateParams::new(Vec::new())?;
        root.distinguished_name.push(DnType::CommonName, "Postern demo root");
        root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        validity(&mut root);
        let root_key = key("root")?;
        let root_certificate = root.self_signed(&root_key)?;
        let issuer = Issuer::new(root, root_key);

        let names = [DOMAIN, "localhost", "127.0.0.1", "::1"].map(String::from);
        let mut leaf = CertificateParams::new(names)?;
        leaf.distinguished_name.push(DnType::CommonName, "localhost");
        leaf.use_authority_key_identifier_extension = true;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        validity(&mut leaf);
        let leaf_key = key("server")?;
        let leaf_certificate = leaf.signed_by(&leaf_key, &issuer)?;

        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![leaf_certificate.der().clone()], key)?;
        Ok(Self {
            root: root_certificate.der().clone(),
            fingerprint: Sha256::digest(leaf_certificate.der()).into(),
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }
}

/// The demo's key of this name.
fn key(name: &str) -> Result<KeyPair, Error> {
    let seed = Sha256::digest(format!("the {name} key of Postern's demo"));
    let key = PrivatePkcs8KeyDer::from([&PKCS8_PREFIX[..], &seed[..]].concat());
    Ok(KeyPair::from_pkcs8_der_and_sign_algo(&key, &PKCS_ED25519)?)
}

/// Long enough that nobody sees it end.
fn validity(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2025, 1, 1);
    params.not_after = date_time_ymd(2125, 1, 1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_run_has_the_same_certificates() {
        let (one, other) = (Identity::make().unwrap(), Identity::make().unwrap());
        assert_eq!(one.root, other.root);
        assert_eq!(one.fingerprint, other.fingerprint);
    }
}
