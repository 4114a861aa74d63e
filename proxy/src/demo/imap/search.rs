//! SEARCH (RFC 9051 section 6.4.4), with ESEARCH's return options (RFC 4731).

use mail_parser::{Address, HeaderName, HeaderValue};

use super::{
    Failure, Outcome, Session, ok,
    parse::{Cursor, Malformed},
    set::{Set, compact},
};
use crate::demo::{date, mime, store::Message};

/// What a message must be to be found.
enum Key {
    All,
    None,
    Numbers(Set),
    Uids(Set),
    Flag(String),
    From(String),
    To(String),
    Cc(String),
    Bcc(String),
    Header(String, String),
    Subject(String),
    Body(String),
    Text(String),
    /// Arrived on a day from the first to before the second, counted since 1970.
    Arrived(i64, i64),
    /// Dated likewise by its header.
    Sent(i64, i64),
    Larger(u32),
    Smaller(u32),
    Not(Box<Key>),
    Or(Box<Key>, Box<Key>),
    Every(Vec<Key>),
}

/// A message that is looked at, and where it stands.
struct Candidate<'a> {
    number: u32,
    last_number: u32,
    last_uid: u32,
    saved: &'a [u32],
    message: &'a Message,
}

impl Session {
    pub(super) fn search(&mut self, cursor: &mut Cursor<'_>, tag: &str, by_uid: bool) -> Outcome {
        cursor.space()?;
        let (options, first) = prefix(cursor)?;
        let mut keys = Vec::from_iter(first);
        while cursor.eat_space() && !cursor.at_end() || keys.is_empty() {
            keys.push(key(cursor)?);
        }
        cursor.end()?;
        let wanted = Key::Every(keys);
        let shared = self.shared.clone();
        let selected = self.selected_mut()?;
        let account = shared.store.account();
        let mut found = Vec::new();
        if let Some(mailbox) = account.by_identity(selected.identity) {
            let last_uid = selected.known.last().map_or(0, |known| known.uid);
            for (number, known) in (1..).zip(&selected.known) {
                let Some(position) = mailbox.position(known.uid) else { continue };
                let candidate = Candidate {
                    number,
                    last_number: selected.known.len() as u32,
                    last_uid,
                    saved: &selected.saved,
                    message: &mailbox.messages[position],
                };
                if wanted.fits(&candidate) {
                    found.push((number, known.uid));
                }
            }
        }
        drop(account);
        let uids: Vec<u32> = found.iter().map(|(_, uid)| *uid).collect();
        let shown: Vec<u32> =
            if by_uid { uids.clone() } else { found.iter().map(|(number, _)| *number).collect() };
        let line = match options {
            None if self.utf8 => extended(tag, by_uid, &["ALL".to_owned()], &shown),
            None => {
                let numbers: String = shown.iter().map(|number| format!(" {number}")).collect();
                format!("* SEARCH{numbers}\r\n")
            }
            Some(options) => {
                if options.iter().any(|option| option == "SAVE") {
                    self.selected_mut()?.saved = uids;
                }
                if options == ["SAVE"] {
                    String::new()
                } else {
                    extended(tag, by_uid, &options, &shown)
                }
            }
        };
        self.wire.write(line);
        ok("done")
    }
}

/// RETURN and CHARSET, if they are there; the first key if it had to be read to tell.
fn prefix(cursor: &mut Cursor<'_>) -> Result<(Option<Vec<String>>, Option<Key>), Failure> {
    let mut options = None;
    loop {
        if !cursor.peek().is_some_and(|byte| byte.is_ascii_alphabetic()) {
            return Ok((options, None));
        }
        let word = cursor.keyword().ok_or(Malformed)?;
        match word.as_str() {
            "RETURN" => {
                cursor.space()?;
                let mut read = cursor.list(|cursor| cursor.keyword().ok_or(Malformed))?;
                let known = ["MIN", "MAX", "ALL", "COUNT", "SAVE"];
                if !read.iter().all(|option| known.contains(&option.as_str())) {
                    return Err(Failure::Bad("unknown return option"));
                }
                if read.is_empty() {
                    read.push("ALL".to_owned());
                }
                options = Some(read);
            }
            "CHARSET" => {
                cursor.space()?;
                let charset = cursor.astring_text()?.to_ascii_uppercase();
                if charset != "UTF-8" && charset != "US-ASCII" {
                    return Err(super::no("[BADCHARSET (UTF-8)] only UTF-8 is known"));
                }
            }
            _ => return Ok((options, Some(named_key(&word, cursor)?))),
        }
        cursor.space()?;
    }
}

