//! NAMESPACE responses (RFC 9051 section 7.3.3, RFC 2342).

use crate::token::Token;

/// Where whose mailboxes are.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Namespaces {
    /// One's own.
    pub personal: Vec<Namespace>,
    /// Other people's.
    pub others: Vec<Namespace>,
    /// Shared ones.
    pub shared: Vec<Namespace>,
}

/// A place for mailboxes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Namespace {
    /// What the names of its mailboxes begin with, as the server spells it.
    pub prefix: Vec<u8>,
    /// What separates the levels of the hierarchy; `None` if there are no levels.
    pub delimiter: Option<u8>,
}

impl Namespaces {
    pub(super) fn parse(arguments: &[Token<'_>]) -> Option<Self> {
        let [personal, others, shared, ..] = arguments else { return None };
        Some(Self {
            personal: namespaces(personal),
            others: namespaces(others),
            shared: namespaces(shared),
        })
    }
}

fn namespaces(token: &Token<'_>) -> Vec<Namespace> {
    let namespace = |fields: &[Token<'_>]| {
        let [prefix, delimiter, ..] = fields else { return None };
        Some(Namespace {
            prefix: prefix.name()?.to_vec(),
            delimiter: delimiter.string().and_then(|bytes| bytes.first().copied()),
        })
    };
    let entries = token.list().unwrap_or_default().iter();
    entries.filter_map(Token::list).filter_map(namespace).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Response, response::tests::response};

    #[test]
    fn the_examples_of_rfc_2342_are_read() {
        let at = |prefix: &str, delimiter: &str| Namespace {
            prefix: prefix.into(),
            delimiter: delimiter.bytes().next(),
        };
        let cases = [
            (
                r#"* NAMESPACE (("" "/")) NIL NIL"#,
                Namespaces { personal: vec![at("", "/")], ..Namespaces::default() },
            ),
            (
                r#"* NAMESPACE (("INBOX." ".")) NIL NIL"#,
                Namespaces { personal: vec![at("INBOX.", ".")], ..Namespaces::default() },
            ),
            (
                r##"* NAMESPACE (("" "/")("#mh/" "/" "X-PARAM" ("FLAG1" "FLAG2"))) (("~" "/"))
                    (("#shared/" "/")("#public/" NIL))"##,
                Namespaces {
                    personal: vec![at("", "/"), at("#mh/", "/")],
                    others: vec![at("~", "/")],
                    shared: vec![at("#shared/", "/"), at("#public/", "")],
                },
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(response(&line.replace('\n', " ")), Response::Namespaces(expected));
        }
    }
}
