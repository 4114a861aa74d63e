//! What messages must be like to be found (RFC 9051 section 6.4.4; RFC 3501, RFC 5032, RFC 5182,
//! RFC 6203, RFC 7162, RFC 8474, RFC 8514, and Gmail's extensions).

use crate::{
    SequenceSet,
    command::{
        InvalidArgument,
        encoder::{Encoder, is_atom},
    },
    response::{Day, Flag},
};

/// How deep keys may be nested.
const DEPTH: usize = 100;

/// What the messages must be like.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SearchKey {
    /// Anything.
    All,
    /// With this flag.
    Flag(Flag),
    /// Without this flag.
    NoFlag(Flag),
    /// Read.
    Seen,
    /// Not read.
    Unseen,
    /// Told to this session first (RFC 3501).
    Recent,
    /// With one of these UIDs.
    Uid(SequenceSet),
    /// With one of these sequence numbers.
    Sequence(SequenceSet),
    /// Among those that the last search with RETURN (SAVE) found.
    Saved,
    /// This text is in the header or in the body.
    Text(String),
    /// This text is in the body.
    Body(String),
    /// This text is in the subject.
    Subject(String),
    /// This text is in `From`.
    From(String),
    /// This text is in `To`.
    To(String),
    /// This text is in `Cc`.
    Cc(String),
    /// This text is in `Bcc`.
    Bcc(String),
    /// With this header field; an empty value matches any.
    Header {
        /// The field's name.
        name: String,
        /// What its value contains.
        value: String,
    },
    /// Arrived before this day.
    Before(Day),
    /// Arrived on this day.
    On(Day),
    /// Arrived on this day or later.
    Since(Day),
    /// Dated before this day.
    SentBefore(Day),
    /// Dated this day.
    SentOn(Day),
    /// Dated this day or later.
    SentSince(Day),
    /// Put into this mailbox before this day (SAVEDATE).
    SavedBefore(Day),
    /// Put into this mailbox on this day (SAVEDATE).
    SavedOn(Day),
    /// Put into this mailbox on this day or later (SAVEDATE).
    SavedSince(Day),
    /// The mailbox keeps when messages were put into it (SAVEDATE).
    SaveDateSupported,
    /// Arrived longer ago than this many seconds (WITHIN); not zero.
    Older(u32),
    /// Arrived within this many seconds (WITHIN); not zero.
    Younger(u32),
    /// Of more bytes than this.
    Larger(u64),
    /// Of fewer bytes than this.
    Smaller(u64),
    /// Changed at this mod-sequence or later (CONDSTORE).
    ModSeq(u64),
    /// With this identifier (OBJECTID).
    EmailId(String),
    /// Of the thread with this identifier (OBJECTID).
    ThreadId(String),
    /// What Gmail's own search language finds.
    GmailRaw(String),
    /// With this identifier of Gmail's.
    GmailMessageId(u64),
    /// Of the thread with this identifier of Gmail's.
    GmailThreadId(u64),
    /// With this label of Gmail's, spelled like a mailbox name.
    GmailLabel(String),
    /// Matches about, as the server sees fit (SEARCH=FUZZY).
    Fuzzy(Box<SearchKey>),
    /// Does not match.
    Not(Box<SearchKey>),
    /// Matches one or the other, or both.
    Or(Box<SearchKey>, Box<SearchKey>),
    /// Matches all of these; none matches anything.
    And(Vec<SearchKey>),
}

impl SearchKey {
    /// The opposite of a key.
    pub fn negate(key: Self) -> Self {
        Self::Not(Box::new(key))
    }

    /// One key or another.
    pub fn or(one: Self, other: Self) -> Self {
        Self::Or(Box::new(one), Box::new(other))
    }

    /// Whether it can be sent without naming a charset.
    pub(super) fn is_ascii(&self) -> bool {
        match self {
            Self::Text(text)
            | Self::Body(text)
            | Self::Subject(text)
            | Self::From(text)
            | Self::To(text)
            | Self::Cc(text)
            | Self::Bcc(text)
            | Self::GmailRaw(text)
            | Self::GmailLabel(text) => text.is_ascii(),
            Self::Header { name, value } => name.is_ascii() && value.is_ascii(),
            Self::Fuzzy(key) | Self::Not(key) => key.is_ascii(),
            Self::Or(one, other) => one.is_ascii() && other.is_ascii(),
            Self::And(keys) => keys.iter().all(Self::is_ascii),
            _ => true,
        }
    }

