//! The public roots, fetched when they are first needed: the page's first load goes without them.

use std::{cell::RefCell, sync::Arc};

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

    /// The roots; `None` if they can't be fetched.
    pub(super) async fn load(&self) -> Option<Arc<RootCertStore>> {
        if let Some(roots) = &*self.0.borrow() {
            return Some(Arc::clone(roots));
        }
        let file = Worker::this().fetch_roots().await?;
        // The file's digest is checked by the browser: it is what the build has written.
        let roots = RootCertStore { roots: postern_roots::unpack(&file).ok()? };
        let roots = Arc::new(roots);
        self.0.replace(Some(Arc::clone(&roots)));
        Some(roots)
    }
}
