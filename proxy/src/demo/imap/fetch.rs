//! FETCH (RFC 9051 section 6.4.5).

use std::borrow::Cow;

use super::{
    Failure, Outcome, Session, envelope, no, ok,
    parse::{Cursor, Malformed},
    section::Section,
    set::Set,
    structure::Part,
    write,
};
use crate::demo::{date, mime, store::Message};

/// What is wanted of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    Flags,
    Uid,
    InternalDate,
    Size,
    Envelope,
    Structure {
        extended: bool,
    },
    /// Bytes under a label, perhaps from an offset and at most so many.
    Bytes {
        label: Cow<'static, str>,
        section: Section,
        partial: Option<(u32, u32)>,
        peek: bool,
    },
    Binary {
        section: Section,
        partial: Option<(u32, u32)>,
        peek: bool,
    },
    BinarySize(Section),
}

impl Session {
    pub(super) async fn fetch(&mut self, cursor: &mut Cursor<'_>, by_uid: bool) -> Outcome {
        cursor.space()?;
        let set = Set::parse(cursor)?;
        cursor.space()?;
        let mut items = items(cursor)?;
        cursor.end()?;
        if by_uid && !items.contains(&Item::Uid) {
            items.insert(0, Item::Uid);
        }
        let messages = self.collect(&set, by_uid, &mut items)?;
        for (number, message) in messages {
            let line = line(number, &message, &items)?;
            self.wire.write(line);
            self.wire.flush_if_large().await?;
        }
        ok("done")
    }

    /// The messages of a set, which become seen if the items ask for their text.
    fn collect(
        &mut self,
        set: &Set,
        by_uid: bool,
        items: &mut Vec<Item>,
    ) -> Result<Vec<(u32, Message)>, Failure> {
        let shared = self.shared.clone();
        let selected = self.selected_mut()?;
        let wanted = selected.resolve(set, by_uid);
        let reads = items.iter().any(|item| {
            matches!(item, Item::Bytes { peek: false, .. } | Item::Binary { peek: false, .. })
        });
        if reads && !selected.read_only {
            let mark = |account: &mut crate::demo::store::Account| {
                let Some(mailbox) = account.by_identity_mut(selected.identity) else { return };
                for (number, uid) in &wanted {
                    let Some(position) = mailbox.position(*uid) else { continue };
                    let message = &mut mailbox.messages[position];
                    if message.flags.insert("\\Seen".to_owned()) {
                        message.version += 1;
                        selected.told(*number, message.version);
                    }
                }
            };
            shared.store.change(mark);
            if !items.contains(&Item::Flags) {
                items.push(Item::Flags);
            }
        }
        let account = shared.store.account();
        let Some(mailbox) = account.by_identity(selected.identity) else { return Ok(Vec::new()) };
        let found = wanted.into_iter().filter_map(|(number, uid)| {
            Some((number, mailbox.messages[mailbox.position(uid)?].clone()))
        });
        Ok(found.collect())
    }
}

fn items(cursor: &mut Cursor<'_>) -> Result<Vec<Item>, Malformed> {
    if cursor.peek() == Some(b'(') {
        return Ok(cursor.list(item)?.into_iter().flatten().collect());
    }
    item(cursor)
}

/// One item, or the several that a macro or an old name stands for.
fn item(cursor: &mut Cursor<'_>) -> Result<Vec<Item>, Malformed> {
    const FAST: [Item; 3] = [Item::Flags, Item::InternalDate, Item::Size];
    let old = |label: &'static str, section: Section, peek: bool| {
        vec![Item::Bytes { label: label.into(), section, partial: None, peek }]
    };
    let name = cursor.take(|byte| byte.is_ascii_alphanumeric() || byte == b'.')?;
    let name = name.to_ascii_uppercase();
    Ok(match (name.as_str(), cursor.eat(b'[')) {
        ("FAST", false) => FAST.into(),
        ("ALL", false) => [&FAST[..], &[Item::Envelope]].concat(),
        ("FULL", false) => {
            [&FAST[..], &[Item::Envelope, Item::Structure { extended: false }]].concat()
        }
        ("FLAGS", false) => vec![Item::Flags],
        ("UID", false) => vec![Item::Uid],
        ("INTERNALDATE", false) => vec![Item::InternalDate],
        ("RFC822.SIZE", false) => vec![Item::Size],
        ("ENVELOPE", false) => vec![Item::Envelope],
        ("BODY", false) => vec![Item::Structure { extended: false }],
        ("BODYSTRUCTURE", false) => vec![Item::Structure { extended: true }],
        ("RFC822", false) => old("RFC822", Section::ALL, false),
        ("RFC822.HEADER", false) => old("RFC822.HEADER", Section::HEADER, true),
        ("RFC822.TEXT", false) => old("RFC822.TEXT", Section::TEXT, false),
        ("BODY" | "BODY.PEEK", true) => {
            let section = Section::parse(cursor)?;
            let partial = partial(cursor)?;
            let mut label = format!("BODY[{}]", section.label());
            if let Some((offset, _)) = partial {
                label.push_str(&format!("<{offset}>"));
            }
            vec![Item::Bytes { label: label.into(), section, partial, peek: name != "BODY" }]
        }
        ("BINARY" | "BINARY.PEEK", true) => {
            let section = binary_section(cursor)?;
            vec![Item::Binary { section, partial: partial(cursor)?, peek: name != "BINARY" }]
        }
        ("BINARY.SIZE", true) => vec![Item::BinarySize(binary_section(cursor)?)],
        _ => return Err(Malformed),
    })
}

