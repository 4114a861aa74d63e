//! What all windows together may have grown by.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

/// How many bytes all windows together may grow by. Copies share it.
#[derive(Clone, Debug)]
pub struct Budget(Arc<AtomicU32>);

impl Budget {
    /// A budget of so many bytes.
    pub fn new(bytes: u32) -> Self {
        Self(Arc::new(AtomicU32::new(bytes)))
    }

    /// Takes up to `wanted` bytes; returns how many there were.
    pub(super) fn take(&self, wanted: u32) -> u32 {
        let take = |left: u32| Some(left - left.min(wanted));
        // The closure never declines.
        let left = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        left.unwrap_or_default().min(wanted)
    }

    /// Puts back what was taken.
    pub(super) fn put_back(&self, bytes: u32) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}
