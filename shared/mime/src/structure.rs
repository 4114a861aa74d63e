//! The tree of parts of a message, numbered as IMAP numbers them (RFC 9051 section 6.4.5).
//!
//! The tree is built here and not by a general parser for three reasons: the numbers must match
//! what a server counts, so boundaries are whole lines (RFC 2046 section 5.1.1); depth and count
//! are bounded before anything is parsed; and the outer boundary always wins, so that a broken
//! inner part cannot swallow its siblings. Each byte is looked at once per level.

use mail_parser::ContentType;
use memchr::memmem;

use crate::{encoding::TransferEncoding, header::Fields, limits};

/// One part: a leaf, a multipart, or a message.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    pub(crate) fields: Fields<'a>,
    /// Lower case, such as `text`.
    pub(crate) kind: String,
    /// Lower case, such as `plain`.
    pub(crate) subtype: String,
    /// The `Content-Type` field, if it could be parsed.
    pub(crate) content_type: Option<ContentType<'static>>,
    /// The `Content-Disposition` field, if it could be parsed.
    pub(crate) disposition: Option<ContentType<'static>>,
    pub(crate) encoding: TransferEncoding,
    /// As transferred.
    pub(crate) body: &'a [u8],
    /// `1.2`; empty for a multipart that is the whole body of a message: it has no number.
    pub(crate) section: String,
    pub(crate) content: Content<'a>,
}

/// What is inside a part.
#[derive(Debug)]
pub(crate) enum Content<'a> {
    /// Nothing that is a part of its own.
    Leaf,
    /// The parts of a multipart.
    Multipart(Vec<Node<'a>>),
    /// The message of a `message/rfc822`.
    Message(Box<Node<'a>>),
}

impl<'a> Node<'a> {
    /// Parses a whole message; never fails.
    pub(crate) fn parse(raw: &'a [u8]) -> Self {
        let mut parts_left = limits::PARTS;
        message(raw, "", 0, &mut parts_left)
    }

    /// `type/subtype`, lower case.
    pub(crate) fn media_type(&self) -> String {
        format!("{}/{}", self.kind, self.subtype)
    }

    /// Whether this is of the given type, both halves in lower case.
    pub(crate) fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind == kind && self.subtype == subtype
    }

    /// A parameter of the `Content-Type` field.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.content_type.as_ref()?.attribute(name)
    }

    /// The `Content-ID` without its angle brackets.
    pub(crate) fn content_id(&self) -> Option<String> {
        self.fields.ids("Content-ID").into_iter().next()
    }

    /// The file name that the sender gave, decoded, not yet safe.
    pub(crate) fn file_name(&self) -> Option<&str> {
        self.disposition
            .as_ref()
            .and_then(|field| field.attribute("filename"))
            .or_else(|| self.parameter("name"))
            .filter(|name| !name.trim().is_empty())
    }

    /// Whether the sender asks that this is not shown with the text.
    pub(crate) fn is_attachment(&self) -> bool {
        self.disposition.as_ref().is_some_and(|field| field.c_type == "attachment")
    }

    /// The content with the transfer encoding undone.
    pub(crate) fn decoded(&self) -> Vec<u8> {
        self.encoding.decode(self.body)
    }

    /// The part with this number.
    pub(crate) fn find(&self, section: &str) -> Option<&Node<'a>> {
        if self.section == section && !section.is_empty() {
            return Some(self);
        }
        match &self.content {
            Content::Leaf => None,
            Content::Multipart(children) => children.iter().find_map(|child| child.find(section)),
            Content::Message(inner) => inner.find(section),
        }
    }
}

/// A message whose own number is `outer`; empty for the outermost.
fn message<'a>(raw: &'a [u8], outer: &str, depth: usize, left: &mut usize) -> Node<'a> {
    let (fields, body) = Fields::split(raw);
    let mut node = entity(fields, body, ("text", "plain"));
    match boundary(&node, depth) {
        Some(boundary) => {
            let children = multipart(&node, boundary.as_bytes(), outer, depth, left);
            node.content = Content::Multipart(children);
        }
        None => {
            node.section = numbered(outer, "1");
            nest(&mut node, depth, left);
        }
    }
    node
}

