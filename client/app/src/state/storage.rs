//! How this browser keeps what is stored, and what the person is told about it.

use std::collections::{BTreeMap, BTreeSet};

use postern_bridge::{
    AccountId, AccountView, BackupsView, LastBackup, Protocol, Reminder, StorageView, StoredBytes,
};

/// For how long the person who says "not now" is left alone, in milliseconds.
const PUT_OFF: f64 = 14.0 * 24.0 * 60.0 * 60.0 * 1000.0;

/// What is known of the browser's storage.
#[derive(Debug, Default)]
pub(crate) struct Care {
    view: Option<StorageView>,
    stored: Option<BTreeMap<AccountId, StoredBytes>>,
    backups: BackupsView,
    asking: Asking,
    /// Until when the person does not want to hear of it, in milliseconds since 1970 (UTC).
    put_off: f64,
    /// The accounts whose backup the person has put off since the page was opened.
    backup_put_off: BTreeSet<AccountId>,
    /// Whether the person has seen that there is little room.
    seen_full: bool,
}

/// Whether the browser was asked to keep what is stored.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Asking {
    /// Not since the page was opened.
    #[default]
    NotYet,
    /// It has not answered yet.
    Asked,
    /// It does not promise it.
    Refused,
}

/// What the person should know, the most urgent first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Notice {
    /// Nothing is downloaded: there is no room.
    Paused,
    /// So many percent of what may be stored are.
    NearlyFull(u64),
    /// The browser may drop mail of which it may hold the only copy.
    NotKept,
    /// The last backup of this account is old.
    BackupDue(AccountId),
}

impl Care {
    /// Takes over what the engine has found.
    pub(crate) fn set(&mut self, view: StorageView) {
        if !view.is_nearly_full() && !view.paused {
            self.seen_full = false;
        }
        if view.persistent {
            self.asking = Asking::NotYet;
        }
        self.view = Some(view);
    }

    /// Takes over what is stored of each account.
    pub(crate) fn set_stored(&mut self, stored: Vec<StoredBytes>) {
        self.stored = Some(stored.into_iter().map(|own| (own.account, own)).collect());
    }

    /// Takes over how old the backups are.
    pub(crate) fn set_backups(&mut self, backups: BackupsView) {
        self.backups = backups;
    }

    /// The last backup of an account; `None` until it is known.
    pub(crate) fn last_backup(&self, account: AccountId) -> Option<LastBackup> {
        self.backups.accounts.iter().find(|own| own.account == account).copied()
    }

    /// How often the person wants to be reminded of a backup.
    pub(crate) fn reminder(&self) -> Reminder {
        self.backups.reminder
    }

    /// How the browser keeps what is stored; `None` until that is known.
    pub(crate) fn view(&self) -> Option<StorageView> {
        self.view
    }

    /// What is stored of an account; `None` until that is known.
    pub(crate) fn stored(&self, account: AccountId) -> Option<StoredBytes> {
        self.stored.as_ref()?.get(&account).copied()
    }

    /// Whether what is stored stays until the person removes it; not before that is known.
    pub(crate) fn is_kept(&self) -> bool {
        self.view.is_some_and(|view| view.persistent)
    }

    /// Whether the browser was asked to keep it.
    pub(crate) fn asking(&self) -> Asking {
        self.asking
    }

    /// The browser is being asked.
    pub(crate) fn ask(&mut self) {
        self.asking = Asking::Asked;
    }

    /// The browser has answered.
    pub(crate) fn answered(&mut self, kept: bool) {
        self.asking = if kept { Asking::NotYet } else { Asking::Refused };
    }

    /// Until when the person does not want to hear of it.
    pub(crate) fn set_put_off(&mut self, until: f64) {
        self.put_off = until;
    }

    /// The person does not want to hear of it now; returns until when, if that is to be remembered.
    pub(crate) fn put_off(&mut self, notice: Notice, now: f64) -> Option<f64> {
        match notice {
            Notice::Paused | Notice::NearlyFull(_) => {
                self.seen_full = true;
                None
            }
            Notice::BackupDue(account) => {
                self.backup_put_off.insert(account);
                None
            }
            Notice::NotKept => {
                self.put_off = now + PUT_OFF;
                Some(self.put_off)
            }
        }
    }

