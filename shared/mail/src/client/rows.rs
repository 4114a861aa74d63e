//! What a list shows of a message.

use postern_bridge::{Flags, MessageId, Row};

use crate::record::Message;

/// The row of one message.
pub(super) fn row(message: Message, shows_recipients: bool) -> Row {
    let people = if shows_recipients { &message.to } else { &message.from };
    let labels: Vec<_> = people.iter().map(|address| address.label()).collect();
    Row {
        id: message.id,
        key: message.id,
        messages: 1,
        unread: u32::from(!message.flags.seen),
        correspondents: labels.join(", "),
        subject: message.subject,
        preview: message.preview,
        date: message.arrived,
        flags: message.flags,
        keywords: message.keywords,
        has_attachments: message.has_attachments,
    }
}

/// The row of a message whose record can't be read: it keeps its place, or else those that follow would
/// have those of others. When it arrived is known from its place.
pub(super) fn unreadable(id: MessageId, arrived: i64) -> Row {
    Row {
        id,
        key: id,
        messages: 1,
        unread: 0,
        correspondents: String::new(),
        subject: "What is stored of this message can't be read".into(),
        preview: String::new(),
        date: arrived,
        flags: Flags { seen: true, ..Flags::default() },
        keywords: Vec::new(),
        has_attachments: false,
    }
}
