//! A message that has been received.
//!
//! Its checksum may still be in the making while the next messages come.

use std::collections::BTreeSet;

use futures_util::future::LocalBoxFuture;
use postern_bridge::{AccountId, MailboxId, MessageId};
use sha2::{Digest, Sha256};

use super::{LedgerRow, header, identity::Facts, listing::Listed, plan::Part};
use crate::{
    MailError,
    record::{Body, Message},
};

/// The subject of what stands for a message of which nothing is here.
const NOT_HERE: &str = "(This message was not downloaded)";

/// The stored part of a large message.
pub(super) struct Spilled {
    pub(super) id: MessageId,
    pub(super) chunks: u32,
    /// Its first bytes, for the list.
    pub(super) head: Vec<u8>,
}

/// A message of which all has come; which one it is can be told once it is [`hashed`](Self::hashed).
pub(super) struct Arrived {
    pub(super) listed: Listed,
    pub(super) part: Part,
    pub(super) size: u64,
    /// SHA-256 of its text, if it has no unique id.
    pub(super) text: Option<[u8; 32]>,
    pub(super) bytes: Bytes,
}

/// The bytes of a message, with their SHA-256.
pub(super) enum Bytes {
    /// In memory; the host has begun to make it.
    Waiting(Vec<u8>, LocalBoxFuture<'static, Option<[u8; 32]>>),
    /// In the store.
    Spilled(Spilled, [u8; 32]),
}

impl Arrived {
    /// How many bytes it holds in memory.
    pub(super) fn weight(&self) -> usize {
        match &self.bytes {
            Bytes::Waiting(bytes, _) => bytes.len(),
            Bytes::Spilled(spilled, _) => spilled.head.len(),
        }
    }

    /// Waits for its checksum.
    pub(super) async fn hashed(self) -> Received {
        let Self { listed, part, size, text, bytes } = self;
        let (waiting, spilled, sha256) = match bytes {
            Bytes::Waiting(bytes, sha256) => {
                let made = sha256.await;
                let sha256 = made.unwrap_or_else(|| Sha256::digest(&bytes).into());
                (bytes, None, sha256)
            }
            Bytes::Spilled(spilled, sha256) => (Vec::new(), Some(spilled), sha256),
        };
        let head = spilled.as_ref().map_or(&waiting, |spilled| &spilled.head);
        let text_start = header::text_start(head);
        Received {
            listed,
            part,
            sha256,
            header: header::digest(head),
            text_size: text_start.map(|start| size - start as u64),
            text,
            is_unique: header::is_unique(head),
            completes: None,
            copy: 0,
            size,
            waiting,
            spilled,
        }
    }
}

/// A message that has been received as a whole, with all that tells it from others.
pub(super) struct Received {
    pub(super) listed: Listed,
    pub(super) part: Part,
    pub(super) sha256: [u8; 32],
    pub(super) header: Option<[u8; 32]>,
    /// How many bytes follow its header.
    pub(super) text_size: Option<u64>,
    /// SHA-256 of them, if it has no unique id.
    pub(super) text: Option<[u8; 32]>,
    /// Whether no other message has its header.
    is_unique: bool,
    /// The row of the message that it completes, as it was.
    pub(super) completes: Option<Box<LedgerRow>>,
    /// Which one it is of those with the same bytes and no unique id.
    pub(super) copy: u32,
    size: u64,
    /// The bytes that wait to be stored.
    pub(super) waiting: Vec<u8>,
    pub(super) spilled: Option<Spilled>,
}

impl Received {
    /// What stands for a message of which nothing is to be had.
    pub(super) fn nothing(listed: Listed) -> Self {
        Self {
            listed,
            part: Part::Header,
            sha256: Sha256::digest([]).into(),
            header: None,
            text_size: None,
            text: None,
            is_unique: false,
            completes: None,
            copy: 0,
            size: 0,
            waiting: Vec::new(),
            spilled: None,
        }
    }

    /// Whether it only stands for a message.
    pub(super) fn is_nothing(&self) -> bool {
        self.part == Part::Header && self.size == 0
    }

    /// How many bytes of it are stored, or will be.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// There is no room for it; the person is told for what.
    pub(super) fn no_room(&self, can_be_less: bool) -> MailError {
        let nowhere = MessageId { mailbox: MailboxId(0), uid: 0 };
        let subject = self.message(nowhere, 0).subject;
        MailError::NoRoom { subject, size: self.size, can_be_less }
    }

    /// How many bytes it holds in memory.
    pub(super) fn weight(&self) -> usize {
        self.waiting.len() + self.spilled.as_ref().map_or(0, |spilled| spilled.head.len())
    }

    /// Where its bytes are, if they are in the store already.
    pub(super) fn spilled_to(&self) -> Option<MessageId> {
        self.spilled.as_ref().map(|spilled| spilled.id)
    }

    /// What is known of it, and of the rows that it was compared with.
    pub(super) fn facts<'a>(&'a self, remarked: &'a BTreeSet<Vec<u8>>) -> Facts<'a> {
        Facts {
            listed: &self.listed,
            part: self.part,
            sha256: self.sha256,
            header: self.header,
            text_size: self.text_size,
            text: self.text,
            is_unique: self.is_unique,
            remarked,
        }
    }

    /// The record for the list, made of the message's first bytes.
    pub(super) fn message(&self, id: MessageId, now: i64) -> Message {
        let head = self.spilled.as_ref().map_or(&self.waiting, |spilled| &spilled.head);
        let (size, body) = match self.part {
            Part::Whole => (self.size, Body::Whole { size: self.size }),
            Part::Header => (self.listed.size, Body::Header { size: self.size }),
        };
        let message = Message::summarised(id, now, head, body);
        Message {
            arrived: arrival(message.sent, now),
            size,
            subject: if self.is_nothing() { NOT_HERE.into() } else { message.subject },
            ..message
        }
    }

    /// Its row in the ledger; it was first seen at `seen`.
    pub(super) fn row(
        &self,
        account: AccountId,
        message: MessageId,
        seen: i64,
        now: i64,
    ) -> LedgerRow {
        LedgerRow {
            account,
            uidl: self.listed.uidl.clone().unwrap_or_default(),
            message,
            listed_size: self.listed.size,
            size: self.size,
            sha256: self.sha256,
            header: self.header,
            text_size: self.text_size,
            text: self.text,
            partial: self.part == Part::Header,
            wanted: false,
            first_seen: seen,
            stored: now,
            verified: None,
            refused: None,
            deleted_here: None,
            delete_asked: None,
            delete_confirmed: None,
            gone: None,
            copy: self.copy,
        }
    }
}

/// When a message counts as arrived. POP3 does not tell; the date in its header is what people
/// expect to see, unless it is in the future.
fn arrival(sent: Option<i64>, now: i64) -> i64 {
    sent.filter(|sent| (0..=now).contains(sent)).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_arrived_when_it_was_sent_unless_that_can_not_be() {
        let cases = [(Some(5), 5), (Some(11), 10), (Some(-1), 10), (None, 10)];
        for (sent, expected) in cases {
            assert_eq!(arrival(sent, 10), expected, "{sent:?}");
        }
    }
}
