//! A large message without the content of its attachments. Pure.
//!
//! The stored bytes are a message that any MIME reader understands: all headers are there, and so
//! are the texts; parts that were left out are empty.

use std::collections::BTreeMap;

use postern_imap::{
    command::{FetchItem, Partial},
    response::{BodyPart, BodyStructure, Multipart},
};

use super::{limits, listing::is_attachment};
use crate::record::AbsentPart;

/// What to fetch of a message, and what to leave out.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Plan {
    /// What to fetch: headers of all parts, content of some.
    pub(super) items: Vec<FetchItem>,
    /// The parts whose content is left out, or all of it but the beginning.
    pub(super) absent: Vec<AbsentPart>,
}

/// Decides what to fetch to show a message; `None` if it can't be put together from its parts, or is no
/// multipart and shown whole.
pub(super) fn plan(structure: &BodyStructure) -> Option<Plan> {
    let leaves = structure.leaves();
    if leaves.len() > limits::PARTS {
        return None;
    }
    let mut plan = Plan { items: vec![FetchItem::section("HEADER")], absent: Vec::new() };
    match structure {
        BodyStructure::Multipart(multipart) => collect_headers(multipart, "", &mut plan.items)?,
        // Servers number what is in it in different ways.
        BodyStructure::Part(part) if part.media_type.starts_with("message/") => return None,
        BodyStructure::Part(_) => {}
    }
    let mut left = limits::SHOWN;
    for (section, part) in leaves {
        match shown_size(part).filter(|size| *size <= left) {
            Some(size) => {
                left -= size;
                let begun = part.size > u64::from(limits::TEXT_PART);
                let partial = begun.then_some(Partial { origin: 0, count: limits::TEXT_PART });
                if begun {
                    let (section, size) = (section.clone(), decoded_size(part));
                    plan.absent.push(AbsentPart { section, size, begun });
                }
                plan.items.push(FetchItem::Section { section, partial });
            }
            None => {
                // A text that there is no room for is not forgotten.
                let begun = is_text(part);
                plan.absent.push(AbsentPart { section, size: decoded_size(part), begun });
            }
        }
    }
    let is_whole = matches!(structure, BodyStructure::Part(_)) && plan.absent.is_empty();
    (!is_whole).then_some(plan)
}

/// The headers of all parts; `None` if a boundary is missing.
fn collect_headers(multipart: &Multipart, section: &str, items: &mut Vec<FetchItem>) -> Option<()> {
    multipart.parameter("boundary")?;
    for (number, part) in multipart.numbered(section) {
        items.push(FetchItem::section(format!("{number}.MIME")));
        if let BodyStructure::Multipart(inner) = part {
            collect_headers(inner, &number, items)?;
        }
    }
    Some(())
}

/// Whether a part is a text of the message itself.
fn is_text(part: &BodyPart) -> bool {
    part.media_type.starts_with("text/") && !is_attachment(part)
}

/// The bytes to fetch of a part that the reading pane shows; `None` for one that it only lists.
fn shown_size(part: &BodyPart) -> Option<u64> {
    if is_text(part) {
        return Some(part.size.min(limits::TEXT_PART.into()));
    }
    let inline = part.media_type.starts_with("image/") && !part.is_disposed("attachment");
    (inline && part.size <= limits::INLINE_IMAGE).then_some(part.size)
}

fn decoded_size(part: &BodyPart) -> u64 {
    match &*part.encoding {
        // Lines of 76 characters and their ends hold 57 bytes.
        "base64" => part.size / 78 * 57 + part.size % 78 * 3 / 4,
        _ => part.size,
    }
}

/// Puts the message together from its sections; those that are missing are empty.
pub(super) fn assemble(structure: &BodyStructure, sections: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut raw = header(sections.get("HEADER"));
    match structure {
        BodyStructure::Multipart(multipart) => write_parts(multipart, "", sections, &mut raw),
        BodyStructure::Part(_) => raw.extend(content(sections, "1")),
    }
    raw
}

fn write_parts(
    multipart: &Multipart,
    section: &str,
    sections: &BTreeMap<String, Vec<u8>>,
    raw: &mut Vec<u8>,
) {
    let boundary = multipart.parameter("boundary").unwrap_or_default();
    for (number, part) in multipart.numbered(section) {
        raw.extend([b"--", boundary, b"\r\n"].concat());
        raw.extend(header(sections.get(&format!("{number}.MIME"))));
        match part {
            BodyStructure::Multipart(inner) => write_parts(inner, &number, sections, raw),
            BodyStructure::Part(_) => raw.extend(content(sections, &number)),
        }
        raw.extend(b"\r\n");
    }
    raw.extend([b"--", boundary, b"--\r\n"].concat());
}

/// What was fetched of a part.
fn content<'a>(sections: &'a BTreeMap<String, Vec<u8>>, section: &str) -> &'a [u8] {
    sections.get(section).map(Vec::as_slice).unwrap_or_default()
}

/// A header with the empty line that ends it, which not every server sends.
fn header(fetched: Option<&Vec<u8>>) -> Vec<u8> {
    let mut header = fetched.cloned().unwrap_or_default();
    if !header.is_empty() && !header.ends_with(b"\n") {
        header.extend(b"\r\n");
    }
    if !(header.ends_with(b"\n\r\n") || header.ends_with(b"\n\n")) {
        header.extend(b"\r\n");
    }
    header
}

#[cfg(test)]
mod tests {
    use postern_imap::response::{Disposition, Envelope, Parameters};

    use super::*;

