//! What is remembered of a POP3 account's server from one download to the next.

use std::time::Duration;

use postern_bridge::{AccountId, DeletionHold, Pop3View};
use postern_pop3::{Capabilities, Expire};
use serde::{Deserialize, Serialize};

use super::DownloadReport;
use super::limits::{MAX_IMPLEMENTATION, MAX_LOGIN_DELAY};
use crate::{
    MailError, Store,
    error::Closed,
    record::{self, Record},
    store::{Durability, Key, StoreError, Table, Write},
};

/// What is remembered of an account's server.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct ServerNotes {
    /// The account.
    account: u32,
    /// What it calls itself.
    pub implementation: Option<String>,
    /// After how many days it deletes messages by itself.
    pub expires: Option<u32>,
    /// How many seconds must pass between two log-ins.
    pub login_delay: Option<u32>,
    /// When the last log-in was, in milliseconds since 1970 (UTC).
    pub last_login: Option<i64>,
    /// Messages without a unique id that can be used.
    pub unidentified: u32,
    /// Messages that were left out because only their headers were wanted and could not be had.
    pub left_out: u32,
    /// Messages that vanished though nobody here had them deleted.
    pub removed_elsewhere: u32,
    /// Whether the person was told of those.
    pub told: bool,
    /// Why the last download deleted nothing.
    pub hold: Option<DeletionHold>,
}

impl Record for ServerNotes {
    const TABLE: Table = Table::Meta;

    fn key(&self) -> Key {
        key(AccountId(self.account))
    }
}

fn key(account: AccountId) -> Key {
    Key::new().bytes(b"pop3-server-").u32(account.0)
}

impl ServerNotes {
    /// What is known of an account's server; nothing at first.
    ///
    /// # Errors
    ///
    /// If the store can't be read.
    pub async fn load(store: &impl Store, account: AccountId) -> Result<Self, StoreError> {
        let known: Option<Self> = record::get(store, &key(account)).await?;
        Ok(known.unwrap_or(Self { account: account.0, ..Self::default() }))
    }

    /// Changes what is known.
    ///
    /// # Errors
    ///
    /// If the store can't be written.
    pub async fn edit(
        store: &impl Store,
        account: AccountId,
        edit: impl FnOnce(&mut Self),
    ) -> Result<Self, StoreError> {
        let _editing = store.editing().lock().await;
        let before = Self::load(store, account).await?;
        let mut now = before.clone();
        edit(&mut now);
        if now != before {
            store.apply(vec![now.put()], Durability::Relaxed).await?;
        }
        Ok(now)
    }

    /// The write that stores what a log-in before the account was kept has told.
    pub(crate) fn begin(self, account: AccountId) -> Write {
        Self { account: account.0, ..self }.put()
    }

    /// The write that forgets an account's server.
    pub(crate) fn forget(account: AccountId) -> Write {
        Write::Delete { table: Table::Meta, key: key(account) }
    }

    /// Notes what the server says of itself.
    pub(super) fn learn(&mut self, capabilities: &Capabilities) {
        self.implementation = capabilities
            .implementation
            .as_ref()
            .map(|name| name.chars().take(MAX_IMPLEMENTATION).collect());
        self.expires = match capabilities.expire {
            Some(Expire::Days(days)) => Some(days),
            Some(Expire::Never) | None => None,
        };
        self.login_delay = capabilities
            .login_delay
            .map(|seconds| seconds.min(MAX_LOGIN_DELAY))
            .filter(|seconds| *seconds > 0);
    }

    /// A log-in worked at `now`.
    pub(super) fn logged_in(&mut self, offers: &Capabilities, now: i64) {
        self.learn(offers);
        // Of interest only where the next one has to wait for it.
        self.last_login = self.login_delay.map(|_| now);
    }

    /// A test has logged in.
    pub(crate) fn tested(&mut self, test: &Self) {
        self.implementation.clone_from(&test.implementation);
        (self.expires, self.login_delay) = (test.expires, test.login_delay);
        self.last_login = test.last_login;
    }

    /// The person has decided anew what happens on the server.
    pub(crate) fn decided(&mut self) {
        (self.removed_elsewhere, self.told, self.hold) = (0, false, None);
    }

    /// A log-in was refused at `now` because it came too soon.
    pub(super) fn told_too_soon(&mut self, delay: u32, now: i64) {
        self.login_delay = Some(delay.min(MAX_LOGIN_DELAY));
        self.last_login = Some(now);
    }

    /// A download has fetched what it could.
    pub(super) fn downloaded(&mut self, report: &DownloadReport) {
        self.unidentified = report.unidentified;
        self.left_out = report.left_out;
        self.removed_elsewhere = self.removed_elsewhere.saturating_add(report.vanished);
        self.hold = report.hold;
    }

    /// How long the next log-in has to wait at `now`. A clock that was set back since does not make
    /// it wait longer.
    fn wait(&self, now: i64) -> Option<Duration> {
        let passed = u64::try_from(now.checked_sub(self.last_login?)?).ok()?;
        let delay = Duration::from_secs(self.login_delay?.into());
        delay.checked_sub(Duration::from_millis(passed)).filter(|wait| !wait.is_zero())
    }

    /// Refuses a log-in at `now` that comes too soon.
    ///
    /// # Errors
    ///
    /// [`Closed::TooSoon`].
    pub(crate) fn check(&self, now: i64) -> Result<(), MailError> {
        let Some(wait) = self.wait(now) else { return Ok(()) };
        let wait = u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX);
        Err(MailError::Closed(Closed::TooSoon { wait, delay: self.login_delay }))
    }

    /// What the person is shown.
    pub fn view(&self) -> Pop3View {
        Pop3View {
            implementation: self.implementation.clone(),
            expires: self.expires,
            login_delay: self.login_delay,
            unidentified: self.unidentified,
            left_out: self.left_out,
            removed_elsewhere: self.removed_elsewhere,
            hold: self.hold,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_log_in_waits_as_long_as_the_server_says() {
        let notes = |login_delay, last_login| ServerNotes {
            login_delay,
            last_login,
            ..ServerNotes::default()
        };
        let cases = [
            (None, Some(0), 1, None),
            (Some(60), None, 1, None),
            (Some(60), Some(0), 0, Some(60_000)),
            (Some(60), Some(0), 59_999, Some(1)),
            (Some(60), Some(0), 60_000, None),
            (Some(60), Some(0), 365 * 86_400_000, None),
            // A clock that was set back, however far.
            (Some(60), Some(1), 0, None),
            (Some(60), Some(i64::MAX), i64::MIN, None),
        ];
        for (delay, last, now, expected) in cases {
            let wait = notes(delay, last).wait(now);
            assert_eq!(wait, expected.map(Duration::from_millis), "{delay:?} {last:?} {now}");
        }
    }

    #[test]
    fn what_a_server_says_of_itself_is_bounded() {
        let mut notes = ServerNotes::default();
        notes.learn(&Capabilities {
            implementation: Some("ä".repeat(4096)),
            login_delay: Some(u32::MAX),
            expire: Some(Expire::Days(0)),
            ..Capabilities::default()
        });
        assert_eq!(notes.implementation.unwrap().chars().count(), MAX_IMPLEMENTATION);
        assert_eq!(notes.login_delay, Some(MAX_LOGIN_DELAY));
        assert_eq!(notes.expires, Some(0));
    }
}
