//! HTML as plain text: for previews, search, quoting, and people who want no HTML.

use super::token::{Tag, Token, Tokens, decode_references};
use crate::text::is_deceptive;

/// The text of an HTML document as a reader would see it without styles.
///
/// Blocks become lines, list items get a bullet or a number, table cells are set apart, quotes are
/// marked with `>`, images give their alternative text. White space is folded except in `pre`.
/// Never fails; the result has no control characters but `\n`.
pub fn to_text(html: &str) -> String {
    let mut writer = Writer::default();
    for token in Tokens::new(html) {
        match token {
            Token::Text(text) => writer.text(&decode_references(text)),
            Token::Raw { element, content } if element == "textarea" || element == "xmp" => {
                writer.text(content);
            }
            Token::Raw { .. } => {}
            Token::Start(tag) => writer.start(&tag),
            Token::End(name) => writer.end(&name),
        }
    }
    writer.finish()
}

/// How many levels of quotes and lists are marked; deeper ones look like the last.
const MAX_LEVELS: usize = 16;

#[derive(Default)]
struct Writer {
    out: String,
    /// Line breaks owed before the next text.
    breaks: usize,
    /// A space is owed before the next text.
    space: bool,
    quotes: usize,
    /// The next item's number, or `None` for bullets, of each open list.
    lists: Vec<Option<u32>>,
    preformatted: usize,
}

impl Writer {
    fn start(&mut self, tag: &Tag<'_>) {
        match tag.name.as_str() {
            "br" => self.line_break(),
            "hr" => {
                self.block(1);
                self.text("--------");
                self.block(1);
            }
            "blockquote" => {
                self.block(2);
                self.quotes += 1;
            }
            "ul" | "ol" => {
                self.block(if self.lists.is_empty() { 2 } else { 1 });
                if self.lists.len() < MAX_LEVELS {
                    self.lists.push((tag.name == "ol").then_some(1));
                }
            }
            "li" => self.item(),
            "td" | "th" => {
                self.space = true;
            }
            "img" => {
                let alt = tag.attributes.iter().find(|(name, _)| name == "alt");
                if let Some((_, alt)) = alt {
                    self.text(&decode_references(alt));
                }
            }
            "pre" => {
                self.block(2);
                self.preformatted += 1;
            }
            name => self.block(lines_around(name)),
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "blockquote" => {
                self.block(2);
                self.quotes = self.quotes.saturating_sub(1);
            }
            "ul" | "ol" => {
                self.lists.pop();
                self.block(if self.lists.is_empty() { 2 } else { 1 });
            }
            "pre" => {
                self.preformatted = self.preformatted.saturating_sub(1);
                self.block(2);
            }
            "td" | "th" => self.space = true,
            name => self.block(lines_around(name)),
        }
    }

    fn item(&mut self) {
        self.block(1);
        let indent = "  ".repeat(self.lists.len().saturating_sub(1));
        let marker = match self.lists.last_mut() {
            Some(Some(number)) => {
                let marker = format!("{indent}{number}. ");
                *number = number.saturating_add(1);
                marker
            }
            _ => format!("{indent}\u{2022} "),
        };
        self.open_line();
        self.out.push_str(&marker);
    }

    /// At least this many line breaks come before the next text.
    fn block(&mut self, breaks: usize) {
        if breaks > 0 {
            self.breaks = self.breaks.max(breaks);
            self.space = false;
        }
    }

    fn line_break(&mut self) {
        self.breaks = (self.breaks + 1).min(3);
        self.space = false;
    }

    fn text(&mut self, text: &str) {
        for c in text.chars() {
            if self.preformatted > 0 && c == '\n' {
                self.line_break();
            } else if c.is_ascii_whitespace() && self.preformatted == 0 {
                self.space = true;
            } else if c.is_control() || is_deceptive(c) {
                continue;
            } else {
                self.open_line();
                if self.space && !self.at_line_start() && !self.out.ends_with(' ') {
                    self.out.push(' ');
                }
                self.space = false;
                self.out.push(c);
            }
        }
    }

    /// Writes the line breaks that are owed and the marks of quotes.
    fn open_line(&mut self) {
        if self.out.is_empty() {
            self.breaks = 0;
            self.mark_quotes();
        }
        for _ in 0..std::mem::take(&mut self.breaks) {
            self.out.truncate(self.out.trim_end_matches(' ').len());
            self.out.push('\n');
            self.mark_quotes();
        }
    }

    fn mark_quotes(&mut self) {
        for _ in 0..self.quotes.min(MAX_LEVELS) {
            self.out.push_str("> ");
        }
    }

    fn at_line_start(&self) -> bool {
        self.out.is_empty() || self.out.ends_with('\n')
    }

    fn finish(mut self) -> String {
        self.out.truncate(self.out.trim_end().len());
        self.out
    }
}

/// Line breaks around a block element, 0 for what is inline.
fn lines_around(name: &str) -> usize {
    match name {
        "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table" | "dl" | "figure" => 2,
        "div" | "tr" | "section" | "article" | "header" | "footer" | "aside" | "nav" | "main"
        | "address" | "center" | "dt" | "dd" | "caption" | "fieldset" | "form" | "body"
        | "figcaption" | "thead" | "tbody" | "tfoot" | "option" | "details" | "summary" => 1,
        _ => 0,
    }
}
