//! The messages of an account's mailboxes, as conversations. Pure.

use std::collections::{HashMap, HashSet};

use postern_bridge::{MailboxId, MessageId};

use super::{base, groups::Groups, limits};

/// What of a message says where it belongs.
#[derive(Clone, Debug, Default)]
pub struct Clue<'a> {
    /// Its id, without angle brackets; may be empty.
    pub message_id: &'a str,
    /// The ids of the messages that it follows.
    pub references: Vec<&'a str>,
    /// The server's name for its conversation; empty where it has none.
    pub thread: &'a str,
    /// Its subject, decoded.
    pub subject: &'a str,
    /// When it arrived, in milliseconds since 1970 (UTC).
    pub arrived: i64,
}

/// The newest message that a conversation has in a mailbox; ordered as the mailbox's list is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Head {
    /// When it arrived.
    pub arrived: i64,
    /// The message.
    pub id: MessageId,
}

/// Messages in conversations: each in exactly one, whatever the order in which they were added.
#[derive(Debug, Default)]
pub struct Conversations {
    /// Messages, and whatever they have in common.
    groups: Groups,
    /// Which message each thing is; none if it is something that messages have in common.
    owners: Vec<Option<MessageId>>,
    /// Things that are messages no more.
    free: Vec<u32>,
    names: HashMap<Box<str>, u32>,
    members: HashMap<MessageId, Member>,
    subjects: HashMap<u32, Subject>,
    /// What a server has said belongs together: messages by thing, and the other way round.
    told: HashMap<u32, Vec<MessageId>>,
    hints: HashMap<MessageId, u32>,
}

/// A message.
#[derive(Debug)]
struct Member {
    thing: u32,
    arrived: i64,
    /// What it has in common with others.
    links: Vec<u32>,
    by_subject: BySubject,
}

/// What of a message's subject counts.
#[derive(Clone, Copy, Debug)]
enum BySubject {
    Nothing,
    /// It answers what has the same subject, in the same time or the one before.
    Answers([Option<u32>; 2]),
    /// It may be answered by what has the same subject.
    Begins(Option<u32>),
}

/// A subject in a span of time.
#[derive(Debug, Default)]
struct Subject {
    /// How many messages answer by it alone.
    answers: u32,
    /// Messages that begin with it and name nobody.
    begins: Vec<u32>,
    /// Whether these are joined.
    joined: bool,
}

/// How long the spans of time are in which a subject means the same: one that comes again years
/// later, or each month, is another conversation.
const SPAN: i64 = 30 * 24 * 3600 * 1000;

impl Conversations {
    /// How many messages there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether a message is among them.
    pub fn contains(&self, id: MessageId) -> bool {
        self.members.contains_key(&id)
    }

    /// Adds a message, or takes over what is known of it now.
    ///
    /// Where the server has a name for its conversation, that counts and nothing else. Otherwise it
    /// belongs to whoever names the same ids, as sender or as one who follows. If it names nobody,
    /// it belongs by its base subject to those that name nobody either and whose like has been
    /// answered by that subject alone, within two months: "Re: Figs" without a reference answers
    /// "Figs", but one "Monthly report" has nothing to do with the next.
    pub fn add(&mut self, id: MessageId, clue: &Clue<'_>) {
        if self.contains(id) {
            self.remove(&[id]);
        }
        let mut links = Vec::new();
        let mut by_subject = BySubject::Nothing;
        if clue.thread.is_empty() {
            let followed = || clue.references.iter().filter(|own| **own != clue.message_id);
            let own = Some(&clue.message_id).filter(|own| !own.is_empty());
            links.extend(own.into_iter().chain(followed()).filter_map(|own| self.name('i', own)));
            if followed().next().is_none() {
                by_subject = self.by_subject(clue);
            }
            links.extend(self.hints.get(&id));
        } else {
            links.extend(self.name('t', clue.thread));
        }
        let thing = self.thing(Some(id));
        match by_subject {
            BySubject::Nothing => {}
            BySubject::Answers(subjects) => {
                for subject in subjects.into_iter().flatten() {
                    self.subjects.entry(subject).or_default().answers += 1;
                }
            }
            BySubject::Begins(subject) => {
                if let Some(subject) = subject {
                    self.subjects.entry(subject).or_default().begins.push(thing);
                }
            }
        }
        let arrived = clue.arrived;
        self.members.insert(id, Member { thing, arrived, links, by_subject });
        self.tie(id);
    }

