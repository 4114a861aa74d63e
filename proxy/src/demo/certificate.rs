//! The certificates that the demo server makes for itself at each start.

use std::sync::Arc;

use mail_parser::DateTime;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use super::DOMAIN;

const DAY: i64 = 24 * 60 * 60;

/// A root that a test may trust, and what serves under a leaf that it signed.
pub(super) struct Identity {
    pub(super) root: CertificateDer<'static>,
    pub(super) acceptor: TlsAcceptor,
}

impl Identity {
    /// Makes a root and a leaf for [`DOMAIN`], `localhost`, `127.0.0.1` and `::1`, valid for a year from
    /// the day before `now` (seconds since 1970).
    pub(super) fn generate(now: i64) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let mut root = CertificateParams::new(Vec::new())?;
        root.distinguished_name.push(DnType::CommonName, "Postern demo root");
        root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        validity(&mut root, now);
        let root_key = KeyPair::generate()?;
        let root_certificate = root.self_signed(&root_key)?;
        let issuer = Issuer::new(root, root_key);

        let names = [DOMAIN, "localhost", "127.0.0.1", "::1"].map(String::from);
        let mut leaf = CertificateParams::new(names)?;
        leaf.distinguished_name.push(DnType::CommonName, "localhost");
        leaf.use_authority_key_identifier_extension = true;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        validity(&mut leaf, now);
        let leaf_key = KeyPair::generate()?;
        let leaf_certificate = leaf.signed_by(&leaf_key, &issuer)?;

        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![leaf_certificate.der().clone()], key)?;
        Ok(Self {
            root: root_certificate.der().clone(),
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }
}

fn validity(params: &mut CertificateParams, now: i64) {
    let from = DateTime::from_timestamp(now - DAY);
    let until = DateTime::from_timestamp(now + 365 * DAY);
    params.not_before = date_time_ymd(from.year.into(), from.month, from.day);
    params.not_after = date_time_ymd(until.year.into(), until.month, until.day);
}
