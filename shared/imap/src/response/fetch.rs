//! FETCH responses (RFC 9051 section 7.5.2; RFC 3516, RFC 7162, RFC 8474, RFC 8514, RFC 8970, and
//! Gmail's extensions).

mod section;

use section::Bracketed;
pub use section::{BinarySection, BinarySize, BodySection, Content};

use super::{BodyStructure, Envelope, Flag, parse_date_time};
use crate::cursor::{Cursor, Item};

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
    /// SAVEDATE: when it was put into this mailbox, in seconds since 1970 (UTC); the inner `None`
    /// if the mailbox does not keep it.
    pub save_date: Option<Option<i64>>,
    /// RFC822.SIZE, in bytes.
    pub size: Option<u64>,
    /// ENVELOPE.
    pub envelope: Option<Envelope>,
    /// BODYSTRUCTURE or BODY.
    pub body_structure: Option<BodyStructure>,
    /// MODSEQ.
    pub mod_seq: Option<u64>,
    /// PREVIEW: the beginning of the text; the inner `None` if the server has none (yet).
    pub preview: Option<Option<String>>,
    /// EMAILID: the same for the same message in every mailbox.
    pub email_id: Option<String>,
    /// THREADID: the inner `None` if the message is in no thread.
    pub thread_id: Option<Option<String>>,
    /// What Gmail tells.
    pub gmail: GmailItems,
    /// BODY\[…\], and what RFC 3501 calls RFC822, RFC822.HEADER and RFC822.TEXT.
    pub sections: Vec<BodySection>,
    /// BINARY\[…\].
    pub binary: Vec<BinarySection>,
    /// BINARY.SIZE\[…\].
    pub binary_sizes: Vec<BinarySize>,
}

/// Gmail's own items (X-GM-EXT-1).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct GmailItems {
    /// X-GM-MSGID: the same for the same message in every mailbox.
    pub message_id: Option<u64>,
    /// X-GM-THRID: the same for all messages of a thread.
    pub thread_id: Option<u64>,
    /// X-GM-LABELS: the labels as the server spells them (like mailbox names), without that of the
    /// mailbox itself; Gmail's own begin with a backslash.
    pub labels: Option<Vec<Vec<u8>>>,
}

/// An item that nearly all responses have.
enum Usual {
    Uid,
    Flags,
    InternalDate,
    Size,
    Envelope,
    BodyStructure,
}

impl Usual {
    /// Passes over the name of one if it comes next, and is spelled as most servers do.
    #[inline]
    fn pass(items: &mut Cursor<'_>) -> Option<Self> {
        items.pass(b" ");
        Some(if items.pass_name(b"UID ") {
            Self::Uid
        } else if items.pass_name(b"FLAGS ") {
            Self::Flags
        } else if items.pass_name(b"INTERNALDATE ") {
            Self::InternalDate
        } else if items.pass_name(b"RFC822.SIZE ") {
            Self::Size
        } else if items.pass_name(b"ENVELOPE ") {
            Self::Envelope
        } else if items.pass_name(b"BODYSTRUCTURE ") {
            Self::BodyStructure
        } else {
            return None;
        })
    }
}

impl Fetch {
    pub(super) fn read(sequence: u32, cursor: &mut Cursor<'_>) -> Option<Box<Self>> {
        cursor.list(|items| {
            let mut fetch = Box::new(Self { sequence, ..Self::default() });
            loop {
                if let Some(usual) = Usual::pass(items) {
                    fetch.take_usual(usual, items);
                    continue;
                }
                let Some(name) = items.value() else { break };
                let name = name.spelled().unwrap_or_default();
                if items.is_at_end() {
                    break;
                }
                // Servers have little reason to spell them otherwise.
                if name.iter().any(u8::is_ascii_lowercase) {
                    fetch.take(&name.to_ascii_uppercase(), items);
                } else {
                    fetch.take(&name, items);
                }
            }
            fetch
        })
    }

