//! The messages of an account's mailboxes, as conversations. Pure.

use std::collections::{HashMap, HashSet};

use postern_bridge::{MailboxId, MessageId};

use super::{groups::Groups, limits};

/// What of a message says where it belongs.
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
    /// What a server has said belongs together, and at which place of it a message is.
    told: Vec<Vec<MessageId>>,
    told_at: HashMap<MessageId, usize>,
}

/// A message.
#[derive(Debug)]
struct Member {
    thing: u32,
    arrived: i64,
    /// What it has in common with others.
    links: Vec<u32>,
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

    /// Adds a message, or takes over what is known of it now.
    ///
    /// Where the server has a name for its conversation, that counts and nothing else. Otherwise it
    /// belongs to whoever names the same ids, as sender or as one who follows. Subjects say nothing:
    /// strangers write "Re: Invoice" every month, and what is done to a conversation is done to all of
    /// it.
    pub fn add(&mut self, id: MessageId, clue: &Clue<'_>) {
        if self.contains(id) {
            self.remove(&[id]);
        }
        let mut links = Vec::new();
        if clue.thread.is_empty() {
            let followed = || clue.references.iter().filter(|own| **own != clue.message_id);
            let own = Some(&clue.message_id).filter(|own| !own.is_empty());
            links.extend(own.into_iter().chain(followed()).filter_map(|own| self.name('i', own)));
        } else {
            links.extend(self.name('t', clue.thread));
        }
        let thing = self.thing(Some(id));
        let arrived = clue.arrived;
        self.members.insert(id, Member { thing, arrived, links });
        self.tie(id);
    }

    /// Removes messages; what they alone held together falls apart.
    pub fn remove(&mut self, ids: &[MessageId]) {
        let mut things: Vec<u32> = Vec::new();
        let mut tops = HashSet::new();
        let mut gone = HashSet::new();
        for id in ids {
            self.told_at.remove(id);
            let Some(member) = self.members.remove(id) else { continue };
            if tops.insert(self.groups.top(member.thing)) {
                things.extend(self.groups.group(member.thing));
            }
            gone.insert(member.thing);
        }
        self.groups.part(&things);
        for thing in things {
            if gone.contains(&thing) {
                self.owners[thing as usize] = None;
                self.free.push(thing);
            } else if let Some(id) = self.owners[thing as usize] {
                self.tie(id);
            }
        }
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
        let messages = self.of(id);
        let told: HashSet<usize> =
            messages.iter().filter_map(|own| self.told_at.get(&own.id).copied()).collect();
        let is_awaited = |id: &&MessageId| self.told_at.contains_key(id) && !self.contains(**id);
        let awaited = told.iter().flat_map(|at| &self.told[*at]).filter(is_awaited).count();
        u32::try_from(awaited).unwrap_or(u32::MAX)
    }

    /// Joins a message with what it has in common with others.
    fn tie(&mut self, id: MessageId) {
        let Some(Member { thing, links, .. }) = self.members.get(&id) else { return };
        for link in links {
            self.groups.join(*thing, *link);
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
