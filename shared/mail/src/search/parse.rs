//! What a person typed to search for, understood. Pure.
//!
//! Words and `"phrases in quotes"` must all be found; `OR` between two of them asks for either, `-`
//! before one for messages without it. Operators are those of [`term`]. Whatever is no operator, or
//! has a value that makes no sense, is looked for as it stands: nothing typed is an error.

use postern_imap::response::Day;

use super::{
    limits,
    query::{Clause, Literal, Query, Term},
};

impl Query {
    /// Reads what was typed.
    pub fn parse(typed: &str) -> Self {
        let mut query = Self::default();
        let words = words(typed);
        let mut words = words.iter().take(limits::TERMS).peekable();
        while let Some(word) = words.next() {
            let is_between = !query.clauses.is_empty() && words.peek().is_some();
            if word.is_or() && is_between {
                let other = words.next().map(Word::literal);
                let last = query.clauses.last_mut().map(|Clause(literals)| literals);
                if let (Some(literals), Some(other)) = (last, other) {
                    literals.push(other);
                }
            } else {
                query.clauses.push(Clause(vec![word.literal()]));
            }
        }
        query
    }
}

/// A word, or a phrase without its quotes.
#[derive(Debug, Default)]
struct Word {
    text: String,
    /// How many bytes at its beginning were not in quotes: only there are signs what they mean.
    plain: usize,
    quoted: bool,
}

/// A quote may begin in the middle of a word, as in `from:"Ada Marsh"`; one that is never closed
/// goes to the end.
fn words(typed: &str) -> Vec<Word> {
    let mut words = vec![Word::default()];
    let mut within = false;
    for character in typed.chars().take(limits::TYPED) {
        if character.is_whitespace() && !within {
            words.push(Word::default());
            continue;
        }
        let Some(word) = words.last_mut() else { break };
        match character {
            '"' => {
                within = !within;
                word.quoted = true;
            }
            // Neither can be sent to a server, nor is it in any text.
            control if control.is_control() => word.text.push(' '),
            other => {
                word.text.push(other);
                if !word.quoted {
                    word.plain = word.text.len();
                }
            }
        }
    }
    words.retain(|word| !word.text.trim().is_empty());
    words
}

impl Word {
    fn is_or(&self) -> bool {
        !self.quoted && self.text == "OR"
    }

    fn literal(&self) -> Literal {
        let (text, plain) = match self.text.strip_prefix('-') {
            Some(rest) if self.plain > 0 && !rest.trim().is_empty() => (rest, self.plain - 1),
            _ => (&*self.text, self.plain),
        };
        let negated = text.len() < self.text.len();
        let operator = text.split_once(':').filter(|(name, value)| {
            // The colon as well must stand outside of quotes.
            name.len() < plain && !value.trim().is_empty()
        });
        let understood = operator.and_then(|(name, value)| term(&name.to_lowercase(), value));
        let (term, opposite) = understood.unwrap_or_else(|| (Term::Text(text.into()), false));
        Literal { term, negated: negated != opposite }
    }
}

/// An operator and its value; with it whether the opposite is meant.
fn term(name: &str, value: &str) -> Option<(Term, bool)> {
    let lower = value.to_lowercase();
    let term = match (name, &*lower) {
        ("from", _) => Term::From(value.into()),
        ("to", _) => Term::To(value.into()),
        ("cc", _) => Term::Cc(value.into()),
        ("subject", _) => Term::Subject(value.into()),
        ("body", _) => Term::Body(value.into()),
        ("has", "attachment" | "attachments") => Term::HasAttachment,
        ("before", _) => Term::Before(day(&lower)?),
        ("after" | "since", _) => Term::Since(day(&lower)?),
        ("in", _) => Term::In(lower),
        ("is", "unread" | "unseen") => Term::Unread,
        ("is", "read" | "seen") => return Some((Term::Unread, true)),
        ("is", "starred" | "flagged") => Term::Starred,
        ("is", "answered" | "replied") => Term::Answered,
        ("tag", _) => Term::Tag(value.to_owned()),
        ("larger", _) => Term::Larger(bytes(&lower)?),
        ("smaller", _) => Term::Smaller(bytes(&lower)?),
        _ => return None,
    };
    Some((term, false))
}

/// A date such as `2024-05-31`, `2024/5/31`, or the first day of `2024-05` or `2024`.
fn day(text: &str) -> Option<Day> {
    let mut numbers = text.split(['-', '/']);
    let year = numbers.next().filter(|year| year.len() == 4)?.parse().ok()?;
    let mut next = || numbers.next().map_or(Some(1), |number| number.parse().ok());
    let (month, day) = (next()?, next()?);
    Day::new(year, month, day).filter(|_| numbers.next().is_none())
}

