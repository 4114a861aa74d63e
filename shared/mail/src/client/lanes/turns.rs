//! When what waits in an account's outbox is tried again. Pure.

use std::{collections::BTreeMap, time::Duration};

use super::appointment::Appointment;
use crate::MailError;

/// How long a message waits after a try that failed.
const RETRY: Duration = Duration::from_secs(60);
/// The same at most: where a server puts it off again and again (RFC 5321 section 4.5.4.1), or
/// something is wrong that time alone will hardly mend.
const RETRY_AT_MOST: Duration = Duration::from_secs(30 * 60);

/// A message that there is a reason to try.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::client) struct Asked {
    pub(in crate::client) id: u32,
    /// Whether the reason says nothing of a log-in that was refused.
    pub(in crate::client) unless_refused: bool,
}

/// The messages of an account that wait to be sent.
///
/// What is asked for is tried at once, the oldest first. One that fails waits for a time of its
/// own, so that it holds up no other. Where the log-in was refused nothing is tried, nor what was
/// asked for before, until there is a reason that may have changed that: more tries may lock the account.
#[derive(Default)]
pub(super) struct Turns {
    waiting: BTreeMap<u32, Turn>,
    /// Whether the log-in was refused since there was such a reason.
    refused: bool,
}

#[derive(Default)]
struct Turn {
    /// When its time has come; `None` is at once, since it is asked for.
    due: Option<Appointment>,
    /// How long it waited when it was put off last; nothing if the last try ended in another way.
    put_off: Duration,
}

impl Turns {
    /// There is a reason to try this message.
    pub(super) fn ask(&mut self, Asked { id, unless_refused }: Asked) {
        self.waiting.entry(id).or_default().due = None;
        self.refused &= unless_refused;
    }

    /// The message that is tried next, and how long it is until then.
    pub(super) fn next(&self, now: i64) -> Option<(u32, Duration)> {
        if self.refused {
            return None;
        }
        let turns = self.waiting.iter().map(|(id, turn)| {
            let wait = turn.due.map_or(Duration::ZERO, |due| due.wait(now));
            (turn.due.is_some(), wait, *id)
        });
        turns.min().map(|(_, wait, id)| (id, wait))
    }

    /// A try of a message has ended so.
    pub(super) fn tried(&mut self, id: u32, result: &Result<(), MailError>, now: i64) {
        let before = self.waiting.get(&id).map_or(Duration::ZERO, |turn| turn.put_off);
        let (pause, put_off) = match result {
            Ok(()) | Err(MailError::Gone(_)) => {
                self.waiting.remove(&id);
                return;
            }
            Err(error) if error.refuses_log_in() => {
                self.refused = true;
                let now = Appointment::after(Duration::ZERO, now);
                for turn in self.waiting.values_mut() {
                    turn.due.get_or_insert(now);
                }
                return;
            }
            Err(error) if error.is_passing() && !matches!(error, MailError::Unavailable(_)) => {
                (RETRY, Duration::ZERO)
            }
            Err(_) => {
                let longer = RETRY.max(before * 2).min(RETRY_AT_MOST);
                (longer, longer)
            }
        };
        let due = Some(Appointment::after(pause, now));
        self.waiting.insert(id, Turn { due, put_off });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TransportError, error::LOG_IN, store::StoreError};

    /// A moment, in milliseconds since 1970 (UTC).
    const NOW: i64 = 1_700_000_000_000;

    fn asked<const N: usize>(ids: [u32; N]) -> Turns {
        let mut turns = Turns::default();
        ids.into_iter().for_each(|id| ask(&mut turns, id));
        turns
    }

    /// There is a reason to try again also what was refused.
    fn ask(turns: &mut Turns, id: u32) {
        turns.ask(Asked { id, unless_refused: false });
    }

    /// The next message and in how many seconds it is tried.
    fn next(turns: &Turns, now: i64) -> Option<(u32, u64)> {
        turns.next(now).map(|(id, wait)| (id, wait.as_secs()))
    }

    fn put_off() -> Result<(), MailError> {
        Err(MailError::Unavailable("later".into()))
    }

    fn lost() -> Result<(), MailError> {
        Err(TransportError::Lost.into())
    }

    fn wrong() -> Result<(), MailError> {
        Err(MailError::Login("wrong".into()))
    }

