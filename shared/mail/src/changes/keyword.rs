//! Which keywords and labels messages may be given (`atom`, RFC 9051 section 9).

use postern_bridge::{LABEL_RULE, Mark, is_label};

use super::limits;
use crate::MailError;

/// The keyword of what is junk.
pub(crate) const JUNK: &str = "$Junk";
/// The keyword of what is none.
pub(crate) const NOT_JUNK: &str = "$NotJunk";

/// Refuses keywords that IMAP can't carry, unless tags are labels in the mailbox: there, and in a local
/// one, to which a backup may have brought such. They can be taken anywhere.
pub(super) fn check_mark(mark: &Mark, set: bool, has_labels: bool) -> Result<(), MailError> {
    let Mark::Keyword(name) = mark else { return Ok(()) };
    if is_keyword(name) || (has_labels || !set) && is_label(name) {
        return Ok(());
    }
    let sentence = match has_labels {
        true => LABEL_RULE,
        false => "A tag must be made of letters, digits and simple signs, without spaces.",
    };
    Err(MailError::Input(sentence.into()))
}

/// Whether it is one of the marks that filters learn from, which nobody asks for by themselves.
pub(crate) fn is_for_filters(mark: &Mark) -> bool {
    matches!(mark, Mark::Keyword(name) if [JUNK, NOT_JUNK].contains(&&**name))
}

/// Whether it can be a tag: a keyword, or a label of a server that has such.
pub(crate) fn is_tag(name: &str) -> bool {
    is_keyword(name) || is_label(name)
}

/// Whether IMAP can carry a keyword (an `atom`; RFC 9051, section 9), and it is no longer than a tag may
/// be.
pub(crate) fn is_keyword(name: &str) -> bool {
    let fits = |byte: u8| {
        byte.is_ascii_graphic()
            && !matches!(byte, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']')
    };
    !name.is_empty() && name.len() <= limits::NAME && name.bytes().all(fits)
}
