//! Style sheets: rules with plain selectors, and `@media` around them.

use cssparser::{
    Delimiter, ParseError, Parser, ToCss, Token, serialize_identifier, serialize_string,
};

use super::{SafeCss, declarations, value::is_word};
use crate::limits;

/// The content of `style` elements.
pub(in super::super) fn style_sheet(css: &str) -> SafeCss {
    let mut safe = SafeCss::default();
    rules(&mut Parser::new(css), &mut safe, 0);
    // Nothing that is written holds a `<`, so nothing can end the `style` element early.
    if safe.css.contains('<') { SafeCss::default() } else { safe }
}

fn rules(input: &mut Parser<'_>, safe: &mut SafeCss, depth: usize) {
    loop {
        input.skip_whitespace();
        let start = input.state();
        match input.next().cloned() {
            Err(_) => return,
            // Sheets used to be hidden in comments.
            Ok(Token::CDO | Token::CDC) => {}
            Ok(Token::AtKeyword(name)) => at_rule(&name, input, safe, depth),
            Ok(_) => {
                input.reset(&start);
                rule(input, safe);
            }
        }
    }
}

fn at_rule(name: &str, input: &mut Parser<'_>, safe: &mut SafeCss, depth: usize) {
    let media = name.eq_ignore_ascii_case("media") && depth < limits::CSS_DEPTH;
    let prelude =
        input.parse_until_before(Delimiter::CurlyBracketBlock | Delimiter::Semicolon, |input| {
            if media { media_query(input) } else { Err(refused()) }
        });
    // A block that is not entered is skipped by the parser.
    if let Ok(Token::CurlyBracketBlock) = input.next()
        && let Ok(query) = prelude
    {
        let mut inner = SafeCss::default();
        let parsed = input.parse_nested_block(|input| -> Result<(), ParseError<()>> {
            rules(input, &mut inner, depth + 1);
            Ok(())
        });
        if parsed.is_ok() && !inner.css.is_empty() {
            safe.css.push_str(&format!("@media {query}{{{}}}\n", inner.css));
            safe.sets_colours |= inner.sets_colours;
        }
        safe.remote_blocked += inner.remote_blocked;
    }
}

fn rule(input: &mut Parser<'_>, safe: &mut SafeCss) {
    let mut selectors = String::new();
    let prelude = input.parse_until_before(Delimiter::CurlyBracketBlock, |input| {
        selector_tokens(input, &mut selectors, 0)
    });
    if let Ok(Token::CurlyBracketBlock) = input.next() {
        let mut inner = SafeCss::default();
        let parsed = input.parse_nested_block(|input| -> Result<(), ParseError<()>> {
            declarations(input, &mut inner);
            Ok(())
        });
        let selectors = selectors.trim();
        if prelude.is_ok() && parsed.is_ok() && !selectors.is_empty() && !inner.css.is_empty() {
            safe.css.push_str(&format!("{selectors}{{{}}}\n", inner.css));
            safe.sets_colours |= inner.sets_colours;
        }
        safe.remote_blocked += inner.remote_blocked;
    }
}

/// Media types and features. A dark variant is left out: mail that sets colours is shown on white.
fn media_query(input: &mut Parser<'_>) -> Result<String, ParseError<()>> {
    let mut query = String::new();
    media_tokens(input, &mut query, 0)?;
    Ok(query.trim().to_owned())
}

fn media_tokens(
    input: &mut Parser<'_>,
    query: &mut String,
    depth: usize,
) -> Result<(), ParseError<()>> {
    while let Ok(token) = input.next_including_whitespace().cloned() {
        match &token {
            Token::WhiteSpace(_) => query.push(' '),
            Token::Ident(word) if word.eq_ignore_ascii_case("prefers-color-scheme") => {
                return Err(refused());
            }
            Token::Ident(word) if is_word(word) => query.push_str(word),
            Token::Dimension { unit, .. } if !is_word(unit) => return Err(refused()),
            Token::Number { .. } | Token::Dimension { .. } => {
                query.push_str(&token.to_css_string());
            }
            Token::Colon => query.push(':'),
            Token::Comma => query.push(','),
            Token::Delim('/') => query.push('/'),
            Token::ParenthesisBlock if depth < limits::CSS_DEPTH => {
                query.push('(');
                input.parse_nested_block(|input| media_tokens(input, query, depth + 1))?;
                query.push(')');
            }
            _ => return Err(refused()),
        }
    }
    Ok(())
}

