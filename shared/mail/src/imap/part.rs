//! One part's content, or a large message as it is, fetched in windows.
//!
//! It comes as it is encoded: where the server compresses, what base64 adds costs nothing, and one that
//! decodes a part itself (BINARY) may do so anew for each window.

use postern_bridge::MessageId;
use postern_imap::{
    Command, SequenceSet,
    command::{FetchItem, Partial},
    quirks::Quirk,
    response::{BodySection, BodyStructure},
};

use super::{ImapClient, body, limits};
use crate::{
    Host, MailError, Store, Transport,
    record::{self, PartEnd, encode},
    store::{Durability, KeyRange, StoreError, Table, Write},
};

/// What is asked for here: as a verb phrase, and what it is.
fn words(section: &str) -> (&'static str, &'static str) {
    match section {
        "" => (body::WHAT, "message"),
        _ => ("send the attachment", "attachment"),
    }
}

impl<T: Transport> ImapClient<T> {
    /// Fetches the next [`limits::PART_WINDOW`] bytes of one part's content into the store, unless all
    /// of it is there; an empty section is the message as it is. Tells how many bytes of how many are
    /// stored, and whether that is all.
    ///
    /// It may break off after any window, and the next call goes on from there: the part counts as
    /// stored once its last window is, together with the record that says so. Where the windows that are
    /// counted are gone by now, it begins anew.
    ///
    /// # Errors
    ///
    /// If there is no such part, it is larger than [`limits::PART`], the server can't be asked, or
    /// the store not be written.
    pub async fn fetch_piece<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        id: MessageId,
        section: &str,
        so_far: Option<Fetched>,
    ) -> Result<Fetched, MailError> {
        let store = host.store();
        let fetched = stored_windows(store, id, section, so_far.unwrap_or_default()).await?;
        if fetched.is_whole {
            return Ok(fetched);
        }
        let Fetched { encoding, windows, stored: origin, size, .. } = fetched;
        let (what, thing) = words(section);
        if windows >= limits::PART_WINDOWS {
            return Err(MailError::Protocol("content in crumbs".into()));
        }
        let uid = self.open_at(host, id).await?;
        if origin >= limits::PART {
            let range = KeyRange::prefix(record::part_key(id, section));
            let dropped = Write::DeleteRange { table: Table::Bodies, range };
            store.apply(vec![dropped], Durability::Relaxed).await?;
            let sentence = match section {
                "" => "This message is too large to be saved from here.",
                _ => "This attachment is too large to open here.",
            };
            return Err(MailError::Input(sentence.into()));
        }
        let content = FetchItem::Section {
            section: section.into(),
            // The server may have told a wrong size, so the bound is a part of the request.
            partial: Some(Partial {
                origin: u32::try_from(origin).unwrap_or(u32::MAX),
                count: limits::PART_WINDOW,
            }),
        };
        let items = match size {
            0 if section.is_empty() => vec![FetchItem::Size, content],
            0 => vec![FetchItem::BodyStructure, content],
            _ => vec![content],
        };
        let command = Command::uid_fetch(&SequenceSet::from(uid), &items)?;
        let mut answer = self.run(host, command, what).await?;
        let mut fetch = answer.fetched(uid).ok_or(MailError::Gone("message"))?;
        let (encoding, size) = match size {
            0 if section.is_empty() => (String::new(), fetch.size.unwrap_or_default()),
            0 => fetch
                .body_structure
                .as_ref()
                .and_then(|structure| describe(structure, section))
                .ok_or(MailError::Gone(thing))?,
            _ => (encoding, size),
        };
        let is_it = |told: &&BodySection| told.section.eq_ignore_ascii_case(section.as_bytes());
        let mut origins = fetch.sections.iter().filter(is_it).map(|told| told.origin);
        let has_none = origins.clone().all(|at| at.is_none());
        let is_elsewhere = origins.any(|at| at.is_some_and(|at| at != origin));
        let bytes = match answer.section(&mut fetch, section) {
            Some(bytes) => bytes,
            // Some have no word for "nothing" behind the end.
            None if origin > 0 => Vec::new(),
            None => return Err(MailError::Gone(thing)),
        };
        if is_elsewhere {
            return Err(MailError::Protocol("bytes from another place than asked for".into()));
        }
        let mut batch = Vec::new();
        let counts = !self.has_quirk(Quirk::EstimatesSizes);
        let known = counts.then_some(size);
        let is_all = has_none && is_everything(store, id, section, windows, &bytes, known).await?;
        // It takes the place of what has come of it.
        let (windows, origin) = if is_all { (0, 0) } else { (windows, origin) };
        if is_all {
            let range = KeyRange::prefix(record::part_key(id, section));
            batch.push(Write::DeleteRange { table: Table::Bodies, range });
        }
        let stored = origin + bytes.len() as u64;
        // A server may give less than it was asked for, or have told a size that is too large, or one that
        // counts for nothing: what comes next, or that nothing does, decides.
        let is_short = bytes.len() < limits::PART_WINDOW as usize;
        let is_whole = is_all || bytes.is_empty() || counts && is_short && stored >= size;
        if !bytes.is_empty() {
            let key = record::part_key(id, section).u32(windows);
            batch.push(Write::Put { table: Table::Bodies, key, value: bytes });
        }
        if is_whole {
            let end = PartEnd { encoding: encoding.clone(), size: stored };
            let key = record::part_key(id, section).u32(u32::MAX);
            batch.push(Write::Put { table: Table::Bodies, key, value: encode(&end) });
        }
        // Both may be gone by now; what is left behind without its message is never looked at, and
        // goes with the mailbox.
        store.apply(batch, Durability::Relaxed).await?;
        Ok(Fetched { encoding, windows: windows + 1, stored, size: size.max(stored), is_whole })
    }

    /// Fetches the content of one part into the store to its end.
    ///
    /// # Errors
    ///
    /// As for [`fetch_piece`](Self::fetch_piece).
    pub async fn fetch_part<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        id: MessageId,
        section: &str,
    ) -> Result<(), MailError> {
        let mut fetched = self.fetch_piece(host, id, section, None).await?;
        while !fetched.is_whole {
            fetched = self.fetch_piece(host, id, section, Some(fetched)).await?;
        }
        Ok(())
    }
}

