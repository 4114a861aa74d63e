//! The row of a conversation.

use postern_bridge::{MessageId, Row};

use crate::{client::lists::row, record::Message};

/// What a row is made of: some of its conversation's messages, oldest first.
#[derive(Debug)]
pub(super) struct Part {
    /// The newest in the listed mailbox.
    pub(super) head: MessageId,
    /// How many there are.
    pub(super) messages: u32,
    /// Those whose records are read: the first, and the newest.
    pub(super) read: Vec<MessageId>,
}

/// The row of a conversation; none if its newest message has gone meanwhile.
pub(super) fn summed(part: &Part, messages: &[Message], shows_recipients: bool) -> Option<Row> {
    let head = messages.iter().find(|own| own.id == part.head)?.clone();
    // Marks are given to what is listed.
    let listed = || messages.iter().filter(|own| own.id.mailbox == part.head.mailbox);
    let unread = listed().filter(|own| !own.flags.seen).count();
    let mut summed = row(head, shows_recipients);
    summed.flags.seen = unread == 0;
    summed.flags.flagged = listed().any(|own| own.flags.flagged);
    summed.has_attachments = messages.iter().any(|own| own.has_attachments);
    summed.messages = part.messages;
    summed.unread = u32::try_from(unread).unwrap_or(u32::MAX);
    if let (Some(first), true) = (messages.first(), messages.len() > 1) {
        summed.subject = first.subject.clone();
        if !shows_recipients {
            summed.correspondents = people(messages);
        }
    }
    Some(summed)
}

/// Who wrote, from the first to the last, each once.
fn people(messages: &[Message]) -> String {
    let mut labels: Vec<&str> = Vec::new();
    for address in messages.iter().filter_map(|message| message.from.first()) {
        // Who writes again is named where the latest message is.
        if labels.first() != Some(&address.label()) {
            labels.retain(|label| *label != address.label());
            labels.push(address.label());
        }
    }
    match labels[..] {
        [first, .., before, last] if labels.len() > 3 => format!("{first} … {before}, {last}"),
        _ => labels.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use postern_bridge::{Address, Flags, MailboxId};

    use super::*;
    use crate::record::Body;

    fn message(mailbox: u32, uid: u32, from: &str) -> Message {
        Message {
            id: MessageId { mailbox: MailboxId(mailbox), uid },
            arrived: i64::from(uid),
            sent: None,
            size: 9,
            flags: Flags { seen: true, ..Flags::default() },
            keywords: Vec::new(),
            from: vec![Address { name: from.into(), address: "a@b".into() }],
            to: vec![Address { name: "Zoë".into(), address: "z@b".into() }],
            subject: format!("Figs {uid}"),
            message_id: String::new(),
            links: None,
            preview: format!("Text {uid}"),
            has_attachments: uid == 2,
            body: Body::Absent,
        }
    }

    #[test]
    fn a_row_is_made_of_all_messages_and_named_by_the_first_and_the_newest_listed() {
        let mut messages = vec![
            message(1, 1, "Ada"),
            message(1, 2, "Ben"),
            message(1, 3, "Ada"),
            message(2, 4, "Me"),
        ];
        messages[0].flags.flagged = true;
        messages[2].flags.seen = false;
        messages[3].flags.seen = false;
        let read = messages.iter().map(|own| own.id).collect();
        let part = Part { head: messages[2].id, messages: 9, read };
        let row = summed(&part, &messages, false).unwrap();
        assert_eq!((&*row.subject, &*row.preview, row.date), ("Figs 1", "Text 3", 3));
        assert_eq!((row.messages, row.unread), (9, 1));
        assert!(!row.flags.seen && row.flags.flagged && row.has_attachments);
        assert_eq!(row.correspondents, "Ada, Ben, Me");
        assert_eq!(summed(&part, &messages, true).unwrap().correspondents, "Zoë");
        assert!(summed(&part, &messages[..2], false).is_none());
        let single = Part { head: messages[0].id, messages: 1, read: vec![messages[0].id] };
        let row = summed(&single, &messages[..1], false).unwrap();
        assert_eq!((&*row.correspondents, row.messages), ("Ada", 1));
    }

    #[test]
    fn of_many_people_the_first_and_the_last_are_named() {
        let named = |names: &[&str]| {
            let messages: Vec<Message> =
                (1..).zip(names).map(|(uid, name)| message(1, uid, name)).collect();
            people(&messages)
        };
        assert_eq!(named(&["Ada"]), "Ada");
        assert_eq!(named(&["Ada", "Ben", "Ada"]), "Ada, Ben");
        assert_eq!(named(&["Ada", "Ben", "Cleo"]), "Ada, Ben, Cleo");
        assert_eq!(named(&["Ada", "Ben", "Cleo", "Dan", "Ben"]), "Ada … Dan, Ben");
        assert_eq!(named(&[]), "");
    }
}
