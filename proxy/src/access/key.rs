//! What a person enters to use a private proxy.

use std::{fmt, str::FromStr};

use ring::digest::{SHA256, digest};
use subtle::ConstantTimeEq;

/// A key that the operator gave to those who may use the proxy. It is never shown.
#[derive(Clone)]
pub struct AccessKey {
    /// Comparing digests takes as long for a key of another length as for any other.
    digest: [u8; 32],
}

impl AccessKey {
    /// Whether this is the key. Takes as long for a key that is almost right as for any other.
    pub fn admits(&self, key: &str) -> bool {
        self.digest.ct_eq(&sha256(key)).into()
    }
}

fn sha256(key: &str) -> [u8; 32] {
    digest(&SHA256, key.as_bytes()).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

impl FromStr for AccessKey {
    type Err = &'static str;

    fn from_str(key: &str) -> Result<Self, Self::Err> {
        // It must fit into a header as it is (RFC 9110, section 5.5).
        if !(16..=256).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("must have 16 to 256 letters, digits and signs of ASCII, without spaces");
        }
        Ok(Self { digest: sha256(key) })
    }
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_admits_itself_alone_and_is_never_shown() {
        let key: AccessKey = "a-long-enough-secret".parse().unwrap();
        assert!(key.admits("a-long-enough-secret"));
        for other in ["a-long-enough-secreT", "a-long-enough-secret-and-more", "a-long-enough", ""]
        {
            assert!(!key.admits(other), "{other}");
        }
        assert_eq!(format!("{key:?}"), "AccessKey(…)");
    }

    #[test]
    fn a_key_that_is_too_short_too_long_or_unfit_for_a_header_is_none() {
        for (key, accepted) in [
            ("a".repeat(15), false),
            ("a".repeat(16), true),
            ("a".repeat(256), true),
            ("a".repeat(257), false),
            ("sixteen bytes or more".into(), false),
            ("sixteen-bytes-\u{fc}".into(), false),
        ] {
            assert_eq!(key.parse::<AccessKey>().is_ok(), accepted, "{key}");
        }
    }
}
