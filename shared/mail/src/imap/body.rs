//! What is needed to show a message.

use std::collections::BTreeMap;

use postern_bridge::MessageId;
use postern_imap::{
    Command, SequenceSet,
    command::{FetchItem, Partial},
};

use super::{ImapClient, limits, partial, whole};
use crate::{
    Host, MailError, Store, Transport,
    record::{self, AbsentPart, Body, Message, Record},
    store::Durability,
};

/// What the server is asked for here.
pub(super) const WHAT: &str = "send the message";

/// How many bytes are fetched at most to show a message of this size.
pub(crate) fn bytes_to_show(size: u64) -> u64 {
    if size <= limits::WHOLE_MESSAGE { size } else { size.min(limits::SHOWN) }
}

/// A message as it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Raw {
    /// All of it.
    Held(Vec<u8>),
    /// It is stored in windows, as [`part_key`](record::part_key) says for an empty section.
    Stored {
        /// Its size in bytes.
        size: u64,
    },
}

impl<T: Transport> ImapClient<T> {
    /// Fetches what is needed to show a message and stores it, unless it is stored: a small message
    /// whole, a large one without the content of its attachments, and one of which the server can't give
    /// the parts in windows.
    ///
    /// # Errors
    ///
    /// If the message is gone, the server can't be asked, or the store not be written.
    pub async fn fetch_body<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        id: MessageId,
    ) -> Result<(), MailError> {
        let key = record::message_key(id);
        let message: Option<Message> = record::get(host.store(), &key).await?;
        let message = message.ok_or(MailError::Gone("message"))?;
        let is_here = message.body != Body::Absent;
        if is_here && record::stored_size(host.store(), id).await? == message.body.stored_size() {
            return Ok(());
        }
        let uid = self.open_at(host, id).await?;
        let came = if message.size <= limits::WHOLE_MESSAGE {
            Some(self.fetch_whole(host, uid).await?)
        } else {
            self.fetch_partial(host, uid, message.size).await?
        };
        let Some((raw, body)) = came else {
            return self.fetch_in_windows(host, id, message.size).await;
        };

        let summary = postern_mime::summary(&raw);
        // Its flags may have changed in the meantime, and it may be gone.
        let _editing = host.store().editing().lock().await;
        let message: Option<Message> = record::get(host.store(), &key).await?;
        let mut message = message.ok_or(MailError::Gone("message"))?;
        message.body = body;
        message.preview = summary.preview;
        message.has_attachments = summary.has_attachments;
        let mut writes = record::put_body(id, &raw);
        writes.push(message.put());
        Ok(host.store().apply(writes, Durability::Relaxed).await?)
    }

    /// Fetches a message as it is. Of a large one better [the part](Self::fetch_piece) without a
    /// section is fetched: this holds all of it.
    ///
    /// # Errors
    ///
    /// If the message is gone or too large, or the server can't be asked.
    pub async fn fetch_raw<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        id: MessageId,
    ) -> Result<Vec<u8>, MailError> {
        let uid = self.open_at(host, id).await?;
        Ok(self.fetch_whole(host, uid).await?.0)
    }

    async fn fetch_whole<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        uid: u32,
    ) -> Result<(Vec<u8>, Body), MailError> {
        let partial = Some(Partial { origin: 0, count: limits::MESSAGE });
        let item = FetchItem::Section { section: String::new(), partial };
        let command = Command::uid_fetch(&SequenceSet::from(uid), &[item])?;
        let mut answer = self.run(host, command, WHAT).await?;
        let mut fetch = answer.fetched(uid).ok_or(MailError::Gone("message"))?;
        let raw = answer.section(&mut fetch, "").ok_or(MailError::Gone("message"))?;
        if raw.len() >= limits::MESSAGE as usize {
            return Err(whole::too_large());
        }
        let size = raw.len() as u64;
        Ok((raw, Body::Whole { size }))
    }

    /// Fetches a large message without the content of its attachments; `None` if it can't be put together
    /// from its parts.
    async fn fetch_partial<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        uid: u32,
        size: u64,
    ) -> Result<Option<(Vec<u8>, Body)>, MailError> {
        let uids = SequenceSet::from(uid);
        let command = Command::uid_fetch(&uids, &[FetchItem::BodyStructure])?;
        let mut answer = self.run(host, command, WHAT).await?;
        let fetch = answer.fetched(uid).ok_or(MailError::Gone("message"))?;
        let planned = fetch.body_structure.and_then(|own| Some((partial::plan(&own)?, own)));
        let Some((plan, structure)) = planned else { return Ok(None) };
        let command = Command::uid_fetch(&uids, &plan.items)?;
        let mut answer = self.run(host, command, WHAT).await?;
        let mut fetch = answer.fetched(uid).ok_or(MailError::Gone("message"))?;
        let (mut sections, mut absent) = (BTreeMap::new(), plan.absent);
        for item in &plan.items {
            let FetchItem::Section { section, .. } = item else { continue };
            match answer.section(&mut fetch, section) {
                Some(bytes) => drop(sections.insert(section.clone(), bytes)),
                // Without its headers nothing can be put together; the message may be had all the same.
                None if size <= limits::SHOWN || is_header(section) => return Ok(None),
                // What the server does not give now may come when the person asks for it.
                None if absent.iter().any(|part| part.section == *section) => {}
                None => absent.push(AbsentPart { section: section.clone(), size: 0, begun: true }),
            }
        }
        let raw = partial::assemble(&structure, &sections);
        let size = raw.len() as u64;
        Ok(Some((raw, Body::Partial { size, absent })))
    }
}

/// Whether a section is a header: they end in a word, parts in a number.
fn is_header(section: &str) -> bool {
    section.ends_with(|last: char| last.is_ascii_alphabetic())
}
