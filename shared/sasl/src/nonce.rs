//! Randomness for one exchange, which is passed in.

use std::fmt;

use crate::encode;

/// A number used once; never use one twice. `Debug` does not show it.
#[derive(Clone, Eq, PartialEq)]
pub struct Nonce(String);

impl Nonce {
    /// Random bytes that a nonce needs.
    pub const BYTES: usize = 18;

    /// A nonce of bytes that must be random, fit for cryptography.
    pub fn new(random: [u8; Self::BYTES]) -> Self {
        // Base64 has no comma, which a nonce may not have (RFC 5802 section 7).
        Self(encode(random))
    }

    /// The nonce of a standard's example.
    #[cfg(test)]
    pub(crate) fn fixed(nonce: &str) -> Self {
        Self(nonce.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonce(…)")
    }
}
