//! TLS of the benchmarks: one authority, one certificate, and one cipher suite for everybody, so
//! that all do the same work.

use std::{fs, path::Path, sync::Arc};

use anyhow::Result;
use postern_tests::certificate::Authority;
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    client::Resumption,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// What the mail server is called.
pub(crate) const NAME: &str = "localhost";

/// The root that everybody trusts, as PEM.
pub(crate) const ROOT: &str = "root.pem";
/// The certificate of relays and source, as PEM.
pub(crate) const CERTIFICATE: &str = "certificate.pem";
/// Its private key, as PEM.
pub(crate) const KEY: &str = "key.pem";
/// Both in one file, as some want them.
pub(crate) const CERTIFICATE_AND_KEY: &str = "certificate-and-key.pem";

/// Writes all of them into a folder.
pub(crate) fn write(folder: &Path) -> Result<()> {
    let authority = Authority::new();
    let server = authority.issue(&[NAME, "127.0.0.1"]);
    fs::write(folder.join(ROOT), authority.root_pem())?;
    fs::write(folder.join(CERTIFICATE_AND_KEY), format!("{}{}", server.certificate, server.key))?;
    fs::write(folder.join(CERTIFICATE), server.certificate)?;
    fs::write(folder.join(KEY), server.key)?;
    Ok(())
}

/// The page's side. It resumes nothing: each page is a new one.
pub(crate) fn connector(folder: &Path) -> Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(folder.join(ROOT))?)?;
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config).into())
}

/// The mail server's side.
pub(crate) fn acceptor(folder: &Path) -> Result<TlsAcceptor> {
    let chain = vec![CertificateDer::from_pem_file(folder.join(CERTIFICATE))?];
    let key = PrivateKeyDer::from_pem_file(folder.join(KEY))?;
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(Arc::new(config).into())
}

/// What browsers ask for first.
fn provider() -> Arc<CryptoProvider> {
    let cipher_suites = vec![ring::cipher_suite::TLS13_AES_128_GCM_SHA256];
    CryptoProvider { cipher_suites, ..ring::default_provider() }.into()
}
