//! Sizes that bound what is made of a certificate, whose bytes a hostile server chooses.

/// The longest distinguished name that is shown, in bytes.
pub const DISTINGUISHED_NAME: usize = 256;

/// Attributes of a distinguished name that are shown.
pub const ATTRIBUTES: usize = 16;

/// DNS names and addresses of a certificate that are told.
pub const NAMES: usize = 8;

/// The longest DNS name that is told whole, in bytes.
pub const NAME: usize = 128;
