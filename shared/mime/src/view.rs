//! What a reading pane shows of a message.

use std::collections::HashSet;

use crate::{
    Address,
    encoding::decode_charset,
    filename::safe_file_name,
    flowed::unwrap_flowed,
    html::{self, InlineImages, Sanitised},
    layout::{Block, Layout},
    limits,
    structure::{Content, Node},
    text::{clean_line, clean_text, prefix},
};

/// A message for the reading pane.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct View {
    /// `Subject`, decoded, one line.
    pub subject: String,
    /// `From`.
    pub from: Vec<Address>,
    /// `Reply-To`.
    pub reply_to: Vec<Address>,
    /// `To`.
    pub to: Vec<Address>,
    /// `Cc`.
    pub cc: Vec<Address>,
    /// `Date`, in milliseconds since 1970 (UTC).
    pub sent: Option<i64>,
    /// `Message-ID` without its angle brackets; may be empty.
    pub message_id: String,
    /// The `References` that an answer carries: those of this message and its own id at the end
    /// (RFC 5322 section 3.6.4).
    pub references: Vec<String>,
    /// What to show.
    pub body: Body,
    /// The same as text: the plain alternative, or the HTML as text.
    pub text: String,
    /// What `body` does not show, in the order of the message.
    pub attachments: Vec<AttachmentInfo>,
}

/// What the reading pane shows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Body {
    /// A complete, safe document that refers to nothing outside itself but by links.
    Html {
        /// The document.
        document: String,
        /// How many remote images were left out.
        remote_blocked: u32,
    },
    /// Text, to be shown as text; lines end with `\n`.
    Text(String),
}

/// An attachment without its content.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AttachmentInfo {
    /// The part's number as an IMAP server counts (RFC 9051 section 6.4.5), such as `1.2`.
    pub section: String,
    /// A file name that is safe to save under.
    pub name: String,
    /// `type/subtype`, lower case.
    pub media_type: String,
    /// The decoded size in bytes.
    pub size: u64,
}

/// A part with its content.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Part {
    /// What it is.
    pub info: AttachmentInfo,
    /// The content, transfer encoding undone; text in the character set that it came in.
    pub content: Vec<u8>,
}

/// Reads a message for the reading pane; never fails: broken mail shows what can be read of it.
pub fn view(raw: &[u8]) -> View {
    let message = Node::parse(raw);
    let layout = Layout::of(&message);
    let (body, shown) = body(&layout);
    let fields = &message.fields;
    let message_id = fields.ids("Message-ID").into_iter().next().unwrap_or_default();
    View {
        subject: fields.text("Subject"),
        from: fields.addresses("From"),
        reply_to: fields.addresses("Reply-To"),
        to: fields.addresses("To"),
        cc: fields.addresses("Cc"),
        sent: fields.date("Date"),
        references: references(&message, &message_id),
        message_id,
        text: cut(join(layout.blocks.iter().map(text_of).collect())),
        body,
        attachments: attachments(&layout, &shown),
    }
}

/// What an unfinished message says, to be written on.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Written {
    /// `To`.
    pub to: Vec<Address>,
    /// `Cc`.
    pub cc: Vec<Address>,
    /// `Bcc`.
    pub bcc: Vec<Address>,
    /// `Subject`, decoded, one line.
    pub subject: String,
    /// `References`, oldest first.
    pub references: Vec<String>,
}

/// Reads what [`view`] does not tell of an unfinished message; never fails.
pub fn written(raw: &[u8]) -> Written {
    let fields = &Node::parse(raw).fields;
    Written {
        to: fields.addresses("To"),
        cc: fields.addresses("Cc"),
        bcc: fields.addresses("Bcc"),
        subject: fields.text("Subject"),
        references: fields.ids("References"),
    }
}

/// What a search looks for in a message that its row in a list does not show.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Inside {
    /// `Cc`.
    pub cc: Vec<Address>,
    /// The text, as in [`View::text`].
    pub text: String,
}

/// Reads what a search looks for, without making anything to be shown; never fails.
pub fn inside(raw: &[u8]) -> Inside {
    let message = Node::parse(raw);
    let layout = Layout::of(&message);
    Inside {
        cc: message.fields.addresses("Cc"),
        text: cut(join(layout.blocks.iter().map(text_of).collect())),
    }
}

/// One part of a message, decoded; `None` if there is no part with this number that has content of
/// its own (a multipart has none).
pub fn part(raw: &[u8], section: &str) -> Option<Part> {
    let message = Node::parse(raw);
    let node = message.find(section)?;
    if let Content::Multipart(_) = node.content {
        return None;
    }
    Some(Part { info: info(node), content: node.decoded() })
}

fn references(message: &Node<'_>, message_id: &str) -> Vec<String> {
    let mut ids = message.fields.ids("References");
    if ids.is_empty() {
        let answered = message.fields.ids("In-Reply-To");
        // More than one id there has no defined order.
        ids = if answered.len() == 1 { answered } else { Vec::new() };
    }
    ids.retain(|id| id != message_id && id.is_ascii());
    if !message_id.is_empty() && message_id.is_ascii() {
        ids.push(message_id.to_owned());
    }
    // The first names the conversation, the last ones its latest branch.
    let surplus = ids.len().saturating_sub(limits::REFERENCES);
    ids.drain(1.min(ids.len())..(1 + surplus).min(ids.len()));
    ids
}

