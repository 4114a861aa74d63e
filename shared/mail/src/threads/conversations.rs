//! The messages of an account's mailboxes, as conversations. Pure.

use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
};

use postern_bridge::{MailboxId, MessageId};

use super::{
    groups::Groups,
    limits,
    names::{People, is_plausible},
    sum::{Marks, Twin},
};

/// What of a message says where it belongs, and what it adds to what is said of its conversation.
#[derive(Clone, Debug, Default)]
pub struct Clue<'a> {
    /// Its id, without angle brackets; may be empty.
    pub message_id: &'a str,
    /// The ids of the messages that it follows.
    pub references: Vec<&'a str>,
    /// The server's name for its conversation; empty where it has none.
    pub thread: &'a str,
    /// When it arrived, in milliseconds since 1970 (UTC).
    pub arrived: i64,
    /// Who wrote it.
    pub from: &'a str,
    /// How it is marked.
    pub marks: Marks,
    /// By what it is known in another mailbox.
    pub twin: Twin,
}

/// A message of a conversation; ordered as a mailbox's list is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Head {
    /// When it arrived.
    pub arrived: i64,
    /// The message.
    pub id: MessageId,
}

/// What a mailbox lists of a conversation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Listed {
    /// The newest message.
    pub newest: Head,
    /// The oldest.
    pub oldest: Head,
    /// What stands for the conversation; see [`Conversations::group`].
    pub group: u32,
}

/// Messages in conversations: each in exactly one, whatever the order in which they were added.
#[derive(Debug, Default)]
pub struct Conversations {
    /// Messages, and whatever they have in common.
    groups: Groups,
    things: Vec<Thing>,
    /// Things that are nothing any more.
    free: Vec<u32>,
    /// What messages have in common, by its name.
    names: HashMap<Rc<str>, u32>,
    pub(super) members: HashMap<MessageId, Member>,
    people: People,
    /// What a server has said belongs together, and at which place of it a message is.
    told: Vec<Vec<MessageId>>,
    told_at: HashMap<MessageId, usize>,
}

/// What is joined.
#[derive(Clone, Debug)]
enum Thing {
    Nothing,
    Message(MessageId),
    /// What so many links of messages name.
    Name(Rc<str>, u32),
}

