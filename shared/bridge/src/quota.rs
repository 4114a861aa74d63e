//! How much room a mail server has left for an account.

use serde::{Deserialize, Serialize};

/// From how much on a mailbox is nearly full, in per cent.
const NEARLY_FULL: u64 = 90;

/// What a mail server limits (RFC 9208). Both are `None` where it does not tell.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Quota {
    /// Bytes of all mail.
    pub storage: Option<Share>,
    /// The number of messages.
    pub messages: Option<Share>,
}

/// How much of something is used.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Share {
    /// How much is used; may be more than the limit.
    pub used: u64,
    /// How much may be used; not 0.
    pub limit: u64,
}

impl Quota {
    /// The limit that will be met first.
    pub fn tightest(&self) -> Option<Share> {
        [self.storage, self.messages].into_iter().flatten().max_by_key(Share::percent)
    }

    /// Whether the server will soon refuse new mail, or does so already.
    pub fn is_nearly_full(&self) -> bool {
        self.tightest().is_some_and(|share| share.percent() >= NEARLY_FULL)
    }
}

impl Share {
    /// How much of the limit is used, in per cent, rounded down; may be more than 100.
    pub fn percent(&self) -> u64 {
        let percent = u128::from(self.used) * 100 / u128::from(self.limit.max(1));
        u64::try_from(percent).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tightest_limit_says_whether_a_mailbox_is_nearly_full() {
        let share = |used, limit| Some(Share { used, limit });
        for (storage, messages, percent, nearly) in [
            (None, None, None, false),
            (share(899, 1000), None, Some(89), false),
            (share(900, 1000), None, Some(90), true),
            (share(1, 1000), share(5, 5), Some(100), true),
            (share(u64::MAX, 1), None, Some(u64::MAX), true),
        ] {
            let quota = Quota { storage, messages };
            assert_eq!(quota.tightest().map(|share| share.percent()), percent);
            assert_eq!(quota.is_nearly_full(), nearly, "{quota:?}");
        }
    }
}