    /// What the person should know now.
    pub(crate) fn notice(&self, accounts: &[AccountView], now: f64) -> Option<Notice> {
        let view = self.view?;
        let mut local = accounts.iter().filter(|account| account.protocol == Protocol::Pop3);
        let only_here = local.clone().next().is_some();
        let due = local.find(|account| {
            if self.backup_put_off.contains(&account.id) {
                return false;
            }
            let last = self.last_backup(account.id);
            last.is_some_and(|last| last.is_due(self.backups.reminder, now as i64))
        });
        match view.percent() {
            _ if view.paused && !self.seen_full => Some(Notice::Paused),
            Some(percent) if view.is_nearly_full() && !self.seen_full => {
                Some(Notice::NearlyFull(percent))
            }
            _ if !view.persistent && only_here && now >= self.put_off => Some(Notice::NotKept),
            _ => due.map(|account| Notice::BackupDue(account.id)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::accounts::tests::account;

    fn pop3() -> Vec<AccountView> {
        vec![AccountView { protocol: Protocol::Pop3, ..account(1, "a@b") }]
    }

    fn care(view: StorageView) -> Care {
        let mut care = Care::default();
        care.set(view);
        care
    }

    #[test]
    fn mail_that_may_be_the_only_copy_is_worth_a_notice_until_it_is_kept() {
        let not_kept = StorageView::default();
        assert_eq!(care(not_kept).notice(&pop3(), 0.0), Some(Notice::NotKept));
        assert_eq!(care(not_kept).notice(&[account(1, "a@b")], 0.0), None);
        let kept = StorageView { persistent: true, ..not_kept };
        assert_eq!(care(kept).notice(&pop3(), 0.0), None);
        assert_eq!(Care::default().notice(&pop3(), 0.0), None);
    }

    #[test]
    fn not_now_is_heard_for_two_weeks() {
        let mut care = care(StorageView::default());
        let until = care.put_off(Notice::NotKept, 1.0).unwrap();
        assert_eq!(care.notice(&pop3(), until - 1.0), None);
        assert_eq!(care.notice(&pop3(), until), Some(Notice::NotKept));
    }

    #[test]
    fn an_old_backup_is_told_until_it_is_put_off() {
        let mut own = care(StorageView { persistent: true, ..StorageView::default() });
        let last = LastBackup { account: AccountId(1), since: 0, saved: None };
        own.set_backups(BackupsView { accounts: vec![last], reminder: Reminder::Weekly });
        let week = 7.0 * 24.0 * 60.0 * 60.0 * 1000.0;
        assert_eq!(own.notice(&pop3(), week - 1.0), None);
        assert_eq!(own.notice(&pop3(), week), Some(Notice::BackupDue(AccountId(1))));
        assert_eq!(own.notice(&[account(1, "a@b")], week), None, "its server has its mail");
        own.put_off(Notice::BackupDue(AccountId(1)), week);
        assert_eq!(own.notice(&pop3(), week), None);
        // Another account's mail is as much worth a word.
        let both = [pop3(), vec![AccountView { id: AccountId(2), ..pop3().remove(0) }]].concat();
        let other = LastBackup { account: AccountId(2), ..last };
        own.set_backups(BackupsView { accounts: vec![last, other], reminder: Reminder::Weekly });
        assert_eq!(own.notice(&both, week), Some(Notice::BackupDue(AccountId(2))));
    }

    #[test]
    fn a_full_store_is_told_first_and_once() {
        let full = StorageView { usage: Some(95), quota: Some(100), ..StorageView::default() };
        let mut own = care(full);
        assert_eq!(own.notice(&[], 0.0), Some(Notice::NearlyFull(95)));
        assert_eq!(own.put_off(Notice::NearlyFull(95), 0.0), None);
        assert_eq!(own.notice(&[], 0.0), None);
        own.set(full);
        assert_eq!(own.notice(&[], 0.0), None);
        own.set(StorageView { usage: Some(10), ..full });
        own.set(full);
        assert_eq!(own.notice(&[], 0.0), Some(Notice::NearlyFull(95)));
        let paused = StorageView { paused: true, ..full };
        assert_eq!(care(paused).notice(&pop3(), 0.0), Some(Notice::Paused));
    }
}