fn part<'a>(
    raw: &'a [u8],
    section: String,
    default: (&str, &str),
    depth: usize,
    left: &mut usize,
) -> Node<'a> {
    let (fields, body) = Fields::split(raw);
    let mut node = entity(fields, body, default);
    node.section = section;
    match boundary(&node, depth) {
        Some(boundary) => {
            let children = multipart(&node, boundary.as_bytes(), &node.section, depth, left);
            node.content = Content::Multipart(children);
        }
        None => nest(&mut node, depth, left),
    }
    node
}

fn entity<'a>(fields: Fields<'a>, body: &'a [u8], default: (&str, &str)) -> Node<'a> {
    let content_type = fields.content_type("Content-Type");
    let (kind, subtype) = match &content_type {
        Some(ContentType { c_type, c_subtype: Some(subtype), .. }) => {
            (c_type.to_ascii_lowercase(), subtype.to_ascii_lowercase())
        }
        // RFC 2045 section 5.2: no field, or one that cannot be read.
        _ => (default.0.to_owned(), default.1.to_owned()),
    };
    Node {
        disposition: fields.content_type("Content-Disposition"),
        encoding: TransferEncoding::named(&fields.text("Content-Transfer-Encoding")),
        fields,
        kind,
        subtype,
        content_type,
        body,
        section: String::new(),
        content: Content::Leaf,
    }
}

/// The boundary of a part that is to be split.
fn boundary(node: &Node<'_>, depth: usize) -> Option<String> {
    if node.kind != "multipart" || depth >= limits::DEPTH {
        return None;
    }
    // RFC 2046 section 5.1.1 allows 70 characters and no white space at the end; be liberal.
    let boundary = node.parameter("boundary")?.trim_end();
    (!boundary.is_empty() && boundary.len() <= 512).then(|| boundary.to_owned())
}

fn multipart<'a>(
    node: &Node<'a>,
    boundary: &[u8],
    section: &str,
    depth: usize,
    left: &mut usize,
) -> Vec<Node<'a>> {
    let default = if node.subtype == "digest" { ("message", "rfc822") } else { ("text", "plain") };
    let mut children = Vec::new();
    for raw in split(node.body, boundary, *left) {
        if *left == 0 {
            break;
        }
        *left -= 1;
        let number = numbered(section, &(children.len() + 1).to_string());
        children.push(part(raw, number, default, depth + 1, left));
    }
    children
}

/// Parses the message inside a `message/rfc822`.
fn nest(node: &mut Node<'_>, depth: usize, left: &mut usize) {
    let is_message = node.is("message", "rfc822") || node.is("message", "global");
    if is_message
        && node.encoding == TransferEncoding::Identity
        && depth < limits::DEPTH
        && *left > 0
    {
        *left -= 1;
        let inner = message(node.body, &node.section, depth + 1, left);
        node.content = Content::Message(Box::new(inner));
    }
}

/// The parts between the boundary lines, at most `most`.
///
/// The line break before a boundary belongs to it. Without a closing boundary the last part goes to
/// the end.
fn split<'a>(body: &'a [u8], boundary: &[u8], most: usize) -> Vec<&'a [u8]> {
    let delimiter = [b"--", boundary].concat();
    let mut parts = Vec::new();
    let mut start: Option<usize> = None;
    for at in memmem::find_iter(body, &delimiter) {
        if at > 0 && body[at - 1] != b'\n' {
            continue;
        }
        let rest = &body[at + delimiter.len()..];
        let line = &rest[..memchr::memchr(b'\n', rest).map_or(rest.len(), |n| n + 1)];
        let (closes, padding) = match line.strip_prefix(b"--") {
            Some(padding) => (true, padding),
            None => (false, line),
        };
        if !padding.trim_ascii().is_empty() {
            continue;
        }
        if let Some(start) = start {
            parts.push(&body[start.min(before_line_break(body, at))..before_line_break(body, at)]);
        }
        start = (!closes).then_some(at + delimiter.len() + line.len());
        if closes || parts.len() == most {
            return parts;
        }
    }
    parts.extend(start.map(|start| &body[start..]));
    parts
}

fn before_line_break(body: &[u8], at: usize) -> usize {
    match &body[..at] {
        [.., b'\r', b'\n'] => at - 2,
        [.., b'\n'] => at - 1,
        _ => at,
    }
}

fn numbered(outer: &str, number: &str) -> String {
    if outer.is_empty() { number.to_owned() } else { format!("{outer}.{number}") }
}
