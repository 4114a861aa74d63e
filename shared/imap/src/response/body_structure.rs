//! BODYSTRUCTURE and BODY (RFC 9051 section 7.5.2): the tree of a message's parts.

use smallvec::SmallVec;
use smol_str::SmolStr;

use super::{Envelope, Text};
use crate::cursor::{Cursor, Item, media_type};

/// Names in lower case, and values. Most have one and no more.
pub type Parameters = SmallVec<[(SmolStr, Text); 1]>;

/// A message's parts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum BodyStructure {
    /// A part with content.
    Part(Box<BodyPart>),
    /// Parts in a row.
    Multipart(Box<Multipart>),
}

/// Parts in a row.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Multipart {
    /// The subtype, lower case: `mixed`, `alternative`.
    pub subtype: SmolStr,
    /// Its parts.
    pub parts: SmallVec<[BodyStructure; 2]>,
    /// Parameters, such as `boundary`.
    pub parameters: Parameters,
    /// `Content-Disposition`, if it is there and the server told it.
    pub disposition: Option<Disposition>,
    /// `Content-Language`: language tags as they came.
    pub languages: Vec<String>,
    /// `Content-Location`.
    pub location: Option<Text>,
}

/// A part with content.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BodyPart {
    /// The media type, lower case, such as `text/plain`.
    pub media_type: SmolStr,
    /// Parameters, such as `charset`.
    pub parameters: Parameters,
    /// `Content-ID`, with its angle brackets; may be empty.
    pub id: Text,
    /// `Content-Description`; may be empty. Encoded words are not decoded.
    pub description: Text,
    /// The transfer encoding, lower case, such as `base64`.
    pub encoding: SmolStr,
    /// The size of the encoded content, in bytes.
    pub size: u64,
    /// The lines of the encoded content; only of texts and messages.
    pub lines: Option<u64>,
    /// `Content-MD5`.
    pub md5: Option<Text>,
    /// `Content-Disposition`, if it is there and the server told it.
    pub disposition: Option<Disposition>,
    /// `Content-Language`: language tags as they came.
    pub languages: Vec<String>,
    /// `Content-Location`.
    pub location: Option<Text>,
    /// The parts of the message that this part is, if it is one.
    pub message: Option<Box<(Envelope, BodyStructure)>>,
}

/// How a part is to be shown (RFC 2183).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Disposition {
    /// `inline` or `attachment`, lower case.
    pub kind: SmolStr,
    /// Parameters, such as `filename`.
    pub parameters: Parameters,
}

impl BodyStructure {
    /// Reads a structure; what is missing is left at its default. Lists are nested no deeper than
    /// the limit on tokens allows, and so is this.
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        cursor.list(Self::read_fields).flatten()
    }

    fn read_fields(fields: &mut Cursor<'_>) -> Option<Self> {
        if fields.is_at_list() {
            return Some(Self::Multipart(Box::new(multipart(fields))));
        }
        let start = fields.place();
        let kind = fields.quick_value()?;
        match fields.plain_string().map(Item::String).or_else(|| fields.next()) {
            Some(subtype) if !is_childless(subtype, fields) => {
                Some(Self::Part(Box::new(part(kind, subtype, fields))))
            }
            _ => {
                fields.go_back(start);
                Some(Self::Multipart(Box::new(multipart(fields))))
            }
        }
    }

    /// All parts with content and their numbers (RFC 9051 section 6.4.5), in order. A message
    /// within the message counts as one part.
    pub fn leaves(&self) -> Vec<(String, &BodyPart)> {
        let mut leaves = Vec::new();
        match self {
            Self::Part(part) => leaves.push(("1".to_owned(), &**part)),
            Self::Multipart(multipart) => multipart.collect_leaves("", &mut leaves),
        }
        leaves
    }
}

impl Multipart {
    /// Its parts and their numbers, when its own number is `section` (empty at the top).
    pub fn numbered<'a>(
        &'a self,
        section: &str,
    ) -> impl Iterator<Item = (String, &'a BodyStructure)> {
        self.parts.iter().zip(1..).map(move |(part, number): (_, u32)| {
            let dot = if section.is_empty() { "" } else { "." };
            (format!("{section}{dot}{number}"), part)
        })
    }

    /// A parameter's value.
    pub fn parameter(&self, name: &str) -> Option<&[u8]> {
        parameter(&self.parameters, name)
    }

    fn collect_leaves<'a>(&'a self, section: &str, leaves: &mut Vec<(String, &'a BodyPart)>) {
        for (number, structure) in self.numbered(section) {
            match structure {
                BodyStructure::Part(part) => leaves.push((number, part)),
                BodyStructure::Multipart(inner) => inner.collect_leaves(&number, leaves),
            }
        }
    }
}

