//! What messages must be like to be found. Pure.

use memchr::memmem;
use postern_bridge::{Flags, Role, is_label};
use postern_imap::{
    command::SearchKey,
    mailbox_name::{self, Spelling},
    response::{Day, Flag},
};

use crate::record::Mailbox;

/// What messages must be like to be found: they fulfil every clause.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Query {
    pub(super) clauses: Vec<Clause>,
}

/// Fulfilled by messages that any of these is true of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Clause(pub(super) Vec<Literal>);

/// Something that is to be so, or not to be so.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Literal {
    pub(super) term: Term,
    pub(super) negated: bool,
}

/// Something that may be so.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Term {
    /// This is in the subject, in the text, or in somebody's name or address.
    Text(Words),
    /// This is in the text.
    Body(Words),
    /// This is in the subject.
    Subject(Words),
    /// This is in `From`.
    From(Words),
    /// This is in `To`.
    To(Words),
    /// This is in `Cc`.
    Cc(Words),
    /// It has attachments.
    HasAttachment,
    /// It arrived before this day.
    Before(Day),
    /// It arrived on this day or later.
    Since(Day),
    /// It is not read.
    Unread,
    /// It is starred.
    Starred,
    /// It is answered.
    Answered,
    /// It has this keyword.
    Tag(String),
    /// It has more bytes than this.
    Larger(u64),
    /// It has fewer bytes than this.
    Smaller(u64),
    /// It is in a mailbox of this name or role, in lower case.
    In(String),
}

/// Words to look for, in lower case.
#[derive(Clone, Debug)]
pub(super) struct Words(memmem::Finder<'static>);

/// What a search looks at of a message; texts are in lower case.
pub(super) struct Envelope<'a> {
    pub(super) arrived: i64,
    pub(super) size: u64,
    pub(super) flags: Flags,
    pub(super) has_attachments: bool,
    pub(super) subject: &'a [u8],
    pub(super) preview: &'a [u8],
    /// Names and addresses.
    pub(super) from: &'a [u8],
    /// Names and addresses.
    pub(super) to: &'a [u8],
    /// All of the above.
    pub(super) shown: &'a [u8],
    /// One in each line.
    pub(super) keywords: &'a [u8],
}

/// What a search looks at inside of a message, in lower case.
pub(super) struct Inside {
    text: String,
    /// Names and addresses.
    cc: String,
}

/// How much a server is asked to look for, most first: each rung leaves out what a server may have
/// refused at the one before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rung {
    /// All that there are keys for.
    All,
    /// Only ASCII: the server may know no other charset.
    Ascii,
    /// Only the keys that every server has known for ever, in ASCII.
    Plain,
}

impl Rung {
    /// All rungs, in the order in which to try them.
    pub const ALL: [Self; 3] = [Self::All, Self::Ascii, Self::Plain];
}

/// What to ask a server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Asked {
    /// All of these; none if there is nothing that could be asked.
    pub keys: Vec<SearchKey>,
    /// What was left out: of what the server finds, only that counts which is known to fulfil this.
    pub rest: Query,
}

