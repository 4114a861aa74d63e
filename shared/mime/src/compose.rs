//! Composing a message (RFC 5322, RFC 2045).
//!
//! The text is sent as quoted-printable when it has long lines or anything but ASCII, so that
//! paragraphs stay whole and the reader's program wraps them; there is no `format=flowed`, which
//! would wrap by hand what quoted-printable carries exactly. Attachments are base64, byte for byte.

use base64::{Engine, engine::general_purpose::STANDARD};
use mail_builder::{
    MessageBuilder,
    headers::{
        address::Address as AddressField, content_type::ContentType, date::Date,
        message_id::MessageId, text::Text,
    },
    mime::{BodyPart, MimePart},
};
use thiserror::Error;

use crate::{Address, limits, text::clean_text};

/// A message to send, or an unfinished one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outgoing {
    /// The author.
    pub from: Address,
    /// `To`.
    pub to: Vec<Address>,
    /// `Cc`.
    pub cc: Vec<Address>,
    /// `Bcc`; only for an unfinished message. In one that is sent, who gets a blind copy is for the
    /// envelope alone.
    pub bcc: Vec<Address>,
    /// `Subject`.
    pub subject: String,
    /// The text; line breaks of any kind.
    pub text: String,
    /// `Date`, in milliseconds since 1970 (UTC); written to the second.
    pub date_ms: i64,
    /// `Message-ID` without its angle brackets.
    pub message_id: String,
    /// The id of the message that this answers.
    pub in_reply_to: Option<String>,
    /// The ids of the conversation, oldest first.
    pub references: Vec<String>,
    /// What is attached, in order.
    pub attachments: Vec<OutgoingAttachment>,
}

/// A file to send.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutgoingAttachment {
    /// The file name, without a path.
    pub name: String,
    /// The media type; what is not one becomes `application/octet-stream`.
    pub media_type: String,
    /// The content.
    pub content: Vec<u8>,
}

/// What is wrong with a message that was to be composed.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum ComposeError {
    /// An address that cannot be written into a header; the person must correct it.
    #[error("“{0}” is not a mail address.")]
    Address(String),
    /// A message id with characters that it cannot have; the caller's mistake.
    #[error("“{0}” is not a message id.")]
    MessageId(String),
    /// A field with a line break, NUL or another control character.
    #[error("The {0} has characters that it cannot have, such as a line break.")]
    ControlCharacter(&'static str),
}

/// Writes a message: lines end with CR LF and have at most [`limits::LINE`] octets, headers are
/// ASCII. The same input always gives the same bytes.
///
/// # Errors
///
/// When a field has a value that cannot be written safely. Nothing is dropped silently but control
/// characters in the text.
pub fn compose(message: &Outgoing) -> Result<Vec<u8>, ComposeError> {
    check_line("subject", &message.subject)?;
    check_id(&message.message_id)?;
    message.in_reply_to.iter().chain(&message.references).try_for_each(|id| check_id(id))?;

    let mut builder = MessageBuilder::new()
        .header("Date", Date::new(message.date_ms.div_euclid(1000)))
        .header("From", mailbox(&message.from)?);
    for (field, addresses) in [("To", &message.to), ("Cc", &message.cc), ("Bcc", &message.bcc)] {
        if !addresses.is_empty() {
            let list = addresses.iter().map(mailbox).collect::<Result<_, _>>()?;
            builder = builder.header(field, AddressField::List(list));
        }
    }
    builder = builder
        .header("Message-ID", MessageId::new(message.message_id.as_str()))
        .header("Subject", Text::new(message.subject.as_str()));
    if let Some(id) = &message.in_reply_to {
        builder = builder.header("In-Reply-To", MessageId::new(id.as_str()));
    }
    if !message.references.is_empty() {
        let ids = message.references.iter().map(String::as_str);
        builder = builder.header("References", MessageId::new_list(ids));
    }
    let mut raw = Vec::new();
    builder.body(body(message)?).serialize(&mut raw);
    Ok(raw)
}

fn body(message: &Outgoing) -> Result<MimePart<'_>, ComposeError> {
    let text = MimePart::new("text/plain", BodyPart::Text(wire_text(&message.text).into()));
    if message.attachments.is_empty() {
        return Ok(text);
    }
    let mut parts = vec![text];
    for attachment in &message.attachments {
        parts.push(attached(attachment)?);
    }
    let mixed = ContentType::new("multipart/mixed").attribute("boundary", boundary(message));
    Ok(MimePart::new(mixed, parts))
}

/// The text with CR LF line breaks, ended by one, without control characters.
fn wire_text(text: &str) -> String {
    let mut wire = clean_text(text).replace('\n', "\r\n");
    if !wire.ends_with("\r\n") {
        wire.push_str("\r\n");
    }
    wire
}

