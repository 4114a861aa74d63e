//! What is remembered of a POP3 account's server from one download to the next.

use std::time::Duration;

use postern_bridge::{AccountId, DeletionHold, Pop3View, ServerLogin};
use postern_pop3::{Capabilities, Expire};
use serde::{Deserialize, Serialize};

use super::{
    DAY, DownloadReport, LedgerRow, count,
    elapsed::Elapsed,
    ledger::Ledger,
    limits::{MAX_IMPLEMENTATION, MAX_LOGIN_DELAY},
    row::RowChange,
    trouble::Troubles,
    unnamed::AllCame,
};
use crate::{
    MailError, Store,
    error::Closed,
    record::{self, Account, Record},
    store::{Durability, Key, StoreError, Table, Write},
};

/// At how many downloads more ids that are in doubt are compared, if that breaks off; and how many in a
/// row may hold something back and break off.
const TRIES: u8 = 3;

/// What is remembered of an account's server.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct ServerNotes {
    /// The account.
    account: u32,
    /// Host and user name of the mailbox that the ledger's unique ids belong to; `None` before the
    /// first download, and of versions that did not keep it.
    pub(super) mailbox: Option<(String, String)>,
    /// When the person last decided what happens on the server, in milliseconds since 1970 (UTC).
    decided: i64,
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
    /// Messages of which nothing is here.
    pub left_out: u32,
    /// Rows of the ledger that can't be read.
    pub unreadable: u32,
    /// Lines of the server's list of messages that can't be read.
    pub defects: u32,
    /// Messages that vanished though nobody here had them deleted.
    pub removed_elsewhere: u32,
    /// Whether the person was told of those.
    pub told: bool,
    /// Why the last download deleted nothing.
    pub hold: Option<DeletionHold>,
    /// When the ledger was last compared with what the server has, in milliseconds since 1970 (UTC).
    pub(super) compared: Option<i64>,
    /// When all messages without a unique id came last.
    pub(super) all_came: Option<AllCame>,
    /// Where it has given a unique id again: at how many more downloads it is tried to compare the others.
    pub(super) doubts_ids: u8,
    /// How many downloads in a row have held back what seems to be a copy, and have not come to store it.
    held_back: u8,
    /// Where ids are the messages' numbers: when it was last looked whether they have moved on, in
    /// milliseconds since 1970 (UTC).
    looked_for_moves: Option<i64>,
    /// Messages at which downloads broke off.
    pub(super) troubles: Troubles,
    /// How much time has passed.
    pub elapsed: Elapsed,
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

/// Host and user name, so that the same ones are alike.
fn mailbox(login: &ServerLogin) -> (String, String) {
    (login.endpoint.host.to_ascii_lowercase(), login.username.clone())
}

impl ServerNotes {
    /// What is known of an account's server; nothing at first. Notes that can't be read hold nothing
    /// up: the ledger's unique ids then count as those of another mailbox.
    ///
    /// # Errors
    ///
    /// If the store can't be read.
    pub async fn load(store: &impl Store, account: AccountId) -> Result<Self, StoreError> {
        let none = Self { account: account.0, ..Self::default() };
        match store.get(Self::TABLE, &key(account)).await? {
            Some(value) => Ok(record::decode(&value)
                .unwrap_or_else(|_| Self { mailbox: Some(Default::default()), ..none })),
            None => Ok(none),
        }
    }

