//! LIST responses (RFC 9051 section 7.3.1).

use crate::{mailbox_name, token::Token};

/// A mailbox in a list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListEntry {
    /// Attributes such as `\Noselect`, `\HasChildren` or `\Sent`, as the server spells them.
    pub attributes: Vec<String>,
    /// What separates the levels of the hierarchy; `None` if there are no levels.
    pub delimiter: Option<u8>,
    /// The name as the server spells it.
    pub name: Vec<u8>,
}

impl ListEntry {
    pub(super) fn parse(arguments: &[Token<'_>]) -> Option<Self> {
        let [attributes, delimiter, name, ..] = arguments else { return None };
        Some(Self {
            attributes: attributes.list()?.iter().filter_map(Token::text).collect(),
            delimiter: delimiter.string().and_then(|bytes| bytes.first().copied()),
            // An unquoted name may look like NIL.
            name: name.atom().or(name.string())?.to_vec(),
        })
    }

    /// Whether it has an attribute, compared without case.
    pub fn has(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|own| own.eq_ignore_ascii_case(attribute))
    }

    /// The names on the way to it, decoded for people.
    pub fn path(&self) -> Vec<String> {
        match self.delimiter {
            Some(delimiter) => {
                self.name.split(|byte| *byte == delimiter).map(mailbox_name::decode).collect()
            }
            None => vec![mailbox_name::decode(&self.name)],
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Response, response::tests::response};

    #[test]
    fn names_of_any_form_are_read() {
        let cases: [(&str, Option<u8>, &str, &[&str]); 5] = [
            (
                r#"* LIST (\HasNoChildren \Sent) "/" "Sent/&AOQ-""#,
                Some(b'/'),
                "Sent/&AOQ-",
                &["Sent", "ä"],
            ),
            (r"* LIST () NIL INBOX", None, "INBOX", &["INBOX"]),
            (r#"* LSUB () "\\" a\b"#, Some(b'\\'), r"a\b", &["a", "b"]),
            ("* LIST () \".\" {5}\r\na\"b.c", Some(b'.'), "a\"b.c", &["a\"b", "c"]),
            (r#"* LIST () "/" NIL ("CHILDINFO" ("SUBSCRIBED"))"#, Some(b'/'), "NIL", &["NIL"]),
        ];
        for (line, delimiter, name, path) in cases {
            let Response::List(entry) = response(line) else { panic!("{line}") };
            assert_eq!((entry.delimiter, &*entry.name), (delimiter, name.as_bytes()), "{line}");
            assert_eq!(entry.path(), path);
        }
    }

    #[test]
    fn attributes_are_compared_without_case() {
        let Response::List(entry) = response(r#"* LIST (\NoSelect) "/" a"#) else { panic!() };
        assert!(entry.has(r"\Noselect") && !entry.has(r"\Sent"));
    }
}
