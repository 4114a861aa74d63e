//! VANISHED responses (RFC 7162 section 3.2.10).

use crate::{SequenceSet, token::Token};

/// Messages that are gone, by their UIDs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Vanished {
    /// Whether they went before this session asked: then no sequence number moves, and UIDs may be
    /// among them that this client never knew.
    pub earlier: bool,
    /// Their UIDs.
    pub uids: SequenceSet,
}

impl Vanished {
    pub(super) fn parse(arguments: &[Token<'_>]) -> Option<Self> {
        let (earlier, uids) = match arguments {
            [Token::List(tags), uids] => (tags.iter().any(|tag| tag.is("EARLIER")), uids),
            [uids] => (false, uids),
            _ => return None,
        };
        Some(Self { earlier, uids: SequenceSet::parse(uids.atom()?)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Response, response::tests::response};

    #[test]
    fn the_examples_of_rfc_7162_are_read() {
        let cases = [
            ("* VANISHED (EARLIER) 300:310,405,411", true, "300:310,405,411"),
            ("* VANISHED 505,507,510,625", false, "505,507,510,625"),
            ("* vanished (earlier) 1:4294967295", true, "1:4294967295"),
        ];
        for (line, earlier, uids) in cases {
            let uids = SequenceSet::parse(uids.as_bytes()).unwrap();
            assert_eq!(response(line), Response::Vanished(Vanished { earlier, uids }), "{line}");
        }
    }
}
