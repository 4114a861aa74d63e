//! A message's record without copies, for who looks at many.

use postern_bridge::Flags;
use serde::Deserialize;

use super::Body;
use crate::store::StoreError;

/// A [`Message`](super::Message)'s record, as far as searches and conversations look at it; borrowed
/// from the stored bytes.
#[derive(Debug, Deserialize)]
pub(crate) struct Brief<'a> {
    #[serde(rename = "a", alias = "arrived")]
    pub(crate) arrived: i64,
    #[serde(rename = "d", alias = "sent", default)]
    pub(crate) sent: Option<i64>,
    #[serde(rename = "z", alias = "size")]
    pub(crate) size: u64,
    #[serde(rename = "g", alias = "flags")]
    pub(crate) flags: Flags,
    #[serde(rename = "k", alias = "keywords", borrow, default)]
    pub(crate) keywords: Vec<&'a str>,
    #[serde(rename = "f", alias = "from", borrow)]
    pub(crate) from: Vec<Person<'a>>,
    #[serde(rename = "t", alias = "to", borrow)]
    pub(crate) to: Vec<Person<'a>>,
    #[serde(rename = "s", alias = "subject")]
    pub(crate) subject: &'a str,
    #[serde(rename = "m", alias = "message_id")]
    pub(crate) message_id: &'a str,
    #[serde(rename = "l", alias = "links", borrow, default)]
    pub(crate) links: Option<BriefLinks<'a>>,
    #[serde(rename = "p", alias = "preview", default)]
    pub(crate) preview: &'a str,
    #[serde(rename = "h", alias = "has_attachments", default)]
    pub(crate) has_attachments: bool,
    #[serde(rename = "b", alias = "body", default)]
    pub(crate) body: Body,
}

/// A name and an address.
#[derive(Debug, Deserialize)]
pub(crate) struct Person<'a> {
    pub(crate) name: &'a str,
    pub(crate) address: &'a str,
}

/// As [`Links`](super::Links).
#[derive(Debug, Default, Deserialize)]
pub(crate) struct BriefLinks<'a> {
    #[serde(borrow, default)]
    pub(crate) references: Vec<&'a str>,
    #[serde(borrow, default)]
    pub(crate) thread: &'a str,
    #[serde(borrow, default)]
    pub(crate) message: &'a str,
}

impl<'a> Brief<'a> {
    /// Reads a record.
    ///
    /// # Errors
    ///
    /// If it is damaged.
    pub(crate) fn read(record: &'a [u8]) -> Result<Self, StoreError> {
        rmp_serde::from_slice(record).map_err(|_| super::damaged::<Self>())
    }
}

#[cfg(test)]
mod tests {
    use postern_bridge::{Address, MailboxId, MessageId};

    use super::{
        super::{AbsentPart, Links, Message, decode, encode},
        *,
    };

    fn message() -> Message {
        let address = |name: &str| Address { name: name.into(), address: format!("{name}@b") };
        Message {
            id: MessageId { mailbox: MailboxId(7), uid: 300 },
            arrived: 5,
            sent: Some(-6),
            size: 90_000,
            flags: Flags { seen: true, flagged: true, ..Flags::default() },
            keywords: vec!["work".into()],
            from: vec![address("ann")],
            to: vec![address("ben"), address("")],
            subject: "Figs".into(),
            message_id: "a@b".into(),
            links: Some(Links::new(vec!["x@y".into()], "T1".into())),
            preview: "Six of them".into(),
            has_attachments: true,
            body: Body::Whole { size: 89_000 },
        }
    }

    fn plain() -> Message {
        Message {
            sent: None,
            flags: Flags::default(),
            keywords: Vec::new(),
            from: Vec::new(),
            to: Vec::new(),
            links: None,
            preview: String::new(),
            has_attachments: false,
            body: Body::Absent,
            ..message()
        }
    }

