//! IDLE (RFC 9051 section 6.3.13, RFC 2177).

use super::{Command, Effect, encoder::Encoder};

impl Command {
    /// Lets the server tell what is new as it happens, until
    /// [`Session::done`](crate::Session::done).
    pub fn idle() -> Self {
        Self { effect: Effect::Idle, ..Self::new("IDLE", Encoder::new("IDLE").finish()) }
    }
}
