//! A message's record from what the server tells about it.

use std::collections::BTreeSet;

use postern_bridge::{Address, Flags, MailboxId, MessageId};
use postern_imap::{
    command::{FetchItem, Partial},
    mailbox_name::Spelling,
    response::{
        BodyPart, BodyStructure, Capabilities, Content, Envelope, EnvelopeAddress, Fetch, Flag,
    },
};

use super::{labels, limits};
use crate::record::{Body, Links, Message};

/// What must be fetched to make a record.
pub(super) fn items(capabilities: &Capabilities) -> Vec<FetchItem> {
    let mut items =
        vec![FetchItem::Flags, FetchItem::InternalDate, FetchItem::Size, FetchItem::BodyStructure];
    items.extend(link_items(capabilities));
    items.extend(labels::are_offered(capabilities).then_some(FetchItem::GmailLabels));
    items
}

/// What must be fetched to know a message's links: whom it answers is in its envelope.
pub(super) fn link_items(capabilities: &Capabilities) -> Vec<FetchItem> {
    // A header may be of any length, and a window has many of them.
    let partial = Some(Partial { origin: 0, count: limits::REFERENCES });
    let names = vec!["REFERENCES".into()];
    let references =
        FetchItem::HeaderFields { section: String::new(), names, except: false, partial };
    let names: &[FetchItem] = if labels::are_offered(capabilities) {
        &[FetchItem::GmailThreadId, FetchItem::GmailMessageId]
    } else if capabilities.has("OBJECTID") {
        &[FetchItem::ThreadId, FetchItem::EmailId]
    } else {
        &[]
    };
    [FetchItem::Envelope, references].into_iter().chain(names.iter().cloned()).collect()
}

/// A message's record; `None` without a UID or envelope, such as for an unasked change of flags.
pub(super) fn message(mailbox: MailboxId, fetch: &Fetch, spelling: Spelling) -> Option<Message> {
    let uid = fetch.uid?;
    let envelope = fetch.envelope.as_ref()?;
    let sent = postern_mime::decode_date(&envelope.date);
    Some(Message {
        id: MessageId { mailbox, uid },
        arrived: fetch.internal_date.map(|seconds| seconds * 1000).or(sent).unwrap_or_default(),
        sent,
        size: fetch.size.unwrap_or_default(),
        flags: flags(fetch.flags.as_deref().unwrap_or_default()),
        keywords: tags(
            fetch.flags.as_deref().unwrap_or_default(),
            fetch.gmail.labels.as_deref().unwrap_or_default(),
            spelling,
        ),
        from: addresses(envelope.addresses.from()),
        to: addresses(envelope.addresses.to()),
        subject: text(&envelope.subject),
        message_id: message_id(envelope),
        links: Some(links(fetch)),
        preview: String::new(),
        has_attachments: fetch.body_structure.as_ref().is_some_and(has_attachments),
        body: Body::Absent,
    })
}

/// What a message and the server say of its conversation.
pub(super) fn links(fetch: &Fetch) -> Links {
    let answered = fetch.envelope.as_ref().map(|envelope| &*envelope.in_reply_to);
    let fields = fetch.sections.iter().find_map(|own| match &own.content {
        Content::Held(bytes) if own.section.starts_with(b"HEADER.FIELDS") => Some(&bytes[..]),
        _ => None,
    });
    let (answered, fields) = (answered.unwrap_or_default(), fields.unwrap_or_default());
    let thread = match fetch.gmail.thread_id {
        Some(number) => number.to_string(),
        None => fetch.thread_id.clone().flatten().unwrap_or_default(),
    };
    let message = match fetch.gmail.message_id {
        Some(number) => number.to_string(),
        None => fetch.email_id.clone().unwrap_or_default(),
    };
    let message = Some(message).filter(|own| own.len() <= limits::HEADER_FIELD).unwrap_or_default();
    let is_silent = answered.is_empty() && fields.trim_ascii().is_empty();
    let references = if is_silent {
        Vec::new()
    } else {
        let header = [&b"In-Reply-To: "[..], answered, b"\r\n", fields].concat();
        postern_mime::references(&header)
    };
    Links { message, ..Links::new(references, thread) }
}

/// How the server says that a message begins; empty if it does not.
pub(super) fn preview(fetch: &Fetch) -> String {
    let told = fetch.preview.iter().flatten().next();
    let preview =
        |text: &String| postern_mime::preview(text.as_bytes(), "text/plain", Some("utf-8"), "8bit");
    told.map(preview).unwrap_or_default()
}

