//! LIST and LSUB responses (RFC 9051 section 7.3.1, RFC 5258), and MYRIGHTS (RFC 4314).

use crate::{
    mailbox_name::{self, Spelling},
    token::Token,
};

/// A mailbox in a list.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ListEntry {
    /// Attributes such as `\Noselect`, `\HasChildren` or `\Sent`, as the server spells them.
    pub attributes: Vec<String>,
    /// What separates the levels of the hierarchy; `None` if there are no levels.
    pub delimiter: Option<u8>,
    /// The name as the server spells it.
    pub name: Vec<u8>,
    /// CHILDINFO: by which selection options mailboxes under it would have been listed, such as
    /// `SUBSCRIBED`; in upper case.
    pub child_info: Vec<String>,
    /// OLDNAME: what it was called before (RFC 9051 section 6.3.9.7).
    pub old_name: Option<Vec<u8>>,
}

/// What this account may do with a mailbox.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MyRights {
    /// The mailbox's name as the server spells it.
    pub mailbox: Vec<u8>,
    /// One letter for each right (RFC 4314 section 2.1).
    pub rights: String,
}

impl ListEntry {
    pub(super) fn parse(arguments: &[Token<'_>]) -> Option<Self> {
        let [attributes, delimiter, name, extended @ ..] = arguments else { return None };
        let mut entry = Self {
            attributes: attributes.list()?.iter().filter_map(Token::text).collect(),
            delimiter: delimiter.string().and_then(|bytes| bytes.first().copied()),
            name: name.name()?.to_vec(),
            ..Self::default()
        };
        let items = extended.first().and_then(Token::list).unwrap_or_default();
        for [item, value] in items.as_chunks::<2>().0 {
            // The names of these items are strings or atoms.
            match item.text().unwrap_or_default().to_ascii_uppercase().as_str() {
                "CHILDINFO" => {
                    let options = value.list().unwrap_or_default().iter().filter_map(Token::text);
                    entry.child_info = options.map(|name| name.to_ascii_uppercase()).collect();
                }
                "OLDNAME" => {
                    let name = value.list().and_then(<[_]>::first).and_then(Token::name);
                    entry.old_name = name.map(<[u8]>::to_vec);
                }
                _ => {}
            }
        }
        Some(entry)
    }

    /// Whether it has an attribute, compared without case.
    pub fn has(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|own| own.eq_ignore_ascii_case(attribute))
    }

    /// The names on the way to it, decoded for people from modified UTF-7.
    pub fn path(&self) -> Vec<String> {
        self.path_in(Spelling::ModifiedUtf7)
    }

    /// The names on the way to it, decoded for people from the spelling that was agreed on.
    pub fn path_in(&self, spelling: Spelling) -> Vec<String> {
        let decode = |name| mailbox_name::decode_from(name, spelling);
        match self.delimiter {
            Some(delimiter) => self.name.split(|byte| *byte == delimiter).map(decode).collect(),
            None => vec![decode(&self.name)],
        }
    }
}

impl MyRights {
    pub(super) fn parse(arguments: &[Token<'_>]) -> Option<Self> {
        let [mailbox, rights, ..] = arguments else { return None };
        Some(Self { mailbox: mailbox.name()?.to_vec(), rights: rights.text().unwrap_or_default() })
    }

    /// Whether messages may be marked as read and as unread.
    pub fn can_mark_read(&self) -> bool {
        self.has('s')
    }

    /// Whether messages may get and lose any mark but that they are read, or deleted.
    pub fn can_mark(&self) -> bool {
        self.has('w')
    }

    /// Whether messages may be taken out of the mailbox: marked as deleted, and expunged.
    pub fn can_remove(&self) -> bool {
        self.has('t') && self.has('e')
    }

    /// Whether a right is among them, such as `t` (to delete messages).
    pub fn has(&self, right: char) -> bool {
        // `c` and `d` are what servers of before RFC 4314 say for what became several letters.
        let old = match right {
            'k' | 'x' => 'c',
            't' | 'e' => 'd',
            other => other,
        };
        self.rights.contains([right, old])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
            (r#"* XLIST () "\\" a\b"#, Some(b'\\'), r"a\b", &["a", "b"]),
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
    fn names_in_utf_8_are_taken_as_they_are() {
        let Response::List(entry) = response(r#"* LIST () "/" "R&-D/日本""#) else { panic!() };
        assert_eq!(entry.path_in(Spelling::Utf8), ["R&-D", "日本"]);
        assert_eq!(entry.path(), ["R&D", "日本"]);
    }

    #[test]
    fn attributes_are_compared_without_case() {
        let Response::List(entry) = response(r#"* LIST (\NoSelect) "/" a"#) else { panic!() };
        assert!(entry.has(r"\Noselect") && !entry.has(r"\Sent"));
    }

    #[test]
    fn extended_items_are_read_and_unknown_ones_skipped() {
        let line = r#"* LIST (\NonExistent) "/" "INBOX/New"
            ("X-NEW" ("a" (b)) "OLDNAME" ("Old") CHILDINFO ("subscribed" "REMOTE"))"#;
        let Response::List(entry) = response(&line.replace('\n', " ")) else { panic!("{line}") };
        assert_eq!(entry.old_name.as_deref(), Some(&b"Old"[..]));
        assert_eq!(entry.child_info, ["SUBSCRIBED", "REMOTE"]);
    }

    #[test]
    fn rights_are_read_in_the_old_and_the_new_letters() {
        let rights = |line| match response(line) {
            Response::MyRights(rights) => rights,
            other => panic!("{other:?}"),
        };
        let new = rights("* MYRIGHTS INBOX rwiptsldaex");
        assert!(new.has('t') && new.has('x') && !new.has('k'));
        let old = rights("* MYRIGHTS \"a b\" rwicd");
        assert!(old.has('t') && old.has('x') && old.has('k') && !old.has('s'));
    }
}
