//! The public roots, fetched when they are first needed: the page's first load goes without them.

use std::{cell::RefCell, sync::Arc};

use postern_mail::TransportError;
use rustls::RootCertStore;

use crate::worker::Worker;

/// The roots that certificates are verified by.
pub(super) struct Roots(RefCell<Option<Arc<RootCertStore>>>);

impl Roots {
    /// Those that Mozilla trusts, as of the build.
    pub(super) fn public() -> Self {
        Self(RefCell::new(None))
    }

    #[cfg(test)]
    pub(super) fn known(roots: RootCertStore) -> Self {
        Self(RefCell::new(Some(roots.into())))
    }

    /// The roots.
    ///
    /// # Errors
    ///
    /// If they can't be fetched.
    pub(super) async fn load(&self) -> Result<Arc<RootCertStore>, TransportError> {
        if let Some(roots) = &*self.0.borrow() {
            return Ok(Arc::clone(roots));
        }
        let fetched = Worker::this().fetch_roots().await.map_err(|_| TransportError::Offline)?;
        let file = fetched.ok_or_else(outdated)?;
        // The file's digest is checked by the browser: it is what the build has written.
        let roots = RootCertStore { roots: postern_roots::unpack(&file).map_err(|_| outdated())? };
        let roots = Arc::new(roots);
        self.0.replace(Some(Arc::clone(&roots)));
        Ok(roots)
    }
}

fn outdated() -> TransportError {
    TransportError::Tls(
        "This page is of an older version than its server, which no longer has the list of \
         authorities that vouch for certificates. Reload the page."
            .into(),
    )
}
