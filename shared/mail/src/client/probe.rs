//! Tests of POP3 servers that want time between two log-ins (LOGIN-DELAY, RFC 2449 section 6.5).
//!
//! Settings are tested, then tested again when the account is kept. A server that wants to be left
//! alone is asked once: what it answered is remembered, as long as it wants to be left alone.

use postern_bridge::ServerLogin;

use crate::{MailError, Secret, connection::Tested, error::Closed, pop3::ServerNotes};

/// The last test of a POP3 server.
pub(super) struct Probe {
    login: ServerLogin,
    password: Secret,
    notes: ServerNotes,
    /// What it found; `None` if the log-in came too soon.
    tested: Option<Tested>,
}

impl Probe {
    /// What a test at `now` leaves to be remembered: nothing if it says nothing of the next log-in.
    pub(super) fn of(
        login: &ServerLogin,
        password: &Secret,
        outcome: &Result<Tested, MailError>,
        now: i64,
    ) -> Option<Self> {
        let mut notes = ServerNotes::default();
        let tested = match outcome {
            Ok(tested) => {
                notes.tested(tested.pop3.as_ref()?);
                Some(tested.clone())
            }
            Err(MailError::Closed(Closed::TooSoon { delay: Some(delay), .. })) => {
                notes.told_too_soon(*delay, now);
                None
            }
            Err(_) => return None,
        };
        Some(Self { login: login.clone(), password: password.clone(), notes, tested })
    }

    /// The answer to another test at `now` without asking the server; `None` if it is another one's
    /// mailbox, or may be asked again.
    pub(super) fn answer(
        &self,
        login: &ServerLogin,
        password: &Secret,
        now: i64,
    ) -> Option<Result<Tested, MailError>> {
        let (own, other) = (&self.login.endpoint.host, &login.endpoint.host);
        if !own.eq_ignore_ascii_case(other) || self.login.username != login.username {
            return None;
        }
        let too_soon = self.notes.check(now).err()?;
        let is_same = self.login == *login && self.password == *password;
        let tested = self.tested.clone().filter(|_| is_same);
        Some(tested.ok_or(too_soon))
    }
}

#[cfg(test)]
mod tests {
    use postern_bridge::{Endpoint, Security, TlsEnd};
    use postern_pop3::Capabilities;

    use super::*;

    fn login(host: &str, port: u16, username: &str) -> ServerLogin {
        let endpoint = Endpoint {
            host: host.into(),
            port,
            security: Security::Tls,
            tls_end: TlsEnd::Browser,
            trusted: None,
        };
        ServerLogin { endpoint, username: username.into() }
    }

    fn worked(login_delay: Option<u32>) -> Tested {
        let mut notes = ServerNotes::default();
        notes.logged_in(&Capabilities { login_delay, ..Capabilities::default() }, 0);
        Tested { found: "It works.".into(), session: None, pop3: Some(notes) }
    }

    #[test]
    fn a_server_that_wants_time_between_log_ins_is_tested_once() {
        let own = login("pop.example.org", 995, "ann");
        let secret = Secret::new("secret");
        let probe = Probe::of(&own, &secret, &Ok(worked(Some(60))), 0).unwrap();
        let too_soon = |wait| Err(MailError::Closed(Closed::TooSoon { wait, delay: Some(60) }));
        let answer = |login: &ServerLogin, password: &str, now| {
            probe.answer(login, &Secret::new(password), now)
        };
        assert_eq!(answer(&own, "secret", 1_000), Some(Ok(worked(Some(60)))));
        assert_eq!(answer(&own, "other", 1_000), Some(too_soon(59)));
        let port = login("POP.example.org", 110, "ann");
        assert_eq!(answer(&port, "secret", 1_000), Some(too_soon(59)));
        assert_eq!(answer(&own, "secret", 60_000), None, "it may be asked again");
        assert_eq!(answer(&login("pop.example.org", 995, "ben"), "secret", 0), None);
        assert_eq!(answer(&login("pop.example.net", 995, "ann"), "secret", 0), None);
    }

    #[test]
    fn a_server_that_wants_no_time_is_tested_each_time() {
        let own = login("pop.example.org", 995, "ann");
        let secret = Secret::new("secret");
        let probe = Probe::of(&own, &secret, &Ok(worked(None)), 0).unwrap();
        assert_eq!(probe.answer(&own, &secret, 0), None);
        let refused = Err(MailError::Login("no".into()));
        assert!(Probe::of(&own, &secret, &refused, 0).is_none());
    }

    #[test]
    fn a_server_that_was_asked_too_soon_is_left_alone() {
        let own = login("pop.example.org", 995, "ann");
        let secret = Secret::new("secret");
        let refusal = |wait| MailError::Closed(Closed::TooSoon { wait, delay: Some(60) });
        let probe = Probe::of(&own, &secret, &Err(refusal(60)), 0).unwrap();
        assert_eq!(probe.answer(&own, &secret, 10_000), Some(Err(refusal(50))));
        assert_eq!(probe.answer(&own, &secret, 60_000), None);
    }
}
