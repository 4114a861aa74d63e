//! HTML from mail: made safe to show, or turned into text.
//!
//! The way of a document: `token` cuts it, `prepare` writes it again in a bounded, well-formed
//! shape, `policy` parses that and keeps what the allow-lists name, `css` does the same for styles,
//! and `document` puts the result into a page of its own with a policy that lets nothing load.
//! `policy` and that page's frame each stop scripts and requests alone.

mod css;
mod document;
mod elements;
mod images;
mod policy;
mod prepare;
#[cfg(test)]
mod safety_tests;
mod text;
mod token;

use std::collections::HashSet;

pub(crate) use document::{document, escaped_text};
pub use images::InlineImages;
pub use text::to_text;

use crate::limits;

/// HTML that is safe to put into a document's body.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Sanitised {
    /// The safe HTML; may begin with a `style` element.
    pub html: String,
    /// How many remote images were left out.
    pub remote_blocked: u32,
    /// Whether the mail chooses colours of its own, and so expects a white page.
    pub sets_colours: bool,
    /// The `Content-ID`s of the inline images that it shows.
    pub images_shown: HashSet<String>,
}

impl Sanitised {
    /// Whether there is anything to see.
    pub(crate) fn shows_anything(&self) -> bool {
        !self.images_shown.is_empty() || self.remote_blocked > 0 || !to_text(&self.html).is_empty()
    }
}

/// Makes HTML safe: it runs nothing, loads nothing, and its links open elsewhere.
///
/// Never fails; HTML that would grow beyond [`limits::HTML_OUTPUT`] becomes empty.
pub fn sanitise(html: &str, images: &InlineImages) -> Sanitised {
    let html = crate::text::prefix(html, limits::HTML_INPUT);
    let prepared = prepare::prepare(html);
    let sheet = css::style_sheet(&prepared.css);
    if prepared.html.len() > limits::HTML_OUTPUT {
        return Sanitised::default();
    }
    let (body, found) = policy::apply(&prepared.html, images);
    let html =
        if sheet.css.is_empty() { body } else { format!("<style>{}</style>{body}", sheet.css) };
    if html.len() > limits::HTML_OUTPUT + limits::INLINE_IMAGES_TOTAL {
        return Sanitised::default();
    }
    Sanitised {
        html,
        remote_blocked: found.remote_blocked + sheet.remote_blocked,
        sets_colours: found.sets_colours || sheet.sets_colours,
        images_shown: found.images_shown,
    }
}
