//! Plain text as it is shown: quoted parts apart, links as links.

use std::ops::Range;

/// Consecutive lines that are quoted equally deep.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Block {
    /// How many `>` stand before each line (RFC 3676 section 4.5).
    pub(crate) depth: usize,
    /// The lines without them.
    pub(crate) text: String,
}

/// A piece of a block.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Span<'a> {
    /// Text to show as it is.
    Text(&'a str),
    /// An address that a link may lead to: `http:`, `https:` or `mailto:`, nothing else.
    Link(&'a str),
}

/// Splits a text into blocks.
pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for line in text.lines() {
        let (depth, line) = unquote(line);
        match blocks.last_mut() {
            Some(block) if block.depth == depth => {
                block.text.push('\n');
                block.text.push_str(line);
            }
            _ => blocks.push(Block { depth, text: line.to_owned() }),
        }
    }
    blocks
}

/// Splits a block's text at its links.
pub(crate) fn spans(text: &str) -> Vec<Span<'_>> {
    let mut spans = Vec::new();
    let mut shown = 0;
    while let Some(link) = next_link(text, shown) {
        if shown < link.start {
            spans.push(Span::Text(&text[shown..link.start]));
        }
        spans.push(Span::Link(&text[link.clone()]));
        shown = link.end;
    }
    if shown < text.len() {
        spans.push(Span::Text(&text[shown..]));
    }
    spans
}

fn unquote(line: &str) -> (usize, &str) {
    let (mut depth, mut rest) = (0, line);
    while let Some(inner) = rest.strip_prefix('>') {
        depth += 1;
        // A space after the last mark belongs to the mark; between marks, some programs set one.
        rest = match inner.strip_prefix(' ') {
            Some(spaced) if spaced.starts_with('>') => spaced,
            _ => inner,
        };
    }
    (depth, if depth > 0 { rest.strip_prefix(' ').unwrap_or(rest) } else { rest })
}

fn next_link(text: &str, from: usize) -> Option<Range<usize>> {
    const SCHEMES: [&str; 3] = ["https://", "http://", "mailto:"];
    let bytes = text.as_bytes();
    let starts_here = |at: &usize| {
        let before = text[..*at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric())
            && SCHEMES.iter().any(|scheme| {
                bytes
                    .get(*at..at + scheme.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(scheme.as_bytes()))
            })
    };
    let candidates = text[from..].match_indices(['h', 'H', 'm', 'M']);
    for start in candidates.map(|(at, _)| from + at).filter(starts_here) {
        let end = start + link_length(&text[start..]);
        let scheme_end = start + text[start..].find(':').map_or(0, |at| at + 1);
        // Without its last punctuation, a bare scheme has lost its colon as well.
        if text.get(scheme_end..end).is_some_and(|rest| rest.contains(char::is_alphanumeric)) {
            return Some(start..end);
        }
    }
    None
}

/// How long the link at the start is: up to what can't be in one, and without the punctuation of
/// the sentence around it.
fn link_length(text: &str) -> usize {
    let ends = |c: char| c.is_whitespace() || c.is_control() || "<>\"`{}|\\^".contains(c);
    let mut link = &text[..text.find(ends).unwrap_or(text.len())];
    loop {
        let shorter = link.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '*', '_']);
        let opened = |open: char, close: char| {
            shorter.matches(open).count() >= shorter.matches(close).count()
        };
        let shorter = match shorter.chars().next_back() {
            Some(')') if !opened('(', ')') => &shorter[..shorter.len() - 1],
            Some(']') if !opened('[', ']') => &shorter[..shorter.len() - 1],
            _ => shorter,
        };
        if shorter.len() == link.len() {
            return link.len();
        }
        link = shorter;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(text: &str) -> Vec<&str> {
        let link = |span| match span {
            Span::Link(link) => Some(link),
            Span::Text(_) => None,
        };
        spans(text).into_iter().filter_map(link).collect()
    }

    #[test]
    fn lines_quoted_equally_deep_are_one_block() {
        let text = "Yes.\n> one\n> two\n> > deep\n>>deeper?\nend";
        let block = |depth, text: &str| Block { depth, text: text.into() };
        assert_eq!(
            blocks(text),
            [block(0, "Yes."), block(1, "one\ntwo"), block(2, "deep\ndeeper?"), block(0, "end")]
        );
    }

    #[test]
    fn spans_add_up_to_the_text() {
        for text in [
            "",
            "no link",
            "see https://a.example/b. And mailto:a@b.example!",
            "ümlaut http://ü.example",
            "mailto:. http:// https://) MAILTO:;;; hmhm",
        ] {
            let joined: String = spans(text)
                .iter()
                .map(|span| match span {
                    Span::Text(text) | Span::Link(text) => *text,
                })
                .collect();
            assert_eq!(joined, text);
        }
    }

    #[test]
    fn a_link_ends_before_the_sentence_does() {
        assert_eq!(links("See (https://a.example/x_(y)), ok?"), ["https://a.example/x_(y)"]);
        assert_eq!(links("HTTP://A.example."), ["HTTP://A.example"]);
        assert_eq!(
            links("<https://a.example>, https://b.example;"),
            ["https://a.example", "https://b.example"]
        );
    }

    #[test]
    fn nothing_else_is_a_link() {
        for text in
            ["javascript:alert(1)", "xhttp://a.example", "data:text/html,x", "http://", "mailto:."]
        {
            assert!(links(text).is_empty(), "{text}");
        }
    }
}
