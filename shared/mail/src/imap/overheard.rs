//! What a server says beside what it is asked: what it wants a person to be told.

use postern_imap::{
    Event, Response,
    response::{Code, Status},
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

impl<T: Transport> ImapClient<T> {
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
    fn texts_are_heard_up_to_the_limit_and_no_more() {
        let mut alerts = Alerts::default();
        for number in 0..=limits::ALERTS {
            alerts.hear(&said(&number.to_string(), Some(Code::Alert)));
        }
        assert_eq!(alerts.take().len(), limits::ALERTS);
    }
}
