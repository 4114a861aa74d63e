//! HTML written again in a bounded, well-formed shape, before the sanitiser parses it.
//!
//! HTML parsers repair what is broken, and some repairs cost the square of the input or worse: open
//! formatting elements are opened again in each later paragraph, every end tag searches the open
//! elements, attributes are compared with each other. So only known elements get through, each is
//! closed where it was opened, and depth and attributes are bounded. This is not what makes HTML
//! safe (that is `policy`), but it would remove every script too.

use super::{
    elements::{closes_on_start, is_allowed, is_barrier, is_void},
    token::{Tag, Token, Tokens, decode_references},
};
use crate::limits;

/// Character references in one piece of text or one attribute.
const REFERENCES: usize = 256;
/// Bytes of one piece of text.
const TEXT_RUN: usize = 16 * 1024;

/// What comes out.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    /// Well-formed HTML of known elements, attributes not yet checked.
    pub(super) html: String,
    /// The content of all style sheets, not yet checked.
    pub(super) css: String,
}

pub(super) fn prepare(html: &str) -> Prepared {
    let mut writer = Writer::default();
    for token in Tokens::new(html) {
        match token {
            Token::Text(text) => writer.text(&decode_references(text)),
            Token::Raw { element, content } => writer.raw(&element, content),
            Token::Start(tag) => writer.start(&tag),
            Token::End(name) => writer.end(&name),
        }
    }
    writer.finish()
}

#[derive(Default)]
struct Writer {
    html: String,
    css: String,
    open: Vec<&'static str>,
    /// The start tag of an element that stands for `body`, if that had attributes.
    body: Option<String>,
    /// The style sheet that comes next is not for this medium.
    skip_sheet: bool,
}

impl Writer {
    /// Text with no character reference but those that it needs.
    ///
    /// A parser adds each piece of text to what it has so far, which costs the square of a long
    /// text with many references; a `wbr` now and then keeps its pieces short.
    fn text(&mut self, text: &str) {
        let (mut start, mut references) = (self.html.len(), 0);
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '&' | '<' | '>' => {
                    references += 1;
                    self.html.push_str(match c {
                        '&' => "&amp;",
                        '<' => "&lt;",
                        _ => "&gt;",
                    });
                }
                '\r' => {
                    chars.next_if_eq(&'\n');
                    self.html.push('\n');
                }
                '\t' | '\n' => self.html.push(c),
                c if c.is_control() => {}
                c => self.html.push(c),
            }
            if references >= REFERENCES || self.html.len() - start >= TEXT_RUN {
                self.html.push_str("<wbr>");
                (start, references) = (self.html.len(), 0);
            }
        }
    }

    fn raw(&mut self, element: &str, content: &str) {
        match element {
            "style" if !self.skip_sheet => {
                let room = limits::CSS_SHEETS.saturating_sub(self.css.len());
                self.css.push_str(crate::text::prefix(content, room));
                self.css.push('\n');
            }
            "xmp" | "plaintext" => self.text(content),
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag.name.as_str() {
            "style" => self.skip_sheet = !is_for_screen(tag),
            "body" | "html" => self.body_start(tag),
            name => {
                if let Some(name) = is_allowed(name) {
                    self.element_start(name, tag);
                }
            }
        }
    }

    fn element_start(&mut self, name: &'static str, tag: &Tag<'_>) {
        if let Some(at) =
            self.open.iter().rposition(|open| closes_on_start(name, open) != Some(false))
            && closes_on_start(name, self.open[at]) == Some(true)
        {
            self.close_to(at);
        }
        if is_void(name) {
            write_tag(&mut self.html, name, &tag.attributes);
        } else if self.open.len() < limits::HTML_DEPTH {
            write_tag(&mut self.html, name, &tag.attributes);
            self.open.push(name);
        }
    }

    /// `body` and `html` are no elements of a fragment: what they say about colour and direction
    /// goes to an element around everything.
    fn body_start(&mut self, tag: &Tag<'_>) {
        let mut style = String::new();
        let mut kept: Vec<(String, &str)> = Vec::new();
        for (name, value) in &tag.attributes {
            match name.as_str() {
                "bgcolor" => style.push_str(&format!("background-color:{};", colour(value))),
                "text" => style.push_str(&format!("color:{};", colour(value))),
                "style" => style.push_str(value),
                "class" | "dir" | "lang" | "background" => kept.push((name.clone(), value)),
                _ => {}
            }
        }
        if !style.is_empty() {
            kept.push(("style".to_owned(), &style));
        }
        if !kept.is_empty() && (tag.name == "body" || self.body.is_none()) {
            let mut start = String::new();
            write_tag(&mut start, "div", &kept);
            self.body = Some(start);
        }
    }

    fn end(&mut self, name: &str) {
        for (at, open) in self.open.iter().enumerate().rev() {
            if *open == name {
                self.close_to(at);
                return;
            }
            // A stray end tag inside a table cell must not close the table.
            if is_barrier(name, open) {
                return;
            }
        }
        if name == "br" {
            self.html.push_str("<br>");
        }
    }

    /// Closes the open elements down to and with this one.
    fn close_to(&mut self, at: usize) {
        for name in self.open.drain(at..).rev() {
            self.html.push_str(&format!("</{name}>"));
        }
    }

    fn finish(mut self) -> Prepared {
        self.close_to(0);
        let html = match self.body {
            Some(start) => format!("{start}{}</div>", self.html),
            None => self.html,
        };
        Prepared { html, css: self.css }
    }
}

fn write_tag(html: &mut String, name: &str, attributes: &[(String, &str)]) {
    html.push('<');
    html.push_str(name);
    for (attribute, value) in attributes {
        let plain = attribute.bytes().all(|b| b.is_ascii_lowercase());
        // Each reference costs a parser a look at all that is left of the value.
        let references = value.bytes().filter(|b| matches!(b, b'&' | b'"')).count();
        if !plain || value.len() > limits::HTML_ATTRIBUTE_VALUE || references > REFERENCES {
            continue;
        }
        html.push(' ');
        html.push_str(attribute);
        html.push_str("=\"");
        html.push_str(&value.replace('"', "&quot;"));
        html.push('"');
    }
    html.push('>');
}

fn is_for_screen(tag: &Tag<'_>) -> bool {
    let media = tag.attributes.iter().find(|(name, _)| name == "media");
    media.is_none_or(|(_, media)| {
        let media = decode_references(media).to_ascii_lowercase();
        matches!(media.trim(), "" | "all" | "screen")
    })
}

/// A colour attribute as CSS: old mail leaves the `#` out.
fn colour(value: &str) -> String {
    let value = value.trim();
    let bare = value.len() == 6 && value.bytes().all(|b| b.is_ascii_hexdigit());
    if bare { format!("#{value}") } else { value.to_owned() }
}
