//! Every limit that a hostile message could exceed.
//!
//! What lies beyond a limit is left out, never an error: a message is always shown as far as it
//! can be.

/// Bytes of one header block (a message's or a part's) that are looked at.
pub const HEADER_BLOCK: usize = 256 * 1024;
/// Bytes of one header field that are decoded.
pub const HEADER_FIELD: usize = 32 * 1024;
/// Fields of one header block that are looked at.
pub const HEADER_FIELDS: usize = 1_000;
/// Addresses of one header field.
pub const ADDRESSES: usize = 1_000;
/// Message ids of one `References` field; the first and the latest are kept.
pub const REFERENCES: usize = 100;
/// Bytes of one message id.
pub const MESSAGE_ID: usize = 998;
/// Parts of one message, multiparts included.
pub const PARTS: usize = 1_000;
/// How deep parts are nested; deeper ones are leaves.
pub const DEPTH: usize = 32;
/// Bytes of text that a view shows; the rest is cut with a note.
pub const TEXT: usize = 2 * 1024 * 1024;
/// Bytes of one HTML part that are read; the rest is cut.
pub const HTML_INPUT: usize = 2 * 1024 * 1024;
/// Bytes of sanitised HTML, inline images not counted; beyond it a message is shown as text.
pub const HTML_OUTPUT: usize = 8 * 1024 * 1024;
/// How deep HTML elements are nested; the tags of deeper ones are left out.
pub const HTML_DEPTH: usize = 128;
/// Attributes of one HTML element that are kept.
pub const HTML_ATTRIBUTES: usize = 32;
/// Bytes of one `style` attribute or other attribute value.
pub const HTML_ATTRIBUTE_VALUE: usize = 16 * 1024;
/// Bytes of all style sheets of one HTML part.
pub const CSS_SHEETS: usize = 256 * 1024;
/// How deep blocks and functions are nested in CSS.
pub const CSS_DEPTH: usize = 8;
/// Inline images of one message.
pub const INLINE_IMAGES: usize = 200;
/// Bytes of one inline image.
pub const INLINE_IMAGE: usize = 4 * 1024 * 1024;
/// Bytes of all inline images that one document shows, each use counted.
pub const INLINE_IMAGES_TOTAL: usize = 16 * 1024 * 1024;
/// Characters of a preview.
pub const PREVIEW_CHARS: usize = 140;
/// Encoded bytes of a text part that a preview is made from.
pub const PREVIEW_INPUT: usize = 64 * 1024;
/// Bytes of an attachment's file name.
pub const FILE_NAME: usize = 200;
/// Bytes of white space in quoted-printable that are held until it is known whether a line ends
/// there.
pub const WHITE_SPACE: usize = 64 * 1024;
/// Octets of a line of a composed message, without CR LF (RFC 5322 section 2.1.1).
pub const LINE: usize = 998;
