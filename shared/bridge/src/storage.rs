//! How safe what is stored is in this browser, and how much room there is.

use serde::{Deserialize, Serialize};

use crate::AccountId;

/// How this browser keeps what is stored, for all accounts together.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct StorageView {
    /// Whether the browser has promised to keep it until the person removes it. Otherwise it may
    /// drop all of it when the disk runs full, or after a long time without a visit.
    pub persistent: bool,
    /// Bytes in use, estimated; `None` if the browser does not tell.
    pub usage: Option<u64>,
    /// Bytes that may be in use; `None` if the browser does not tell.
    pub quota: Option<u64>,
    /// Whether nothing is downloaded because there is no room.
    pub paused: bool,
    /// Whether this is a public computer, as the person has said: nothing is deleted on a POP3 server
    /// because it is here.
    pub public_computer: bool,
}

impl StorageView {
    /// From how many percent in use on the person is warned.
    pub const WARN_PERCENT: u64 = 80;

    /// How many percent of what may be in use are; `None` if that is not known.
    pub fn percent(&self) -> Option<u64> {
        let (usage, quota) = self.usage.zip(self.quota)?;
        (quota > 0).then(|| (u128::from(usage) * 100 / u128::from(quota)).min(100) as u64)
    }

    /// Whether there is little room left.
    pub fn is_nearly_full(&self) -> bool {
        self.percent().is_some_and(|percent| percent >= Self::WARN_PERCENT)
    }
}

/// What is stored of one account.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct StoredBytes {
    /// The account.
    pub account: AccountId,
    /// How many messages are stored with their bytes.
    pub messages: u32,
    /// The bytes of these messages.
    pub bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_warning_begins_at_four_fifths() {
        let view = |usage, quota| StorageView { usage, quota, ..StorageView::default() };
        assert!(!view(Some(799), Some(1000)).is_nearly_full());
        assert!(view(Some(800), Some(1000)).is_nearly_full());
        assert_eq!(view(Some(u64::MAX), Some(1)).percent(), Some(100));
        for unknown in [view(None, Some(1)), view(Some(1), None), view(Some(1), Some(0))] {
            assert_eq!((unknown.percent(), unknown.is_nearly_full()), (None, false));
        }
    }
}