    fn part(media_type: &str, size: u64, disposition: &str) -> BodyStructure {
        BodyStructure::Part(Box::new(BodyPart {
            media_type: media_type.into(),
            encoding: if media_type.starts_with("text/") { "7bit" } else { "base64" }.into(),
            size,
            disposition: (!disposition.is_empty())
                .then(|| Disposition { kind: disposition.into(), parameters: Parameters::new() }),
            ..BodyPart::default()
        }))
    }

    fn multipart(boundary: &str, parts: Vec<BodyStructure>) -> BodyStructure {
        let parameters = Parameters::from([("boundary".into(), boundary.into())]);
        BodyStructure::Multipart(Box::new(Multipart {
            subtype: "mixed".into(),
            parts: parts.into(),
            parameters,
            ..Multipart::default()
        }))
    }

    fn example() -> BodyStructure {
        let texts = vec![part("text/plain", 5, ""), part("text/html", 2 << 20, "")];
        multipart(
            "outer",
            vec![
                multipart("inner", texts),
                part("image/png", 1000, "inline"),
                part("image/png", limits::INLINE_IMAGE + 1, "inline"),
                part("application/pdf", 780_000, "attachment"),
                part("text/plain", 10, "attachment"),
            ],
        )
    }

    #[test]
    fn texts_and_small_inline_images_are_fetched_and_attachments_left_out() {
        let plan = plan(&example()).unwrap();
        let partial = Some(Partial { origin: 0, count: limits::TEXT_PART });
        let mut items: Vec<FetchItem> = [
            "HEADER", "1.MIME", "1.1.MIME", "1.2.MIME", "2.MIME", "3.MIME", "4.MIME", "5.MIME",
            "1.1",
        ]
        .map(FetchItem::section)
        .into();
        items.push(FetchItem::Section { section: "1.2".into(), partial });
        items.push(FetchItem::section("2"));
        assert_eq!(plan.items, items);
        let absent = plan.absent.iter().map(|part| (&*part.section, part.size, part.begun));
        let expected = [
            ("1.2", 2 << 20, true),
            ("3", 191_568, false),
            ("4", 570_000, false),
            ("5", 10, false),
        ];
        assert_eq!(absent.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_text_with_a_file_name_alone_is_left_out_as_the_reader_lists_it() {
        let named = |name: &[u8]| {
            let BodyStructure::Part(mut file) = part("text/plain", 2 << 20, "") else { panic!() };
            file.parameters = Parameters::from([("name".into(), name.into())]);
            let parts = vec![part("text/plain", 5, ""), BodyStructure::Part(file)];
            let absent = plan(&multipart("b", parts)).unwrap().absent;
            absent.iter().map(|own| (own.section.clone(), own.begun)).collect::<Vec<_>>()
        };
        assert_eq!(named(b"log.txt"), [("2".into(), false)]);
        assert_eq!(named(b" "), [("2".into(), true)], "a text of the message itself");
    }

    #[test]
    fn all_that_is_shown_has_a_limit() {
        let fits = limits::SHOWN / limits::INLINE_IMAGE;
        let images = |count| {
            let images = (0..count).map(|_| part("image/png", limits::INLINE_IMAGE, "inline"));
            plan(&multipart("b", images.collect())).unwrap().absent.len()
        };
        assert_eq!((images(fits), images(fits + 1)), (0, 1));
        // A text behind them is not taken for one that is empty.
        let image = || part("image/png", limits::INLINE_IMAGE, "inline");
        let images = (0..fits).map(|_| image());
        let parts = images.chain([part("text/plain", 9, "")]).collect();
        let absent = plan(&multipart("b", parts)).unwrap().absent;
        assert_eq!(absent.iter().map(|own| own.begun).collect::<Vec<_>>(), [true]);
    }

    #[test]
    fn what_can_not_be_put_together_is_not_planned() {
        let inner = (Envelope::default(), part("text/plain", 1 << 30, ""));
        let forwarded = BodyPart {
            media_type: "message/rfc822".into(),
            message: Some(Box::new(inner)),
            ..BodyPart::default()
        };
        let unreadable = BodyPart { message: None, ..forwarded.clone() };
        for own in [forwarded, unreadable] {
            assert_eq!(plan(&BodyStructure::Part(Box::new(own))), None);
        }
        let parts = vec![part("text/plain", 1, "")].into();
        let nameless = Multipart { parts, ..Multipart::default() };
        assert_eq!(plan(&BodyStructure::Multipart(Box::new(nameless))), None);
        let many = |count| {
            plan(&multipart("b", (0..count).map(|_| part("text/plain", 1, "")).collect())).is_some()
        };
        assert_eq!((many(limits::PARTS), many(limits::PARTS + 1)), (true, false));
    }

    #[test]
    fn the_message_is_put_together_with_empty_parts_for_what_is_left_out() {
        let structure =
            multipart("b", vec![part("text/plain", 5, ""), part("application/pdf", 1 << 20, "")]);
        let sections: BTreeMap<String, Vec<u8>> = [
            ("HEADER", "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"),
            ("1.MIME", "Content-Type: text/plain\r\n\r\n"),
            ("1", "hello"),
            ("2.MIME", "Content-Type: application/pdf; name=a.pdf"),
        ]
        .map(|(name, bytes)| (name.into(), bytes.into()))
        .into();
        let raw = String::from_utf8(assemble(&structure, &sections)).unwrap();
        assert_eq!(
            raw,
            "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nhello\r\n\
             --b\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\n\r\n--b--\r\n"
        );
        let summary = postern_mime::summary(raw.as_bytes());
        assert_eq!((&*summary.preview, summary.has_attachments), ("hello", true));
    }
}
