//! Messages: what the list shows, and what is known of their bytes.

use std::ops::Not;

use postern_bridge::{Address, Flags, MessageId};
use serde::{Deserialize, Serialize};

use super::{Record, mailbox_key, message_key};
use crate::{
    store::{Key, KeyRange, Table, Write},
    threads,
};

/// What is stored of a message's bytes.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum Body {
    /// Nothing yet.
    #[default]
    Absent,
    /// The message as it came.
    #[serde(rename = "w", alias = "Whole")]
    Whole {
        /// Its size in bytes.
        size: u64,
    },
    /// The message put together from its parts, with the content of some left out: never the bytes
    /// that came, even if nothing is left out.
    Partial {
        /// The size in bytes of what is stored.
        size: u64,
        /// The parts that are left out.
        absent: Vec<AbsentPart>,
    },
    /// The header alone, as POP3's TOP gave it.
    Header {
        /// The size in bytes of what is stored.
        size: u64,
    },
}

impl Body {
    fn is_absent(&self) -> bool {
        *self == Self::Absent
    }

    /// How many bytes are stored.
    pub fn stored_size(&self) -> u64 {
        match self {
            Self::Absent => 0,
            Self::Whole { size } | Self::Partial { size, .. } | Self::Header { size } => *size,
        }
    }
}

/// A part whose content was not fetched, or not all of it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AbsentPart {
    /// The part's number (RFC 9051 section 6.4.5).
    pub section: String,
    /// Its decoded size in bytes, estimated.
    pub size: u64,
    /// Whether it is a text whose beginning is stored with the message.
    #[serde(default)]
    pub begun: bool,
}

/// A message's record: what the list shows and what is known of its bytes.
///
/// There may be hundreds of thousands, so its fields have short names in the store, and what says
/// nothing is left out; [`Brief`](super::Brief) knows the same names. Earlier versions wrote all fields,
/// by the names that they have here.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Message {
    /// Its place.
    #[serde(rename = "i", alias = "id", serialize_with = "as_list::id")]
    pub id: MessageId,
    /// When it arrived, in milliseconds since 1970 (UTC): IMAP's INTERNALDATE; on POP3 when it was
    /// sent, or else the download.
    #[serde(rename = "a", alias = "arrived")]
    pub arrived: i64,
    /// `Date`, in milliseconds since 1970 (UTC), if the header can be read.
    #[serde(rename = "d", alias = "sent", default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<i64>,
    /// The message's size in bytes.
    #[serde(rename = "z", alias = "size")]
    pub size: u64,
    /// Its flags.
    #[serde(rename = "g", alias = "flags", serialize_with = "as_list::flags")]
    pub flags: Flags,
    /// Its keywords, as they are spelled on the server.
    #[serde(rename = "k", alias = "keywords", default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// `From`.
    #[serde(rename = "f", alias = "from", serialize_with = "as_list::addresses")]
    pub from: Vec<Address>,
    /// `To`.
    #[serde(rename = "t", alias = "to", serialize_with = "as_list::addresses")]
    pub to: Vec<Address>,
    /// The subject, decoded.
    #[serde(rename = "s", alias = "subject")]
    pub subject: String,
    /// `Message-ID` without its angle brackets; may be empty.
    #[serde(rename = "m", alias = "message_id")]
    pub message_id: String,
    /// What it says of its conversation; `None` if an earlier version, which did not look, stored it.
    #[serde(rename = "l", alias = "links", default)]
    pub links: Option<Links>,
    /// The first words of the text; empty while unknown.
    #[serde(rename = "p", alias = "preview", default, skip_serializing_if = "String::is_empty")]
    pub preview: String,
    /// Whether it has attachments, as far as is known.
    #[serde(rename = "h", alias = "has_attachments", default, skip_serializing_if = "Not::not")]
    pub has_attachments: bool,
    /// What is stored of its bytes.
    #[serde(rename = "b", alias = "body", default, skip_serializing_if = "Body::is_absent")]
    pub body: Body,
}

/// Parts of a record without the names of their fields, in the order in which those are declared.
mod as_list {
    use postern_bridge::{Address, Flags, MessageId};
    use serde::{Serialize, Serializer};

    pub(super) fn id<S: Serializer>(id: &MessageId, to: S) -> Result<S::Ok, S::Error> {
        (id.mailbox, id.uid).serialize(to)
    }

    pub(super) fn flags<S: Serializer>(flags: &Flags, to: S) -> Result<S::Ok, S::Error> {
        let Flags { seen, answered, flagged, deleted, draft } = flags;
        (seen, answered, flagged, deleted, draft).serialize(to)
    }

    pub(super) fn addresses<S: Serializer>(own: &[Address], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(own.iter().map(|Address { name, address }| (name, address)))
    }
}

/// What a message, and its server, say of the conversation that it belongs to.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Links {
    /// The ids of the messages that it follows, oldest first, without their angle brackets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// The server's name for the conversation; empty where it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub thread: String,
    /// The server's name for the message, which is the same in every mailbox; empty where it has none,
    /// or was not asked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