fn binary_section(cursor: &mut Cursor<'_>) -> Result<Section, Malformed> {
    let section = Section::parse(cursor)?;
    if section.is_part() { Ok(section) } else { Err(Malformed) }
}

/// `<offset.length>`
fn partial(cursor: &mut Cursor<'_>) -> Result<Option<(u32, u32)>, Malformed> {
    if !cursor.eat(b'<') {
        return Ok(None);
    }
    let offset = cursor.number()?;
    cursor.expect(b'.')?;
    let length = cursor.number()?;
    cursor.expect(b'>')?;
    if length == 0 { Err(Malformed) } else { Ok(Some((offset, length))) }
}

/// The FETCH response of a message.
fn line(number: u32, message: &Message, items: &[Item]) -> Result<Vec<u8>, Failure> {
    let raw = message.raw.as_ref();
    let mut out = format!("* {number} FETCH (").into_bytes();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        match item {
            Item::Flags => {
                out.extend(format!("FLAGS {}", write::flags(&message.flags)).into_bytes());
            }
            Item::Uid => out.extend(format!("UID {}", message.uid).into_bytes()),
            Item::InternalDate => {
                let date = date::internal_date(message.internal_date);
                out.extend(format!("INTERNALDATE {date}").into_bytes());
            }
            Item::Size => out.extend(format!("RFC822.SIZE {}", raw.len()).into_bytes()),
            Item::Envelope => {
                let parsed = mime::parse_header(raw);
                out.extend_from_slice(b"ENVELOPE ");
                out.extend(envelope::write(&parsed, raw));
            }
            Item::Structure { extended } => {
                out.extend_from_slice(if *extended { b"BODYSTRUCTURE " } else { b"BODY " });
                write_structure(raw, *extended, &mut out);
            }
            Item::Bytes { label, section, partial, .. } => {
                out.extend_from_slice(label.as_bytes());
                out.push(b' ');
                write_bytes(section.of(raw), *partial, &mut out);
            }
            Item::Binary { section, partial, .. } => {
                let decoded = section.decoded(raw).map_err(|_| unknown_encoding())?;
                let origin = partial.map(|(offset, _)| format!("<{offset}>")).unwrap_or_default();
                out.extend(format!("BINARY[{}]{origin} ", section.label()).into_bytes());
                if decoded.as_ref().is_some_and(|bytes| bytes.contains(&0)) {
                    out.push(b'~');
                }
                write_bytes(decoded, *partial, &mut out);
            }
            Item::BinarySize(section) => {
                let decoded = section.decoded(raw).map_err(|_| unknown_encoding())?;
                let size = decoded.map_or(0, |bytes| bytes.len());
                out.extend(format!("BINARY.SIZE[{}] {size}", section.label()).into_bytes());
            }
        }
    }
    out.extend_from_slice(b")\r\n");
    Ok(out)
}

fn unknown_encoding() -> Failure {
    no("[UNKNOWN-CTE] the part can't be decoded")
}

fn write_structure(raw: &[u8], extended: bool, out: &mut Vec<u8>) {
    Part::of(&mime::parse(raw), raw).write(raw, extended, out);
}

fn write_bytes(bytes: Option<Cow<'_, [u8]>>, partial: Option<(u32, u32)>, out: &mut Vec<u8>) {
    let Some(bytes) = bytes else {
        out.extend_from_slice(b"NIL");
        return;
    };
    let wanted = match partial {
        Some((offset, length)) => {
            let start = bytes.len().min(offset as usize);
            let end = bytes.len().min(start.saturating_add(length as usize));
            &bytes[start..end]
        }
        None => &bytes,
    };
    write::literal(wanted, out);
}