impl BodyPart {
    /// The file name that the part names itself, from either header field; encoded words and
    /// RFC 2231 forms are not decoded.
    pub fn file_name(&self) -> Option<&[u8]> {
        let disposition = self.disposition.as_ref();
        let disposition = disposition.map(|own| &*own.parameters).unwrap_or_default();
        parameter(disposition, "filename")
            .or(parameter(disposition, "filename*"))
            .or(parameter(&self.parameters, "name"))
            .or(parameter(&self.parameters, "name*"))
    }

    /// Whether the part says that it is an attachment, or is to be shown inline.
    pub fn is_disposed(&self, kind: &str) -> bool {
        self.disposition.as_ref().is_some_and(|own| own.kind == kind)
    }
}

/// Some servers send multiparts that have no part: a subtype, and perhaps its parameters. `second`
/// is what stands behind the first field, and `fields` what follows.
fn is_childless(second: Item<'_>, fields: &mut Cursor<'_>) -> bool {
    match second {
        Item::List => true,
        Item::Atom(atom) if atom.eq_ignore_ascii_case(b"NIL") => {
            let start = fields.place();
            let ends = (2..7).any(|_| fields.value().is_none());
            fields.go_back(start);
            ends
        }
        _ => false,
    }
}

fn multipart(fields: &mut Cursor<'_>) -> Multipart {
    let mut parts = SmallVec::new();
    while fields.is_at_list() {
        if let Some(part) = BodyStructure::read(fields) {
            parts.push(part);
        }
    }
    Multipart {
        parts,
        subtype: fields.word(),
        parameters: parameters(fields),
        disposition: disposition(fields),
        languages: languages(fields),
        location: fields.text(),
    }
}

fn part(kind: Item<'_>, subtype: Item<'_>, fields: &mut Cursor<'_>) -> BodyPart {
    let [kind, subtype] = [kind, subtype].map(|item| item.string().unwrap_or_default());
    let media_type = media_type(&kind, &subtype);
    let mut part = BodyPart {
        parameters: parameters(fields),
        id: fields.text().unwrap_or_default(),
        description: fields.text().unwrap_or_default(),
        encoding: fields.word(),
        size: fields.number().unwrap_or_default(),
        ..BodyPart::default()
    };
    if media_type == "message/rfc822" || media_type == "message/global" {
        let start = fields.place();
        match message(fields) {
            Some(message) => {
                part.message = Some(Box::new(message));
                part.lines = fields.number();
            }
            // Some servers treat what they can't parse as a part like any other.
            None => fields.go_back(start),
        }
    } else if media_type.starts_with("text/") {
        part.lines = fields.number();
    }
    part.media_type = media_type;
    part.md5 = fields.text();
    part.disposition = disposition(fields);
    part.languages = languages(fields);
    part.location = fields.text();
    part
}

fn message(fields: &mut Cursor<'_>) -> Option<(Envelope, BodyStructure)> {
    Some((Envelope::read(fields)?, BodyStructure::read(fields)?))
}

/// One tag, or a list of them.
fn languages(fields: &mut Cursor<'_>) -> Vec<String> {
    if fields.pass_nil() {
        return Vec::new();
    }
    let text = |item: Item<'_>| Some(String::from_utf8_lossy(&item.string()?).into_owned());
    match fields.next() {
        Some(Item::List) => {
            let tags = std::iter::from_fn(|| fields.value());
            let tags = tags.filter_map(text).collect();
            fields.leave();
            tags
        }
        Some(tag) => text(tag).into_iter().collect(),
        None => Vec::new(),
    }
}

fn disposition(cursor: &mut Cursor<'_>) -> Option<Disposition> {
    let read = |fields: &mut Cursor<'_>| {
        (!fields.is_at_end())
            .then(|| Disposition { kind: fields.word(), parameters: parameters(fields) })
    };
    cursor.list(read).flatten()
}

fn parameters(cursor: &mut Cursor<'_>) -> Parameters {
    let mut parameters = Parameters::new();
    cursor.list(|fields| {
        while !fields.is_at_end() {
            let name = fields.word();
            if let Some(value) = fields.text() {
                parameters.push((name, value));
            }
        }
    });
    parameters
}

