//! The certificate from an authority, by ACME (RFC 8555).
//!
//! The authority sees that a name leads here by a TLS handshake of its own (TLS-ALPN-01, RFC 8737),
//! so that no other port is needed than the one for pages.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use futures_util::StreamExt;
use rustls::{ClientConfig, RootCertStore, crypto::ring, server::ResolvesServerCert};
use rustls_acme::{
    AccountCache, AcmeConfig, AcmeState, CertCache, EventError, EventOk, caches::DirCache,
};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use tokio::sync::Mutex;
use tracing::{error, info};

use crate::{
    config::{Acme, ConfigError},
    metrics::Expiry,
};

/// An authority that gives certificates.
pub(super) struct Authority {
    cache: PathBuf,
    state: Mutex<AcmeState<io::Error>>,
    resolver: Arc<dyn ResolvesServerCert>,
    has_certificate: AtomicBool,
}

impl Authority {
    /// Nothing is asked for before [`Self::order`], and nothing written before [`Self::prepare`].
    ///
    /// # Errors
    ///
    /// If what shall be the folder is something else.
    pub(super) fn new(
        acme: &Acme,
        roots: &[CertificateDer<'static>],
        expiry: Expiry,
    ) -> Result<Self, ConfigError> {
        let cache = acme.cache.clone();
        let there = cache.ancestors().find(|folder| folder.exists());
        if there.is_some_and(|there| !there.is_dir()) {
            return Err(in_cache(&cache, &io::ErrorKind::NotADirectory.into()));
        }
        let state = AcmeConfig::new_with_client_config(&acme.domains, client_config(roots))
            .contact(&acme.contact)
            .directory(&acme.directory)
            .cache(Folder { folder: DirCache::new(cache.clone()), expiry })
            .state();
        let resolver: Arc<dyn ResolvesServerCert> = state.resolver();
        let has_certificate = AtomicBool::new(false);
        Ok(Self { cache, resolver, state: Mutex::new(state), has_certificate })
    }

    /// Makes the folder, for this user alone as keys will be in it, and sees that it can be written
    /// to.
    ///
    /// # Errors
    ///
    /// If that can't be done, or others can look into one that was there already.
    pub(super) fn prepare(&self) -> Result<(), ConfigError> {
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let probe = self.cache.join(".writable");
        let prepared = builder
            .recursive(true)
            .create(&self.cache)
            .and_then(|()| private(&self.cache))
            .and_then(|()| fs::write(&probe, []))
            .and_then(|()| fs::remove_file(&probe));
        prepared.map_err(|error| in_cache(&self.cache, &error))
    }

    /// What shows the certificate.
    pub(super) fn resolver(&self) -> Arc<dyn ResolvesServerCert> {
        self.resolver.clone()
    }

    /// Whether there is a certificate.
    pub(super) fn has_certificate(&self) -> bool {
        self.has_certificate.load(Ordering::Relaxed)
    }

    /// Gets a certificate, and its successors in time, for ever.
    pub(super) async fn order(&self) {
        let mut state = self.state.lock().await;
        while let Some(event) = state.next().await {
            match event {
                Ok(EventOk::DeployedCachedCert) => self.deployed("the certificate of last time"),
                Ok(EventOk::DeployedNewCert) => self.deployed("a new certificate"),
                Ok(EventOk::CertCacheStore) => info!("the certificate is kept"),
                Ok(EventOk::AccountCacheStore) => info!("the account with the authority is kept"),
                Err(EventError::Order(error)) => {
                    error!(%error, "no certificate from the authority; it is asked again later");
                }
                Err(error) => error!(%error, "the authority's certificate"),
            }
        }
    }

    fn deployed(&self, which: &str) {
        info!("HTTPS has {which}");
        self.has_certificate.store(true, Ordering::Relaxed);
    }
}

/// The folder that keeps the account and the certificate. Whatever certificate passes through it is
/// the one that is shown, so it tells until when that is valid.
struct Folder {
    folder: DirCache<PathBuf>,
    expiry: Expiry,
}

impl Folder {
    /// A certificate with its key before and its issuers behind, in PEM.
    fn passes(&self, pem: &[u8]) {
        if let Some(Ok(certificate)) = CertificateDer::pem_slice_iter(pem).next() {
            self.expiry.shown(&certificate);
        }
    }
}

#[async_trait]
impl CertCache for Folder {
    type EC = io::Error;

    async fn load_cert(&self, domains: &[String], url: &str) -> io::Result<Option<Vec<u8>>> {
        let kept = self.folder.load_cert(domains, url).await?;
        if let Some(pem) = &kept {
            self.passes(pem);
        }
        Ok(kept)
    }

    async fn store_cert(&self, domains: &[String], url: &str, pem: &[u8]) -> io::Result<()> {
        self.passes(pem);
        self.folder.store_cert(domains, url, pem).await
    }
}

#[async_trait]
impl AccountCache for Folder {
    type EA = io::Error;

    async fn load_account(&self, contact: &[String], url: &str) -> io::Result<Option<Vec<u8>>> {
        self.folder.load_account(contact, url).await
    }

    async fn store_account(&self, contact: &[String], url: &str, key: &[u8]) -> io::Result<()> {
        self.folder.store_account(contact, url, key).await
    }
}

/// Whom to believe to be the authority: those who are trusted as mail servers' authorities.
fn client_config(roots: &[CertificateDer<'static>]) -> Arc<ClientConfig> {
    let mut trusted = RootCertStore::empty();
    trusted.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    trusted.add_parsable_certificates(roots.iter().cloned());
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has what TLS 1.2 and 1.3 need")
        .with_root_certificates(trusted)
        .with_no_client_auth();
    Arc::new(config)
}

fn in_cache(folder: &Path, error: &io::Error) -> ConfigError {
    ConfigError::new("acme.cache", format!("{}: {error}", folder.display()))
}

#[cfg(unix)]
fn private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if fs::metadata(folder)?.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    let message = "keys will be in it, but others can look into it; `chmod 700` makes it private";
    Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
}

#[cfg(not(unix))]
fn private(_: &Path) -> io::Result<()> {
    Ok(())
}
