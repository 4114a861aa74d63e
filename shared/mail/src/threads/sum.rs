//! What is said of a conversation as a whole. Pure.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use postern_bridge::{MailboxId, MessageId};

use super::conversations::{Conversations, Head, Member};

/// How a message is marked, as far as its conversation's row shows it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Marks {
    /// Whether it is read.
    pub seen: bool,
    /// Whether it is starred.
    pub flagged: bool,
    /// Whether it has attachments.
    pub has_attachments: bool,
}

/// By what the same message in another mailbox is known. Gmail, for one, has what was sent among all
/// mail as well.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Twin {
    /// A digest of the server's name for it (EMAILID, RFC 8474; X-GM-MSGID), which is the same in
    /// every mailbox.
    named: Option<u64>,
    /// A digest of its Message-ID, size and other facts that can't be the same by chance.
    looks: Option<u64>,
}

impl Twin {
    /// `name` is the server's, empty where it has none; `looks` is what else tells a message apart,
    /// none where that may be the same for others.
    pub fn new(name: &str, looks: Option<impl Hash>) -> Self {
        let named = (!name.is_empty()).then(|| digest(&name));
        Self { named, looks: looks.map(|looks| digest(&looks)) }
    }
}

/// A conversation, summed up; of messages that are there twice only one counts.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Sum {
    /// The oldest message.
    pub first: Option<MessageId>,
    /// How many there are.
    pub messages: u32,
    /// How many of those that the mailbox lists are unread.
    pub unread: u32,
    /// Whether one that the mailbox lists is starred.
    pub flagged: bool,
    /// Whether one has attachments.
    pub has_attachments: bool,
    /// Who wrote: everybody in the order of their latest message, who began it first; of more than
    /// three the first and the last two.
    pub people: Vec<String>,
    /// Whether there were more people.
    pub more_people: bool,
}

impl Conversations {
    /// The messages of a message's conversation as the list of a mailbox shows them, oldest first.
    ///
    /// What the mailbox lists is shown, each by itself, even if it is there twice: it may be acted on.
    /// What is elsewhere is left out where it is one of those once more. So nothing is ever hidden by
    /// what is not acted on, and nothing is acted on that is hidden.
    pub fn shown(&self, id: MessageId, mailbox: MailboxId) -> Vec<Head> {
        let mut messages = self.of(id);
        if messages.iter().all(|own| own.id.mailbox == mailbox) {
            return messages;
        }
        let twin = |own: &Head| self.members.get(&own.id).map(|own| own.twin).unwrap_or_default();
        let (mut names, mut looks) = (HashSet::new(), HashMap::new());
        for Twin { named, looks: own } in
            messages.iter().filter(|own| own.id.mailbox == mailbox).map(twin)
        {
            names.extend(named);
            if let Some(own) = own {
                *looks.entry(own).or_insert(false) |= named.is_none();
            }
        }
        messages.retain(|own| {
            let Twin { named, looks: own_looks } = twin(own);
            let is_named = named.is_some_and(|named| names.contains(&named));
            // Two that have names, and different ones, are two.
            let looks_so = own_looks.and_then(|own| looks.get(&own));
            let is_like = looks_so.is_some_and(|unnamed| *unnamed || named.is_none());
            own.id.mailbox == mailbox || !(is_named || is_like)
        });
        messages
    }

    /// Sums up a message's conversation as the list of a mailbox shows it.
    pub fn sum(&self, id: MessageId, mailbox: MailboxId) -> Sum {
        let messages = self.shown(id, mailbox);
        let members = messages.iter().filter_map(|own| self.members.get(&own.id));
        let is_listed = |own: &&Head| own.id.mailbox == mailbox;
        let listed =
            || messages.iter().filter(is_listed).filter_map(|own| self.members.get(&own.id));
        let unread = listed().filter(|own| !own.marks.seen).count();
        let (people, more_people) = people(members.clone());
        Sum {
            first: messages.first().map(|own| own.id),
            messages: u32::try_from(messages.len()).unwrap_or(u32::MAX),
            unread: u32::try_from(unread).unwrap_or(u32::MAX),
            flagged: listed().any(|own| own.marks.flagged),
            has_attachments: members.into_iter().any(|own| own.marks.has_attachments),
            people,
            more_people,
        }
    }
}

/// Who wrote messages that come oldest first, and whether there were more.
fn people<'m>(members: impl DoubleEndedIterator<Item = &'m Member> + Clone) -> (Vec<String>, bool) {
    let mut names = members.map(|own| &*own.from).filter(|own| !own.is_empty());
    let Some(first) = names.clone().next() else { return (Vec::new(), false) };
    let mut latest: Vec<&str> = Vec::new();
    // As soon as there is one more than are named, it does not matter who else there was.
    while latest.len() < 3
        && let Some(name) = names.next_back()
    {
        if name != first && !latest.contains(&name) {
            latest.push(name);
        }
    }
    let more = latest.len() == 3;
    if more {
        latest.pop();
    }
    let people = std::iter::once(first).chain(latest.into_iter().rev());
    (people.map(str::to_owned).collect(), more)
}

