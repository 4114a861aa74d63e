//! The way into a private proxy.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The access key of a private proxy, as the person entered it. `Debug` does not show it.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct AccessKey(pub String);

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessKey(…)")
    }
}

/// Whether the proxy lets this browser in.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum Access {
    /// Nobody has asked it yet.
    #[default]
    Unknown,
    /// It has not asked for a key.
    Open,
    /// It asks for a key, and there is none in this browser.
    Needed,
    /// It asks for a key, and no longer takes the one that is kept in this browser.
    Refused,
    /// It takes the key that is kept in this browser.
    Kept,
}

impl Access {
    /// Whether the person must enter a key before anything can connect.
    pub fn is_locked(self) -> bool {
        matches!(self, Self::Needed | Self::Refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_never_shown() {
        assert_eq!(format!("{:?}", AccessKey("hush".into())), "AccessKey(…)");
    }
}
