//! STARTTLS (RFC 9051 section 6.2.1).

use super::{Command, Effect, encoder::Encoder};

impl Command {
    /// Asks to turn the connection over to TLS. When it is answered with OK, do the handshake and
    /// then call [`Session::tls_started`](crate::Session::tls_started).
    pub fn start_tls() -> Self {
        let command = Self::new("STARTTLS", Encoder::new("STARTTLS").finish());
        Self { effect: Effect::StartTls, ..command }
    }
}
