//! Until when the proxy's own certificate is valid.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use postern_certificate::Details;
use prometheus_client::{
    collector::Collector, encoding::DescriptorEncoder, metrics::gauge::ConstGauge,
};

use super::process::tell;

/// Until when it is valid, in seconds since 1970; 0 as long as there is none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expiry(Arc<AtomicU64>);

impl Expiry {
    /// This certificate, in DER, is shown from now on.
    pub(crate) fn shown(&self, certificate: &[u8]) {
        let expiry = Details::read(certificate).map_or(0, |details| details.not_after);
        self.0.store(expiry, Ordering::Relaxed);
    }
}

impl Collector for Expiry {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let expiry = self.0.load(Ordering::Relaxed);
        if expiry == 0 {
            return Ok(());
        }
        let name = "postern_certificate_expiry_timestamp_seconds";
        let gauge = ConstGauge::new(expiry);
        tell(&mut encoder, name, "Until when the proxy's own certificate is valid", &gauge)
    }
}