/// The records of the messages that were fetched and are wanted, ascending, each once; labels are
/// spelled so.
pub(super) fn messages(
    mailbox: MailboxId,
    fetches: impl IntoIterator<Item = Fetch>,
    spelling: Spelling,
    is_wanted: impl Fn(u32) -> bool,
) -> Vec<Message> {
    let mut records = Records::new(mailbox, spelling);
    for fetch in fetches {
        records.take(&fetch);
    }
    records.wanted(is_wanted)
}

/// Records of messages that are made as these are told. So a server's words about a thousand messages are
/// not held all at once, which take up several times as much, and the work is done while the next ones
/// are on their way.
#[derive(Debug)]
pub(super) struct Records {
    mailbox: MailboxId,
    /// How labels are spelled.
    spelling: Spelling,
    made: Vec<Message>,
}

impl Records {
    /// None yet.
    pub(super) fn new(mailbox: MailboxId, spelling: Spelling) -> Self {
        Self { mailbox, spelling, made: Vec::new() }
    }

    /// Makes the record of a message; false if it is not told enough of it.
    pub(super) fn take(&mut self, fetch: &Fetch) -> bool {
        let record = message(self.mailbox, fetch, self.spelling);
        let is_made = record.is_some();
        self.made.extend(record);
        is_made
    }

    pub(super) fn len(&self) -> usize {
        self.made.len()
    }

    /// Those that are wanted, ascending, each once.
    pub(super) fn wanted(self, is_wanted: impl Fn(u32) -> bool) -> Vec<Message> {
        let mut messages = self.made;
        messages.retain(|message| is_wanted(message.id.uid));
        messages.sort_by_key(|message| message.id.uid);
        messages.dedup_by_key(|message| message.id.uid);
        messages
    }
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

/// The keywords among a message's flags, and its labels, which are spelled so: sorted, each once, however
/// it is written.
pub(super) fn tags(flags: &[Flag], labels: &[Vec<u8>], spelling: Spelling) -> Vec<String> {
    let keyword = |flag: &Flag| match flag {
        Flag::Other(name) if !name.starts_with('\\') => Some(name.to_string()),
        _ => None,
    };
    let keywords = flags.iter().filter_map(keyword);
    let mut tags: Vec<String> = keywords.chain(labels::tags(labels, spelling)).collect();
    tags.sort_unstable();
    let mut names = BTreeSet::new();
    tags.retain(|tag| names.insert(tag.to_ascii_lowercase()));
    tags.truncate(limits::KEYWORDS);
    tags
}

/// Whether a message has a part that reading it does not show.
fn has_attachments(structure: &BodyStructure) -> bool {
    match structure {
        BodyStructure::Part(part) => is_attachment(part),
        BodyStructure::Multipart(multipart) => multipart.parts.iter().any(has_attachments),
    }
}

/// Whether a part is listed below the message rather than shown in it.
pub(super) fn is_attachment(part: &BodyPart) -> bool {
    if part.is_disposed("attachment") {
        return true;
    }
    let is_named = part.file_name().is_some_and(|name| !name.trim_ascii().is_empty());
    // A text with a file name is a file, also where nothing else says so.
    let is_body = matches!(&*part.media_type, "text/plain" | "text/html") && !is_named;
    // What the text refers to is a part of it; a calendar or signature has no name to be listed by.
    let is_inline = part.media_type.starts_with("image/") && !part.id.is_empty();
    !is_body && !is_inline && (is_named || part.message.is_some())
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
    let id = if id.bytes().all(|byte| byte.is_ascii_graphic()) {
        id.to_owned()
    } else {
        id.replace(|own: char| own.is_whitespace() || own.is_control(), "")
    };
    if id.len() > limits::HEADER_FIELD { String::new() } else { id }
}

fn addresses(addresses: &[EnvelopeAddress]) -> Vec<Address> {
    let address = |own: &EnvelopeAddress| {
        let mailbox = text(&own.mailbox);
        let address = match text(&own.host) {
            host if host.is_empty() => mailbox,
            host => [&mailbox, "@", &host].concat(),
        };
        Address { name: text(&own.name), address }
    };
    addresses.iter().take(limits::ADDRESSES).map(address).collect()
}

#[cfg(test)]
mod tests {
    use postern_imap::response::{Addresses, BodySection, Disposition, GmailItems, Parameters};

    use super::*;