fn parameter<'a>(parameters: &'a [(SmolStr, Text)], name: &str) -> Option<&'a [u8]> {
    parameters.iter().find(|(own, _)| own == name).map(|(_, value)| &**value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::tests::fetch;

    fn structure(text: &str) -> Option<BodyStructure> {
        fetch(&format!("* 1 FETCH (BODYSTRUCTURE {text})")).body_structure
    }

    const TEXT: &str = r#"("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" 1152 23)"#;

    #[test]
    fn a_single_part_is_number_one() {
        let structure = structure(TEXT).unwrap();
        let leaves = structure.leaves();
        assert_eq!(leaves[0].0, "1");
        assert_eq!(leaves[0].1.media_type, "text/plain");
        assert_eq!((&*leaves[0].1.encoding, leaves[0].1.size), ("7bit", 1152));
    }

    #[test]
    fn nested_parts_are_numbered_and_a_message_in_the_message_is_one_part() {
        let image =
            r#"("image" "png" NIL "<a@b>" NIL "base64" 4000 NIL ("inline" ("FileName" "a.png")))"#;
        let message = format!(
            r#"("message" "rfc822" NIL NIL NIL "7bit" 342 (NIL "inner") {TEXT} 9 NIL ("attachment" NIL))"#
        );
        let text = format!(
            r#"((({TEXT}{TEXT} "alternative" ("boundary" "b2")){image} "related"){message} "MIXED" ("boundary" "b1") NIL NIL)"#
        );
        let structure = structure(&text).unwrap();
        let leaves = structure.leaves();
        let numbers: Vec<_> = leaves.iter().map(|(number, _)| &**number).collect();
        assert_eq!(numbers, ["1.1.1", "1.1.2", "1.2", "2"]);
        assert_eq!(leaves[2].1.file_name(), Some(&b"a.png"[..]));
        assert!(leaves[2].1.is_disposed("inline") && leaves[3].1.is_disposed("attachment"));
        assert_eq!(leaves[3].1.message.as_ref().unwrap().0.subject, b"inner");
        let BodyStructure::Multipart(mixed) = &structure else { panic!() };
        assert_eq!((&*mixed.subtype, mixed.parameter("boundary")), ("mixed", Some(&b"b1"[..])));
    }

    #[test]
    fn extensions_are_read_to_their_end() {
        let text = r#"("text" "html" ("charset" "utf-8") "<i>" "About" "8bit" 9 2 "md5=="
            ("inline" ("filename" "a" "size" "9")) ("en" "fr-CA") "http://x/" (1 (2)) "more")"#;
        let Some(BodyStructure::Part(part)) = structure(&text.replace('\n', " ")) else { panic!() };
        assert_eq!((&*part.description, part.lines), (&b"About"[..], Some(2)));
        assert_eq!(part.md5.as_deref(), Some(&b"md5=="[..]));
        assert_eq!(part.languages, ["en", "fr-CA"]);
        assert_eq!(part.location.as_deref(), Some(&b"http://x/"[..]));
        assert_eq!(part.disposition.unwrap().parameters.len(), 2);

        let text = format!(r#"({TEXT} "mixed" ("boundary" "b") ("inline" NIL) "de" "loc" NIL)"#);
        let Some(BodyStructure::Multipart(mixed)) = structure(&text) else { panic!() };
        assert_eq!(mixed.disposition.unwrap().kind, "inline");
        assert_eq!(mixed.languages, ["de"]);
        assert_eq!(mixed.location.as_deref(), Some(&b"loc"[..]));
    }

    #[test]
    fn what_is_missing_has_its_default() {
        assert!(structure("()").is_none() && structure("NIL").is_none());
        let Some(BodyStructure::Part(part)) = structure(r#"("TEXT" "HTML")"#) else { panic!() };
        assert_eq!(*part, BodyPart { media_type: "text/html".into(), ..BodyPart::default() });
        let Some(BodyStructure::Multipart(multipart)) = structure("(() \"mixed\")") else {
            panic!()
        };
        assert!(multipart.parts.is_empty());
    }

    #[test]
    fn a_message_that_the_server_could_not_parse_is_a_part() {
        let text = r#"("message" "rfc822" NIL NIL NIL "base64" 342 NIL ("attachment" NIL) NIL)"#;
        let Some(BodyStructure::Part(part)) = structure(text) else { panic!() };
        assert!(part.message.is_none() && part.is_disposed("attachment"));
    }
}
