//! UID EXPUNGE (RFC 9051 section 6.4.9, RFC 4315). There is no EXPUNGE here: it would also remove
//! what another client has marked as deleted.

use super::{Command, encoder::Encoder, uids::Uids};

impl Command {
    /// Removes for good those of these messages that are marked as deleted; only where the server
    /// offers UIDPLUS or IMAP4rev2.
    pub fn uid_expunge<'a>(uids: impl Into<Uids<'a>>) -> Self {
        let encoder = Encoder::new(&format!("UID EXPUNGE {}", uids.into()));
        Self::new("UID EXPUNGE", encoder.finish())
    }
}
