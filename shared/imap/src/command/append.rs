//! APPEND (RFC 9051 section 6.3.12).

use super::{Command, InvalidArgument, encoder::Encoder};
use crate::response::Flag;

impl Command {
    /// Puts a message into a mailbox.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument`] if the name or the message holds a NUL byte, or a flag can't be sent.
    pub fn append(
        mailbox: &[u8],
        flags: &[Flag],
        message: Vec<u8>,
    ) -> Result<Self, InvalidArgument> {
        if memchr::memchr(0, &message).is_some() {
            return Err(InvalidArgument::Nul);
        }
        let mut encoder = Encoder::new("APPEND").string(mailbox)?;
        if !flags.is_empty() {
            encoder = encoder.flags(flags)?;
        }
        Ok(Self::new("APPEND", encoder.text(" ").literal(message).finish()))
    }
}
