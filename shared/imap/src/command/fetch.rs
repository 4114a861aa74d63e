//! UID FETCH (RFC 9051 sections 6.4.5 and 6.4.9; RFC 3516, RFC 7162, RFC 8474, RFC 8514, RFC 8970,
//! RFC 9394, and Gmail's extensions).

use super::{
    Command, InvalidArgument,
    encoder::{Encoder, is_atom},
    uids::{Uids, Window},
};

/// What to fetch of each message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum FetchItem {
    /// The header fields that a list shows.
    Envelope,
    /// The flags.
    Flags,
    /// When it arrived.
    InternalDate,
    /// When it was put into this mailbox (SAVEDATE).
    SaveDate,
    /// Its size.
    Size,
    /// The tree of its parts.
    BodyStructure,
    /// When it changed last, as a mod-sequence (CONDSTORE).
    ModSeq,
    /// The beginning of its text (PREVIEW).
    Preview {
        /// Only if the server has it at hand.
        lazy: bool,
    },
    /// Its identifier in all mailboxes (OBJECTID).
    EmailId,
    /// Its thread's identifier (OBJECTID).
    ThreadId,
    /// Its identifier in all mailboxes, on Gmail.
    GmailMessageId,
    /// Its thread's identifier, on Gmail.
    GmailThreadId,
    /// Its labels, on Gmail.
    GmailLabels,
    /// The bytes of a section, without marking the message as read.
    Section {
        /// What stands between the brackets: empty for all, `HEADER`, `1.2`, `1.MIME`.
        section: String,
        /// Only a part of it.
        partial: Option<Partial>,
    },
    /// Some fields of a header, without marking the message as read.
    HeaderFields {
        /// The number of the message within the message; empty for the message itself.
        section: String,
        /// The fields' names.
        names: Vec<String>,
        /// All but these.
        except: bool,
        /// Only a part of them.
        partial: Option<Partial>,
    },
    /// The content of a part, decoded by the server, without marking the message as read (BINARY).
    Binary {
        /// The part's number; empty for the whole message.
        section: String,
        /// Only a part of it.
        partial: Option<Partial>,
    },
    /// How large the content of a part is when it is decoded (BINARY).
    BinarySize {
        /// The part's number.
        section: String,
    },
}

/// A part of a section's bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Partial {
    /// The first byte.
    pub origin: u32,
    /// At most how many; not zero.
    pub count: u32,
}

/// Which of the messages to tell about.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FetchOptions {
    /// Only those that changed since this mod-sequence (CONDSTORE).
    pub changed_since: Option<u64>,
    /// Also which are gone since then (QRESYNC, after it was enabled; needs `changed_since`).
    pub vanished: bool,
    /// Only some, by their place among them (PARTIAL).
    pub window: Option<Window>,
}

impl FetchItem {
    /// A whole section.
    pub fn section(section: impl Into<String>) -> Self {
        Self::Section { section: section.into(), partial: None }
    }
}

impl Command {
    /// Fetches items of the messages with these UIDs.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Section`] if a section is none.
    pub fn uid_fetch<'a>(
        uids: impl Into<Uids<'a>>,
        items: &[FetchItem],
    ) -> Result<Self, InvalidArgument> {
        Self::uid_fetch_with(uids, items, &FetchOptions::default())
    }

    /// Fetches items of some of the messages with these UIDs.
    ///
    /// # Errors
    ///
    /// [`InvalidArgument::Section`] if a section is none.
    pub fn uid_fetch_with<'a>(
        uids: impl Into<Uids<'a>>,
        items: &[FetchItem],
        options: &FetchOptions,
    ) -> Result<Self, InvalidArgument> {
        let mut text = format!("UID FETCH {} (UID", uids.into());
        for own in items {
            text.push(' ');
            text.push_str(&item(own)?);
        }
        text.push(')');
        let modifiers = modifiers(options);
        if !modifiers.is_empty() {
            text.push_str(&format!(" ({})", modifiers.join(" ")));
        }
        Ok(Self::new("UID FETCH", Encoder::new(&text).finish()))
    }
}

fn modifiers(options: &FetchOptions) -> Vec<String> {
    let mut modifiers = Vec::new();
    if let Some(mod_seq) = options.changed_since {
        modifiers.push(format!("CHANGEDSINCE {mod_seq}"));
        if options.vanished {
            modifiers.push("VANISHED".into());
        }
    }
    if let Some(window) = &options.window {
        modifiers.push(format!("PARTIAL {window}"));
    }
    modifiers
}

fn item(item: &FetchItem) -> Result<String, InvalidArgument> {
    Ok(match item {
        FetchItem::Envelope => "ENVELOPE".into(),
        FetchItem::Flags => "FLAGS".into(),
        FetchItem::InternalDate => "INTERNALDATE".into(),
        FetchItem::SaveDate => "SAVEDATE".into(),
        FetchItem::Size => "RFC822.SIZE".into(),
        FetchItem::BodyStructure => "BODYSTRUCTURE".into(),
        FetchItem::ModSeq => "MODSEQ".into(),
        FetchItem::Preview { lazy: false } => "PREVIEW".into(),
        FetchItem::Preview { lazy: true } => "PREVIEW (LAZY)".into(),
        FetchItem::EmailId => "EMAILID".into(),
        FetchItem::ThreadId => "THREADID".into(),
        FetchItem::GmailMessageId => "X-GM-MSGID".into(),
        FetchItem::GmailThreadId => "X-GM-THRID".into(),
        FetchItem::GmailLabels => "X-GM-LABELS".into(),
        FetchItem::Section { section, partial } => {
            format!("BODY.PEEK[{}]{}", checked(section, is_section)?, bounds(*partial))
        }
        FetchItem::HeaderFields { section, names, except, partial } => {
            if names.is_empty() || !names.iter().all(|name| is_field_name(name)) {
                return Err(InvalidArgument::Section);
            }
            let dot = if section.is_empty() { "" } else { "." };
            let not = if *except { ".NOT" } else { "" };
            let (section, names) = (checked(section, is_part)?, names.join(" "));
            let bounds = bounds(*partial);
            format!("BODY.PEEK[{section}{dot}HEADER.FIELDS{not} ({names})]{bounds}")
        }
        FetchItem::Binary { section, partial } => {
            format!("BINARY.PEEK[{}]{}", checked(section, is_part)?, bounds(*partial))
        }
        FetchItem::BinarySize { section } => {
            format!("BINARY.SIZE[{}]", checked(section, is_part)?)
        }
    })
}

fn bounds(partial: Option<Partial>) -> String {
    partial.map_or_else(String::new, |Partial { origin, count }| format!("<{origin}.{count}>"))
}

fn checked(section: &str, valid: fn(&str) -> bool) -> Result<&str, InvalidArgument> {
    if valid(section) { Ok(section) } else { Err(InvalidArgument::Section) }
}

/// Numbers and points, then perhaps one of the words that name a part's own bytes.
fn is_section(section: &str) -> bool {
    match ["HEADER", "TEXT", "MIME"].iter().find_map(|word| section.strip_suffix(word)) {
        Some("") => section != "MIME",
        Some(numbers) => {
            numbers.strip_suffix('.').is_some_and(|part| !part.is_empty() && is_part(part))
        }
        None => is_part(section),
    }
}

/// Numbers and points, or nothing.
fn is_part(section: &str) -> bool {
    let is_number = |number: &str| {
        number.parse::<u32>().is_ok_and(|value| value > 0)
            && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    section.is_empty() || section.split('.').all(is_number)
}

fn is_field_name(name: &str) -> bool {
    is_atom(name) && !name.contains([':', '['])
}