fn extended(tag: &str, by_uid: bool, options: &[String], found: &[u32]) -> String {
    let mut line = format!("* ESEARCH (TAG \"{tag}\")");
    if by_uid {
        line.push_str(" UID");
    }
    for option in options {
        match (option.as_str(), found.first(), found.last()) {
            ("COUNT", ..) => line.push_str(&format!(" COUNT {}", found.len())),
            ("MIN", Some(first), _) => line.push_str(&format!(" MIN {first}")),
            ("MAX", _, Some(last)) => line.push_str(&format!(" MAX {last}")),
            ("ALL", Some(_), _) => line.push_str(&format!(" ALL {}", compact(found))),
            _ => {}
        }
    }
    line.push_str("\r\n");
    line
}

fn key(cursor: &mut Cursor<'_>) -> Result<Key, Malformed> {
    match cursor.peek() {
        Some(b'(') => Ok(Key::Every(cursor.list(key)?)),
        Some(b'0'..=b'9' | b'*' | b'$') => Ok(Key::Numbers(Set::parse(cursor)?)),
        _ => {
            let word = cursor.keyword().ok_or(Malformed)?;
            named_key(&word, cursor)
        }
    }
}

fn named_key(word: &str, cursor: &mut Cursor<'_>) -> Result<Key, Malformed> {
    const EVER: i64 = i64::MAX;
    let flag = |name: &str| Key::Flag(name.to_owned());
    let not = |key: Key| Key::Not(Box::new(key));
    Ok(match word {
        "ALL" | "OLD" => Key::All,
        "NEW" | "RECENT" => Key::None,
        "ANSWERED" => flag("\\Answered"),
        "DELETED" => flag("\\Deleted"),
        "DRAFT" => flag("\\Draft"),
        "FLAGGED" => flag("\\Flagged"),
        "SEEN" => flag("\\Seen"),
        "UNANSWERED" => not(flag("\\Answered")),
        "UNDELETED" => not(flag("\\Deleted")),
        "UNDRAFT" => not(flag("\\Draft")),
        "UNFLAGGED" => not(flag("\\Flagged")),
        "UNSEEN" => not(flag("\\Seen")),
        "KEYWORD" => Key::Flag(argument(cursor, Cursor::flag)?),
        "UNKEYWORD" => not(Key::Flag(argument(cursor, Cursor::flag)?)),
        "FROM" => Key::From(text(cursor)?),
        "TO" => Key::To(text(cursor)?),
        "CC" => Key::Cc(text(cursor)?),
        "BCC" => Key::Bcc(text(cursor)?),
        "SUBJECT" => Key::Subject(text(cursor)?),
        "BODY" => Key::Body(text(cursor)?),
        "TEXT" => Key::Text(text(cursor)?),
        "HEADER" => Key::Header(text(cursor)?, text(cursor)?),
        "UID" => Key::Uids(argument(cursor, Set::parse)?),
        "SINCE" => Key::Arrived(day(cursor)?, EVER),
        "BEFORE" => Key::Arrived(i64::MIN, day(cursor)?),
        "ON" => day(cursor).map(|day| Key::Arrived(day, day + 1))?,
        "SENTSINCE" => Key::Sent(day(cursor)?, EVER),
        "SENTBEFORE" => Key::Sent(i64::MIN, day(cursor)?),
        "SENTON" => day(cursor).map(|day| Key::Sent(day, day + 1))?,
        "LARGER" => Key::Larger(argument(cursor, Cursor::number)?),
        "SMALLER" => Key::Smaller(argument(cursor, Cursor::number)?),
        "NOT" => not(argument(cursor, |cursor| cursor.deeper(key))?),
        "OR" => {
            let one = argument(cursor, |cursor| cursor.deeper(key))?;
            let other = argument(cursor, |cursor| cursor.deeper(key))?;
            Key::Or(Box::new(one), Box::new(other))
        }
        _ => return Err(Malformed),
    })
}