    fn assert_same(stored: &[u8], message: &Message) {
        let brief = Brief::read(stored).unwrap();
        let owned = |people: &[Person<'_>]| -> Vec<Address> {
            let own =
                |own: &Person<'_>| Address { name: own.name.into(), address: own.address.into() };
            people.iter().map(own).collect()
        };
        let links = brief.links.as_ref().map(|own| Links {
            references: own.references.iter().map(|id| (*id).to_owned()).collect(),
            thread: own.thread.into(),
            message: own.message.into(),
        });
        let seen = Message {
            id: message.id,
            arrived: brief.arrived,
            sent: brief.sent,
            size: brief.size,
            flags: brief.flags,
            keywords: brief.keywords.iter().map(|word| (*word).to_owned()).collect(),
            from: owned(&brief.from),
            to: owned(&brief.to),
            subject: brief.subject.into(),
            message_id: brief.message_id.into(),
            links,
            preview: brief.preview.into(),
            has_attachments: brief.has_attachments,
            body: brief.body.clone(),
        };
        assert_eq!(&seen, message);
        assert_eq!(&decode::<Message>(stored).unwrap(), message);
    }

    #[test]
    fn it_says_what_the_record_says() {
        let header = Message { body: Body::Header { size: 7 }, ..message() };
        let absent = vec![AbsentPart { section: "2".into(), size: 9, begun: true }];
        let partial = Message { body: Body::Partial { size: 8, absent }, ..message() };
        for message in [message(), plain(), header, partial] {
            assert_same(&encode(&message), &message);
        }
    }

    /// People's databases are full of them.
    #[test]
    fn a_stored_record_stays_readable() {
        let mut stored =
            b"\x8d\xa1i\x92\x07\xcd\x01\x2c\xa1a\x05\xa1d\xfa\xa1z\xce\x00\x01\x5f\x90".to_vec();
        stored
            .extend(b"\xa1g\x95\xc3\xc2\xc3\xc2\xc2\xa1k\x91\xa4work\xa1f\x91\x92\xa3ann\xa5ann@b");
        stored.extend(b"\xa1t\x92\x92\xa3ben\xa5ben@b\x92\xa0\xa2@b\xa1s\xa4Figs\xa1m\xa3a@b");
        stored.extend(b"\xa1l\xc0\xa1h\xc3\xa1b\x81\xa1w\x81\xa4size\xce\x00\x01\x5b\xa8");
        let message = Message { links: None, preview: String::new(), ..message() };
        assert_eq!(encode(&message), stored);
        assert_same(&stored, &message);
    }

    /// As earlier versions wrote it.
    #[derive(serde::Serialize)]
    struct Earlier {
        id: MessageId,
        arrived: i64,
        sent: Option<i64>,
        size: u64,
        flags: Flags,
        keywords: Vec<String>,
        from: Vec<Address>,
        to: Vec<Address>,
        subject: String,
        message_id: String,
        links: Option<Links>,
        preview: String,
        has_attachments: bool,
        body: EarlierBody,
    }

    #[derive(serde::Serialize)]
    enum EarlierBody {
        Absent,
        Whole { size: u64 },
    }

    #[test]
    fn records_of_earlier_versions_are_twice_as_long_and_say_the_same() {
        for message in [message(), plain()] {
            let now = message.clone();
            let earlier = Earlier {
                id: now.id,
                arrived: now.arrived,
                sent: now.sent,
                size: now.size,
                flags: now.flags,
                keywords: now.keywords,
                from: now.from,
                to: now.to,
                subject: now.subject,
                message_id: now.message_id,
                links: now.links,
                preview: now.preview,
                has_attachments: now.has_attachments,
                body: match now.body {
                    Body::Whole { size } => EarlierBody::Whole { size },
                    _ => EarlierBody::Absent,
                },
            };
            let earlier = encode(&earlier);
            assert_same(&earlier, &message);
            let shorter = encode(&message).len();
            assert!(shorter * 2 < earlier.len(), "{shorter} of {}", earlier.len());
        }
    }
}
