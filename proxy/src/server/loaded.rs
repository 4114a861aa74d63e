//! What the settings name: read, and found to be in order.

use std::{fs, path::Path, sync::Arc};

use rustls_pki_types::{CertificateDer, pem::PemObject};

use super::https::Tls;
use crate::{
    config::{Config, ConfigError, ConfigErrors, Problems},
    page::Site,
    tunnel::TlsConnector,
};

/// The files and folders that the settings name, as far as the proxy needs them.
pub(super) struct Loaded {
    pub(super) site: Site,
    /// TLS with mail servers.
    pub(super) connector: TlsConnector,
    /// TLS with pages, if it is ours.
    pub(super) https: Option<Arc<Tls>>,
}

impl Loaded {
    /// Reads them. These certificates are trusted besides those that are named.
    ///
    /// # Errors
    ///
    /// With everything that can't be read or makes no sense.
    pub(super) fn load(
        config: &Config,
        mut roots: Vec<CertificateDer<'static>>,
    ) -> Result<Self, ConfigErrors> {
        let mut problems = Problems::default();
        let site = problems.take(site(config.page.as_deref()));
        if let Some(path) = &config.roots {
            roots.extend(problems.take(read_roots(path)).unwrap_or_default());
        }
        let https = config.https.as_ref().map(|https| Tls::new(https, &roots).map(Arc::new));
        let https = problems.take(https.transpose());
        let connector = TlsConnector::new(roots).map_err(|error| ConfigError::new("roots", error));
        match (site, problems.take(connector), https) {
            (Some(site), Some(connector), Some(https)) => {
                problems.or(Self { site, connector, https })
            }
            _ => Err(problems.into_errors()),
        }
    }
}

fn site(folder: Option<&Path>) -> Result<Site, ConfigError> {
    let Some(folder) = folder else { return Ok(Site::embedded()) };
    Site::from_folder(folder)
        .map_err(|error| ConfigError::new("page", format!("{}: {error}", folder.display())))
}

fn read_roots(path: &Path) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let error = |error: &dyn std::fmt::Display| {
        ConfigError::new("roots", format!("{}: {error}", path.display()))
    };
    let pem = fs::read(path).map_err(|problem| error(&problem))?;
    let roots: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match roots.map_err(|problem| error(&problem))? {
        roots if roots.is_empty() => Err(error(&"there is no certificate in it")),
        roots => Ok(roots),
    }
}