    /// Removes messages; what they alone held together falls apart.
    pub fn remove(&mut self, ids: &[MessageId]) {
        let mut things: Vec<u32> = Vec::new();
        let mut tops = HashSet::new();
        let mut gone = HashSet::new();
        let mut subjects = HashSet::new();
        for id in ids {
            let Some(member) = self.members.remove(id) else { continue };
            if tops.insert(self.groups.top(member.thing)) {
                things.extend(self.groups.group(member.thing));
            }
            gone.insert(member.thing);
            match member.by_subject {
                BySubject::Nothing => {}
                BySubject::Answers(answered) => {
                    for subject in answered.into_iter().flatten() {
                        if let Some(own) = self.subjects.get_mut(&subject) {
                            own.answers = own.answers.saturating_sub(1);
                        }
                        subjects.insert(subject);
                    }
                }
                BySubject::Begins(subject) => subjects.extend(subject),
            }
        }
        for subject in subjects {
            if let Some(own) = self.subjects.get_mut(&subject) {
                own.begins.retain(|thing| !gone.contains(thing));
                if own.answers == 0 && own.begins.is_empty() {
                    self.subjects.remove(&subject);
                }
            }
        }
        self.groups.part(&things);
        for thing in &things {
            if let Some(own) = self.subjects.get_mut(thing) {
                own.joined = false;
            }
        }
        for thing in things {
            if gone.contains(&thing) {
                self.owners[thing as usize] = None;
                self.free.push(thing);
            } else if let Some(id) = self.owners[thing as usize] {
                self.tie(id);
            }
        }
    }

    /// Takes over that the server says these messages of a mailbox belong together, whether they are
    /// here yet or not.
    pub fn hint(&mut self, mailbox: MailboxId, uids: &[u32]) {
        let ids = uids.iter().map(|uid| MessageId { mailbox, uid: *uid });
        let ids: Vec<MessageId> = ids.filter(|id| !self.hints.contains_key(id)).collect();
        if ids.len() < 2 {
            return;
        }
        let hint = self.thing(None);
        for id in &ids {
            self.hints.insert(*id, hint);
            if let Some(member) = self.members.get_mut(id) {
                member.links.push(hint);
                self.groups.join(member.thing, hint);
            }
        }
        self.told.insert(hint, ids);
    }

    /// The newest messages that conversations have in a mailbox, oldest first.
    pub fn heads(&self, mailbox: MailboxId) -> Vec<Head> {
        let mut newest: HashMap<u32, Head> = HashMap::new();
        for (id, member) in self.members.iter().filter(|(id, _)| id.mailbox == mailbox) {
            let head = Head { arrived: member.arrived, id: *id };
            let known = newest.entry(self.groups.top(member.thing)).or_insert(head);
            *known = head.max(*known);
        }
        let mut heads: Vec<Head> = newest.into_values().collect();
        heads.sort_unstable();
        heads
    }

    /// All messages of a message's conversation, oldest first; none if it is not here.
    pub fn of(&self, id: MessageId) -> Vec<Head> {
        let Some(member) = self.members.get(&id) else { return Vec::new() };
        let group = self.groups.group(member.thing);
        let head = |id: MessageId| Some(Head { arrived: self.members.get(&id)?.arrived, id });
        let mut messages: Vec<Head> =
            group.filter_map(|thing| self.owners[thing as usize]).filter_map(head).collect();
        messages.sort_unstable();
        messages
    }

    /// How many messages of a message's conversation the server has named that are not here yet.
    pub fn awaited(&self, id: MessageId) -> u32 {
        let Some(member) = self.members.get(&id) else { return 0 };
        let told = self.groups.group(member.thing).filter_map(|thing| self.told.get(&thing));
        let missing = told.flatten().filter(|id| !self.contains(**id)).count();
        u32::try_from(missing).unwrap_or(u32::MAX)
    }

    /// Joins a message with what it has in common with others.
    fn tie(&mut self, id: MessageId) {
        let Self { members, groups, subjects, .. } = self;
        let Some(Member { thing, links, by_subject, .. }) = members.get(&id) else { return };
        for link in links {
            groups.join(*thing, *link);
        }
        match by_subject {
            BySubject::Nothing => {}
            BySubject::Answers(answered) => {
                for subject in answered.iter().flatten() {
                    groups.join(*thing, *subject);
                    if let Some(own) = subjects.get_mut(subject)
                        && !std::mem::replace(&mut own.joined, true)
                    {
                        own.begins.iter().for_each(|other| groups.join(*other, *subject));
                    }
                }
            }
            BySubject::Begins(subject) => {
                if let Some(subject) = subject
                    && subjects.get(subject).is_some_and(|own| own.answers > 0)
                {
                    groups.join(*thing, *subject);
                }
            }
        }
    }

    fn by_subject(&mut self, clue: &Clue<'_>) -> BySubject {
        let base = base(clue.subject);
        if base.text.is_empty() {
            return BySubject::Nothing;
        }
        let span = clue.arrived.div_euclid(SPAN);
        let mut subject = |span: i64| self.name('s', &format!("{span} {}", base.text));
        if base.answers {
            BySubject::Answers([subject(span), subject(span.saturating_sub(1))])
        } else {
            BySubject::Begins(subject(span))
        }
    }

    /// What stands for a name of a kind; none if there are too many.
    fn name(&mut self, kind: char, name: &str) -> Option<u32> {
        let name = format!("{kind}{name}");
        if let Some(known) = self.names.get(&*name) {
            return Some(*known);
        }
        if self.names.len() >= limits::NAMES {
            return None;
        }
        let thing = self.thing(None);
        self.names.insert(name.into(), thing);
        Some(thing)
    }

    fn thing(&mut self, owner: Option<MessageId>) -> u32 {
        let thing = match self.free.pop() {
            Some(thing) => thing,
            None => {
                self.owners.push(None);
                self.groups.add()
            }
        };
        self.owners[thing as usize] = owner;
        thing
    }
}
