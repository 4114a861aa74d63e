//! What a list row needs of a message.

use crate::{
    Address,
    encoding::{TransferEncoding, decode_charset},
    header::Fields,
    html,
    layout::{Block, Layout},
    limits,
    structure::Node,
    text::excerpt,
};

/// What a list row needs.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Summary {
    /// `From`.
    pub from: Vec<Address>,
    /// `To`.
    pub to: Vec<Address>,
    /// `Subject`, decoded, one line.
    pub subject: String,
    /// `Message-ID` without its angle brackets.
    pub message_id: String,
    /// The ids of the messages that it follows, as [`references`](crate::references) reads them.
    pub references: Vec<String>,
    /// `Date`, in milliseconds since 1970 (UTC).
    pub sent: Option<i64>,
    /// The first words of the text, one line of at most [`limits::PREVIEW_CHARS`] characters.
    pub preview: String,
    /// Whether anything is attached that the text does not show.
    pub has_attachments: bool,
}

/// What a list row needs of a message; never fails: broken mail gives empty fields.
pub fn summary(raw: &[u8]) -> Summary {
    let message = Node::parse(raw);
    let layout = Layout::of(&message);
    let fields: &Fields<'_> = &message.fields;
    Summary {
        from: fields.addresses("From"),
        to: fields.addresses("To"),
        subject: fields.text("Subject"),
        message_id: fields.ids("Message-ID").into_iter().next().unwrap_or_default(),
        references: fields.followed(),
        sent: fields.date("Date"),
        preview: layout
            .blocks
            .iter()
            .map(preview_of_block)
            .find(|p| !p.is_empty())
            .unwrap_or_default(),
        has_attachments: layout.has_attachments(),
    }
}

/// The first words of a text part of which only the first bytes are known, as they are after a
/// partial fetch.
///
/// Type, character set and encoding are those of the part's header or body structure; a type that
/// is not text gives an empty preview.
pub fn preview(
    first_bytes: &[u8],
    media_type: &str,
    charset: Option<&str>,
    transfer_encoding: &str,
) -> String {
    let encoded = &first_bytes[..first_bytes.len().min(limits::PREVIEW_INPUT)];
    let decoded = TransferEncoding::named(transfer_encoding).decode(encoded);
    let text = decode_charset(&decoded, charset);
    if media_type.eq_ignore_ascii_case("text/html") {
        // The cut may be inside a tag; what is before it is complete.
        preview_of_text(&html::to_text(&text))
    } else if media_type.get(..5).is_some_and(|kind| kind.eq_ignore_ascii_case("text/")) {
        preview_of_text(&text)
    } else {
        String::new()
    }
}

fn preview_of_block(block: &Block<'_, '_>) -> String {
    match block {
        Block::Text(node) | Block::Html(node) => preview(
            node.body,
            &node.media_type(),
            node.parameter("charset"),
            match node.encoding {
                TransferEncoding::Identity => "binary",
                TransferEncoding::Base64 => "base64",
                TransferEncoding::QuotedPrintable => "quoted-printable",
            },
        ),
        Block::Alternative { html, text } => text
            .iter()
            .chain(html)
            .map(preview_of_block)
            .find(|preview| !preview.is_empty())
            .unwrap_or_default(),
    }
}

/// Skips what is quoted and stops at the signature, unless nothing is left then.
fn preview_of_text(text: &str) -> String {
    let own = text
        .lines()
        .take_while(|line| line.trim_end_matches('\r') != "-- ")
        .filter(|line| !line.trim_start().starts_with('>') && !is_rule(line));
    let preview = excerpt(own, limits::PREVIEW_CHARS);
    if preview.is_empty() { excerpt(text.lines(), limits::PREVIEW_CHARS) } else { preview }
}

/// A line drawn with characters.
fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 3 && line.chars().all(|c| matches!(c, '-' | '=' | '_' | '*' | '~' | '#'))
}
