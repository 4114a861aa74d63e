//! SEARCH, ESEARCH and SORT responses (RFC 9051 section 7.3.4, RFC 3501 section 7.2.5, RFC 4731,
//! RFC 5256, RFC 9394).

use crate::{SequenceSet, token::Token};

/// What was found; what the server did not say is `None`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SearchResult {
    /// The tag of the command that it answers; only ESEARCH names it.
    pub tag: Option<String>,
    /// Whether the server says that the numbers are UIDs; only ESEARCH does.
    pub uid: bool,
    /// The UIDs (or sequence numbers) that match; `None` also if there are none.
    pub all: Option<SequenceSet>,
    /// How many match.
    pub count: Option<u64>,
    /// The lowest that matches.
    pub min: Option<u32>,
    /// The highest that matches.
    pub max: Option<u32>,
    /// The highest mod-sequence of those that match and are told (RFC 7162 section 3.1.5).
    pub mod_seq: Option<u64>,
    /// A window of the result.
    pub partial: Option<PartialResult>,
}

/// A window of a search's result (RFC 9394 section 3.1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PartialResult {
    /// The window's first place; negative ones count from the end.
    pub first: i64,
    /// The window's last place.
    pub last: i64,
    /// What is in it; `None` if nothing is.
    pub found: Option<SequenceSet>,
}

/// The messages in the order that was asked for (RFC 5256 section 4).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SortResult {
    /// UIDs (or sequence numbers).
    pub numbers: Vec<u32>,
    /// Their highest mod-sequence.
    pub mod_seq: Option<u64>,
}

