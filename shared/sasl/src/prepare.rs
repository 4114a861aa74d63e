//! SASLprep (RFC 4013), as far as a client needs it.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

/// A name or password in the form in which a server compares it. Total: what SASLprep would refuse
/// is left as it is, since it is for the server to refuse it.
pub(crate) fn prepare(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mapped: String = text.chars().filter(|own| !is_ignored(*own)).map(plain_space).collect();
    Cow::Owned(ComposingNormalizerBorrowed::new_nfkc().normalize(&mapped).into_owned())
}

/// RFC 3454 table B.1: mapped to nothing.
fn is_ignored(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{1806}' | '\u{180b}'..='\u{180d}' | '\u{200b}'..='\u{200d}'
            | '\u{2060}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
    )
}

/// RFC 3454 table C.1.2: mapped to the space. (The zero-width space of that table is mapped to
/// nothing by table B.1.)
fn plain_space(character: char) -> char {
    match character {
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            ' '
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_4013_section_3_are_prepared() {
        let cases = [
            ("I\u{ad}X", "IX"),
            ("user", "user"),
            ("USER", "USER"),
            ("\u{aa}", "a"),
            ("\u{2168}", "IX"),
        ];
        for (text, prepared) in cases {
            assert_eq!(prepare(text), prepared);
        }
    }

    #[test]
    fn one_password_typed_in_two_ways_is_one_password() {
        assert_eq!(prepare("u\u{308}ber"), "\u{fc}ber");
        assert_eq!(prepare("a\u{a0}b\u{3000}c\u{e9}"), "a b c\u{e9}");
    }

    #[test]
    fn what_would_be_refused_is_left_as_it_is() {
        for text in ["\u{7}", "\u{627}1", "\u{e000}"] {
            assert_eq!(prepare(text), text);
        }
    }
}