fn argument<'a, T>(
    cursor: &mut Cursor<'a>,
    parse: impl FnOnce(&mut Cursor<'a>) -> Result<T, Malformed>,
) -> Result<T, Malformed> {
    cursor.space()?;
    parse(cursor)
}

/// A text to look for, in lower case.
fn text(cursor: &mut Cursor<'_>) -> Result<String, Malformed> {
    argument(cursor, Cursor::astring_text).map(|text| text.to_lowercase())
}

fn day(cursor: &mut Cursor<'_>) -> Result<i64, Malformed> {
    let text = argument(cursor, Cursor::astring_text)?;
    date::parse_day(&text).ok_or(Malformed)
}

impl Key {
    fn fits(&self, candidate: &Candidate<'_>) -> bool {
        let message = candidate.message;
        let raw = message.raw.as_ref();
        let saved = || candidate.saved.binary_search(&message.uid).is_ok();
        let headers = || mime::parse_header(raw);
        match self {
            Self::All => true,
            Self::None => false,
            Self::Numbers(set) => set.contains(candidate.number, candidate.last_number, saved),
            Self::Uids(set) => set.contains(message.uid, candidate.last_uid, saved),
            Self::Flag(flag) => message.has_flag(flag),
            Self::From(text) => names(headers().from(), text),
            Self::To(text) => names(headers().to(), text),
            Self::Cc(text) => names(headers().cc(), text),
            Self::Bcc(text) => names(headers().bcc(), text),
            Self::Subject(text) => holds(headers().subject().unwrap_or_default(), text),
            Self::Header(name, text) => {
                headers()
                    .headers_raw()
                    .any(|(own, value)| own.eq_ignore_ascii_case(name) && holds(value, text))
                    || decoded_header(&headers(), name, text)
            }
            Self::Body(text) => in_body(raw, text),
            Self::Text(text) => {
                let headers = headers();
                headers.headers_raw().any(|(_, value)| holds(value, text))
                    || holds(headers.subject().unwrap_or_default(), text)
                    || names(headers.from(), text)
                    || names(headers.to(), text)
                    || in_body(raw, text)
            }
            Self::Arrived(from, to) => (*from..*to).contains(&date::day(message.internal_date)),
            Self::Sent(from, to) => headers()
                .date()
                .is_some_and(|sent| (*from..*to).contains(&date::day(sent.to_timestamp_local()))),
            Self::Larger(size) => raw.len() > *size as usize,
            Self::Smaller(size) => raw.len() < *size as usize,
            Self::Not(key) => !key.fits(candidate),
            Self::Or(one, other) => one.fits(candidate) || other.fits(candidate),
            Self::Every(keys) => keys.iter().all(|key| key.fits(candidate)),
        }
    }
}

/// Whether a text holds what is looked for, which is in lower case.
fn holds(text: &str, wanted: &str) -> bool {
    text.to_lowercase().contains(wanted)
}

fn names(addresses: Option<&Address<'_>>, wanted: &str) -> bool {
    addresses.is_some_and(|addresses| {
        addresses.iter().any(|address| {
            let name = address.name().unwrap_or_default();
            holds(&format!("{name} <{}>", address.address().unwrap_or_default()), wanted)
        })
    })
}

fn decoded_header(message: &mail_parser::Message<'_>, name: &str, wanted: &str) -> bool {
    let name = HeaderName::parse(name.to_owned());
    name.and_then(|name| message.header(name)).is_some_and(|value| match value {
        HeaderValue::Text(text) => holds(text, wanted),
        HeaderValue::TextList(list) => list.iter().any(|text| holds(text, wanted)),
        HeaderValue::Address(addresses) => names(Some(addresses), wanted),
        _ => false,
    })
}

fn in_body(raw: &[u8], wanted: &str) -> bool {
    let message = mime::parse(raw);
    message.parts.iter().any(|part| part.text_contents().is_some_and(|text| holds(text, wanted)))
}
