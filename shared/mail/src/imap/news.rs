//! What a server tells about the open mailbox, asked or not: flags, arrivals, departures. Pure.

use std::collections::BTreeMap;

use postern_imap::{
    Response, SequenceSet,
    response::{Code, Defect, Fetch, Flag},
    session::Contradiction,
};

use super::limits;

/// What a server has told about the open mailbox since it was last applied to the store.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct News {
    /// The messages' UIDs by sequence number, where that is known: servers without QRESYNC name
    /// messages by number alone.
    order: Option<Vec<u32>>,
    /// Whether messages behind those may be stored.
    is_ahead: bool,
    /// How many messages there are, as it was last told.
    exists: u32,
    /// Whether there may be new messages.
    arrived: bool,
    /// Whether more has happened than is told here, so that the whole mailbox must be compared.
    lost: bool,
    /// How many numbers have moved up, each time that a message went.
    moved: usize,
    told: Told,
}

/// What was told, by UID.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Told {
    /// What messages have now.
    pub(super) marks: BTreeMap<u32, Marks>,
    /// Messages that are gone; some may never have been.
    pub(super) vanished: Vec<SequenceSet>,
    /// About how many bytes that takes up.
    size: usize,
}

/// What a message has.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Marks {
    pub(super) flags: Vec<Flag>,
    /// Its labels as the server spells them, if it told them.
    pub(super) labels: Option<Vec<Vec<u8>>>,
}

impl Marks {
    /// About how many bytes they take up.
    fn size(&self) -> usize {
        let labels = self.labels.as_deref().unwrap_or_default();
        size_of_val(&*self.flags)
            + size_of_val(labels)
            + self.flags.iter().map(|flag| flag.as_str().len()).sum::<usize>()
            + labels.iter().map(Vec::len).sum::<usize>()
    }
}

impl Told {
    /// Whether it may take up so many bytes more, which then count.
    fn grow(&mut self, bytes: usize) -> bool {
        self.size = self.size.saturating_add(bytes);
        self.size <= limits::NEWS_SIZE
    }
}

impl News {
    /// Takes a response of the server; true if it was news and nothing else.
    pub(super) fn note(&mut self, response: &Response) -> bool {
        match response {
            Response::Exists(count) => {
                self.exists(*count);
                return false;
            }
            Response::Expunge(number) => self.expunge(*number),
            Response::Vanished(vanished) => self.vanish(vanished.uids.clone()),
            // What comes with an envelope is a message that was asked for.
            Response::Fetch(fetch) if fetch.envelope.is_none() => return self.fetch(fetch),
            // What came before was about the mailbox that was open before (RFC 7162 section 3.2.11).
            Response::Status(status) if status.code == Some(Code::Closed) => {
                *self = Self::default();
            }
            Response::Status(status) if status.code == Some(Code::NotificationOverflow) => {
                self.lose();
            }
            _ => return false,
        }
        true
    }

    /// Takes a defect in what the server said: if it may have been that a message is gone, no number
    /// can be trusted any more.
    pub(super) fn doubt(&mut self, defect: &Defect) {
        let is_departure = match defect {
            Defect::Senseless(name) => matches!(&**name, "EXPUNGE" | "VANISHED"),
            Defect::Contradiction(found) => matches!(found, Contradiction::ExpungedNothing { .. }),
            _ => false,
        };
        if is_departure {
            self.lose();
        }
    }

    /// The mailbox was compared: these are its messages, ascending. If one went meanwhile that had
    /// no name yet, it may still be among them, and no number can be trusted.
    pub(super) fn set_order(&mut self, uids: Vec<u32>) {
        if !self.lost {
            self.order = Some(uids);
        }
    }

    /// Messages that come behind those whose numbers are known are asked for, and will be stored.
    pub(super) fn go_ahead(&mut self) {
        self.is_ahead = true;
    }

    /// These new messages became known, ascending.
    pub(super) fn extend_order(&mut self, uids: impl Iterator<Item = u32>) {
        self.is_ahead = false;
        let Some(order) = &mut self.order else { return };
        let last = order.last().copied().unwrap_or_default();
        order.extend(uids.filter(|uid| *uid > last));
        if u32::try_from(order.len()) != Ok(self.exists) {
            // One of them could not be read: whose number is whose can't be told any more.
            self.order = None;
        }
    }

    /// The mailbox was opened, and how many messages it has is known from that.
    pub(super) fn opened(&mut self) {
        self.arrived = false;
    }

    /// Whether there is anything to do.
    pub(super) fn is_empty(&self) -> bool {
        !(self.arrived || self.lost) && self.told == Told::default()
    }

    /// Whether the mailbox must be compared as a whole.
    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Takes what waits to be applied.
    pub(super) fn take_told(&mut self) -> Told {
        std::mem::take(&mut self.told)
    }

    /// How many messages there are, if there may be new ones; they are the caller's from then on.
    pub(super) fn take_arrived(&mut self) -> Option<u32> {
        std::mem::take(&mut self.arrived).then_some(self.exists)
    }

    fn exists(&mut self, count: u32) {
        self.exists = count;
        let known = self.order.as_ref().map_or(0, Vec::len);
        match (count as usize).cmp(&known) {
            std::cmp::Ordering::Greater => self.arrived = true,
            std::cmp::Ordering::Equal => {}
            // Messages can't go without an EXPUNGE.
            std::cmp::Ordering::Less => self.lose(),
        }
    }

    /// The mailbox will be compared: which message has which number does not matter until then.
    fn lose(&mut self) {
        self.lost = true;
        self.order = None;
    }

    fn expunge(&mut self, number: u32) {
        let Some(order) = &mut self.order else { return self.lose() };
        self.exists = self.exists.saturating_sub(1);
        let at = (number as usize).wrapping_sub(1);
        // One that lies behind those that are known came and went without being seen, if it was not
        // fetched before its turn.
        if at < order.len() {
            let uid = order.remove(at);
            self.moved += order.len() - at;
            self.vanish(SequenceSet::from(uid));
        } else if self.is_ahead {
            self.lose();
        }
        if self.moved > limits::MOVED {
            self.lose();
        }
    }

    fn vanish(&mut self, uids: SequenceSet) {
        let size = size_of_val(uids.ranges());
        if self.told.vanished.len() >= limits::NEWS || !self.told.grow(size) {
            return self.lose();
        }
        self.told.vanished.push(uids);
    }

    /// Takes the flags that were fetched, and the labels with them; true if there is nothing else.
    pub(super) fn fetch(&mut self, fetch: &Fetch) -> bool {
        let Some(flags) = fetch.flags.clone() else { return false };
        let mut marks = Marks { flags, labels: fetch.gmail.labels.clone() };
        let uid = match (fetch.uid, &self.order) {
            (Some(uid), _) => Some(uid),
            (None, Some(order)) => {
                match order.get((fetch.sequence as usize).wrapping_sub(1)) {
                    Some(uid) => Some(*uid),
                    // A message behind those that are known will be fetched with its flags, if it was
                    // not before its turn.
                    None if !self.is_ahead => return true,
                    None => None,
                }
            }
            (None, None) => None,
        };
        match uid {
            Some(uid) if self.told.marks.len() < limits::NEWS && self.told.grow(marks.size()) => {
                let before = self.told.marks.remove(&uid).and_then(|own| own.labels);
                marks.labels = marks.labels.or(before);
                self.told.marks.insert(uid, marks);
            }
            _ => self.lose(),
        }
        let has_more = fetch.body_structure.is_some() || fetch.preview.is_some();
        fetch.sections.is_empty() && !has_more
    }
}

#[cfg(test)]
mod tests;
