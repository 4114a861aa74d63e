//! How long a submission server may take.

use std::time::Duration;

/// For an answer to any command but the last.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// For the answer to the final dot (RFC 5321 section 4.5.3.2.6): giving up early is what makes a
/// message's fate unknown.
pub const PATIENCE_AFTER_DOT: Duration = Duration::from_secs(600);

/// For the answer to QUIT, on which nothing depends.
pub const PATIENCE_FOR_GOODBYE: Duration = Duration::from_secs(5);
