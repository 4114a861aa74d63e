//! Mail as files: backups written and read, and how old the last one is.

use serde::{Deserialize, Serialize};

use crate::{AccountId, MailboxId, Progress};

/// What is written to a file.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum ExportScope {
    /// One mailbox.
    Mailbox(MailboxId),
    /// All mailboxes of an account.
    Account(AccountId),
    /// All accounts.
    Everything,
}

/// The kind of file.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum ExportFormat {
    /// A zip archive of messages, with flags, folders, settings without passwords, and what POP3
    /// accounts know of their servers: a backup of all that is needed.
    Zip,
    /// One mbox file, which other programs read as well.
    Mbox,
}

/// What has been written to a file.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Exported {
    /// Messages in the file.
    pub messages: u32,
    /// Of these, messages of which only the header is in it: no more was ever downloaded.
    pub headers: u32,
    /// Messages that are not in it: they are on a server alone, and it did not hand them out.
    pub missing: u32,
    /// The accounts whose messages those are.
    pub incomplete: Vec<AccountId>,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Where what is read from a file goes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum ImportTarget {
    /// All messages of any file into one local mailbox.
    Mailbox(MailboxId),
    /// Everything in a backup to where it was; accounts that are not there are added.
    Restore,
}

/// What has been read from a file.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Imported {
    /// Messages that are here now and were not before.
    pub messages: u32,
    /// Messages that were here already.
    pub duplicates: u32,
    /// Messages and files that could not be read, or are none.
    pub skipped: u32,
    /// The first of those, by name and reason.
    pub problems: Vec<String>,
    /// Messages of IMAP accounts, which come from their servers again.
    pub left: u32,
    /// Accounts that were added, or got their settings back: their passwords have to be entered.
    pub added: Vec<AccountId>,
}

/// How often the person wants to be reminded of a backup.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum Reminder {
    /// Never.
    Off,
    /// When the last one is a week old.
    Weekly,
    /// When the last one is thirty days old.
    #[default]
    Monthly,
    /// When the last one is ninety days old.
    Quarterly,
}

impl Reminder {
    /// After how many days; `None` is never.
    pub fn days(self) -> Option<i64> {
        match self {
            Self::Off => None,
            Self::Weekly => Some(7),
            Self::Monthly => Some(30),
            Self::Quarterly => Some(90),
        }
    }
}

/// The backups of one account. Times are milliseconds since 1970 (UTC).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LastBackup {
    /// The account.
    pub account: AccountId,
    /// Since when the account is here, or backups are counted.
    pub since: i64,
    /// When the last backup of the whole account was saved.
    pub saved: Option<i64>,
}

impl LastBackup {
    /// Whether the person should be reminded.
    pub fn is_due(&self, reminder: Reminder, now: i64) -> bool {
        const DAY: i64 = 24 * 60 * 60 * 1000;
        reminder.days().is_some_and(|days| now - self.saved.unwrap_or(self.since) >= days * DAY)
    }
}

/// All backups, and the reminder.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct BackupsView {
    /// Each account's.
    pub accounts: Vec<LastBackup>,
    /// How often the person wants to be reminded.
    pub reminder: Reminder,
}

/// How far the copy of local folders to an IMAP account is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum CopyState {
    /// Messages are being copied.
    Running(Progress),
    /// It broke off and will go on by itself; why.
    Waiting(String),
    /// All folders were copied, and compared with what the server lists.
    Done {
        /// Messages that the server has now and had not before.
        copied: u32,
        /// Messages that it had already.
        present: u32,
        /// Messages that are not there, or of which that can't be told.
        missing: u32,
    },
    /// It can't go on; why.
    Failed(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reminder_comes_when_the_last_backup_or_the_account_is_old_enough() {
        const DAY: i64 = 24 * 60 * 60 * 1000;
        let never = LastBackup { account: AccountId(1), since: DAY, saved: None };
        let saved = LastBackup { saved: Some(5 * DAY), ..never };
        let cases = [
            (never, Reminder::Weekly, 8 * DAY - 1, false),
            (never, Reminder::Weekly, 8 * DAY, true),
            (saved, Reminder::Weekly, 8 * DAY, false),
            (saved, Reminder::Weekly, 12 * DAY, true),
            (saved, Reminder::Monthly, 34 * DAY, false),
            (saved, Reminder::Monthly, 35 * DAY, true),
            (saved, Reminder::Quarterly, 95 * DAY, true),
            (saved, Reminder::Off, i64::MAX, false),
        ];
        for (backup, reminder, now, expected) in cases {
            assert_eq!(backup.is_due(reminder, now), expected, "{reminder:?} at {now}");
        }
    }
}