    /// Appends a space and the key.
    fn encode(&self, encoder: Encoder, depth: usize) -> Result<Encoder, InvalidArgument> {
        if depth > DEPTH {
            return Err(InvalidArgument::TooDeep);
        }
        let word = |encoder: Encoder, text: String| Ok(encoder.text(&text));
        let string =
            |encoder: Encoder, name: &str, text: &str| encoder.text(name).string(text.as_bytes());
        match self {
            Self::All => word(encoder, " ALL".into()),
            Self::Flag(flag) => flag_key(encoder, flag, false),
            Self::NoFlag(flag) => flag_key(encoder, flag, true),
            Self::Seen => flag_key(encoder, &Flag::Seen, false),
            Self::Unseen => flag_key(encoder, &Flag::Seen, true),
            Self::Recent => word(encoder, " RECENT".into()),
            Self::Uid(uids) => word(encoder, format!(" UID {uids}")),
            Self::Sequence(numbers) => word(encoder, format!(" {numbers}")),
            Self::Saved => word(encoder, " $".into()),
            Self::Text(text) => string(encoder, " TEXT", text),
            Self::Body(text) => string(encoder, " BODY", text),
            Self::Subject(text) => string(encoder, " SUBJECT", text),
            Self::From(text) => string(encoder, " FROM", text),
            Self::To(text) => string(encoder, " TO", text),
            Self::Cc(text) => string(encoder, " CC", text),
            Self::Bcc(text) => string(encoder, " BCC", text),
            Self::Header { name, value } => {
                string(encoder, " HEADER", name)?.string(value.as_bytes())
            }
            Self::Before(day) => word(encoder, format!(" BEFORE {day}")),
            Self::On(day) => word(encoder, format!(" ON {day}")),
            Self::Since(day) => word(encoder, format!(" SINCE {day}")),
            Self::SentBefore(day) => word(encoder, format!(" SENTBEFORE {day}")),
            Self::SentOn(day) => word(encoder, format!(" SENTON {day}")),
            Self::SentSince(day) => word(encoder, format!(" SENTSINCE {day}")),
            Self::SavedBefore(day) => word(encoder, format!(" SAVEDBEFORE {day}")),
            Self::SavedOn(day) => word(encoder, format!(" SAVEDON {day}")),
            Self::SavedSince(day) => word(encoder, format!(" SAVEDSINCE {day}")),
            Self::SaveDateSupported => word(encoder, " SAVEDATESUPPORTED".into()),
            Self::Older(seconds) => word(encoder, format!(" OLDER {}", (*seconds).max(1))),
            Self::Younger(seconds) => word(encoder, format!(" YOUNGER {}", (*seconds).max(1))),
            Self::Larger(bytes) => word(encoder, format!(" LARGER {bytes}")),
            Self::Smaller(bytes) => word(encoder, format!(" SMALLER {bytes}")),
            Self::ModSeq(mod_seq) => word(encoder, format!(" MODSEQ {mod_seq}")),
            Self::EmailId(id) => atom_key(encoder, "EMAILID", id),
            Self::ThreadId(id) => atom_key(encoder, "THREADID", id),
            Self::GmailRaw(text) => string(encoder, " X-GM-RAW", text),
            Self::GmailMessageId(id) => word(encoder, format!(" X-GM-MSGID {id}")),
            Self::GmailThreadId(id) => word(encoder, format!(" X-GM-THRID {id}")),
            Self::GmailLabel(label) => string(encoder, " X-GM-LABELS", label),
            Self::Fuzzy(key) => key.encode(encoder.text(" FUZZY"), depth + 1),
            Self::Not(key) => key.encode(encoder.text(" NOT"), depth + 1),
            Self::Or(one, other) => {
                other.encode(one.encode(encoder.text(" OR"), depth + 1)?, depth + 1)
            }
            Self::And(keys) => match &**keys {
                [] => word(encoder, " ALL".into()),
                [key] => key.encode(encoder, depth + 1),
                keys => {
                    let begin = encoder.text(" (");
                    let encode = |encoder, key: &Self| key.encode(encoder, depth + 1);
                    Ok(keys.iter().try_fold(begin, encode)?.text(")"))
                }
            },
        }
    }
}

/// Appends all keys, each behind a space.
pub(super) fn encode_all(keys: &[SearchKey], encoder: Encoder) -> Result<Encoder, InvalidArgument> {
    if keys.is_empty() {
        return SearchKey::All.encode(encoder, 0);
    }
    keys.iter().try_fold(encoder, |encoder, key| key.encode(encoder, 0))
}

/// System flags have keys of their own.
fn flag_key(encoder: Encoder, flag: &Flag, without: bool) -> Result<Encoder, InvalidArgument> {
    let un = if without { "UN" } else { "" };
    let name = match flag {
        Flag::Seen => "SEEN",
        Flag::Answered => "ANSWERED",
        Flag::Flagged => "FLAGGED",
        Flag::Deleted => "DELETED",
        Flag::Draft => "DRAFT",
        Flag::Other(keyword) if is_atom(keyword) => {
            return Ok(encoder.text(&format!(" {un}KEYWORD {keyword}")));
        }
        Flag::Other(_) => return Err(InvalidArgument::Flag),
    };
    Ok(encoder.text(&format!(" {un}{name}")))
}

fn atom_key(encoder: Encoder, name: &str, id: &str) -> Result<Encoder, InvalidArgument> {
    if !is_atom(id) {
        return Err(InvalidArgument::Atom);
    }
    Ok(encoder.text(&format!(" {name} {id}")))
}
