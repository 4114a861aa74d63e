//! Style sheets and style attributes, reduced to properties and values that can neither load
//! anything nor leave the frame.
//!
//! CSS is parsed into tokens and written again from the tokens that are known; a declaration, rule
//! or at-rule with anything else is dropped whole. There is no URL, no custom property, no
//! positioning, no animation, no import, no font face.

mod properties;
mod sheet;
mod value;

use cssparser::{Delimiter, ParseError, Parser};

pub(super) use sheet::style_sheet;
use value::ValueWriter;

/// CSS that is safe to show.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct SafeCss {
    pub(super) css: String,
    /// Remote images that were left out.
    pub(super) remote_blocked: u32,
    /// Whether a text or background colour is set.
    pub(super) sets_colours: bool,
}

/// The content of a `style` attribute.
pub(super) fn style_attribute(css: &str) -> SafeCss {
    let mut safe = SafeCss::default();
    declarations(&mut Parser::new(css), &mut safe);
    safe
}

/// Appends `name:value;` for each declaration that can be kept.
fn declarations(input: &mut Parser<'_>, safe: &mut SafeCss) {
    while !input.is_exhausted() {
        // What is wrong with one declaration says nothing about the next.
        let _dropped = input
            .parse_until_after(Delimiter::Semicolon, |input| declaration(input, safe))
            .is_err();
    }
}

fn declaration(input: &mut Parser<'_>, safe: &mut SafeCss) -> Result<(), ParseError<()>> {
    let name = input.expect_ident()?.to_ascii_lowercase();
    input.expect_colon()?;
    let mut writer = ValueWriter::new(&name);
    let result = writer.tokens(input);
    safe.remote_blocked += writer.remote_blocked;
    result?;
    let value = writer.value.trim();
    if !properties::is_allowed(&name) || value.is_empty() || value.starts_with('!') {
        return Err(ParseError::unexpected_token());
    }
    safe.sets_colours |= matches!(name.as_str(), "color" | "background" | "background-color");
    safe.css.push_str(&name);
    safe.css.push(':');
    safe.css.push_str(value);
    safe.css.push(';');
    Ok(())
}
