//! The row of a conversation.

use postern_bridge::{MessageId, Row};

use crate::{client::rows::row, record::Message, threads::Sum};

/// What a row is made of, besides its newest and its first message.
#[derive(Debug)]
pub(super) struct Part {
    /// The newest message in the listed mailbox.
    pub(super) head: MessageId,
    /// The message that it goes by.
    pub(super) key: MessageId,
    /// How many messages of it are not here yet.
    pub(super) awaited: u32,
    /// All that are.
    pub(super) sum: Sum,
}

/// The row of a conversation.
pub(super) fn summed(part: Part, head: Message, first: &Message, shows_recipients: bool) -> Row {
    let Part { key, awaited, sum, .. } = part;
    let mut summed = row(head, shows_recipients);
    summed.key = key;
    // Marks are given to what is listed.
    summed.flags.seen = sum.unread == 0;
    summed.flags.flagged = sum.flagged;
    summed.has_attachments = sum.has_attachments;
    summed.messages = sum.messages.saturating_add(awaited);
    summed.unread = sum.unread;
    if sum.messages > 1 {
        summed.subject.clone_from(&first.subject);
        if !shows_recipients {
            summed.correspondents = people(&sum);
        }
    }
    summed
}

/// Who wrote, from the first to the last, each once.
fn people(sum: &Sum) -> String {
    match &sum.people[..] {
        [first, rest @ ..] if sum.more_people => format!("{first} … {}", rest.join(", ")),
        all => all.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use postern_bridge::{Address, Flags, MailboxId};

    use super::*;
    use crate::record::Body;

    fn message(uid: u32) -> Message {
        Message {
            id: MessageId { mailbox: MailboxId(1), uid },
            arrived: i64::from(uid),
            sent: None,
            size: 9,
            flags: Flags { seen: true, ..Flags::default() },
            keywords: Vec::new(),
            from: vec![Address { name: "Ada".into(), address: "a@b".into() }],
            to: vec![Address { name: "Zoë".into(), address: "z@b".into() }],
            subject: format!("Figs {uid}"),
            message_id: String::new(),
            links: None,
            preview: format!("Text {uid}"),
            has_attachments: false,
            body: Body::Absent,
        }
    }

    fn part(messages: u32) -> Part {
        let people = ["Ada", "Ben", "Me"].map(String::from).to_vec();
        let (unread, flagged, has_attachments) = (1, true, true);
        let more_people = messages > 3;
        let first = Some(message(1).id);
        let sum = Sum { first, messages, unread, flagged, has_attachments, people, more_people };
        Part { head: message(3).id, key: message(2).id, awaited: 5, sum }
    }

    #[test]
    fn a_row_is_made_of_all_messages_and_named_by_the_first_and_the_newest_listed() {
        let row = summed(part(4), message(3), &message(1), false);
        assert_eq!((&*row.subject, &*row.preview, row.date), ("Figs 1", "Text 3", 3));
        assert_eq!((row.id.uid, row.key.uid), (3, 2));
        assert_eq!((row.messages, row.unread), (9, 1));
        assert!(!row.flags.seen && row.flags.flagged && row.has_attachments);
        assert_eq!(row.correspondents, "Ada … Ben, Me");
        assert_eq!(summed(part(3), message(3), &message(1), false).correspondents, "Ada, Ben, Me");
        assert_eq!(summed(part(4), message(3), &message(1), true).correspondents, "Zoë");
        let single = summed(part(1), message(3), &message(3), false);
        assert_eq!((&*single.correspondents, &*single.subject), ("Ada", "Figs 3"));
    }
}