    #[inline]
    fn take_usual(&mut self, usual: Usual, items: &mut Cursor<'_>) {
        match usual {
            Usual::Uid => self.uid = items.number(),
            Usual::Flags => self.flags = Flag::read_all(items),
            Usual::InternalDate => self.internal_date = date_time(items),
            Usual::Size => self.size = items.number(),
            Usual::Envelope => self.envelope = Envelope::read(items),
            Usual::BodyStructure => self.body_structure = BodyStructure::read(items),
        }
    }

    fn take(&mut self, name: &[u8], items: &mut Cursor<'_>) {
        match name {
            b"UID" => self.take_usual(Usual::Uid, items),
            b"FLAGS" => self.take_usual(Usual::Flags, items),
            b"INTERNALDATE" => self.take_usual(Usual::InternalDate, items),
            b"SAVEDATE" => self.save_date = Some(date_time(items)),
            b"RFC822.SIZE" => self.take_usual(Usual::Size, items),
            b"ENVELOPE" => self.take_usual(Usual::Envelope, items),
            b"BODYSTRUCTURE" | b"BODY" => self.take_usual(Usual::BodyStructure, items),
            b"MODSEQ" => self.mod_seq = items.only().and_then(Item::number),
            b"PREVIEW" => self.preview = Some(items.value().and_then(text)),
            b"EMAILID" => self.email_id = items.only().and_then(text),
            b"THREADID" => self.thread_id = Some(items.only().and_then(text)),
            b"X-GM-MSGID" => self.gmail.message_id = items.number(),
            b"X-GM-THRID" => self.gmail.thread_id = items.number(),
            b"X-GM-LABELS" => {
                let label = |item: Item<'_>| Some(item.spelled()?.into_owned());
                let labels =
                    items.list(|labels| std::iter::from_fn(|| labels.value()).map(label).collect());
                self.gmail.labels = labels.flatten();
            }
            b"RFC822" => self.sections.push(BodySection::whole("", items)),
            b"RFC822.HEADER" => self.sections.push(BodySection::whole("HEADER", items)),
            b"RFC822.TEXT" => self.sections.push(BodySection::whole("TEXT", items)),
            name => match Bracketed::read(name, items) {
                Some(Bracketed { item: b"BODY", section, origin }) => {
                    let content = Content::read(items);
                    self.sections.push(BodySection { section, origin, content });
                }
                Some(Bracketed { item: b"BINARY", section, origin }) => {
                    let content = Content::read(items);
                    self.binary.push(BinarySection { section, origin, content });
                }
                Some(Bracketed { item: b"BINARY.SIZE", section, .. }) => {
                    let size = items.number();
                    self.binary_sizes.extend(size.map(|size| BinarySize { section, size }));
                }
                _ => items.skip(),
            },
        }
    }
}

fn date_time(items: &mut Cursor<'_>) -> Option<i64> {
    parse_date_time(&items.quick_value()?.string()?)
}