    /// The ledger's unique ids belong to what one user has at one server. Where the account has
    /// another server or user now, its rows give their ids up, in one batch: their messages are known
    /// again by their content alone, and none of them counts as missing. Whether rows have changed.
    ///
    /// # Errors
    ///
    /// If the store can't be read or written.
    pub(super) async fn adopt(
        store: &impl Store,
        account: &Account,
        now: i64,
    ) -> Result<bool, StoreError> {
        let _editing = store.editing().lock().await;
        let before = Self::load(store, account.id).await?;
        let mut notes = before.clone();
        notes.mailbox = Some(mailbox(&account.incoming));
        if notes == before {
            return Ok(false);
        }
        let mut batch = Vec::new();
        if before.mailbox.is_some() {
            let mut ledger = Ledger::load(store, account.id).await?;
            let named: Vec<LedgerRow> =
                ledger.rows().filter(|row| !row.uidl.is_empty()).cloned().collect();
            for before in named {
                batch.push(before.delete());
                let row = ledger.without_uidl(before.clone(), now);
                batch.push(row.put());
                ledger.note(RowChange { before, now: row }, now);
            }
            notes.decided(now);
            (notes.all_came, notes.doubts_ids, notes.held_back) = (None, 0, 0);
        }
        batch.push(notes.put());
        store.apply(batch, Durability::Strict).await?;
        Ok(before.mailbox.is_some())
    }

    /// Host and user name of the mailbox that was downloaded from; `None` before the first download.
    pub(crate) fn mailbox(&self) -> Option<(&str, &str)> {
        self.mailbox.as_ref().map(|(host, user)| (&**host, &**user))
    }

    /// The account is about to get another server: whose the ledger's ids are is noted, if it was not.
    pub(crate) fn keep_mailbox(&mut self, login: &ServerLogin) {
        self.mailbox.get_or_insert_with(|| mailbox(login));
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
    pub(crate) fn logged_in(&mut self, offers: &Capabilities, now: i64) {
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
    pub(crate) fn decided(&mut self, now: i64) {
        self.decided = now;
        (self.removed_elsewhere, self.told, self.hold) = (0, false, None);
    }

    /// It has given a unique id again.
    pub(super) fn doubt_ids(&mut self) {
        self.doubts_ids = TRIES;
    }

    /// Ids that are in doubt are about to be compared; `before` is what was known when the download began,
    /// and `is_new` says whether it has found them in doubt itself. If that breaks off each time, it must
    /// not keep the rest from being done for ever.
    pub(super) fn compare_ids(&mut self, before: &Self, is_new: bool) {
        self.doubts_ids = match before.doubts_ids {
            0 => TRIES,
            1 if is_new => TRIES,
            left => left - 1,
        };
    }

    /// Something is held back that seems to be a copy.
    pub(super) fn hold_back(&mut self) {
        self.held_back = self.held_back.saturating_add(1);
    }

    /// Whether something may be held back: if that ends too soon each time, it must come all the same.
    pub(super) fn may_hold_back(&self) -> bool {
        self.held_back < TRIES
    }

    /// Ids that were in doubt are compared, and what was held back is stored.
    pub(super) fn is_compared(&mut self) {
        (self.doubts_ids, self.held_back) = (0, 0);
    }

    /// Whether it was looked at within a day before `now` whether ids have moved on.
    pub(super) fn has_looked_for_moves(&self, now: i64) -> bool {
        self.looked_for_moves.is_some_and(|at| (at..at.saturating_add(DAY)).contains(&now))
    }

    /// It is looked at `now`, whatever comes of it.
    pub(super) fn look_for_moves(&mut self, now: i64) {
        self.looked_for_moves = Some(now);
    }

    /// The person asks for mail: nothing is taken for what is here without a look.
    pub(crate) fn ask_for_all(&mut self) {
        self.all_came = None;
    }

    /// A log-in was refused at `now` because it came too soon.
    pub(crate) fn told_too_soon(&mut self, delay: u32, now: i64) {
        self.login_delay = Some(delay.min(MAX_LOGIN_DELAY));
        self.last_login = Some(now);
    }

    /// A download has fetched what it could. `removed` are the moments at which messages were found
    /// to be missing that somebody else has removed, and are so still.
    pub(super) fn downloaded(
        &mut self,
        report: &DownloadReport,
        removed: impl Iterator<Item = i64>,
    ) {
        self.unidentified = report.unidentified;
        self.left_out = report.left_out;
        (self.unreadable, self.defects) = (report.unreadable, report.defects);
        self.removed_elsewhere = count(removed.filter(|at| *at > self.decided));
        self.told &= self.removed_elsewhere > 0;
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
            unreadable: self.unreadable,
            defects: self.defects,
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
