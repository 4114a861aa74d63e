//! Text for people: without what makes a line lie, folded, cut.

/// One line for display: white space folded, no control characters, no characters that override
/// the direction of text (they can make `exe.txt` look like `txt.exe`).
pub(crate) fn clean_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
        } else if !is_deceptive(c) {
            line.push(c);
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// Several lines for display: line breaks as `\n`, tabs kept, no other control characters.
pub(crate) fn clean_text(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                chars.next_if_eq(&'\n');
                clean.push('\n');
            }
            '\n' | '\t' => clean.push(c),
            c if c.is_control() || is_deceptive(c) => {}
            c => clean.push(c),
        }
    }
    clean
}

/// Embeddings, overrides and isolates (Unicode Standard Annex 9), noncharacters of no meaning in
/// mail, and tags that can carry hidden text.
pub(crate) fn is_deceptive(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}'
        | '\u{FFF9}'..='\u{FFFB}' | '\u{E0001}')
}

/// The start of a text: white space folded, invisible padding left out, at most `chars` characters.
pub(crate) fn excerpt<'a>(lines: impl Iterator<Item = &'a str>, chars: usize) -> String {
    let mut excerpt = String::new();
    let mut count = 0;
    for line in lines {
        let mut space = true;
        for c in line.chars() {
            if c.is_whitespace() || c.is_control() {
                space = true;
                continue;
            }
            if is_deceptive(c) || is_padding(c) && (space || !is_joiner(c)) {
                continue;
            }
            if count >= chars {
                return excerpt;
            }
            if space && count > 0 {
                excerpt.push(' ');
                count += 1;
                if count >= chars {
                    excerpt.pop();
                    return excerpt;
                }
            }
            space = false;
            excerpt.push(c);
            count += 1;
        }
    }
    excerpt
}

/// What newsletters fill the preview with, invisible.
fn is_padding(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}'
        | '\u{2060}'..='\u{2064}' | '\u{FEFF}')
}

/// Joins letters and emoji, so it has a meaning inside a word.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}')
}

/// The longest prefix of at most `bytes` bytes that ends between characters.
pub(crate) fn prefix(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
