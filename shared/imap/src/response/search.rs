//! SEARCH and ESEARCH responses (RFC 9051 section 7.3.3, RFC 3501 section 7.2.5).

use crate::{SequenceSet, token::Token};

/// What was found; what the server did not say is `None`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SearchResult {
    /// The UIDs (or sequence numbers) that match; `None` also if there are none.
    pub all: Option<SequenceSet>,
    /// How many match.
    pub count: Option<u64>,
}

impl SearchResult {
    pub(super) fn from_search(arguments: &[Token<'_>]) -> Self {
        let all = SequenceSet::from_numbers(arguments.iter().filter_map(Token::number));
        let count = all.as_ref().map_or(0, SequenceSet::count);
        Self { all, count: Some(count) }
    }

    pub(super) fn from_esearch(arguments: &[Token<'_>]) -> Self {
        let mut result = Self::default();
        for pair in arguments.windows(2) {
            if pair[0].is("ALL") {
                result.all = pair[1].atom().and_then(SequenceSet::parse);
            } else if pair[0].is("COUNT") {
                result.count = pair[1].number();
            }
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Response, response::tests::response};

    #[test]
    fn both_forms_of_a_result_are_read() {
        let set = |text: &str| SequenceSet::parse(text.as_bytes());
        let cases = [
            ("* SEARCH 2 84 3", set("2:3,84"), Some(3)),
            ("* SEARCH", None, Some(0)),
            ("* SEARCH 2 3 (MODSEQ 917162500)", set("2:3"), Some(2)),
            (r#"* ESEARCH (TAG "A282") UID ALL 1:3,5 COUNT 4"#, set("1:3,5"), Some(4)),
            (r#"* ESEARCH (TAG "A283") UID COUNT 0"#, None, Some(0)),
            (r#"* ESEARCH (TAG "A284") UID"#, None, None),
        ];
        for (line, all, count) in cases {
            assert_eq!(response(line), Response::Search(SearchResult { all, count }), "{line}");
        }
    }
}
