//! AUTHENTICATE (RFC 9051 section 6.2.2), with an initial response where the server takes one
//! (RFC 4959).

use postern_sasl::Mechanism;

use super::{Command, Effect, encoder::Encoder};

impl Command {
    /// Logs in with a SASL mechanism.
    pub fn authenticate(mechanism: Mechanism) -> Self {
        let parts = Encoder::new("AUTHENTICATE ").text(mechanism.name()).finish();
        Self { effect: Effect::Authenticate(mechanism), ..Self::new("AUTHENTICATE", parts) }
    }
}