/// The body and the `Content-ID`s of the images that it shows.
fn body(layout: &Layout<'_, '_>) -> (Body, HashSet<String>) {
    let mut images = None;
    let pieces: Vec<Piece> =
        layout.blocks.iter().flat_map(|block| pieces(block, layout, &mut images)).collect();
    if !pieces.iter().any(|piece| matches!(piece, Piece::Html(_))) {
        let texts = pieces.into_iter().filter_map(|piece| match piece {
            Piece::Text(text) => Some(text),
            Piece::Html(_) => None,
        });
        return (Body::Text(cut(join(texts.collect()))), HashSet::new());
    }
    let bodies: Vec<Sanitised> = pieces
        .into_iter()
        .map(|piece| match piece {
            Piece::Html(sanitised) => sanitised,
            Piece::Text(text) => html::escaped_text(&cut(text)),
        })
        .collect();
    let document = html::document(&bodies);
    let remote_blocked = bodies.iter().map(|body| body.remote_blocked).sum();
    let shown = bodies.into_iter().flat_map(|body| body.images_shown).collect();
    (Body::Html { document, remote_blocked }, shown)
}

enum Piece {
    Html(Sanitised),
    Text(String),
}

/// A block as it is shown; `images` is filled when the first HTML needs it.
fn pieces(
    block: &Block<'_, '_>,
    layout: &Layout<'_, '_>,
    images: &mut Option<InlineImages>,
) -> Vec<Piece> {
    match block {
        Block::Text(node) => vec![Piece::Text(plain_text(node))],
        Block::Html(node) => {
            let images = images.get_or_insert_with(|| inline_images(layout));
            let source = html_source(node);
            let sanitised = html::sanitise(&source, images);
            if sanitised.shows_anything() {
                vec![Piece::Html(sanitised)]
            } else {
                vec![Piece::Text(html::to_text(prefix(&source, limits::HTML_INPUT)))]
            }
        }
        Block::Alternative { html, text } => {
            let of = |blocks: &[Block<'_, '_>], images: &mut Option<InlineImages>| -> Vec<Piece> {
                blocks.iter().flat_map(|block| pieces(block, layout, images)).collect()
            };
            let rich = of(html, images);
            if rich.iter().any(|piece| matches!(piece, Piece::Html(_))) {
                rich
            } else {
                of(text, images)
            }
        }
    }
}

fn inline_images(layout: &Layout<'_, '_>) -> InlineImages {
    InlineImages::new(layout.inline.iter().filter_map(|node| {
        let fits = node.encoding.decoded_len(node.body) <= limits::INLINE_IMAGE;
        let id = node.content_id().filter(|_| fits)?;
        Some((id, node.decoded()))
    }))
}

fn text_of(block: &Block<'_, '_>) -> String {
    match block {
        Block::Text(node) => plain_text(node),
        Block::Html(node) => html::to_text(&html_source(node)),
        Block::Alternative { html, text } => {
            let plain = join(text.iter().map(text_of).collect());
            if plain.trim().is_empty() { join(html.iter().map(text_of).collect()) } else { plain }
        }
    }
}

fn plain_text(node: &Node<'_>) -> String {
    // Encoded text is at most four times as long as its content; no need to decode the rest.
    let encoded = &node.body[..node.body.len().min(limits::TEXT.saturating_mul(4))];
    let text = decode_charset(&node.encoding.decode(encoded), node.parameter("charset"));
    let flowed = node.parameter("format").is_some_and(|f| f.eq_ignore_ascii_case("flowed"));
    if flowed {
        let delete_space = node.parameter("delsp").is_some_and(|d| d.eq_ignore_ascii_case("yes"));
        clean_text(&unwrap_flowed(&text, delete_space))
    } else {
        clean_text(&text)
    }
}

fn html_source(node: &Node<'_>) -> String {
    let encoded = &node.body[..node.body.len().min(limits::HTML_INPUT.saturating_mul(4))];
    let mut source = decode_charset(&node.encoding.decode(encoded), node.parameter("charset"));
    source.truncate(source.floor_char_boundary(limits::HTML_INPUT));
    source
}

fn join(texts: Vec<String>) -> String {
    let texts: Vec<&str> =
        texts.iter().map(|text| text.trim_end()).filter(|text| !text.is_empty()).collect();
    texts.join("\n\n")
}

/// The text up to the limit, with a note if there was more.
fn cut(mut text: String) -> String {
    if text.len() > limits::TEXT {
        text.truncate(text.floor_char_boundary(limits::TEXT));
        text.push_str("\n\n[The rest of this text is too long to be shown.]");
    }
    text
}

fn attachments(layout: &Layout<'_, '_>, shown: &HashSet<String>) -> Vec<AttachmentInfo> {
    let unused =
        layout.inline.iter().filter(|node| node.content_id().is_none_or(|id| !shown.contains(&id)));
    let mut listed: Vec<&Node<'_>> = layout.attachments.iter().chain(unused).copied().collect();
    listed.sort_by_key(|node| section_order(&node.section));
    listed.into_iter().map(info).collect()
}

fn section_order(section: &str) -> Vec<u32> {
    section.split('.').map(|number| number.parse().unwrap_or(0)).collect()
}

fn info(node: &Node<'_>) -> AttachmentInfo {
    let media_type = clean_line(&node.media_type());
    let subject = match &node.content {
        Content::Message(inner) => Some(inner.fields.text("Subject")).filter(|s| !s.is_empty()),
        _ => None,
    };
    let name = match (node.file_name(), &subject) {
        (Some(name), _) => safe_file_name(Some(name), &media_type),
        // A subject is no file name: a dot in it begins no extension.
        (None, Some(subject)) => {
            safe_file_name(Some(&format!("{}.eml", subject.replace(['/', '\\'], "_"))), &media_type)
        }
        (None, None) => safe_file_name(None, &media_type),
    };
    let size = u64::try_from(node.encoding.decoded_len(node.body)).unwrap_or(u64::MAX);
    AttachmentInfo { section: node.section.clone(), name, media_type, size }
}
