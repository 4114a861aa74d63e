//! Hostile text made safe to show.
//!
//! A certificate's names are whatever its maker wrote. Shown as they are, they could hide, reorder
//! or imitate what stands around them.

/// Stands for a character that must not be shown.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// Stands for what was cut off.
const ELLIPSIS: char = '…';

/// Whether a character would be invisible, or change how others are shown.
fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Soft hyphen, combining grapheme joiner, Arabic letter mark, Hangul fillers.
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}'
            // Mongolian and other variation selectors.
            | '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}'
            // Zero-width characters and marks, embeddings and overrides of the direction.
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            // Line and paragraph separators, the byte order mark, interlinear annotations.
            | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            // Tags, and the rest of the plane of characters without a shape.
            | '\u{e0000}'..='\u{e0fff}')
}

/// The same character, or one that stands for it if it must not be shown.
pub(crate) fn legible(c: char) -> char {
    if is_treacherous(c) { REPLACEMENT } else { c }
}

/// The text itself, or its beginning, in at most `most` bytes.
pub(crate) fn beginning(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most.saturating_sub(ELLIPSIS.len_utf8()));
    format!("{}{ELLIPSIS}", &text[..end])
}

/// The text itself, or its end, in at most `most` bytes: of a DNS name the end says whose it is.
pub(crate) fn end(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let cut = text.len() + ELLIPSIS.len_utf8() - most;
    format!("{ELLIPSIS}{}", &text[text.ceil_char_boundary(cut)..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_hide_or_reorder_other_text_is_replaced() {
        for c in "\0\n\r\t\u{1b}\u{7f}\u{85}\u{ad}\u{200b}\u{200e}\u{202e}\u{2066}\u{2069}\u{feff}\
                  \u{e0041}\u{fe0f}\u{3164}"
            .chars()
        {
            assert_eq!(legible(c), REPLACEMENT, "{c:?}");
        }
        for c in "a-. ßщ語é’🌱".chars() {
            assert_eq!(legible(c), c);
        }
    }

    #[test]
    fn a_text_at_the_limit_is_whole_and_one_byte_more_is_cut() {
        assert_eq!(beginning("abcdef", 6), "abcdef");
        assert_eq!(beginning("abcdefg", 6), "abc…");
        assert_eq!(end("abcdef", 6), "abcdef");
        assert_eq!(end("abcdefg", 6), "…efg");
    }

    #[test]
    fn no_cut_goes_through_a_character() {
        for most in 3..20 {
            assert!(beginning("ßщ語🌱ßщ語🌱", most).len() <= most);
            assert!(end("ßщ語🌱ßщ語🌱", most).len() <= most);
        }
    }
}