/// A message.
#[derive(Debug)]
pub(super) struct Member {
    thing: u32,
    pub(super) arrived: i64,
    /// What it has in common with others.
    links: Vec<u32>,
    pub(super) from: Rc<str>,
    pub(super) marks: Marks,
    pub(super) twin: Twin,
}

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

    /// Adds a message, or takes over what is known of it now; whether conversations are others than
    /// before.
    ///
    /// Where the server has a name for its conversation, that counts and nothing else. Otherwise it
    /// belongs to whoever names the same ids, as sender or as one who follows. Subjects say nothing:
    /// strangers write "Re: Invoice" every month, and what is done to a conversation is done to all of
    /// it.
    pub fn add(&mut self, id: MessageId, clue: &Clue<'_>) -> bool {
        let links = self.links(clue);
        let (arrived, marks, twin) = (clue.arrived, clue.marks, clue.twin);
        let from = self.people.share(clue.from);
        if let Some(member) = self.members.get_mut(&id) {
            let before = std::mem::replace(&mut member.from, Rc::clone(&from));
            (member.marks, member.twin) = (marks, twin);
            let is_same = member.arrived == arrived && member.links == links;
            self.people.release(before);
            if is_same {
                self.unlink(&links);
                return false;
            }
            self.take_out(&[id]);
        }
        let thing = self.thing(Thing::Message(id));
        self.members.insert(id, Member { thing, arrived, links, from, marks, twin });
        self.tie(id);
        true
    }

    /// Removes messages; what they alone held together falls apart.
    pub fn remove(&mut self, ids: &[MessageId]) {
        for id in ids {
            self.told_at.remove(id);
        }
        self.take_out(ids);
    }

    /// Takes over that the server says these messages of a mailbox belong together. It says so of
    /// messages that are not here yet as well, which are counted; those that are here belong where
    /// they say themselves, since servers also go by subjects.
    pub fn tell(&mut self, mailbox: MailboxId, uids: &[u32]) {
        let ids = uids.iter().map(|uid| MessageId { mailbox, uid: *uid });
        let ids: Vec<MessageId> = ids.filter(|id| !self.told_at.contains_key(id)).collect();
        if ids.len() < 2 {
            return;
        }
        self.told_at.extend(ids.iter().map(|id| (*id, self.told.len())));
        self.told.push(ids);
    }

    /// What a mailbox lists of each conversation, by its newest message, oldest first.
    pub fn listed(&self, mailbox: MailboxId) -> Vec<Listed> {
        let mut all: HashMap<u32, Listed> = HashMap::new();
        for (id, member) in self.members.iter().filter(|(id, _)| id.mailbox == mailbox) {
            let head = Head { arrived: member.arrived, id: *id };
            let group = self.groups.top(member.thing);
            let own = all.entry(group).or_insert(Listed { newest: head, oldest: head, group });
            own.newest = own.newest.max(head);
            own.oldest = own.oldest.min(head);
        }
        let mut listed: Vec<Listed> = all.into_values().collect();
        listed.sort_unstable_by_key(|own| own.newest);
        listed
    }

    /// What stands for a message's conversation until messages are added or removed; none if it is
    /// not here.
    pub fn group(&self, id: MessageId) -> Option<u32> {
        Some(self.groups.top(self.members.get(&id)?.thing))
    }

    /// All messages of a message's conversation, oldest first; none if it is not here.
    pub fn of(&self, id: MessageId) -> Vec<Head> {
        let Some(member) = self.members.get(&id) else { return Vec::new() };
        let head = |thing| match self.things[thing as usize] {
            Thing::Message(id) => Some(Head { arrived: self.members.get(&id)?.arrived, id }),
            Thing::Name(..) | Thing::Nothing => None,
        };
        let mut messages: Vec<Head> = self.groups.group(member.thing).filter_map(head).collect();
        messages.sort_unstable();
        messages
    }

    /// How many messages of a message's conversation the server has named that are not here yet.
    pub fn awaited(&self, id: MessageId) -> u32 {
        if self.told_at.is_empty() {
            return 0;
        }
        let messages = self.of(id);
        let told: HashSet<usize> =
            messages.iter().filter_map(|own| self.told_at.get(&own.id).copied()).collect();
        let is_awaited = |id: &&MessageId| self.told_at.contains_key(id) && !self.contains(**id);
        let awaited = told.iter().flat_map(|at| &self.told[*at]).filter(is_awaited).count();
        u32::try_from(awaited).unwrap_or(u32::MAX)
    }

    /// How many names and people are held.
    #[cfg(test)]
    pub(super) fn held(&self) -> (usize, usize) {
        (self.names.len(), self.people.len())
    }

    /// What a message has in common with others; each of it counts one link more.
    fn links(&mut self, clue: &Clue<'_>) -> Vec<u32> {
        if !clue.thread.is_empty() {
            return self.name('t', clue.thread).into_iter().collect();
        }
        let followed = clue.references.iter().filter(|own| **own != clue.message_id);
        let ids = std::iter::once(&clue.message_id).chain(followed);
        ids.filter(|id| is_plausible(id)).filter_map(|id| self.name('i', id)).collect()
    }

    /// Takes links back; names that nobody uses are not forgotten by this.
    fn unlink(&mut self, links: &[u32]) {
        for link in links {
            if let Thing::Name(_, uses) = &mut self.things[*link as usize] {
                *uses = uses.saturating_sub(1);
            }
        }
    }

    fn take_out(&mut self, ids: &[MessageId]) {
        let mut things: Vec<u32> = Vec::new();
        let mut tops = HashSet::new();
        let mut gone = HashSet::new();
        for id in ids {
            let Some(member) = self.members.remove(id) else { continue };
            if tops.insert(self.groups.top(member.thing)) {
                things.extend(self.groups.group(member.thing));
            }
            gone.insert(member.thing);
            self.unlink(&member.links);
            self.people.release(member.from);
        }
        self.groups.part(&things);
        for thing in things {
            match &self.things[thing as usize] {
                Thing::Message(_) if gone.contains(&thing) => self.forget(thing),
                Thing::Message(id) => {
                    let id = *id;
                    self.tie(id);
                }
                Thing::Name(name, 0) => {
                    self.names.remove(name);
                    self.forget(thing);
                }
                Thing::Name(..) | Thing::Nothing => {}
            }
        }
    }

    /// Joins a message with what it has in common with others.
    fn tie(&mut self, id: MessageId) {
        let Some(Member { thing, links, .. }) = self.members.get(&id) else { return };
        for link in links {
            self.groups.join(*thing, *link);
        }
    }

    /// What stands for a name of a kind, with one use more; none if there are too many.
    fn name(&mut self, kind: char, name: &str) -> Option<u32> {
        let name = format!("{kind}{name}");
        if let Some(known) = self.names.get(&*name) {
            if let Thing::Name(_, uses) = &mut self.things[*known as usize] {
                *uses += 1;
            }
            return Some(*known);
        }
        if self.names.len() >= limits::NAMES {
            return None;
        }
        let name: Rc<str> = name.into();
        let thing = self.thing(Thing::Name(Rc::clone(&name), 1));
        self.names.insert(name, thing);
        Some(thing)
    }

    fn thing(&mut self, what: Thing) -> u32 {
        match self.free.pop() {
            Some(thing) => {
                self.things[thing as usize] = what;
                thing
            }
            None => {
                self.things.push(what);
                self.groups.add()
            }
        }
    }

    /// Makes a thing that is in no group with others nothing.
    fn forget(&mut self, thing: u32) {
        self.things[thing as usize] = Thing::Nothing;
        self.free.push(thing);
    }
}
