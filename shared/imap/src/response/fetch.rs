//! FETCH responses (RFC 9051 section 7.5.2).

use super::{BodyStructure, Envelope, Flag, parse_date_time};
use crate::token::Token;

/// What the server told about one message; `None` is what it did not tell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fetch {
    /// The sequence number.
    pub sequence: u32,
    /// UID.
    pub uid: Option<u32>,
    /// FLAGS.
    pub flags: Option<Vec<Flag>>,
    /// INTERNALDATE, in seconds since 1970 (UTC).
    pub internal_date: Option<i64>,
    /// RFC822.SIZE, in bytes.
    pub size: Option<u64>,
    /// ENVELOPE.
    pub envelope: Option<Envelope>,
    /// BODYSTRUCTURE or BODY.
    pub body_structure: Option<BodyStructure>,
    /// MODSEQ (RFC 7162).
    pub mod_seq: Option<u64>,
    /// BODY\[…\].
    pub sections: Vec<BodySection>,
}

/// The content of a section.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BodySection {
    /// What stands between the brackets, in upper case: empty is the whole message, `1.MIME`.
    pub section: String,
    /// The first byte's place in the section, if a part of it was asked for.
    pub origin: Option<u64>,
    /// The bytes.
    pub content: Content,
}

/// The bytes of a section.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Content {
    /// They are here.
    Held(Vec<u8>),
    /// They were streamed before, under this number.
    Streamed {
        /// The literal's number.
        stream: u64,
        /// How many bytes.
        size: u64,
    },
    /// The server does not have them.
    Missing,
}

impl Fetch {
    pub(super) fn parse(sequence: u32, arguments: &[Token<'_>]) -> Option<Self> {
        let items = arguments.first()?.list()?;
        let mut fetch = Self { sequence, ..Self::default() };
        let (pairs, _) = items.as_chunks::<2>();
        for [name, value] in pairs {
            let Some(atom) = name.atom() else { continue };
            match atom.to_ascii_uppercase().as_slice() {
                b"UID" => fetch.uid = value.number(),
                b"FLAGS" => fetch.flags = value.list().map(Flag::all),
                b"INTERNALDATE" => {
                    fetch.internal_date = value.string().and_then(parse_date_time);
                }
                b"RFC822.SIZE" => fetch.size = value.number(),
                b"ENVELOPE" => fetch.envelope = Envelope::parse(value),
                b"BODYSTRUCTURE" | b"BODY" => fetch.body_structure = BodyStructure::parse(value),
                b"MODSEQ" => {
                    fetch.mod_seq = value.list().and_then(<[_]>::first).and_then(Token::number);
                }
                name => fetch.sections.extend(body_section(name, value)),
            }
        }
        Some(fetch)
    }
}

fn body_section(name: &[u8], value: &Token<'_>) -> Option<BodySection> {
    let name = std::str::from_utf8(name).ok()?.strip_prefix("BODY[")?;
    let (section, origin) = name.rsplit_once(']')?;
    let origin = origin.strip_prefix('<').and_then(|origin| origin.strip_suffix('>'));
    let content = match value {
        Token::Streamed(stream, size) => Content::Streamed { stream: *stream, size: *size },
        value => value.string().map_or(Content::Missing, |bytes| Content::Held(bytes.to_vec())),
    };
    let origin = origin.and_then(|origin| origin.parse().ok());
    Some(BodySection { section: section.into(), origin, content })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Response, response::tests::response};

    fn fetch(line: &str) -> Fetch {
        match response(line) {
            Response::Fetch(fetch) => *fetch,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn items_are_read_in_any_order_and_unknown_ones_skipped() {
        let fetch = fetch(
            "* 12 FETCH (X-GM-LABELS (\"\\\\Inbox\" a) FLAGS (\\Seen Work) RFC822.SIZE 44827 \
             INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" MODSEQ (624140003) UID 7)",
        );
        assert_eq!((fetch.sequence, fetch.uid, fetch.size), (12, Some(7), Some(44827)));
        assert_eq!(fetch.flags, Some(vec![Flag::Seen, Flag::Other("Work".into())]));
        assert_eq!(fetch.internal_date, Some(837_596_665));
        assert_eq!(fetch.mod_seq, Some(624_140_003));
    }

    #[test]
    fn sections_carry_their_name_origin_and_bytes() {
        let section = |section: &str, origin, content| BodySection {
            section: section.into(),
            origin,
            content,
        };
        let fetch = fetch(
            "* 1 FETCH (BODY[] {3}\r\na)\n BODY[1.mime]<5> \"x\" BODY[2] NIL \
             BODY[HEADER.FIELDS (TO \"CC\")] \"\")",
        );
        assert_eq!(
            fetch.sections,
            [
                section("", None, Content::Held(b"a)\n".to_vec())),
                section("1.MIME", Some(5), Content::Held(b"x".to_vec())),
                section("2", None, Content::Missing),
                section("HEADER.FIELDS (TO \"CC\")", None, Content::Held(vec![])),
            ]
        );
    }

    #[test]
    fn a_streamed_section_names_its_literal() {
        let body = "x".repeat(70_000);
        let fetch = fetch(&format!("* 1 FETCH (UID 9 BODY[] {{70000}}\r\n{body})"));
        let content = Content::Streamed { stream: 1, size: 70_000 };
        assert_eq!(fetch.sections[0].content, content);
        assert_eq!(fetch.uid, Some(9));
    }
}
