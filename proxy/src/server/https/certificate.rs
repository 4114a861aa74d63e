//! The certificate from files, and its successor.

use std::{
    fmt, fs,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    crypto::ring,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject},
};
use tokio::{sync::Notify, time::sleep};
use tracing::{error, info};

use crate::{
    config::{CertificateFiles, ConfigError, ConfigErrors, Problems},
    metrics::Expiry,
};

/// The certificate that is shown at present.
pub(super) struct Certificate {
    shown: RwLock<Shown>,
    expiry: Expiry,
}

struct Shown {
    pair: Arc<CertifiedKey>,
    /// The files as they were when they were last looked at.
    seen: Pem,
}

/// The two files.
#[derive(Eq, PartialEq)]
struct Pem {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Certificate {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// If they can't be read or do not belong together.
    pub(super) fn load(files: &CertificateFiles, expiry: Expiry) -> Result<Self, ConfigErrors> {
        let seen = Pem::read(files)?;
        let pair = Arc::new(seen.pair(files)?);
        expiry.shown(&pair.cert[0]);
        Ok(Self { shown: RwLock::new(Shown { pair, seen }), expiry })
    }

    /// Looks at the files when told to and now and then, for ever, and shows what is new.
    pub(super) async fn follow(&self, files: &CertificateFiles, reload: &Notify) {
        loop {
            tokio::select! {
                () = sleep(files.reload) => {}
                () = reload.notified() => info!("looking for a new certificate"),
            }
            self.look(files);
        }
    }

    /// Shows what is in the files, if that is new and can be used.
    fn look(&self, files: &CertificateFiles) {
        // Two small files: not worth another thread.
        let seen = match Pem::read(files) {
            Ok(seen) => seen,
            Err(error) => return error!(%error, "the certificate stays the old one"),
        };
        if seen == self.shown.read().unwrap_or_else(PoisonError::into_inner).seen {
            return;
        }
        let pair = seen.pair(files);
        let mut shown = self.shown.write().unwrap_or_else(PoisonError::into_inner);
        // Kept even if it can't be used: a broken pair is told once.
        shown.seen = seen;
        match pair {
            Ok(pair) => {
                self.expiry.shown(&pair.cert[0]);
                shown.pair = Arc::new(pair);
                info!("there is a new certificate");
            }
            Err(error) => error!(%error, "the certificate stays the old one"),
        }
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let shown = self.shown.read().unwrap_or_else(PoisonError::into_inner);
        Some(shown.pair.clone())
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate(…)")
    }
}

impl Pem {
    fn read(files: &CertificateFiles) -> Result<Self, ConfigErrors> {
        let mut problems = Problems::default();
        let certificate = problems.take(read("https.certificate", &files.certificate));
        let key = problems.take(read("https.key", &files.key));
        let (certificate, key) = (certificate.unwrap_or_default(), key.unwrap_or_default());
        problems.or(Self { certificate, key })
    }

    fn pair(&self, files: &CertificateFiles) -> Result<CertifiedKey, ConfigErrors> {
        let mut problems = Problems::default();
        let chain = problems.take(
            self.chain()
                .map_err(|problem| in_file("https.certificate", &files.certificate, problem)),
        );
        let key =
            problems
                .take(PrivateKeyDer::from_pem_slice(&self.key).map_err(|problem| {
                    in_file("https.key", &files.key, in_words(&problem, "key"))
                }));
        let (Some(chain), Some(key)) = (chain, key) else { return Err(problems.into_errors()) };
        let pair = CertifiedKey::from_der(chain, key, &ring::default_provider());
        pair.map_err(|error| in_file("https.key", &files.key, pair_in_words(&error)).into())
    }

    fn chain(&self) -> Result<Vec<CertificateDer<'static>>, String> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.certificate).collect();
        match chain {
            Ok(chain) if chain.is_empty() => Err("there is no certificate in it".to_owned()),
            Ok(chain) => Ok(chain),
            Err(error) => Err(in_words(&error, "certificate")),
        }
    }
}

fn read(key: &str, path: &Path) -> Result<Vec<u8>, ConfigError> {
    fs::read(path).map_err(|error| in_file(key, path, error))
}

fn in_file(key: &str, path: &Path, problem: impl fmt::Display) -> ConfigError {
    ConfigError::new(key, format!("{}: {problem}", path.display()))
}

/// The reader's own words may quote what is in the file.
fn in_words(error: &pem::Error, what: &str) -> String {
    match error {
        pem::Error::NoItemsFound => format!("there is no {what} in it"),
        pem::Error::Base64Decode(_) => "it is damaged".to_owned(),
        _ => "it is not in PEM".to_owned(),
    }
}

fn pair_in_words(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InconsistentKeys(_) => "it does not belong to the certificate",
        rustls::Error::InvalidCertificate(_) => "the certificate that it is for can't be read",
        _ => "it is of a kind that is not supported",
    }
}