fn text(item: Item<'_>) -> Option<String> {
    Some(String::from_utf8_lossy(&item.string()?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::{Text, tests::fetch};

    #[test]
    fn items_are_read_in_any_order_and_unknown_ones_skipped() {
        let fetch = fetch(
            "* 12 FETCH (X-NEW (\"\\\\Inbox\" a) FLAGS (\\Seen Work) RFC822.SIZE 44827 \
             INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" MODSEQ (624140003) UID 7)",
        );
        assert_eq!((fetch.sequence, fetch.uid, fetch.size), (12, Some(7), Some(44827)));
        assert_eq!(fetch.flags, Some(vec![Flag::Seen, Flag::Other("Work".into())]));
        assert_eq!(fetch.internal_date, Some(837_596_665));
        assert_eq!(fetch.mod_seq, Some(624_140_003));
    }

    #[test]
    fn a_usual_name_without_its_value_ends_the_list_as_any_other_does() {
        let told = fetch("* 12 FETCH (UID 7 FLAGS (\\Seen) UID )");
        assert_eq!((told.uid, told.flags), (Some(7), Some(vec![Flag::Seen])));
        let told = fetch("* 12 FETCH (FLAGS  (\\Seen) uid 7 RFC822.SIZE {1}\r\n9)");
        assert_eq!((told.uid, told.size), (Some(7), Some(9)));
        assert_eq!(told.flags, Some(vec![Flag::Seen]));
    }

    #[test]
    fn the_items_of_extensions_are_read() {
        let told = fetch(
            "* 1 FETCH (EMAILID (M6d99ac3275bb4e) THREADID (T64b478a75b7ea9) PREVIEW \"Hi Jö\" \
             SAVEDATE \"17-Jul-1996 02:44:25 -0700\")",
        );
        assert_eq!(told.email_id.as_deref(), Some("M6d99ac3275bb4e"));
        assert_eq!(told.thread_id, Some(Some("T64b478a75b7ea9".into())));
        assert_eq!(told.preview, Some(Some("Hi Jö".into())));
        assert_eq!(told.save_date, Some(Some(837_596_665)));
        let untold = fetch("* 1 FETCH (THREADID NIL PREVIEW NIL SAVEDATE NIL)");
        assert_eq!((untold.thread_id, untold.preview), (Some(None), Some(None)));
        assert_eq!(untold.save_date, Some(None));
    }

    #[test]
    fn what_gmail_tells_is_read() {
        let gmail = fetch(
            "* 1 FETCH (X-GM-THRID 1266894439832287888 X-GM-MSGID 1278455344230334865 X-GM-LABELS \
             (\"\\\\Inbox\" \\Sent Important \"Muy &AOE- Importante\" NIL))",
        )
        .gmail;
        assert_eq!(gmail.message_id, Some(1_278_455_344_230_334_865));
        assert_eq!(gmail.thread_id, Some(1_266_894_439_832_287_888));
        let labels: [&[u8]; 5] =
            [br"\Inbox", br"\Sent", b"Important", b"Muy &AOE- Importante", b"NIL"];
        assert_eq!(gmail.labels.unwrap(), labels);
    }

    #[test]
    fn labels_that_can_not_be_read_are_not_taken_for_none() {
        for (told, labels) in [
            ("()", Some(vec![])),
            ("NIL", None),
            ("Work", None),
            ("(Work (a b))", None),
            ("((a) Work)", None),
        ] {
            let told = fetch(&format!("* 1 FETCH (X-GM-LABELS {told} UID 7)"));
            assert_eq!(told.gmail.labels, labels);
            assert_eq!(told.uid, Some(7), "what follows is read");
        }
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
             BODY[HEADER.FIELDS (TO \"CC\")] \"\" RFC822.TEXT \"y\" \
             BODY[HEADER.FIELDS.NOT (A {1}\r\n])] z)",
        );
        assert_eq!(
            fetch.sections,
            [
                section("", None, Content::Held(b"a)\n".into())),
                section("1.MIME", Some(5), Content::Held(b"x".into())),
                section("2", None, Content::Missing),
                section("HEADER.FIELDS (TO \"CC\")", None, Content::Held(Text::default())),
                section("TEXT", None, Content::Held(b"y".into())),
                section("HEADER.FIELDS.NOT (A \"]\")", None, Content::Held(b"z".into())),
            ]
        );
    }

    #[test]
    fn decoded_sections_carry_their_part_origin_and_bytes() {
        let fetch = fetch(
            "* 5 FETCH (UID 9 BINARY[1.2] ~{3}\r\na\0b BINARY.SIZE[4] 1234 BINARY[3]<7> \"x\" \
             BINARY[2] NIL)",
        );
        let binary = |section: &str, origin, content| BinarySection {
            section: section.into(),
            origin,
            content,
        };
        assert_eq!(
            fetch.binary,
            [
                binary("1.2", None, Content::Held(b"a\0b".into())),
                binary("3", Some(7), Content::Held(b"x".into())),
                binary("2", None, Content::Missing),
            ]
        );
        assert_eq!(fetch.binary_sizes, [BinarySize { section: "4".into(), size: 1234 }]);
        assert_eq!(fetch.uid, Some(9));
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
