//! LOGIN (RFC 9051 section 6.2.3).

use postern_sasl::Credentials;

use super::{Command, Effect, InvalidArgument, encoder::Encoder};

impl Command {
    /// Logs in with user name and password in clear text.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] or [`InvalidArgument::LineBreak`] if either holds one,
    /// [`InvalidArgument::Token`] if there is a token instead of a password.
    pub fn login(credentials: &Credentials) -> Result<Self, InvalidArgument> {
        let password = credentials.password().ok_or(InvalidArgument::Token)?;
        let encoder = Encoder::new("LOGIN")
            .string(credentials.username.as_bytes())?
            .string(password.as_bytes())?;
        Ok(Self { effect: Effect::LogIn, ..Self::new("LOGIN", encoder.finish()) })
    }
}