impl Query {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.clauses.is_empty()
    }

    /// Whether it names mailboxes, so that all of an account are to be searched.
    pub fn names_mailboxes(&self) -> bool {
        self.literals().any(|literal| matches!(literal.term, Term::In(_)))
    }

    /// What remains to be looked for in a mailbox; `None` if nothing in it can be found.
    pub fn within(&self, mailbox: &Mailbox) -> Option<Self> {
        let mut clauses = Vec::new();
        for Clause(literals) in &self.clauses {
            let mut left = Vec::new();
            let mut fulfilled = false;
            for literal in literals {
                match &literal.term {
                    Term::In(name) => fulfilled |= is_named(mailbox, name) != literal.negated,
                    _ => left.push(literal.clone()),
                }
            }
            match (fulfilled, left.is_empty()) {
                (true, _) => {}
                (false, true) => return None,
                (false, false) => clauses.push(Clause(left)),
            }
        }
        Some(Self { clauses })
    }

    /// What to ask a server at a rung; one with labels spells them so.
    pub fn asked(&self, rung: Rung, labels: Option<Spelling>) -> Asked {
        let mut asked = Asked { keys: Vec::new(), rest: Self::default() };
        for clause in &self.clauses {
            let key = clause.key(rung, labels);
            // Servers can only be asked for something like it.
            if key.is_none() || clause.0.iter().any(|own| own.term == Term::HasAttachment) {
                asked.rest.clauses.push(clause.clone());
            }
            asked.keys.extend(key);
        }
        asked
    }

    /// Whether a message is found; `None` if that depends on what is `inside` of it and that is not
    /// given.
    pub(super) fn verdict(&self, envelope: &Envelope<'_>, inside: Option<&Inside>) -> Option<bool> {
        all(self.clauses.iter().map(|clause| clause.verdict(envelope, inside)))
    }

    /// What is asked for of marks alone: these change here before a server hears of it.
    pub fn about_marks(&self) -> Self {
        let is_mark = |literal: &Literal| {
            let Literal { term, .. } = literal;
            matches!(term, Term::Unread | Term::Starred | Term::Answered | Term::Tag(_))
        };
        let clauses = self.clauses.iter().filter(|clause| clause.0.iter().all(is_mark));
        Self { clauses: clauses.cloned().collect() }
    }

    /// Fulfilled by messages that fulfil both.
    pub fn and(&self, other: &Self) -> Self {
        Self { clauses: [&self.clauses[..], &other.clauses].concat() }
    }

    fn literals(&self) -> impl Iterator<Item = &Literal> {
        self.clauses.iter().flat_map(|clause| &clause.0)
    }
}

impl Clause {
    fn verdict(&self, envelope: &Envelope<'_>, inside: Option<&Inside>) -> Option<bool> {
        // One is true unless all are false.
        let not = |literal: &Literal| {
            literal.term.verdict(envelope, inside).map(|verdict| verdict == literal.negated)
        };
        all(self.0.iter().map(not)).map(|none| !none)
    }

    fn key(&self, rung: Rung, labels: Option<Spelling>) -> Option<SearchKey> {
        let keys: Vec<SearchKey> =
            self.0.iter().map(|literal| literal.key(rung, labels)).collect::<Option<_>>()?;
        if rung == Rung::Plain && keys.len() > 1 {
            return None;
        }
        keys.into_iter().rev().reduce(|others, key| SearchKey::or(key, others))
    }
}

/// Whether all are so: false if one is not, else unknown if one is.
fn all(verdicts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut all = Some(true);
    for verdict in verdicts {
        match verdict {
            Some(false) => return Some(false),
            None => all = None,
            Some(true) => {}
        }
    }
    all
}

impl Literal {
    fn key(&self, rung: Rung, labels: Option<Spelling>) -> Option<SearchKey> {
        let key = self.term.key(rung, labels)?;
        match self.negated {
            false => Some(key),
            // What is only like it says nothing about its opposite.
            true if self.term == Term::HasAttachment || rung == Rung::Plain => None,
            true => Some(SearchKey::negate(key)),
        }
    }
}

impl Term {
    fn verdict(&self, envelope: &Envelope<'_>, inside: Option<&Inside>) -> Option<bool> {
        Some(match self {
            Self::Text(words) if words.are_in(envelope.shown) => true,
            Self::Text(words) => {
                return inside.map(|inside| {
                    words.are_in(inside.text.as_bytes()) || words.are_in(inside.cc.as_bytes())
                });
            }
            Self::Body(words) if words.are_in(envelope.preview) => true,
            Self::Body(words) => return inside.map(|own| words.are_in(own.text.as_bytes())),
            Self::Cc(words) => return inside.map(|own| words.are_in(own.cc.as_bytes())),
            Self::Subject(words) => words.are_in(envelope.subject),
            Self::From(words) => words.are_in(envelope.from),
            Self::To(words) => words.are_in(envelope.to),
            Self::HasAttachment => envelope.has_attachments,
            Self::Before(day) => arrived(envelope).is_some_and(|own| own < *day),
            Self::Since(day) => arrived(envelope).is_some_and(|own| own >= *day),
            Self::Unread => !envelope.flags.seen,
            Self::Starred => envelope.flags.flagged,
            Self::Answered => envelope.flags.answered,
            Self::Tag(tag) => {
                let mut keywords = envelope.keywords.split(|byte| *byte == b'\n');
                keywords.any(|own| own.eq_ignore_ascii_case(tag.as_bytes()))
            }
            Self::Larger(bytes) => envelope.size > *bytes,
            Self::Smaller(bytes) => envelope.size < *bytes,
            // Settled before messages are looked at.
            Self::In(_) => false,
        })
    }

