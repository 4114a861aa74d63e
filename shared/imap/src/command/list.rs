//! LIST (RFC 9051 section 6.3.9; RFC 5258, RFC 5819, RFC 6154).

use super::{Command, InvalidArgument, encoder::Encoder};
use crate::response::Capabilities;

/// What a LIST is to return beside the names.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ListReturn {
    /// What each mailbox is for.
    pub special_use: bool,
    /// The counts of each mailbox.
    pub status: bool,
}

impl ListReturn {
    /// All of it that the server offers.
    pub fn offered(capabilities: &Capabilities) -> Self {
        let all = capabilities.has("IMAP4REV2");
        let extended = all || capabilities.has("LIST-EXTENDED");
        Self {
            special_use: all || (extended && capabilities.has("SPECIAL-USE")),
            status: all || (extended && capabilities.has("LIST-STATUS")),
        }
    }
}

impl Command {
    /// Lists the mailboxes that match `pattern` (`*` for all), as the server spells them.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] if a NUL byte is in the pattern.
    pub fn list(pattern: &[u8], with: ListReturn) -> Result<Self, InvalidArgument> {
        let mut options = Vec::new();
        if with.special_use {
            options.push("SPECIAL-USE");
        }
        if with.status {
            options.push("STATUS (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)");
        }
        let mut encoder = Encoder::new("LIST").string(b"")?.string(pattern)?;
        if !options.is_empty() {
            encoder = encoder.text(" RETURN (").text(&options.join(" ")).text(")");
        }
        Ok(Self::new("LIST", encoder.finish()))
    }
}
