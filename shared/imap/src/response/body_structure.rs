//! BODYSTRUCTURE and BODY (RFC 9051 section 7.5.2): the tree of a message's parts.

use super::Envelope;
use crate::token::Token;

/// A message's parts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum BodyStructure {
    /// A part with content.
    Part(Box<BodyPart>),
    /// Parts in a row.
    Multipart(Multipart),
}

/// Parts in a row.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Multipart {
    /// The subtype, lower case: `mixed`, `alternative`.
    pub subtype: String,
    /// Its parts.
    pub parts: Vec<BodyStructure>,
    /// Parameters, such as `boundary`; names in lower case.
    pub parameters: Vec<(String, Vec<u8>)>,
    /// `Content-Disposition`, if it is there and the server told it.
    pub disposition: Option<Disposition>,
    /// `Content-Language`: language tags as they came.
    pub languages: Vec<String>,
    /// `Content-Location`.
    pub location: Option<Vec<u8>>,
}

/// A part with content.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BodyPart {
    /// The media type, lower case, such as `text/plain`.
    pub media_type: String,
    /// Parameters, such as `charset`; names in lower case.
    pub parameters: Vec<(String, Vec<u8>)>,
    /// `Content-ID`, with its angle brackets; may be empty.
    pub id: Vec<u8>,
    /// `Content-Description`; may be empty. Encoded words are not decoded.
    pub description: Vec<u8>,
    /// The transfer encoding, lower case, such as `base64`.
    pub encoding: String,
    /// The size of the encoded content, in bytes.
    pub size: u64,
    /// The lines of the encoded content; only of texts and messages.
    pub lines: Option<u64>,
    /// `Content-MD5`.
    pub md5: Option<Vec<u8>>,
    /// `Content-Disposition`, if it is there and the server told it.
    pub disposition: Option<Disposition>,
    /// `Content-Language`: language tags as they came.
    pub languages: Vec<String>,
    /// `Content-Location`.
    pub location: Option<Vec<u8>>,
    /// The parts of the message that this part is, if it is one.
    pub message: Option<(Envelope, BodyStructure)>,
}

/// How a part is to be shown (RFC 2183).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Disposition {
    /// `inline` or `attachment`, lower case.
    pub kind: String,
    /// Parameters, such as `filename`; names in lower case.
    pub parameters: Vec<(String, Vec<u8>)>,
}

impl BodyStructure {
    /// Reads a structure; what is missing is left at its default. Lists are nested no deeper than
    /// the limit on tokens allows, and so is this.
    pub(super) fn parse(token: &Token<'_>) -> Option<Self> {
        let fields = token.list()?;
        match fields.first()? {
            Token::List(_) => Some(Self::Multipart(multipart(fields))),
            _ if is_childless(fields) => Some(Self::Multipart(multipart(fields))),
            _ => part(fields).map(|part| Self::Part(Box::new(part))),
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

/// Some servers send multiparts that have no part: a subtype, and perhaps its parameters.
fn is_childless(fields: &[Token<'_>]) -> bool {
    match fields.get(1) {
        None | Some(Token::List(_)) => true,
        Some(token) => token.is("NIL") && fields.len() < 7,
    }
}

fn multipart(fields: &[Token<'_>]) -> Multipart {
    let count = fields.iter().take_while(|field| field.list().is_some()).count();
    let (parts, rest) = fields.split_at(count);
    Multipart {
        subtype: rest.first().map(lower).unwrap_or_default(),
        parts: parts.iter().filter_map(BodyStructure::parse).collect(),
        parameters: rest.get(1).map(parameters).unwrap_or_default(),
        disposition: rest.get(2).and_then(disposition),
        languages: languages(rest.get(3)),
        location: bytes(rest.get(4)),
    }
}

fn part(fields: &[Token<'_>]) -> Option<BodyPart> {
    let [kind, subtype, rest @ ..] = fields else { return None };
    let mut media_type = kind.text().unwrap_or_default();
    media_type.push('/');
    media_type.push_str(&subtype.text_borrowed());
    media_type.make_ascii_lowercase();
    // Behind the seven fields that all parts have: those of the type, MD5, then the extensions.
    let (message, extension) = match &*media_type {
        "message/rfc822" | "message/global" => {
            let envelope = rest.get(5).and_then(Envelope::parse);
            let structure = rest.get(6).and_then(BodyStructure::parse);
            match envelope.zip(structure) {
                Some(message) => (Some(message), 8),
                // Some servers treat what they can't parse as a part like any other.
                None => (None, 5),
            }
        }
        text if text.starts_with("text/") => (None, 6),
        _ => (None, 5),
    };
    Some(BodyPart {
        media_type,
        parameters: rest.first().map(parameters).unwrap_or_default(),
        id: bytes(rest.get(1)).unwrap_or_default(),
        description: bytes(rest.get(2)).unwrap_or_default(),
        encoding: rest.get(3).map(lower).unwrap_or_default(),
        size: rest.get(4).and_then(Token::number).unwrap_or_default(),
        // The field before the extensions of these is the number of lines.
        lines: (extension > 5).then(|| rest.get(extension - 1)?.number()).flatten(),
        md5: bytes(rest.get(extension)),
        disposition: rest.get(extension + 1).and_then(disposition),
        languages: languages(rest.get(extension + 2)),
        location: bytes(rest.get(extension + 3)),
        message,
    })
}

/// One tag, or a list of them.
fn languages(field: Option<&Token<'_>>) -> Vec<String> {
    match field {
        Some(Token::List(tags)) => tags.iter().filter_map(Token::text).collect(),
        Some(tag) => tag.text().into_iter().collect(),
        None => Vec::new(),
    }
}

fn bytes(field: Option<&Token<'_>>) -> Option<Vec<u8>> {
    field.and_then(Token::string).map(<[u8]>::to_vec)
}

fn disposition(token: &Token<'_>) -> Option<Disposition> {
    let fields = token.list()?;
    Some(Disposition {
        kind: lower(fields.first()?),
        parameters: fields.get(1).map(parameters).unwrap_or_default(),
    })
}

fn parameters(token: &Token<'_>) -> Vec<(String, Vec<u8>)> {
    let (pairs, _) = token.list().unwrap_or_default().as_chunks::<2>();
    let pair = |[name, value]: &[Token<'_>; 2]| Some((lower(name), value.string()?.to_vec()));
    pairs.iter().filter_map(pair).collect()
}

fn parameter<'a>(parameters: &'a [(String, Vec<u8>)], name: &str) -> Option<&'a [u8]> {
    parameters.iter().find(|(own, _)| own == name).map(|(_, value)| &**value)
}

fn lower(token: &Token<'_>) -> String {
    let mut text = token.text().unwrap_or_default();
    text.make_ascii_lowercase();
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        limits::Limits,
        token::{Arena, text_tokens},
    };

    fn structure(text: &str) -> Option<BodyStructure> {
        BodyStructure::parse(
            &text_tokens(text.as_bytes(), &Arena::default(), &Limits::default()).items[0],
        )
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
        assert_eq!(multipart.parts, []);
    }

    #[test]
    fn a_message_that_the_server_could_not_parse_is_a_part() {
        let text = r#"("message" "rfc822" NIL NIL NIL "base64" 342 NIL ("attachment" NIL) NIL)"#;
        let Some(BodyStructure::Part(part)) = structure(text) else { panic!() };
        assert!(part.message.is_none() && part.is_disposed("attachment"));
    }
}