fn attached(attachment: &OutgoingAttachment) -> Result<MimePart<'_>, ComposeError> {
    check_line("file name", &attachment.name)?;
    let media_type = checked_media_type(&attachment.media_type, &attachment.content);
    let part = if media_type == "message/rfc822" {
        // RFC 2046 section 5.2.1: no encoding is allowed for it.
        MimePart::new(media_type, attachment.content.as_slice()).transfer_encoding("7bit")
    } else {
        MimePart::new(media_type, base64_lines(&attachment.content)).transfer_encoding("base64")
    };
    Ok(part.attachment(attachment.name.as_str()))
}

/// The media type if it is one; composite types that must not be encoded only when they need not be.
fn checked_media_type<'a>(media_type: &'a str, content: &[u8]) -> &'a str {
    const UNKNOWN: &str = "application/octet-stream";
    let token = |half: &str| {
        !half.is_empty()
            && half.len() <= 127
            && half.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    match media_type.split_once('/') {
        Some((kind, subtype)) if token(kind) && token(subtype) => {
            let composite = ["message", "multipart"].iter().any(|c| kind.eq_ignore_ascii_case(c));
            if !composite || media_type == "message/rfc822" && is_seven_bit(content) {
                media_type
            } else {
                UNKNOWN
            }
        }
        _ => UNKNOWN,
    }
}

/// RFC 2045 section 2.7.
fn is_seven_bit(content: &[u8]) -> bool {
    content.ends_with(b"\r\n")
        && content.split(|b| *b == b'\n').all(|line| match line {
            [] => true,
            [text @ .., b'\r'] => {
                text.len() <= limits::LINE
                    && text.iter().all(|b| (1..=127).contains(b) && *b != b'\r')
            }
            _ => false,
        })
}

/// Lines of 76 characters (RFC 2045 section 6.8).
fn base64_lines(content: &[u8]) -> Vec<u8> {
    let mut lines = String::with_capacity(content.len() / 57 * 78 + 80);
    for line in content.chunks(57) {
        STANDARD.encode_string(line, &mut lines);
        lines.push_str("\r\n");
    }
    lines.into_bytes()
}

/// A boundary that follows from the message id alone, so that a message frozen twice is the same.
///
/// `=_` can appear in no quoted-printable or base64 line (RFC 2045 section 6.7), but text that needs
/// no encoding and attached messages go out as they are, so the boundary is changed until none of
/// them has it.
fn boundary(message: &Outgoing) -> String {
    let bytes = message.message_id.bytes();
    // FNV-1a: spreads well, needs no dependency; nothing here is a secret.
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let taken = |boundary: &str| {
        let finder = memchr::memmem::Finder::new(boundary);
        finder.find(message.text.as_bytes()).is_some()
            || message.attachments.iter().any(|file| finder.find(&file.content).is_some())
    };
    (0u32..)
        .map(|attempt| format!("=_{hash:016x}_{attempt:x}"))
        .find(|boundary| !taken(boundary))
        .expect("a finite message cannot hold every boundary")
}

fn mailbox(address: &Address) -> Result<AddressField<'_>, ComposeError> {
    check_line("name", &address.name)?;
    if !is_address(&address.address) {
        return Err(ComposeError::Address(address.address.clone()));
    }
    let name = (!address.name.is_empty()).then_some(address.name.as_str());
    Ok(AddressField::new_address(name, address.address.as_str()))
}

/// Whether an address can be written into a header: `local@domain` that needs no quoting and cannot
/// end its angle brackets; characters beyond ASCII are for RFC 6532 and are refused.
pub fn is_address(address: &str) -> bool {
    let atext = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b);
    let Some((local, domain)) = address.rsplit_once('@') else { return false };
    let domain_ok = match domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(literal) => literal.bytes().all(|b| b.is_ascii_hexdigit() || b".:IPv".contains(&b)),
        None => domain.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)),
    };
    address.len() <= 320
        && !local.is_empty()
        && !domain.is_empty()
        && !domain.starts_with('.')
        && local.bytes().all(atext)
        && domain_ok
}

fn check_id(id: &str) -> Result<(), ComposeError> {
    let fits = !id.is_empty() && id.len() <= limits::LINE - 20;
    if fits && id.bytes().all(|b| b.is_ascii_graphic() && !b"<>".contains(&b)) {
        Ok(())
    } else {
        Err(ComposeError::MessageId(id.to_owned()))
    }
}

fn check_line(field: &'static str, value: &str) -> Result<(), ComposeError> {
    if value.chars().any(char::is_control) {
        Err(ComposeError::ControlCharacter(field))
    } else {
        Ok(())
    }
}