impl SearchResult {
    /// What SEARCH tells, and whether all of it could be read.
    pub(super) fn from_search(arguments: &[Token<'_>]) -> (Self, bool) {
        let is_read = |own: &Token<'_>| own.number::<u32>().is_some() || own.list().is_some();
        let is_whole = arguments.iter().all(is_read);
        let all = SequenceSet::from_numbers(arguments.iter().filter_map(Token::number));
        let count = all.as_ref().map_or(0, SequenceSet::count);
        let mod_seq = trailing_mod_seq(arguments);
        (Self { all, count: Some(count), mod_seq, ..Self::default() }, is_whole)
    }

    /// What ESEARCH tells, and whether the messages that it names could be read.
    pub(super) fn from_esearch(arguments: &[Token<'_>]) -> (Self, bool) {
        let mut is_whole = true;
        let mut result = Self::default();
        let mut rest = arguments;
        if let Some((Token::List(correlator), behind)) = rest.split_first() {
            result.tag = match &**correlator {
                [name, tag, ..] if name.is("TAG") => tag.text(),
                _ => None,
            };
            rest = behind;
        }
        if let Some((uid, behind)) = rest.split_first().filter(|(first, _)| first.is("UID")) {
            result.uid = uid.is("UID");
            rest = behind;
        }
        for [name, value] in rest.as_chunks::<2>().0 {
            match name.text().unwrap_or_default().to_ascii_uppercase().as_str() {
                "ALL" => {
                    result.all = value.atom().and_then(SequenceSet::parse);
                    is_whole = result.all.is_some();
                }
                "COUNT" => result.count = value.number(),
                "MIN" => result.min = value.number(),
                "MAX" => result.max = value.number(),
                "MODSEQ" => result.mod_seq = value.number(),
                "PARTIAL" => result.partial = partial(value),
                _ => {}
            }
        }
        (result, is_whole)
    }
}

impl SortResult {
    pub(super) fn parse(arguments: &[Token<'_>]) -> Self {
        Self {
            numbers: arguments.iter().filter_map(Token::number).filter(|uid| *uid > 0).collect(),
            mod_seq: trailing_mod_seq(arguments),
        }
    }
}

/// `(MODSEQ 917162500)` behind the numbers (RFC 7162 section 3.1.5).
fn trailing_mod_seq(arguments: &[Token<'_>]) -> Option<u64> {
    match arguments.last()?.list()? {
        [name, value] if name.is("MODSEQ") => value.number(),
        _ => None,
    }
}

fn partial(value: &Token<'_>) -> Option<PartialResult> {
    let [window, found] = value.list()? else { return None };
    let window = std::str::from_utf8(window.atom()?).ok()?;
    let (first, last) = window.split_once(':')?;
    Some(PartialResult {
        first: first.parse().ok()?,
        last: last.parse().ok()?,
        found: found.atom().and_then(SequenceSet::parse),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Response,
        response::{
            Defect,
            tests::{parse_bytes, response},
        },
    };

    fn set(text: &str) -> Option<SequenceSet> {
        SequenceSet::parse(text.as_bytes())
    }

    #[test]
    fn both_forms_of_a_result_are_read() {
        let cases = [
            ("* SEARCH 2 84 3", set("2:3,84"), Some(3), None),
            ("* SEARCH", None, Some(0), None),
            ("* SEARCH 2 3 (MODSEQ 917162500)", set("2:3"), Some(2), Some(917_162_500)),
            (r#"* ESEARCH (TAG "A282") UID ALL 1:3,5 COUNT 4"#, set("1:3,5"), Some(4), None),
            (r#"* ESEARCH (TAG "A283") UID COUNT 0"#, None, Some(0), None),
            (r#"* ESEARCH (TAG "A284") UID"#, None, None, None),
            ("* ESEARCH", None, None, None),
            ("* ESEARCH ALL 4 MODSEQ 12", set("4"), None, Some(12)),
        ];
        for (line, all, count, mod_seq) in cases {
            let Response::Search(result) = response(line) else { panic!("{line}") };
            assert_eq!((result.all, result.count, result.mod_seq), (all, count, mod_seq), "{line}");
        }
    }

    #[test]
    fn a_result_that_can_not_be_read_whole_is_a_defect() {
        let cases = [
            ("* SEARCH 2 three", set("2")),
            ("* SEARCH 2 99999999999", set("2")),
            ("* ESEARCH UID ALL 2:x", None),
            ("* ESEARCH UID ALL \"2:3\"", None),
        ];
        for (line, all) in cases {
            let (response, defect) = parse_bytes(format!("{line}\r\n").as_bytes());
            let Response::Search(result) = response else { panic!("{line}") };
            assert_eq!(result.all, all, "{line}");
            assert!(matches!(defect, Some(Defect::Senseless(_))), "{line}");
        }
    }

    #[test]
    fn an_extended_result_names_its_command_its_bounds_and_its_window() {
        let line = r#"* ESEARCH (TAG "A01") UID MIN 7 MAX 3800 X-NEW (a) PARTIAL (-1:-100 7,9:10)"#;
        let expected = SearchResult {
            tag: Some("A01".into()),
            uid: true,
            min: Some(7),
            max: Some(3800),
            partial: Some(PartialResult { first: -1, last: -100, found: set("7,9:10") }),
            ..SearchResult::default()
        };
        assert_eq!(response(line), Response::Search(expected));
    }

    #[test]
    fn a_window_may_be_empty() {
        let line = r#"* ESEARCH (TAG "A04") UID PARTIAL (24000:24500 NIL)"#;
        let Response::Search(result) = response(line) else { panic!("{line}") };
        assert_eq!(result.partial, Some(PartialResult { first: 24000, last: 24500, found: None }));
    }

    #[test]
    fn a_sorted_result_keeps_its_order() {
        let sorted = |numbers: &[u32], mod_seq| {
            Response::Sort(SortResult { numbers: numbers.to_vec(), mod_seq })
        };
        assert_eq!(response("* SORT 5 3 4 1 2"), sorted(&[5, 3, 4, 1, 2], None));
        assert_eq!(response("* SORT"), sorted(&[], None));
        assert_eq!(response("* SORT 2 3 (MODSEQ 9)"), sorted(&[2, 3], Some(9)));
    }
}
