//! What the server's responses mean (RFC 9051 section 7); one file per family.
//!
//! Strings that mail brings along (subjects, names, file names) stay bytes as they came: to decode
//! them is not this crate's job.

mod body_structure;
mod capability;
mod code;
mod envelope;
mod fetch;
mod flag;
mod internal_date;
mod list;
mod mailbox;
mod namespace;
mod quota;
mod search;
mod status;
mod text;
mod thread;
mod vanished;

pub use body_structure::{BodyPart, BodyStructure, Disposition, Multipart, Parameters};
pub use capability::Capabilities;
pub use code::{Code, CopiedUids, Progress};
pub use envelope::{Addresses, Envelope, EnvelopeAddress};
pub use fetch::{BinarySection, BinarySize, BodySection, Content, Fetch, GmailItems};
pub use flag::Flag;
pub use internal_date::{Day, format_date_time, parse_date_time};
pub use list::{ListEntry, MyRights};
pub use mailbox::{AppendLimit, MailboxStatus};
pub use namespace::{Namespace, Namespaces};
pub use quota::{Quota, QuotaResource, QuotaRoots};
pub use search::{PartialResult, SearchResult, SortResult};
pub use status::{Status, StatusKind};
pub(crate) use text::Source;
pub use text::Text;
pub use thread::{Thread, ThreadedMessage};
pub use vanished::Vanished;

use crate::session::Contradiction;
pub use crate::token::TokenDefect;
use crate::{
    cursor::{Cursor, Item},
    framer::RawResponse,
    limits::Limits,
    token::{Arena, Token, tokens},
};

/// An untagged response.
#[derive(Clone, Debug, PartialEq)]
pub enum Response {
    /// OK, NO, BAD, BYE or PREAUTH: a word from the server that belongs to no command.
    Status(Status),
    /// CAPABILITY.
    Capability(Capabilities),
    /// ENABLED: the extensions that are in use from now on.
    Enabled(Vec<String>),
    /// ID: names and values (RFC 2971).
    Id(Vec<(String, Option<String>)>),
    /// LIST.
    List(ListEntry),
    /// LSUB: a mailbox that is subscribed to (RFC 3501).
    Subscribed(ListEntry),
    /// MYRIGHTS.
    MyRights(MyRights),
    /// NAMESPACE.
    Namespaces(Namespaces),
    /// QUOTA.
    Quota(Quota),
    /// QUOTAROOT.
    QuotaRoots(QuotaRoots),
    /// STATUS.
    MailboxStatus(MailboxStatus),
    /// EXISTS: how many messages the selected mailbox has.
    Exists(u32),
    /// RECENT (RFC 3501).
    Recent(u32),
    /// EXPUNGE: the message of this sequence number is gone; later ones move up.
    Expunge(u32),
    /// VANISHED: the messages of these UIDs are gone (RFC 7162).
    Vanished(Vanished),
    /// FLAGS: the flags that the selected mailbox knows.
    Flags(Vec<Flag>),
    /// SEARCH or ESEARCH.
    Search(SearchResult),
    /// SORT.
    Sort(SortResult),
    /// THREAD.
    Threads(Vec<Thread>),
    /// FETCH.
    Fetch(Box<Fetch>),
    /// Something that this client does not know, or could not make sense of: its name, in upper
    /// case, or how that begins.
    Unknown(String),
}

/// What is wrong with a response that was otherwise understood, or was skipped.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Defect {
    /// Its tokens do not fit together.
    #[error("damaged response: {0}")]
    Tokens(#[from] TokenDefect),
    /// A response that this client does not know; its name. It may be right all the same: nothing
    /// that is asked here is answered so.
    #[error("{0} response that is not known")]
    Unknown(String),
    /// A known response that lacks what it must have; its name.
    #[error("{0} response that makes no sense")]
    Senseless(String),
    /// A tag that belongs to no command; or, with the result of a search, to none that searches:
    /// the result is left out.
    #[error("an answer to a command that was not given")]
    UnknownTag,
    /// A continuation that nobody waits for.
    #[error("a go-ahead that nobody waits for")]
    UnexpectedContinuation,
    /// Something that can't be true of the selected mailbox.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
}

/// A response, by whom it is for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Parsed {
    Untagged(Response),
    Tagged(Vec<u8>, Status),
    Continuation(Vec<u8>),
}

