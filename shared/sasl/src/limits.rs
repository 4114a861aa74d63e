//! How much work a server may ask for.

use std::ops::RangeInclusive;

/// Rounds of SCRAM's key derivation. Fewer would let a server that cheats guess passwords cheaply
/// (RFC 7677 section 4); more would keep a browser busy for seconds.
pub(crate) const ITERATIONS: RangeInclusive<u32> = 4096..=600_000;

/// Bytes of SCRAM's salt.
pub(crate) const SALT: usize = 1024;
