//! What a server says beside what it is asked: what it wants a person to be told, and what makes no
//! sense.

use std::collections::BTreeMap;

use postern_imap::{
    Event, Response,
    response::{Code, Defect, Status},
    session::Contradiction,
};

use super::{ImapClient, limits};
use crate::{Transport, error::words};

/// What the server wants the person to be told (ALERT, RFC 9051 section 7.1), each text once.
#[derive(Debug, Default)]
pub(super) struct Alerts {
    heard: Vec<String>,
    /// How many of them were taken.
    taken: usize,
}

impl Alerts {
    /// Takes note of what the server said. Of a server that has ever more to tell, only the first few
    /// texts of a connection are.
    pub(super) fn hear(&mut self, event: &Event) {
        let (Event::Greeting(status)
        | Event::Goodbye(status)
        | Event::Completed { status, .. }
        | Event::Response(Response::Status(status))) = event
        else {
            return;
        };
        if let Some(text) = alert(status)
            && self.heard.len() < limits::ALERTS
            && !self.heard.contains(&text)
        {
            self.heard.push(text);
        }
    }

    /// Those that were not taken yet.
    fn take(&mut self) -> &[String] {
        let new = &self.heard[self.taken..];
        self.taken = self.heard.len();
        new
    }
}

/// What a status response wants the person to be told.
pub(super) fn alert(status: &Status) -> Option<String> {
    (status.code == Some(Code::Alert) && !status.text.is_empty()).then(|| words(&status.text))
}

/// What the server has said that makes no sense, counted by kind.
///
/// Responses that are not known are no such thing: a server may speak of what nobody here asked
/// about, and nothing can be missing because of it. A person need not wonder about them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Defects {
    kinds: BTreeMap<String, (u32, String)>,
}

impl Defects {
    /// Takes note of what the server said.
    pub(super) fn hear(&mut self, event: &Event) {
        if let Event::Defect(defect) = event
            && !matches!(defect, Defect::Unknown(_))
        {
            self.add(kind(defect), 1, words(&defect.to_string()));
        }
    }

    /// Adds what was heard over another connection, or later.
    pub fn extend(&mut self, more: Self) {
        for (kind, (times, last)) in more.kinds {
            self.add(kind, times, last);
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// The last of each kind, and how many there were; the most frequent first.
    pub fn counted(&self) -> Vec<(&str, u32)> {
        let mut counted: Vec<_> =
            self.kinds.values().map(|(times, last)| (&**last, *times)).collect();
        counted.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
        counted
    }

    /// Of too many kinds those that come later count as one.
    fn add(&mut self, kind: String, times: u32, last: String) {
        let is_new = !self.kinds.contains_key(&kind);
        let kind = if is_new && self.kinds.len() >= limits::DEFECTS { String::new() } else { kind };
        let own = self.kinds.entry(kind).or_default();
        *own = (own.0.saturating_add(times), last);
    }
}

/// What a defect has in common with others of its kind: all but the numbers.
fn kind(defect: &Defect) -> String {
    match defect {
        Defect::Contradiction(found) => match found {
            Contradiction::Shrunk { .. } => "shrunk",
            Contradiction::ExpungedNothing { .. } => "expunged nothing",
            Contradiction::NoSuchMessage { .. } => "no such message",
            Contradiction::ZeroUid => "no UID",
            Contradiction::MisplacedUid { .. } => "UID out of order",
        }
        .into(),
        other => words(&other.to_string()),
    }
}

impl<T: Transport> ImapClient<T> {
    /// What the server has said since this was last asked, and makes no sense.
    pub fn take_defects(&mut self) -> Defects {
        std::mem::take(&mut self.defects)
    }

    /// Takes note of what the server says, whatever it belongs to.
    pub(super) fn overhear(&mut self, event: &Event) {
        self.alerts.hear(event);
        self.defects.hear(event);
    }

    /// What the server wants the person to be told, and has said since this was last asked.
    pub fn take_alerts(&mut self) -> Vec<String> {
        self.alerts.take().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use postern_imap::response::StatusKind;

    use super::*;

    fn said(text: &str, code: Option<Code>) -> Event {
        let kind = StatusKind::Ok;
        Event::Response(Response::Status(Status { kind, code, text: text.into() }))
    }

    #[test]
    fn each_text_is_told_once_a_connection() {
        let mut alerts = Alerts::default();
        for event in [
            said("down at noon", Some(Code::Alert)),
            said("still here", None),
            said("", Some(Code::Alert)),
            said("down at noon", Some(Code::Alert)),
        ] {
            alerts.hear(&event);
        }
        assert_eq!(alerts.take(), ["down at noon"]);
        alerts.hear(&said("down at noon", Some(Code::Alert)));
        alerts.hear(&said("up again", Some(Code::Alert)));
        assert_eq!(alerts.take(), ["up again"]);
        assert_eq!(alerts.take(), [""; 0]);
    }

    #[test]
    fn defects_are_counted_by_kind_with_the_last_of_each() {
        let mut defects = Defects::default();
        let shrunk = |now| Defect::from(Contradiction::Shrunk { before: 9, now });
        let senseless = |name: &str| Defect::Senseless(name.into());
        let unknown = Defect::Unknown("X-NEWS".into());
        for defect in [shrunk(8), senseless("FETCH"), shrunk(7), Defect::UnknownTag, shrunk(6)] {
            defects.hear(&Event::Defect(defect));
            defects.hear(&Event::Defect(unknown.clone()));
        }
        let mut more = Defects::default();
        more.hear(&Event::Defect(senseless("FETCH")));
        defects.extend(more);
        let expected = [
            ("the mailbox shrank from 9 messages to 6 without a word", 3),
            ("FETCH response that makes no sense", 2),
            ("an answer to a command that was not given", 1),
        ];
        assert_eq!(defects.counted(), expected);
    }

    #[test]
    fn kinds_of_defects_are_told_apart_up_to_the_limit() {
        let mut defects = Defects::default();
        for number in 0..limits::DEFECTS + 5 {
            defects.hear(&Event::Defect(Defect::Senseless(format!("X{number}"))));
        }
        let counted = defects.counted();
        assert_eq!((counted.len(), counted[0].1), (limits::DEFECTS + 1, 5));
    }

    #[test]
    fn texts_are_heard_up_to_the_limit_and_no_more() {
        let mut alerts = Alerts::default();
        for number in 0..=limits::ALERTS {
            alerts.hear(&said(&number.to_string(), Some(Code::Alert)));
        }
        assert_eq!(alerts.take().len(), limits::ALERTS);
    }
}