fn selector_tokens(
    input: &mut Parser<'_>,
    selectors: &mut String,
    depth: usize,
) -> Result<(), ParseError<()>> {
    while let Ok(token) = input.next_including_whitespace().cloned() {
        match &token {
            Token::WhiteSpace(_) => selectors.push(' '),
            Token::Ident(name) if is_word(name) => identifier(name, selectors)?,
            Token::IDHash(name) | Token::Hash(name) if is_word(name) => {
                selectors.push('#');
                identifier(name, selectors)?;
            }
            Token::Delim(c @ ('.' | '*' | '>' | '+' | '~')) => selectors.push(*c),
            Token::Comma => selectors.push(','),
            Token::Colon => {
                selectors.push(':');
                pseudo_class(input, selectors, depth)?;
            }
            Token::SquareBracketBlock => {
                selectors.push('[');
                input.parse_nested_block(|input| attribute_tokens(input, selectors))?;
                selectors.push(']');
            }
            Token::Number { .. } | Token::Dimension { .. } if depth > 0 => {
                selectors.push_str(&token.to_css_string());
            }
            _ => return Err(refused()),
        }
    }
    Ok(())
}

fn pseudo_class(
    input: &mut Parser<'_>,
    selectors: &mut String,
    depth: usize,
) -> Result<(), ParseError<()>> {
    match input.next_including_whitespace()?.clone() {
        Token::Ident(name) => {
            let name = name.to_ascii_lowercase();
            let known = [
                "active",
                "empty",
                "first-child",
                "first-of-type",
                "focus",
                "hover",
                "last-child",
                "last-of-type",
                "link",
                "only-child",
                "root",
                "visited",
            ];
            if !known.contains(&name.as_str()) {
                return Err(refused());
            }
            selectors.push_str(&name);
        }
        Token::Function(name) if depth < limits::CSS_DEPTH => {
            let name = name.to_ascii_lowercase();
            if !["nth-child", "nth-last-child", "nth-of-type", "not"].contains(&name.as_str()) {
                return Err(refused());
            }
            selectors.push_str(&name);
            selectors.push('(');
            input.parse_nested_block(|input| selector_tokens(input, selectors, depth + 1))?;
            selectors.push(')');
        }
        _ => return Err(refused()),
    }
    Ok(())
}

/// The inside of `[name="value"]`.
fn attribute_tokens(input: &mut Parser<'_>, selectors: &mut String) -> Result<(), ParseError<()>> {
    while let Ok(token) = input.next().cloned() {
        match &token {
            Token::Ident(name) if is_word(name) => identifier(name, selectors)?,
            Token::Delim('=') => selectors.push('='),
            Token::IncludeMatch
            | Token::DashMatch
            | Token::PrefixMatch
            | Token::SuffixMatch
            | Token::SubstringMatch => selectors.push_str(&token.to_css_string()),
            Token::QuotedString(text)
                if text.chars().all(|c| c.is_alphanumeric() || "-_ .:;#/%".contains(c)) =>
            {
                serialize_string(text, selectors).map_err(|_| refused())?;
            }
            _ => return Err(refused()),
        }
    }
    Ok(())
}

fn identifier(name: &str, selectors: &mut String) -> Result<(), ParseError<()>> {
    serialize_identifier(name, selectors).map_err(|_| refused())
}

fn refused() -> ParseError<()> {
    ParseError::unexpected_token()
}