    #[test]
    fn a_record_is_made_of_what_the_server_tells() {
        let joerg = EnvelopeAddress {
            name: b"=?iso-8859-1?Q?J=F6rg?=".into(),
            mailbox: b"joerg".into(),
            host: b"example.org".into(),
        };
        let fetch = Fetch {
            uid: Some(9),
            flags: Some(vec![Flag::Seen, Flag::Other("x".into())]),
            internal_date: Some(1_700_000_000),
            size: Some(1234),
            envelope: Some(Envelope {
                date: b"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)".into(),
                subject: b"=?utf-8?Q?Gr=C3=BC=C3=9Fe?=".into(),
                addresses: Addresses::new([vec![joerg], vec![], vec![], vec![], vec![], vec![]]),
                message_id: b" <a@b> ".into(),
                ..Envelope::default()
            }),
            ..Fetch::default()
        };
        let message = message(MailboxId(2), &fetch, Spelling::default()).unwrap();
        assert_eq!(message.id, MessageId { mailbox: MailboxId(2), uid: 9 });
        assert_eq!((message.arrived, message.sent), (1_700_000_000_000, Some(837_595_405_000)));
        assert_eq!((&*message.subject, &*message.message_id), ("Grüße", "a@b"));
        let joerg = Address { name: "Jörg".into(), address: "joerg@example.org".into() };
        assert_eq!(message.from, [joerg]);
        assert_eq!(message.flags, Flags { seen: true, ..Flags::default() });
    }

    #[test]
    fn links_are_what_the_server_tells_of_references_answers_and_conversations() {
        let section = |text: &str| BodySection {
            section: "HEADER.FIELDS (REFERENCES)".into(),
            origin: Some(0),
            content: Content::Held(text.as_bytes().into()),
        };
        let fetch = |answered: &str, fields: &str| Fetch {
            envelope: Some(Envelope {
                in_reply_to: answered.as_bytes().into(),
                ..Envelope::default()
            }),
            sections: vec![section(fields)],
            ..Fetch::default()
        };
        let told = fetch("<c@x>", "References: <a@x>\r\n <b@x>\r\n\r\n");
        assert_eq!(
            links(&told),
            Links::new(vec!["a@x".into(), "b@x".into(), "c@x".into()], "".into())
        );
        assert_eq!(links(&fetch("<c@x>", "\r\n")).references, ["c@x"]);
        // Cut in the middle of an id: it is nobody's.
        let cut = links(&fetch("<c@x>", "References: <a@x> <b@"));
        assert_eq!((&*cut.references[0], &**cut.references.last().unwrap()), ("a@x", "c@x"));
        assert_eq!(links(&Fetch::default()), Links::default());
        let named = Fetch { thread_id: Some(Some("T7".into())), ..Fetch::default() };
        assert_eq!(links(&named).thread, "T7");
        let none = Fetch { thread_id: Some(None), ..Fetch::default() };
        assert_eq!(links(&none).thread, "");
        let gmail =
            GmailItems { thread_id: Some(1_266_894_439_832_287_888), ..GmailItems::default() };
        let named = Fetch { gmail, ..Fetch::default() };
        assert_eq!(links(&named).thread, "1266894439832287888");
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
        let message = |fetch| message(MailboxId(1), &fetch, Spelling::default());
        assert!(message(Fetch { uid: Some(1), ..Fetch::default() }).is_none());
        assert!(message(Fetch { envelope, ..Fetch::default() }).is_none());
    }

    #[test]
    fn of_a_long_field_the_beginning_is_kept_and_of_a_long_id_nothing() {
        for (length, of_text, of_id) in [
            (limits::HEADER_FIELD, limits::HEADER_FIELD, limits::HEADER_FIELD),
            (limits::HEADER_FIELD + 1, limits::HEADER_FIELD, 0),
        ] {
            let long = "x".repeat(length);
            assert_eq!(text(long.as_bytes()).len(), of_text);
            let field = long.as_bytes().into();
            let envelope = Envelope { message_id: field, ..Envelope::default() };
            assert_eq!(message_id(&envelope).len(), of_id);
            let fetch = Fetch { email_id: Some(long), ..Fetch::default() };
            assert_eq!(links(&fetch).message.len(), of_id);
        }
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
                .then(|| Disposition { kind: disposition.into(), parameters: Parameters::new() }),
            parameters: match name {
                "" => Parameters::new(),
                name => Parameters::from([("name".into(), name.into())]),
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