    #[test]
    fn what_is_asked_for_is_tried_at_once_and_the_oldest_first() {
        let mut turns = asked([3, 1, 2, 1]);
        for id in 1..=3 {
            assert_eq!(next(&turns, NOW), Some((id, 0)));
            turns.tried(id, &Ok(()), NOW);
        }
        assert_eq!(next(&turns, NOW), None, "what was tried is forgotten");
        // It comes before what is tried by time.
        let mut turns = asked([1]);
        turns.tried(1, &lost(), NOW);
        ask(&mut turns, 2);
        assert_eq!(next(&turns, NOW + 90_000), Some((2, 0)));
        turns.tried(2, &Err(MailError::Gone("message in the outbox")), NOW + 90_000);
        assert_eq!(next(&turns, NOW + 90_000), Some((1, 0)));
        // A reason is a reason for what waits as well.
        turns.tried(1, &lost(), NOW);
        ask(&mut turns, 1);
        assert_eq!(next(&turns, NOW), Some((1, 0)));
    }

    #[test]
    fn how_long_a_message_waits_depends_on_what_went_wrong() {
        let unsupported = || Err(MailError::Unsupported("STARTTLS"));
        let full = || Err(StoreError::QuotaExceeded.into());
        let odd = || Err(MailError::Protocol("what?".into()));
        let not_you = || Err(MailError::Refused { what: "talk", text: "not you".into() });
        for (results, minutes) in [
            (vec![put_off(); 7], vec![1, 2, 4, 8, 16, 30, 30]),
            (vec![lost(); 3], vec![1, 1, 1]),
            (vec![Err(MailError::TimedOut("the log-in")); 2], vec![1, 1]),
            (vec![put_off(), put_off(), lost(), put_off(), put_off()], vec![1, 2, 1, 1, 2]),
            (vec![unsupported(), odd(), not_you(), full(), put_off()], vec![1, 2, 4, 8, 16]),
        ] {
            let mut turns = asked([1]);
            for (result, minutes) in results.iter().zip(minutes) {
                turns.tried(1, result, NOW);
                assert_eq!(next(&turns, NOW), Some((1, 60 * minutes)), "{result:?}");
                // Asked for in between, it is no new beginning.
                ask(&mut turns, 1);
            }
        }
    }

    #[test]
    fn each_message_waits_for_itself() {
        let mut turns = asked([1, 2]);
        for _ in 0..4 {
            turns.tried(1, &put_off(), NOW);
        }
        turns.tried(2, &put_off(), NOW);
        assert_eq!(next(&turns, NOW), Some((2, 60)));
        assert_eq!(next(&turns, NOW + 45_000), Some((2, 15)));
        turns.tried(2, &Ok(()), NOW + 60_000);
        assert_eq!(next(&turns, NOW + 60_000), Some((1, 7 * 60)));
        assert_eq!(next(&turns, NOW + 8 * 60_000), Some((1, 0)));
        // A clock that is set back makes nothing longer.
        assert_eq!(next(&turns, 0), Some((1, 8 * 60)));
    }

    #[test]
    fn where_the_log_in_was_refused_nothing_is_tried_before_something_is_asked_for() {
        let day = 24 * 60 * 60_000;
        for refused in [
            wrong(),
            Err(MailError::Token("too old".into())),
            Err(MailError::LogInOnPage { page: "https://a.example".into(), text: "go".into() }),
            Err(MailError::PasswordMissing),
            Err(MailError::SettingsLost),
            Err(MailError::Refused { what: LOG_IN, text: "too many tries".into() }),
        ] {
            let mut turns = asked([1, 2, 3]);
            turns.tried(1, &lost(), NOW);
            turns.tried(2, &refused, NOW);
            assert_eq!(next(&turns, NOW), None, "nor what was asked for before: {refused:?}");
            assert_eq!(next(&turns, NOW + day), None, "nor by time: {refused:?}");
            turns.ask(Asked { id: 3, unless_refused: true });
            assert_eq!(next(&turns, NOW + day), None, "nor for that: {refused:?}");
            ask(&mut turns, 4);
            assert_eq!(next(&turns, NOW + day).map(|(_, wait)| wait), Some(0));
            turns.tried(4, &refused, NOW + day);
            assert_eq!(next(&turns, NOW + 2 * day), None);
            // When it works again, all goes on.
            ask(&mut turns, 4);
            turns.tried(4, &Ok(()), NOW);
            assert_eq!(next(&turns, NOW), Some((2, 0)));
            turns.tried(2, &Ok(()), NOW);
            assert_eq!(next(&turns, NOW), Some((3, 0)));
            turns.tried(3, &Ok(()), NOW);
            assert_eq!(next(&turns, NOW), Some((1, 60)));
        }
    }
}