fn digest(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::{super::conversations::Clue, *};

    const INBOX: MailboxId = MailboxId(1);
    const SENT: MailboxId = MailboxId(2);

    fn id(mailbox: MailboxId, uid: u32) -> MessageId {
        MessageId { mailbox, uid }
    }

    fn clue(arrived: i64, from: &str) -> Clue<'_> {
        Clue { message_id: "a@b", arrived, from, ..Clue::default() }
    }

    #[test]
    fn a_conversation_of_any_size_is_summed_up_as_a_whole() {
        let mut conversations = Conversations::default();
        for uid in 1..=5_000 {
            let from = format!("Writer {}", uid % 400);
            // Only the first ones are unread, starred and have attachments.
            let marks = Marks { seen: uid > 3, flagged: uid == 2, has_attachments: uid == 3 };
            let own = Clue { marks, ..clue(i64::from(uid), &from) };
            conversations.add(id(INBOX, uid), &own);
        }
        let unread = Clue { arrived: 9_000, ..clue(0, "Me") };
        conversations.add(id(SENT, 1), &unread);
        let sum = conversations.sum(id(INBOX, 5_000), INBOX);
        assert_eq!((sum.first, sum.messages, sum.unread), (Some(id(INBOX, 1)), 5_001, 3));
        assert!(sum.flagged && sum.has_attachments && sum.more_people);
        assert_eq!(sum.people, ["Writer 1", "Writer 200", "Me"]);
        let read = Clue { marks: Marks { seen: true, ..Marks::default() }, ..clue(2, "Ada") };
        assert!(!conversations.add(id(INBOX, 2), &read), "marks change no conversation");
        let sum = conversations.sum(id(INBOX, 1), INBOX);
        assert_eq!((sum.unread, sum.flagged), (2, false));
    }

    #[test]
    fn of_many_people_the_first_and_the_last_are_named() {
        let named = |names: &[&str]| {
            let mut conversations = Conversations::default();
            for (uid, name) in (1..).zip(names) {
                conversations.add(id(INBOX, uid), &clue(i64::from(uid), name));
            }
            let sum = conversations.sum(id(INBOX, 1), INBOX);
            (sum.people.join(", "), sum.more_people)
        };
        assert_eq!(named(&["Ada"]), ("Ada".into(), false));
        assert_eq!(named(&["Ada", "Ben", "Ada"]), ("Ada, Ben".into(), false));
        assert_eq!(named(&["Ada", "Ben", "Cleo", "Ben"]), ("Ada, Cleo, Ben".into(), false));
        assert_eq!(named(&["Ada", "Ben", "Cleo", "Dan", "Ben"]), ("Ada, Dan, Ben".into(), true));
        assert_eq!(named(&["", "Ben"]), ("Ben".into(), false));
        assert_eq!(named(&[]), (String::new(), false));
    }

    #[test]
    fn what_is_in_two_mailboxes_is_shown_once_and_what_is_listed_never_hides() {
        let twin = |name: &str, looks: &str| Twin::new(name, Some(looks).filter(|l| !l.is_empty()));
        // Of the listed messages and those that were sent: name and looks; and which sent ones show.
        type Own = (&'static str, &'static str);
        type Case = (&'static str, &'static [Own], &'static [Own], &'static [u32]);
        let cases: [Case; 7] = [
            ("Gmail has it among all mail", &[("g1", "x")], &[("g1", "x")], &[]),
            ("the server names two", &[("g1", "x")], &[("g2", "x")], &[1]),
            ("nobody names it, and it looks the same", &[("", "x")], &[("", "x")], &[]),
            ("it looks different", &[("", "x")], &[("", "y")], &[1]),
            ("only one was asked for its name", &[("g1", "x")], &[("", "x")], &[]),
            ("nothing is known", &[("", "")], &[("", "")], &[1]),
            ("the listed one is there twice", &[("g1", "x"), ("g1", "x")], &[("g1", "x")], &[]),
        ];
        for (case, listed, sent, expected) in cases {
            let mut conversations = Conversations::default();
            let mut add = |mailbox, own: &[Own]| {
                for (uid, (name, looks)) in (1..).zip(own) {
                    let own = Clue { twin: twin(name, looks), ..clue(i64::from(uid), "Ada") };
                    conversations.add(id(mailbox, uid), &own);
                }
            };
            add(INBOX, listed);
            add(SENT, sent);
            let shown = conversations.shown(id(INBOX, 1), INBOX);
            let of = |mailbox| {
                let own = shown.iter().map(|own| own.id).filter(move |id| id.mailbox == mailbox);
                own.map(|id| id.uid).collect::<Vec<_>>()
            };
            assert_eq!(of(SENT), expected, "{case}");
            assert_eq!(of(INBOX).len(), listed.len(), "{case}");
            let messages = conversations.sum(id(INBOX, 1), INBOX).messages;
            assert_eq!(messages as usize, shown.len(), "{case}");
            // Once it is listed no more, what was sent shows again.
            conversations.remove(&[id(INBOX, 1), id(INBOX, 2)]);
            let left = conversations.shown(id(SENT, 1), INBOX);
            assert_eq!(left.len(), sent.len(), "{case}");
        }
    }
}
