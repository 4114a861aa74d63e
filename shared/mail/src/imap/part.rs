//! One part's content, or a large message as it is, fetched in windows.
//!
//! It comes as it is encoded: where the server compresses, what base64 adds costs nothing, and one that
//! decodes a part itself (BINARY) may do so anew for each window.

use postern_bridge::MessageId;
use postern_imap::{
    Command, SequenceSet,
    command::{FetchItem, Partial},
    response::BodyStructure,
};

use super::{ImapClient, limits};
use crate::{
    Host, MailError, Store, Transport,
    record::{self, PartEnd, encode},
    store::{Durability, KeyRange, Table, Write},
};

/// What the server is asked for here.
const WHAT: &str = "send the attachment";

impl<T: Transport> ImapClient<T> {
    /// Fetches the content of one part into the store, in windows of [`limits::PART_WINDOW`] bytes,
    /// unless it is there; an empty section is the message as it is. `progress` is told how many
    /// bytes of how many are stored.
    ///
    /// It may break off after any window, and the next call goes on from there: the part counts as
    /// stored once its last window is, together with the record that says so.
    ///
    /// # Errors
    ///
    /// If there is no such part, it is larger than [`limits::PART`], the server can't be asked, or
    /// the store not be written.
    pub async fn fetch_part<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        id: MessageId,
        section: &str,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), MailError> {
        let store = host.store();
        if record::part_end(store, id, section).await?.is_some() {
            return Ok(());
        }
        let uid = self.open_at(host, id).await?;
        let whole = KeyRange::prefix(record::part_key(id, section));
        let mut window = store.keys(Table::Bodies, &whole).await?.len() as u64;
        let mut described = None;
        loop {
            let origin = window * u64::from(limits::PART_WINDOW);
            if origin >= limits::PART {
                let dropped = Write::DeleteRange { table: Table::Bodies, range: whole };
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
            let items = match described {
                None if section.is_empty() => vec![FetchItem::Size, content],
                None => vec![FetchItem::BodyStructure, content],
                Some(_) => vec![content],
            };
            let command = Command::uid_fetch(&SequenceSet::from(uid), &items)?;
            let mut answer = self.run(host, command, WHAT).await?;
            let mut fetch = answer.fetched(uid).ok_or(MailError::Gone("message"))?;
            let (encoding, size) = match described.take() {
                Some(known) => known,
                None if section.is_empty() => (String::new(), fetch.size.unwrap_or_default()),
                None => fetch
                    .body_structure
                    .as_ref()
                    .and_then(|structure| describe(structure, section))
                    .ok_or(MailError::Gone("attachment"))?,
            };
            let bytes = match answer.section(&mut fetch, section) {
                Some(bytes) => bytes,
                // Some have no word for "nothing" behind the end.
                None if origin > 0 => Vec::new(),
                None => return Err(MailError::Gone("attachment")),
            };
            let is_last = bytes.len() < limits::PART_WINDOW as usize;
            let stored = origin + bytes.len() as u64;
            let number = u32::try_from(window).unwrap_or(u32::MAX);
            let mut batch = vec![Write::Put {
                table: Table::Bodies,
                key: record::part_key(id, section).u32(number),
                value: bytes,
            }];
            if is_last {
                let end = PartEnd { encoding: encoding.clone(), size: stored };
                let key = record::part_key(id, section).u32(u32::MAX);
                batch.push(Write::Put { table: Table::Bodies, key, value: encode(&end) });
            }
            // Both may be gone by now; what is left behind without its message is never looked at,
            // and goes with the mailbox.
            store.apply(batch, Durability::Relaxed).await?;
            progress(stored, size.max(stored));
            if is_last {
                return Ok(());
            }
            described = Some((encoding, size));
            window += 1;
        }
    }
}

/// A part's transfer encoding and size.
fn describe(structure: &BodyStructure, section: &str) -> Option<(String, u64)> {
    let leaves = structure.leaves();
    let (_, part) = leaves.iter().find(|(number, _)| number == section)?;
    Some((part.encoding.to_string(), part.size))
}
