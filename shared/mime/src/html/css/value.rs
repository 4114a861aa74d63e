//! The value of a declaration, token by token.

use cssparser::{ParseError, Parser, ToCss, Token};

use super::super::policy::is_remote;
use crate::limits;

/// Writes the tokens that are known; fails on the first that is not.
#[derive(Debug)]
pub(super) struct ValueWriter<'p> {
    property: &'p str,
    pub(super) value: String,
    pub(super) remote_blocked: u32,
    depth: usize,
}

impl<'p> ValueWriter<'p> {
    pub(super) fn new(property: &'p str) -> Self {
        Self { property, value: String::new(), remote_blocked: 0, depth: 0 }
    }

    /// Writes all tokens that are left in this block.
    pub(super) fn tokens(&mut self, input: &mut Parser<'_>) -> Result<(), ParseError<()>> {
        while let Ok(token) = input.next_including_whitespace() {
            let token = token.clone();
            self.token(&token, input)?;
        }
        Ok(())
    }

    fn token(&mut self, token: &Token<'_>, input: &mut Parser<'_>) -> Result<(), ParseError<()>> {
        match token {
            Token::WhiteSpace(_) => {
                if !self.value.ends_with([' ', '(']) {
                    self.value.push(' ');
                }
            }
            Token::Ident(word) if is_word(word) => self.word(word),
            Token::Hash(word) | Token::IDHash(word) if is_word(word) => {
                self.word(&format!("#{word}"));
            }
            Token::Dimension { unit, .. } if !is_word(unit) => return Err(refused()),
            Token::Number { .. } | Token::Percentage { .. } | Token::Dimension { .. } => {
                self.word(&token.to_css_string());
            }
            Token::QuotedString(name) if self.is_font() && is_font_name(name) => {
                self.word(&format!("'{name}'"));
            }
            Token::Comma => self.value.push(','),
            Token::Delim(c @ ('+' | '-' | '*' | '/' | '!')) => self.value.push(*c),
            Token::UnquotedUrl(url) => self.url(url)?,
            Token::Function(name) => self.function(&name.to_ascii_lowercase(), input)?,
            Token::ParenthesisBlock if self.depth > 0 => self.block("", input)?,
            _ => return Err(refused()),
        }
        Ok(())
    }

    fn function(&mut self, name: &str, input: &mut Parser<'_>) -> Result<(), ParseError<()>> {
        match name {
            "url" => {
                let url = input.parse_nested_block(|input| -> Result<_, ParseError<()>> {
                    Ok(input.expect_string()?.to_string())
                });
                self.url(&url?)
            }
            "rgb" | "rgba" | "hsl" | "hsla" | "calc" | "min" | "max" | "clamp" => {
                self.block(name, input)
            }
            "linear-gradient" | "radial-gradient" if self.property.starts_with("background") => {
                self.block(name, input)
            }
            _ => Err(refused()),
        }
    }

    fn block(&mut self, name: &str, input: &mut Parser<'_>) -> Result<(), ParseError<()>> {
        if self.depth == limits::CSS_DEPTH {
            return Err(refused());
        }
        self.depth += 1;
        self.word(name);
        self.value.push('(');
        input.parse_nested_block(|input| self.tokens(input))?;
        self.value.push(')');
        self.depth -= 1;
        Ok(())
    }

    /// A URL is never kept; the shorthand `background` keeps what else it says.
    fn url(&mut self, url: &str) -> Result<(), ParseError<()>> {
        self.remote_blocked += u32::from(is_remote(url));
        if self.property == "background" && self.depth == 0 { Ok(()) } else { Err(refused()) }
    }

    /// Appends a word; a comment may have been all that kept it apart from the one before.
    fn word(&mut self, word: &str) {
        let joins = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '%' | '#' | '\'');
        if self.value.ends_with(joins) && word.starts_with(joins) {
            self.value.push(' ');
        }
        self.value.push_str(word);
    }

    fn is_font(&self) -> bool {
        matches!(self.property, "font" | "font-family")
    }
}

fn refused() -> ParseError<()> {
    ParseError::unexpected_token()
}

/// A keyword, a colour or a font's name: nothing that needs an escape.
pub(super) fn is_word(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
}

fn is_font_name(name: &str) -> bool {
    name.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | ','))
}