/// Understands a response; total.
pub(crate) fn parse(
    raw: RawResponse<'_>,
    arena: &Arena,
    limits: &Limits,
) -> (Parsed, Option<Defect>) {
    let line = raw.line();
    let (tag, rest) = split_word(line);
    if tag == b"+" {
        return (Parsed::Continuation(rest.to_vec()), None);
    }
    let skip = line.len() - rest.len();
    if tag == b"*"
        && let Some((response, defect)) = fetch(Cursor::new(raw, skip, limits))
    {
        return (Parsed::Untagged(response), defect);
    }
    let (name, text) = split_word(rest);
    if let Some(kind) = StatusKind::parse(name) {
        let (status, defect) = Status::parse(kind, text, limits);
        let parsed = match tag {
            b"*" => Parsed::Untagged(Response::Status(status)),
            tag => Parsed::Tagged(tag.to_vec(), status),
        };
        return (parsed, defect.map(Defect::from));
    }
    if tag != b"*" {
        let name = &tag[..tag.len().min(limits.response_name)];
        let name = String::from_utf8_lossy(name).to_ascii_uppercase();
        return (Parsed::Untagged(Response::Unknown(name.clone())), Some(Defect::Senseless(name)));
    }
    let read = tokens(raw, skip, arena, limits);
    let (response, defect) = untagged(read.items, limits);
    (Parsed::Untagged(response), read.defect.map(Defect::from).or(defect))
}

/// Understands what is told of a message; `None` if it is something else.
fn fetch(mut cursor: Cursor<'_>) -> Option<(Response, Option<Defect>)> {
    let Some(sequence @ Item::Atom(_)) = cursor.next() else { return None };
    let sequence = sequence.number()?;
    let Some(Item::Atom(name)) = cursor.next() else { return None };
    if !name.eq_ignore_ascii_case(b"FETCH") {
        return None;
    }
    let fetch = Fetch::read(sequence, &mut cursor);
    let damage = cursor.finish().map(Defect::from);
    Some(match fetch {
        Some(fetch) => (Response::Fetch(fetch), damage),
        None => {
            let senseless = Defect::Senseless("FETCH".into());
            (Response::Unknown("FETCH".into()), damage.or(Some(senseless)))
        }
    })
}

