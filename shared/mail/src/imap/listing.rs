//! A message's record from what the server tells about it.

use postern_bridge::{Address, Flags, MailboxId, MessageId};
use postern_imap::{
    command::FetchItem,
    response::{BodyPart, BodyStructure, Envelope, EnvelopeAddress, Fetch, Flag},
};

use super::{exchange::Answer, limits};
use crate::record::{Body, Message};

/// What must be fetched to make a record.
pub(super) const ITEMS: [FetchItem; 5] = [
    FetchItem::Flags,
    FetchItem::InternalDate,
    FetchItem::Size,
    FetchItem::Envelope,
    FetchItem::BodyStructure,
];

/// A message's record; `None` without a UID or envelope, such as for an unasked change of flags.
pub(super) fn message(mailbox: MailboxId, fetch: &Fetch) -> Option<Message> {
    let uid = fetch.uid?;
    let envelope = fetch.envelope.as_ref()?;
    let sent = postern_mime::decode_date(&envelope.date);
    Some(Message {
        id: MessageId { mailbox, uid },
        arrived: fetch.internal_date.map(|seconds| seconds * 1000).or(sent).unwrap_or_default(),
        sent,
        size: fetch.size.unwrap_or_default(),
        flags: flags(fetch.flags.as_deref().unwrap_or_default()),
        keywords: keywords(fetch.flags.as_deref().unwrap_or_default()),
        from: addresses(&envelope.from),
        to: addresses(&envelope.to),
        subject: text(&envelope.subject),
        message_id: message_id(envelope),
        preview: String::new(),
        has_attachments: fetch.body_structure.as_ref().is_some_and(has_attachments),
        body: Body::Absent,
    })
}

/// The records of the messages that were fetched and are wanted, ascending, each once.
pub(super) fn messages(
    mailbox: MailboxId,
    answer: &mut Answer,
    is_wanted: impl Fn(u32) -> bool,
) -> Vec<Message> {
    let mut messages: Vec<Message> = answer
        .fetches()
        .filter_map(|fetch| message(mailbox, &fetch))
        .filter(|message| is_wanted(message.id.uid))
        .collect();
    messages.sort_unstable_by_key(|message| message.id.uid);
    messages.dedup_by_key(|message| message.id.uid);
    messages
}

/// The flags that the page shows.
pub(super) fn flags(flags: &[Flag]) -> Flags {
    Flags {
        seen: flags.contains(&Flag::Seen),
        answered: flags.contains(&Flag::Answered),
        flagged: flags.contains(&Flag::Flagged),
        deleted: flags.contains(&Flag::Deleted),
        draft: flags.contains(&Flag::Draft),
    }
}

/// The keywords among a message's flags, sorted, each once.
pub(super) fn keywords(flags: &[Flag]) -> Vec<String> {
    let keyword = |flag: &Flag| match flag {
        Flag::Other(name) if !name.starts_with('\\') => Some(name.clone()),
        _ => None,
    };
    let mut keywords: Vec<String> = flags.iter().filter_map(keyword).collect();
    keywords.sort_unstable();
    keywords.dedup_by(|one, other| one.eq_ignore_ascii_case(other));
    keywords.truncate(limits::KEYWORDS);
    keywords
}

/// Whether a message has a part that reading it does not show.
fn has_attachments(structure: &BodyStructure) -> bool {
    structure.leaves().iter().any(|(_, part)| is_attachment(part))
}

/// Whether a part is listed below the message rather than shown in it.
pub(super) fn is_attachment(part: &BodyPart) -> bool {
    if part.is_disposed("attachment") {
        return true;
    }
    let is_body = matches!(&*part.media_type, "text/plain" | "text/html");
    // What the text refers to is a part of it; a calendar or signature has no name to be listed by.
    let is_inline = part.media_type.starts_with("image/") && !part.id.is_empty();
    !is_body && !is_inline && (part.file_name().is_some() || part.message.is_some())
}

fn text(field: &[u8]) -> String {
    postern_mime::decode_header(&field[..field.len().min(limits::HEADER_FIELD)])
}

/// A message's Message-ID without its angle brackets; empty if it has none that could be kept.
pub(super) fn message_id(envelope: &Envelope) -> String {
    let field = String::from_utf8_lossy(&envelope.message_id);
    // Some programs add a comment, or a second one.
    let id = field.split_once('<').map_or(&*field, |(_, rest)| rest);
    let id = id.split_once('>').map_or(id, |(id, _)| id);
    let id: String = id.chars().filter(|own| !own.is_whitespace() && !own.is_control()).collect();
    if id.len() > limits::HEADER_FIELD { String::new() } else { id }
}

