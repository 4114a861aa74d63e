//! Which messages a mailbox has already: by Message-ID (or date and subject), then by content.
//!
//! The content is compared without its line ends: programs on the way have other ones. So is it without a
//! separator before the header, which earlier versions kept of a message file.

use std::collections::HashMap;

use postern_archive::mbox::without_separator;
use postern_bridge::{MailboxId, MessageId};
use sha2::{Digest, Sha256};

use crate::{
    MailError, Store,
    record::{self, Body, Message},
    store::{Changed, KeyRange, Order, Table},
};

/// How many records are read at a time.
const WINDOW: usize = 500;
/// How many of a message's first bytes are looked at for a separator.
const START: usize = 1000;

/// What tells messages apart at first sight.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Trait(u64);

impl Trait {
    pub(super) fn of(message_id: &str, sent: Option<i64>, subject: &str) -> Self {
        let mut hasher = Sha256::new();
        if message_id.is_empty() {
            hasher.update(sent.unwrap_or(i64::MIN).to_be_bytes());
            hasher.update(subject);
        } else {
            hasher.update([0]);
            hasher.update(message_id);
        }
        let digest = hasher.finalize();
        Self(digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

/// A digest of a message's bytes without its line ends and without a separator.
#[derive(Default)]
pub(super) struct Content {
    hasher: Sha256,
    /// The first bytes, until there are enough of them.
    start: Vec<u8>,
    begun: bool,
}

impl Content {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        let missing = if self.begun { 0 } else { START - self.start.len() };
        let (start, rest) = bytes.split_at(bytes.len().min(missing));
        self.start.extend(start);
        if !self.begun && self.start.len() == START {
            self.begin();
        }
        self.text(rest);
    }

    pub(super) fn finish(mut self) -> [u8; 32] {
        if !self.begun {
            self.begin();
        }
        self.hasher.finalize().into()
    }

    fn begin(&mut self) {
        self.begun = true;
        let start = std::mem::take(&mut self.start);
        self.text(without_separator(&start));
    }

    fn text(&mut self, bytes: &[u8]) {
        let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        bytes.split(is_end).for_each(|text| self.hasher.update(text));
    }
}

/// A message that is there, or on its way.
struct Present {
    own: Trait,
    /// `None` until it was asked for.
    content: Option<[u8; 32]>,
}

/// Which message it is: its UID, or beyond all UIDs while it is on its way.
pub(super) type Place = u64;

/// The messages of one mailbox.
pub struct Known {
    mailbox: MailboxId,
    all: HashMap<Place, Present>,
    by_trait: HashMap<Trait, Vec<Place>>,
    /// How many have been on their way.
    added: u32,
}

impl Known {
    /// Those that are stored with their bytes. One whose record can't be read is not known.
    pub(super) async fn of(store: &impl Store, mailbox: MailboxId) -> Result<Self, MailError> {
        let (all, by_trait) = Default::default();
        let mut known = Self { mailbox, all, by_trait, added: 0 };
        let mut range = KeyRange::prefix(record::mailbox_key(mailbox));
        loop {
            let window = store.scan(Table::Messages, &range, Order::Ascending, WINDOW).await?;
            window.iter().for_each(|(_, value)| known.learn(value));
            let Some((last, _)) = window.last() else { return Ok(known) };
            range.start = last.clone().bytes(&[0]);
        }
    }

    /// Which mailbox it is.
    pub(super) fn mailbox(&self) -> MailboxId {
        self.mailbox
    }

    /// Takes in what was written since: only what may have changed is read. `None` if all of it has
    /// to be.
    ///
    /// # Errors
    ///
    /// If the store can't be read.
    pub async fn follow(
        mut self,
        store: &impl Store,
        changed: &Changed,
    ) -> Result<Option<Self>, MailError> {
        let Changed::These(messages) = changed else { return Ok(None) };
        let own = messages.iter().filter(|id| id.mailbox == self.mailbox);
        let own: Vec<MessageId> = own.copied().collect();
        for ids in own.chunks(WINDOW) {
            ids.iter().for_each(|id| self.forget(id.uid));
            let keys: Vec<_> = ids.iter().map(|id| record::message_key(*id)).collect();
            let values = store.get_many(Table::Messages, &keys).await?;
            values.iter().flatten().for_each(|value| self.learn(value));
        }
        Ok(Some(self))
    }

    /// Takes a record that is there.
    fn learn(&mut self, value: &[u8]) {
        let Ok(message) = record::decode::<Message>(value) else { return };
        if let Body::Whole { .. } | Body::Header { .. } = message.body {
            let own = Trait::of(&message.message_id, message.sent, &message.subject);
            self.insert(message.id.uid.into(), Present { own, content: None });
        }
    }

    /// The `nth` message of this content, counted from 1.
    pub(super) async fn find(
        &mut self,
        store: &impl Store,
        own: Trait,
        content: &[u8; 32],
        nth: u32,
    ) -> Result<Option<MessageId>, MailError> {
        let mut left = nth;
        for place in self.by_trait.get(&own).cloned().unwrap_or_default() {
            let Some(present) = self.all.get_mut(&place) else { continue };
            let uid = u32::try_from(place).unwrap_or(0);
            let id = MessageId { mailbox: self.mailbox, uid };
            if present.content.is_none() {
                present.content = Some(content_of(store, id).await?);
            }
            if present.content.as_ref() == Some(content) {
                left -= 1;
                if left == 0 {
                    return Ok(Some(id));
                }
            }
        }
        Ok(None)
    }

    /// A message is on its way; returns its place here.
    pub(super) fn add(&mut self, own: Trait, content: [u8; 32]) -> Place {
        let place = Place::from(u32::MAX) + 1 + Place::from(self.added);
        self.added += 1;
        self.insert(place, Present { own, content: Some(content) });
        place
    }

    /// It has arrived.
    pub(super) fn arrived(&mut self, place: Place, uid: u32) {
        if let Some(present) = self.remove(place) {
            self.insert(uid.into(), present);
        }
    }

    /// A message is there no longer.
    pub(super) fn forget(&mut self, uid: u32) {
        self.remove(uid.into());
    }

    fn insert(&mut self, place: Place, present: Present) {
        self.by_trait.entry(present.own).or_default().push(place);
        self.all.insert(place, present);
    }

    fn remove(&mut self, place: Place) -> Option<Present> {
        let present = self.all.remove(&place)?;
        if let Some(places) = self.by_trait.get_mut(&present.own) {
            places.retain(|own| *own != place);
            if places.is_empty() {
                self.by_trait.remove(&present.own);
            }
        }
        Some(present)
    }
}

async fn content_of(store: &impl Store, id: MessageId) -> Result<[u8; 32], MailError> {
    let mut content = Content::default();
    each_chunk(store, id, |chunk| content.update(chunk)).await?;
    Ok(content.finish())
}

/// Size and SHA-256 of a stored message, byte by byte.
pub(super) async fn digest(
    store: &impl Store,
    id: MessageId,
) -> Result<(u64, [u8; 32]), MailError> {
    let (mut size, mut hasher) = (0, Sha256::new());
    let counted = each_chunk(store, id, |chunk| {
        size += chunk.len() as u64;
        hasher.update(chunk);
    });
    counted.await?;
    Ok((size, hasher.finalize().into()))
}

/// Reads a stored message chunk by chunk.
async fn each_chunk(
    store: &impl Store,
    id: MessageId,
    mut read: impl FnMut(&[u8]),
) -> Result<(), MailError> {
    for number in 0.. {
        let key = record::message_key(id).u32(number);
        let Some(chunk) = store.get(Table::Bodies, &key).await? else { break };
        read(&chunk);
    }
    Ok(())
}