/// A size such as `500`, `20k`, `5M` or `1.5MB`.
fn bytes(text: &str) -> Option<u64> {
    let digits = text.find(|character: char| character.is_ascii_alphabetic());
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let unit: u64 = match unit {
        "" | "b" => 1,
        "k" | "kb" => 1 << 10,
        "m" | "mb" => 1 << 20,
        "g" | "gb" => 1 << 30,
        _ => return None,
    };
    let (whole, tenths) = number.split_once('.').unwrap_or((number, "0"));
    let whole: u64 = whole.parse().ok()?;
    let tenths: u64 = tenths.parse().ok().filter(|tenths| *tenths < 10)?;
    whole.checked_mul(unit)?.checked_add(unit * tenths / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(term: Term) -> Literal {
        Literal { term, negated: false }
    }

    fn not(term: Term) -> Literal {
        Literal { term, negated: true }
    }

    fn text(text: &str) -> Term {
        Term::Text(text.into())
    }

    fn clauses(typed: &str) -> Vec<Vec<Literal>> {
        Query::parse(typed).clauses.into_iter().map(|Clause(literals)| literals).collect()
    }

    /// One term.
    fn term_of(typed: &str) -> Term {
        match &clauses(typed)[..] {
            [clause] => match &clause[..] {
                [Literal { term, negated: false }] => term.clone(),
                other => panic!("{typed}: {other:?}"),
            },
            other => panic!("{typed}: {other:?}"),
        }
    }

    #[test]
    fn words_and_phrases_must_all_be_found() {
        assert_eq!(clauses(""), [[]; 0]);
        assert_eq!(clauses(" \t \" \" "), [[]; 0]);
        assert_eq!(clauses("Beans snails"), [[is(text("beans"))], [is(text("snails"))]]);
        assert_eq!(clauses("\"Beans and  snails\""), [[is(text("beans and  snails"))]]);
        assert_eq!(clauses("\"never closed"), [[is(text("never closed"))]]);
        assert_eq!(clauses("Grüße"), [[is(text("grüße"))]]);
    }

    #[test]
    fn operators_are_understood_in_any_case_and_with_phrases() {
        let may = |day| Day::new(2024, 5, day).unwrap();
        let cases = [
            ("from:Ada", Term::From("ada".into())),
            ("FROM:\"Ada Marsh\"", Term::From("ada marsh".into())),
            ("to:ben@x", Term::To("ben@x".into())),
            ("cc:zoë", Term::Cc("zoë".into())),
            ("subject:a:b", Term::Subject("a:b".into())),
            ("body:beans", Term::Body("beans".into())),
            ("has:attachment", Term::HasAttachment),
            ("before:2024-05-31", Term::Before(may(31))),
            ("after:2024/5/1", Term::Since(may(1))),
            ("after:2024-05", Term::Since(may(1))),
            ("before:2024", Term::Before(Day::new(2024, 1, 1).unwrap())),
            ("in:\"Lists/Garden\"", Term::In("lists/garden".into())),
            ("is:Unread", Term::Unread),
            ("is:starred", Term::Starred),
            ("is:answered", Term::Answered),
            ("tag:Project-2", Term::Tag("Project-2".into())),
            ("larger:5M", Term::Larger(5 << 20)),
            ("smaller:1.5kb", Term::Smaller(1536)),
            ("larger:500", Term::Larger(500)),
        ];
        for (typed, expected) in cases {
            assert_eq!(term_of(typed), expected, "{typed}");
        }
        assert_eq!(clauses("is:read"), [[not(Term::Unread)]]);
    }

    #[test]
    fn what_makes_no_sense_is_looked_for_as_it_stands() {
        for typed in [
            "is:late",
            "has:x",
            "from:",
            ":x",
            "before:2024-02-30",
            "after:24-1-1",
            "after:2024-1-1-1",
            "larger:much",
            "larger:99999999999999999999",
            "larger:9999999999999g",
            "https://example.org",
            "-",
            "or",
            "or:x",
        ] {
            assert_eq!(term_of(typed), text(typed), "{typed}");
        }
        assert_eq!(term_of("\"from:ada\""), text("from:ada"));
        assert_eq!(term_of("from\":ada\""), text("from:ada"));
        assert_eq!(term_of("\"-x\""), text("-x"));
        assert_eq!(term_of("a\0b"), text("a b"));
    }

    #[test]
    fn a_minus_asks_for_messages_without() {
        assert_eq!(clauses("-beans"), [[not(text("beans"))]]);
        assert_eq!(clauses("-\"beans and\""), [[not(text("beans and"))]]);
        assert_eq!(clauses("-from:Ada"), [[not(Term::From("ada".into()))]]);
        assert_eq!(clauses("-is:read"), [[is(Term::Unread)]]);
        assert_eq!(clauses("to-day"), [[is(text("to-day"))]]);
        assert_eq!(clauses("--x"), [[not(text("-x"))]]);
    }

    #[test]
    fn or_joins_its_two_neighbours_and_is_a_word_without_them() {
        let (a, b, c) = (is(text("a")), is(text("b")), is(text("c")));
        assert_eq!(clauses("a OR b c"), [vec![a.clone(), b.clone()], vec![c.clone()]]);
        assert_eq!(clauses("a OR b OR c"), [vec![a.clone(), b, c]]);
        assert_eq!(clauses("OR a"), [[is(text("or"))], [a.clone()]]);
        assert_eq!(clauses("a OR"), [[a.clone()], [is(text("or"))]]);
        assert_eq!(clauses("a \"OR\""), [[a], [is(text("or"))]]);
    }

    #[test]
    fn terms_and_characters_up_to_the_limits_count() {
        let count = |count| clauses(&"x ".repeat(count)).len();
        assert_eq!([limits::TERMS, limits::TERMS + 1].map(count), [limits::TERMS; 2]);
        let length = |length| match term_of(&"x".repeat(length)) {
            Term::Text(words) => words.text().len(),
            other => panic!("{other:?}"),
        };
        assert_eq!([limits::TYPED, limits::TYPED + 1].map(length), [limits::TYPED; 2]);
    }
}