impl Links {
    /// Of what it follows the first, which names the conversation, and as many of the latest as fit
    /// into [`threads::limits::REFERENCES`] bytes are kept.
    pub fn new(mut references: Vec<String>, mut thread: String) -> Self {
        let mut left =
            threads::limits::REFERENCES.saturating_sub(references.first().map_or(0, String::len));
        let fits = |id: &&String| {
            let fits = id.len() <= left;
            left = left.saturating_sub(id.len());
            fits
        };
        let kept = references.iter().skip(1).rev().take_while(fits).count();
        let surplus = references.len().saturating_sub(1 + kept);
        references.drain(1.min(references.len())..1.min(references.len()) + surplus);
        if thread.len() > threads::limits::REFERENCES {
            thread.clear();
        }
        Self { references, thread, message: String::new() }
    }
}

impl Record for Message {
    const TABLE: Table = Table::Messages;

    fn key(&self) -> Key {
        message_key(self.id)
    }
}

/// Where a message stands in its mailbox's list: by arrival, then by UID.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Place {
    /// When it arrived, as [`Message::arrived`].
    pub arrived: i64,
    /// Its UID.
    pub uid: u32,
}

impl Message {
    /// What the beginning of a message's bytes tells of it: unread, and as large as what is stored.
    pub(crate) fn summarised(id: MessageId, arrived: i64, head: &[u8], body: Body) -> Self {
        let summary = postern_mime::summary(head);
        Self {
            id,
            arrived,
            sent: summary.sent,
            size: body.stored_size(),
            flags: Flags::default(),
            keywords: Vec::new(),
            from: addresses(summary.from),
            to: addresses(summary.to),
            subject: summary.subject,
            message_id: summary.message_id,
            links: Some(Links::new(summary.references, String::new())),
            preview: summary.preview,
            has_attachments: summary.has_attachments,
            body,
        }
    }

    /// Where it stands in its mailbox's list.
    pub fn place(&self) -> Place {
        Place { arrived: self.arrived, uid: self.id.uid }
    }

    /// The key that orders it in its mailbox.
    pub fn arrival_key(&self) -> Key {
        mailbox_key(self.id.mailbox).i64(self.arrived).u32(self.id.uid)
    }

    /// The writes that store the record and its place in the list.
    pub fn put_listed(&self) -> [Write; 2] {
        let place =
            Write::Put { table: Table::Arrival, key: self.arrival_key(), value: Vec::new() };
        [self.put(), place]
    }

    /// The writes that remove the record, its place and its bytes.
    pub fn delete_whole(&self) -> [Write; 3] {
        let place = Write::Delete { table: Table::Arrival, key: self.arrival_key() };
        let bytes =
            Write::DeleteRange { table: Table::Bodies, range: KeyRange::prefix(self.key()) };
        [self.delete(), place, bytes]
    }
}

/// Addresses as records and views have them.
pub fn addresses(addresses: Vec<postern_mime::Address>) -> Vec<Address> {
    let own = |postern_mime::Address { name, address }| Address { name, address };
    addresses.into_iter().map(own).collect()
}

#[cfg(test)]
mod tests {
    use postern_bridge::MailboxId;

    use super::*;
    use crate::record::{decode, encode};

    #[test]
    fn of_what_a_message_follows_the_first_and_the_latest_are_kept() {
        let limit = threads::limits::REFERENCES;
        let id = |first: &str, length| format!("{first}{}", "x".repeat(length - 1));
        let kept = |lengths: &[usize]| {
            let ids = lengths.iter().zip('a'..).map(|(length, own)| id(&own.to_string(), *length));
            let links = Links::new(ids.collect(), String::new());
            links.references.iter().map(|id| id[..1].to_owned()).collect::<String>()
        };
        assert_eq!(kept(&[]), "");
        assert_eq!(kept(&[10, 20, 30]), "abc");
        assert_eq!(kept(&[10, 20, 30, limit - 10 - 30]), "acd");
        assert_eq!(kept(&[10, 20, 30, limit - 10 - 29]), "ad");
        assert_eq!(kept(&[limit + 1, 20, 30]), "a");
    }

    #[test]
    fn a_message_of_an_earlier_version_has_no_links() {
        #[derive(Serialize)]
        struct Earlier {
            id: MessageId,
            arrived: i64,
            sent: Option<i64>,
            size: u64,
            flags: Flags,
            from: Vec<Address>,
            to: Vec<Address>,
            subject: String,
            message_id: String,
            preview: String,
            has_attachments: bool,
            body: Body,
        }
        let id = MessageId { mailbox: MailboxId(7), uid: 3 };
        let earlier = Earlier {
            id,
            arrived: 5,
            sent: None,
            size: 9,
            flags: Flags::default(),
            from: Vec::new(),
            to: Vec::new(),
            subject: "Figs".into(),
            message_id: "a@b".into(),
            preview: String::new(),
            has_attachments: false,
            body: Body::Absent,
        };
        let read: Message = decode(&encode(&earlier)).unwrap();
        assert_eq!((read.id, read.subject.as_str(), &read.links), (id, "Figs", &None));
        let links = Links::new(vec!["x@y".into()], "T1".into());
        let now = Message { links: Some(links.clone()), ..read };
        assert_eq!(decode::<Message>(&encode(&now)).unwrap().links, Some(links));
    }
}