/// How much of a part is stored.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Fetched {
    encoding: String,
    /// How many windows.
    windows: u32,
    /// How many bytes, as they are encoded.
    pub stored: u64,
    /// Of how many, as the server says; 0 if it has not said yet.
    pub size: u64,
    /// Whether that is all.
    pub is_whole: bool,
}

impl Fetched {
    /// Nothing that is known of, of so many bytes.
    pub(super) fn nothing_of(size: u64) -> Self {
        Self { size, ..Self::default() }
    }
}

/// Whether bytes of which the server does not say where they are from are all of a part rather than
/// what is behind so many windows of it, as some know of no windows: they are more than was asked for, or
/// the one window that has come, once more; where that is a full one, only a size that counts can tell.
async fn is_everything(
    store: &impl Store,
    id: MessageId,
    section: &str,
    windows: u32,
    bytes: &[u8],
    size: Option<u64>,
) -> Result<bool, StoreError> {
    let asked = limits::PART_WINDOW as usize;
    if windows != 1 || bytes.is_empty() || bytes.len() > asked {
        return Ok(bytes.len() > asked);
    }
    if bytes.len() == asked && size != Some(asked as u64) {
        return Ok(false);
    }
    let first = record::part_key(id, section).u32(0);
    Ok(store.get(Table::Bodies, &first).await?.is_some_and(|first| first == bytes))
}

/// What is stored of a part beyond what is known: by an earlier try, or by another that goes on beside
/// this one. Nothing, if what is known is gone: a message's windows have become its own bytes, or it was
/// moved and has come back.
async fn stored_windows(
    store: &impl Store,
    id: MessageId,
    section: &str,
    mut fetched: Fetched,
) -> Result<Fetched, StoreError> {
    if let Some(PartEnd { encoding, size }) = record::part_end(store, id, section).await? {
        return Ok(Fetched { encoding, windows: 0, stored: size, size, is_whole: true });
    }
    let key = record::part_key(id, section);
    if let Some(last) = fetched.windows.checked_sub(1)
        && store.get(Table::Bodies, &key.clone().u32(last)).await?.is_none()
    {
        (fetched.windows, fetched.stored) = (0, 0);
    }
    while let Some(window) = store.get(Table::Bodies, &key.clone().u32(fetched.windows)).await? {
        fetched.windows += 1;
        fetched.stored += window.len() as u64;
    }
    Ok(fetched)
}

/// A part's transfer encoding and size.
fn describe(structure: &BodyStructure, section: &str) -> Option<(String, u64)> {
    let leaves = structure.leaves();
    let (_, part) = leaves.iter().find(|(number, _)| number == section)?;
    Some((part.encoding.to_string(), part.size))
}