    fn key(&self, rung: Rung, labels: Option<Spelling>) -> Option<SearchKey> {
        let words = |words: &Words| {
            let text = words.text();
            (rung == Rung::All || text.is_ascii()).then(|| text.to_owned())
        };
        let common = match self {
            Self::Text(text) => SearchKey::Text(words(text)?),
            Self::Body(text) => SearchKey::Body(words(text)?),
            Self::Subject(text) => SearchKey::Subject(words(text)?),
            Self::From(text) => SearchKey::From(words(text)?),
            Self::To(text) => SearchKey::To(words(text)?),
            Self::Cc(text) => SearchKey::Cc(words(text)?),
            Self::Before(day) => SearchKey::Before(*day),
            Self::Since(day) => SearchKey::Since(*day),
            Self::Unread => SearchKey::Unseen,
            Self::Starred => SearchKey::Flag(Flag::Flagged),
            Self::Answered => SearchKey::Flag(Flag::Answered),
            _ if rung == Rung::Plain => return None,
            Self::HasAttachment => {
                SearchKey::Header { name: "Content-Type".into(), value: "multipart/mixed".into() }
            }
            // A server with labels has keywords as well, which other programs may have given.
            Self::Tag(tag) => {
                let keyword = keyword(tag).map(|name| SearchKey::Flag(Flag::Other(name.into())));
                let label = labels.filter(|_| is_label(tag)).and_then(|spelling| {
                    let label = String::from_utf8(mailbox_name::encode_to(tag, spelling)).ok()?;
                    (rung == Rung::All || label.is_ascii()).then_some(SearchKey::GmailLabel(label))
                });
                [label, keyword].into_iter().flatten().reduce(SearchKey::or)?
            }
            Self::Larger(bytes) => SearchKey::Larger(*bytes),
            Self::Smaller(bytes) => SearchKey::Smaller(*bytes),
            Self::In(_) => return None,
        };
        Some(common)
    }
}

/// A keyword as a server may have it: an atom that is no system flag.
fn keyword(tag: &str) -> Option<String> {
    let is_atom = tag.bytes().all(|byte| byte.is_ascii_graphic() && !b"(){%*\"\\]".contains(&byte));
    is_atom.then(|| tag.to_owned())
}

/// The day on which a message arrived (UTC).
fn arrived(envelope: &Envelope<'_>) -> Option<Day> {
    Day::of(envelope.arrived.div_euclid(1000), 0)
}

impl Words {
    fn are_in(&self, text: &[u8]) -> bool {
        self.0.find(text).is_some()
    }

    pub(super) fn text(&self) -> &str {
        // They were made of text.
        std::str::from_utf8(self.0.needle()).unwrap_or_default()
    }
}

impl From<&str> for Words {
    fn from(text: &str) -> Self {
        Self(memmem::Finder::new(&text.to_lowercase()).into_owned())
    }
}

impl PartialEq for Words {
    fn eq(&self, other: &Self) -> bool {
        self.0.needle() == other.0.needle()
    }
}

impl Eq for Words {}

impl Inside {
    pub(super) fn of(inside: &postern_mime::Inside) -> Self {
        let cc = inside.cc.iter().map(|own| format!("{}\n{}\n", own.name, own.address));
        Self { text: inside.text.to_lowercase(), cc: cc.collect::<String>().to_lowercase() }
    }
}

/// Whether a mailbox has this role or name, which is in lower case.
fn is_named(mailbox: &Mailbox, name: &str) -> bool {
    let role = match name {
        "inbox" => Some(Role::Inbox),
        "drafts" | "draft" => Some(Role::Drafts),
        "sent" => Some(Role::Sent),
        "archive" => Some(Role::Archive),
        "junk" | "spam" => Some(Role::Junk),
        "trash" | "bin" => Some(Role::Trash),
        "anywhere" | "all" => return true,
        _ => None,
    };
    let is_own = |own: &str| own.to_lowercase() == name;
    (role.is_some() && mailbox.role == role)
        || mailbox.names.last().is_some_and(|last| is_own(last))
        || is_own(&mailbox.names.join("/"))
}
