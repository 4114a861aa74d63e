//! What the server can do (RFC 9051 section 7.2.2).

use std::collections::BTreeSet;

use crate::{limits::Limits, token::Token};

/// What IMAP4rev2 has taken in and a server need not name beside it (RFC 9051 appendix E), as far as a
/// client must know whether it is there. Of BINARY only fetching belongs to it, so that is not here: what
/// the name says is that APPEND takes a literal with any byte as well. Nor is LIST-EXTENDED's selection of
/// mailboxes on other servers, which nobody asks for.
const IN_IMAP4REV2: [&str; 15] = [
    "CHILDREN",
    "ENABLE",
    "ESEARCH",
    "IDLE",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "LITERAL-",
    "MOVE",
    "NAMESPACE",
    "SASL-IR",
    "SEARCHRES",
    "SPECIAL-USE",
    "STATUS=SIZE",
    "UIDPLUS",
    "UNSELECT",
];

/// A set of capabilities; names are compared without case.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Capabilities(BTreeSet<String>);

impl Capabilities {
    pub(crate) fn from_tokens(tokens: &[Token<'_>], limits: &Limits) -> Self {
        let names = tokens.iter().filter_map(Token::text).map(|name| name.to_ascii_uppercase());
        Self(names.take(limits.capabilities).collect())
    }

    /// Whether the server offers this, such as `"SASL-IR"`: by its name, or with IMAP4rev2.
    pub fn has(&self, name: &str) -> bool {
        let name = name.to_ascii_uppercase();
        self.0.contains(&name) || self.0.contains("IMAP4REV2") && IN_IMAP4REV2.contains(&&*name)
    }

    /// Whether the server speaks IMAP4rev2 and nothing older: then it does so without being asked by
    /// ENABLE, and names mailboxes in UTF-8 (RFC 9051 section 6.3.1 and appendix A).
    pub fn is_rev2_only(&self) -> bool {
        self.has("IMAP4REV2") && !self.has("IMAP4REV1")
    }

    /// The SASL mechanisms that AUTHENTICATE can be used with.
    pub fn mechanisms(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|name| name.strip_prefix("AUTH="))
    }

    /// What stands behind the name and an equals sign, such as the number of `APPENDLIMIT=1000`;
    /// in upper case.
    pub fn value(&self, name: &str) -> Option<&str> {
        let prefix = format!("{}=", name.to_ascii_uppercase());
        self.0.iter().find_map(|own| own.strip_prefix(&prefix))
    }

    /// All names, in upper case and sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Response,
        response::tests::response,
        token::{Arena, text_tokens},
    };

    #[test]
    fn names_are_compared_without_case() {
        let Response::Capability(capabilities) =
            response("* CAPABILITY IMAP4rev1 sasl-ir AUTH=PLAIN auth=login")
        else {
            panic!("not capabilities");
        };
        assert!(capabilities.has("SASL-IR") && capabilities.has("imap4REV1"));
        assert!(!capabilities.has("IDLE"));
        assert_eq!(capabilities.mechanisms().collect::<Vec<_>>(), ["LOGIN", "PLAIN"]);
    }

    #[test]
    fn what_imap4rev2_has_taken_in_is_offered_with_it() {
        let told = |names: &str| match response(&format!("* CAPABILITY {names}")) {
            Response::Capability(capabilities) => capabilities,
            other => panic!("{other:?}"),
        };
        let (old, both, new) =
            (told("IMAP4rev1"), told("IMAP4rev1 IMAP4rev2"), told("IMAP4rev2 AUTH=PLAIN"));
        for name in ["idle", "ENABLE", "SASL-IR", "LITERAL-", "MOVE", "LIST-STATUS", "SEARCHRES"] {
            let offered = [&old, &both, &new].map(|own| own.has(name));
            assert_eq!(offered, [false, true, true], "{name}");
        }
        for name in ["BINARY", "CONDSTORE", "LITERAL+", "NOTIFY", "PARTIAL", "UTF8=ACCEPT"] {
            assert!(!both.has(name), "{name}");
        }
        assert_eq!([old, both, new].map(|own| own.is_rev2_only()), [false, false, true]);
    }

    #[test]
    fn capabilities_may_have_values() {
        let Response::Capability(capabilities) =
            response("* CAPABILITY IMAP4rev1 APPENDLIMIT=257890 STATUS=SIZE THREAD=references")
        else {
            panic!("not capabilities");
        };
        assert_eq!(capabilities.value("appendlimit"), Some("257890"));
        assert_eq!(capabilities.value("THREAD"), Some("REFERENCES"));
        assert_eq!(capabilities.value("IMAP4REV1"), None);
    }

    #[test]
    fn capabilities_beyond_the_limit_are_ignored() {
        let limits = Limits { capabilities: 2, ..Limits::default() };
        let count = |text: &[u8]| {
            let arena = Arena::default();
            let tokens = text_tokens(text, &arena, &limits).items;
            Capabilities::from_tokens(tokens, &limits).names().count()
        };
        assert_eq!(count(b"A B"), 2);
        assert_eq!(count(b"A B C"), 2);
    }
}