fn addresses(addresses: &[EnvelopeAddress]) -> Vec<Address> {
    let address = |own: &EnvelopeAddress| {
        let mailbox = text(&own.mailbox);
        let address = match text(&own.host) {
            host if host.is_empty() => mailbox,
            host => format!("{mailbox}@{host}"),
        };
        Address { name: text(&own.name), address }
    };
    addresses.iter().take(limits::ADDRESSES).map(address).collect()
}

#[cfg(test)]
mod tests {
    use postern_imap::response::Disposition;

    use super::*;

    #[test]
    fn a_record_is_made_of_what_the_server_tells() {
        let fetch = Fetch {
            uid: Some(9),
            flags: Some(vec![Flag::Seen, Flag::Other("x".into())]),
            internal_date: Some(1_700_000_000),
            size: Some(1234),
            envelope: Some(Envelope {
                date: b"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)".into(),
                subject: b"=?utf-8?Q?Gr=C3=BC=C3=9Fe?=".into(),
                from: vec![EnvelopeAddress {
                    name: b"=?iso-8859-1?Q?J=F6rg?=".into(),
                    mailbox: b"joerg".into(),
                    host: b"example.org".into(),
                }],
                message_id: b" <a@b> ".into(),
                ..Envelope::default()
            }),
            ..Fetch::default()
        };
        let message = message(MailboxId(2), &fetch).unwrap();
        assert_eq!(message.id, MessageId { mailbox: MailboxId(2), uid: 9 });
        assert_eq!((message.arrived, message.sent), (1_700_000_000_000, Some(837_595_405_000)));
        assert_eq!((&*message.subject, &*message.message_id), ("Grüße", "a@b"));
        let joerg = Address { name: "Jörg".into(), address: "joerg@example.org".into() };
        assert_eq!(message.from, [joerg]);
        assert_eq!(message.flags, Flags { seen: true, ..Flags::default() });
    }

    #[test]
    fn a_message_id_is_what_it_is_in_the_message_itself() {
        for field in ["<a@b>", " <a@b> ", "a@b", "<a@b> (added by x)", "<a@b> <c@d>", "<a@ b>"] {
            let envelope = Envelope { message_id: field.as_bytes().into(), ..Envelope::default() };
            assert_eq!(message_id(&envelope), "a@b", "{field}");
            let raw = format!("Message-ID: {field}\r\n\r\n");
            assert_eq!(postern_mime::summary(raw.as_bytes()).message_id, "a@b", "{field}");
        }
    }

    #[test]
    fn without_envelope_or_uid_there_is_no_record() {
        let envelope = Some(Envelope::default());
        assert!(message(MailboxId(1), &Fetch { uid: Some(1), ..Fetch::default() }).is_none());
        assert!(message(MailboxId(1), &Fetch { envelope, ..Fetch::default() }).is_none());
    }

    #[test]
    fn recipients_of_the_limit_are_kept_and_more_are_left_out() {
        let many = |count| addresses(&vec![EnvelopeAddress::default(); count]).len();
        assert_eq!(many(limits::ADDRESSES), limits::ADDRESSES);
        assert_eq!(many(limits::ADDRESSES + 1), limits::ADDRESSES);
    }

    #[test]
    fn attachments_are_told_from_what_the_text_shows() {
        let part = |media_type: &str, disposition: &str, name: &str, id: &str| BodyPart {
            media_type: media_type.into(),
            id: id.into(),
            disposition: (!disposition.is_empty())
                .then(|| Disposition { kind: disposition.into(), parameters: vec![] }),
            parameters: match name {
                "" => vec![],
                name => vec![("name".into(), name.into())],
            },
            ..BodyPart::default()
        };
        let cases = [
            (part("text/plain", "", "", ""), false),
            (part("text/plain", "attachment", "", ""), true),
            (part("image/png", "inline", "a.png", "<a@b>"), false),
            (part("image/png", "", "a.png", ""), true),
            (part("application/pdf", "", "a.pdf", ""), true),
            (part("application/pgp-signature", "", "", ""), false),
        ];
        for (part, expected) in cases {
            assert_eq!(is_attachment(&part), expected, "{part:?}");
        }
    }
}