fn untagged(items: &[Token<'_>], limits: &Limits) -> (Response, Option<Defect>) {
    let (number, name, arguments) = match items {
        [first, name, rest @ ..] if first.atom().is_some() && first.number::<u32>().is_some() => {
            (first.number::<u32>(), name, rest)
        }
        [name, rest @ ..] => (None, name, rest),
        [] => return (Response::Unknown(String::new()), Some(Defect::Senseless(String::new()))),
    };
    let name = name.upper();
    let found = match (&*name, number) {
        ("SEARCH", None) => Some(SearchResult::from_search(arguments)),
        ("ESEARCH", None) => Some(SearchResult::from_esearch(arguments)),
        _ => None,
    };
    if let Some((result, is_whole)) = found {
        let defect = (!is_whole).then(|| Defect::Senseless(name.into_owned()));
        return (Response::Search(result), defect);
    }
    let understood = match (&*name, number) {
        ("CAPABILITY", None) => {
            Some(Response::Capability(Capabilities::from_tokens(arguments, limits)))
        }
        ("ENABLED", None) => {
            Some(Response::Enabled(arguments.iter().filter_map(Token::text).collect()))
        }
        ("ID", None) => Some(Response::Id(id(arguments))),
        ("LIST" | "XLIST", None) => ListEntry::parse(arguments).map(Response::List),
        ("LSUB", None) => ListEntry::parse(arguments).map(Response::Subscribed),
        ("MYRIGHTS", None) => MyRights::parse(arguments).map(Response::MyRights),
        ("NAMESPACE", None) => Namespaces::parse(arguments).map(Response::Namespaces),
        ("QUOTA", None) => Quota::parse(arguments).map(Response::Quota),
        ("QUOTAROOT", None) => QuotaRoots::parse(arguments).map(Response::QuotaRoots),
        ("STATUS", None) => MailboxStatus::parse(arguments).map(Response::MailboxStatus),
        ("FLAGS", None) => {
            arguments.first().and_then(Token::list).map(|flags| Response::Flags(Flag::all(flags)))
        }
        ("SORT", None) => Some(Response::Sort(SortResult::parse(arguments))),
        ("THREAD", None) => Some(Response::Threads(Thread::all(arguments))),
        ("VANISHED", None) => Vanished::parse(arguments).map(Response::Vanished),
        ("EXISTS", Some(number)) => Some(Response::Exists(number)),
        ("RECENT", Some(number)) => Some(Response::Recent(number)),
        ("EXPUNGE", Some(number)) => Some(Response::Expunge(number)),
        (
            "LIST" | "LSUB" | "XLIST" | "MYRIGHTS" | "NAMESPACE" | "QUOTA" | "QUOTAROOT" | "STATUS"
            | "FLAGS" | "VANISHED" | "EXISTS" | "RECENT" | "EXPUNGE" | "FETCH",
            _,
        ) => None,
        _ => {
            let name = &name[..name.floor_char_boundary(limits.response_name)];
            return (Response::Unknown(name.into()), Some(Defect::Unknown(name.into())));
        }
    };
    match understood {
        Some(response) => (response, None),
        None => {
            let name = name.into_owned();
            (Response::Unknown(name.clone()), Some(Defect::Senseless(name)))
        }
    }
}

fn id(arguments: &[Token<'_>]) -> Vec<(String, Option<String>)> {
    let fields = arguments.first().and_then(Token::list).unwrap_or_default();
    let (pairs, _) = fields.as_chunks::<2>();
    pairs.iter().filter_map(|[name, value]| Some((name.text()?, value.text()))).collect()
}

impl<'a> Token<'a> {
    /// The bytes of an atom or string; an unquoted name may look like NIL.
    fn name(&self) -> Option<&[u8]> {
        self.atom().or_else(|| self.string())
    }
}

/// The bytes up to the first space, and those behind it.
fn split_word(text: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b' ', text) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &[]),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::framer::{Frame, Framer};

    /// Parses one untagged response from its bytes.
    pub(crate) fn parse_bytes(mut input: &[u8]) -> (Response, Option<Defect>) {
        let limits = Limits::default();
        let mut framer = Framer::new(limits);
        while let Some(frame) = framer.next(&mut input).unwrap() {
            if let Frame::Response(raw) = frame {
                let parsed = parse(raw, &Arena::default(), &limits);
                let (Parsed::Untagged(response), defect) = parsed else {
                    panic!("not an untagged response");
                };
                return (response, defect);
            }
        }
        panic!("no whole response");
    }

    /// Parses a FETCH response that has no defect.
    pub(crate) fn fetch(line: &str) -> Fetch {
        match response(line) {
            Response::Fetch(fetch) => *fetch,
            other => panic!("{other:?}"),
        }
    }

    /// Parses one untagged response that has no defect.
    pub(crate) fn response(line: &str) -> Response {
        let (response, defect) = parse_bytes(format!("{line}\r\n").as_bytes());
        assert_eq!(defect, None, "{line}");
        response
    }

    #[test]
    fn numbers_of_the_selected_mailbox_are_understood() {
        assert_eq!(response("* 23 EXISTS"), Response::Exists(23));
        assert_eq!(response("* 5 recent"), Response::Recent(5));
        assert_eq!(response("* 44 Expunge"), Response::Expunge(44));
        assert_eq!(
            response(r"* FLAGS (\Seen Junk)"),
            Response::Flags(vec![Flag::Seen, Flag::Other("Junk".into())])
        );
    }

    #[test]
    fn an_id_may_have_values_that_are_nil() {
        assert_eq!(
            response(r#"* ID ("name" "Dovecot" "os" NIL)"#),
            Response::Id(vec![("name".into(), Some("Dovecot".into())), ("os".into(), None)])
        );
        assert_eq!(response("* ID NIL"), Response::Id(vec![]));
    }

    #[test]
    fn unknown_responses_keep_their_name_and_are_recorded_as_such() {
        let long = "X".repeat(Limits::default().response_name + 1);
        for (line, name) in [
            ("* X-VANISHED 1:5", "X-VANISHED"),
            ("* 5 X-New (a b)", "X-NEW"),
            (&*format!("* {long} 1"), &long[1..]),
            (&*format!("* \"{}\u{fc}\" 1", &long[2..]), &long[2..]),
        ] {
            let understood = parse_bytes(format!("{line}\r\n").as_bytes());
            let expected = (Response::Unknown(name.into()), Some(Defect::Unknown(name.into())));
            assert_eq!(understood, expected, "{line}");
        }
        let (nonsense, _) = parse_bytes(format!("{long} 1\r\n").as_bytes());
        assert_eq!(nonsense, Response::Unknown(long[1..].into()));
    }

    #[test]
    fn damaged_responses_are_recorded() {
        for line in [
            "* EXISTS",
            "* 1 FETCH",
            "* LIST",
            "* STATUS x",
            "* VANISHED x",
            "*",
            "* ",
            "nonsense",
            "",
            "* 1",
        ] {
            let (response, defect) = parse_bytes(format!("{line}\r\n").as_bytes());
            assert!(matches!(response, Response::Unknown(_)), "{line}: {response:?}");
            assert!(defect.is_some(), "{line}");
        }
    }
}
