//! LIST and LSUB (RFC 9051 section 6.3.9; RFC 3501 section 6.3.9, RFC 5258, RFC 5819, RFC 6154,
//! RFC 8440).

use super::{Command, InvalidArgument, encoder::Encoder, status::StatusItem};
use crate::response::Capabilities;

/// Which mailboxes to list (LIST-EXTENDED).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ListSelection {
    /// Only those that are subscribed to, even if they do not exist.
    pub subscribed: bool,
    /// Also those on other servers.
    pub remote: bool,
    /// Only those for a special use (SPECIAL-USE).
    pub special_use: bool,
    /// Also those that have such a mailbox under them; needs one of the others.
    pub recursive: bool,
}

/// What a LIST is to return beside the names.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ListReturn {
    /// What each mailbox is for.
    pub special_use: bool,
    /// Whether it is subscribed to.
    pub subscribed: bool,
    /// Whether there are mailboxes under it.
    pub children: bool,
    /// What this account may do with it (LIST-MYRIGHTS).
    pub my_rights: bool,
    /// What else to tell of each mailbox; may be empty.
    pub status: Vec<StatusItem>,
}

impl ListReturn {
    /// All of it that the server offers.
    pub fn offered(capabilities: &Capabilities) -> Self {
        let extended = capabilities.has("LIST-EXTENDED");
        let status = extended && capabilities.has("LIST-STATUS");
        Self {
            special_use: extended && capabilities.has("SPECIAL-USE"),
            subscribed: extended,
            children: extended,
            my_rights: extended && capabilities.has("LIST-MYRIGHTS"),
            status: if status { StatusItem::offered(capabilities) } else { Vec::new() },
        }
    }

    fn options(&self) -> Vec<String> {
        let mut options = named(&[
            (self.special_use, "SPECIAL-USE"),
            (self.subscribed, "SUBSCRIBED"),
            (self.children, "CHILDREN"),
            (self.my_rights, "MYRIGHTS"),
        ]);
        if !self.status.is_empty() {
            options.push(format!("STATUS ({})", StatusItem::names(&self.status)));
        }
        options
    }
}

impl ListSelection {
    fn options(self) -> Vec<String> {
        let any = self.subscribed || self.special_use;
        named(&[
            (self.subscribed, "SUBSCRIBED"),
            (self.remote, "REMOTE"),
            (self.special_use, "SPECIAL-USE"),
            // It may not stand alone, or with REMOTE alone (RFC 5258 section 3.5).
            (self.recursive && any, "RECURSIVEMATCH"),
        ])
    }
}

impl Command {
    /// Lists the mailboxes that match `pattern` (`*` for all), as the server spells them.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] or [`InvalidArgument::LineBreak`] if the pattern holds one.
    pub fn list(pattern: &[u8], with: &ListReturn) -> Result<Self, InvalidArgument> {
        Self::list_selected(&[pattern], ListSelection::default(), with)
    }

    /// Lists those of the mailboxes that match one of the patterns which are asked for; several
    /// patterns and any selection only where the server offers LIST-EXTENDED or IMAP4rev2.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] or [`InvalidArgument::LineBreak`] if a pattern holds one,
    /// [`InvalidArgument::Empty`] if there is none.
    pub fn list_selected(
        patterns: &[&[u8]],
        selection: ListSelection,
        with: &ListReturn,
    ) -> Result<Self, InvalidArgument> {
        let mut encoder = Encoder::new("LIST");
        let select = selection.options();
        if !select.is_empty() {
            encoder = encoder.text(&format!(" ({})", select.join(" ")));
        }
        encoder = encoder.string(b"")?;
        encoder = match patterns {
            [] => return Err(InvalidArgument::Empty),
            [pattern] => encoder.string(pattern)?,
            [first, others @ ..] => {
                encoder = encoder.text(" (").unspaced(first)?;
                for pattern in others {
                    encoder = encoder.string(pattern)?;
                }
                encoder.text(")")
            }
        };
        let options = with.options();
        if !options.is_empty() {
            encoder = encoder.text(&format!(" RETURN ({})", options.join(" ")));
        }
        Ok(Self::new("LIST", encoder.finish()))
    }

    /// Lists the mailboxes that are subscribed to and match `pattern`: for servers that do not know
    /// LIST-EXTENDED.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Nul`] or [`InvalidArgument::LineBreak`] if the pattern holds one.
    pub fn lsub(pattern: &[u8]) -> Result<Self, InvalidArgument> {
        Ok(Self::new("LSUB", Encoder::new("LSUB").string(b"")?.string(pattern)?.finish()))
    }
}

fn named(options: &[(bool, &str)]) -> Vec<String> {
    options.iter().filter(|(wanted, _)| *wanted).map(|(_, name)| (*name).into()).collect()
}
