//! The person's wishes about the browser's storage.

use js_sys::Date;
use leptos::{prelude::*, task::spawn_local};
use postern_bridge::{AccountView, Intent};

use super::{
    App,
    lost::Memory,
    storage::{Care, Notice},
};
use crate::browser::{cookie, local, storage};

impl App {
    /// Asks the browser to keep what is stored.
    pub(crate) fn keep_storage(self) {
        self.care.update(Care::ask);
        spawn_local(async move {
            let kept = storage::persist().await;
            self.care.update(|care| care.answered(kept));
            self.send(Intent::LookAtStorage);
        });
    }

    /// What the person should know about the storage now.
    pub(crate) fn storage_notice(self) -> Option<Notice> {
        self.accounts
            .with(|accounts| self.care.with(|care| care.notice(accounts.all(), Date::now())))
    }

    /// The person does not want to hear of it now.
    pub(crate) fn put_off(self, notice: Notice) {
        let until = self.care.try_update(|care| care.put_off(notice, Date::now())).flatten();
        if let Some(until) = until {
            local::set(local::STORAGE, Some(&until.to_string()));
        }
    }

    /// The engine tells which accounts there are.
    pub(super) fn remember_accounts(self, accounts: &[AccountView]) {
        self.memory.update(|memory| memory.told(accounts));
        self.note_accounts();
    }

    /// Notes which accounts there are where the engine does not store, and how many where it stays when
    /// all storage is cleared; on a public computer neither is left behind.
    pub(super) fn note_accounts(self) {
        let Some(view) = self.care.with_untracked(Care::view) else { return };
        self.memory.with_untracked(|memory| {
            if !memory.is_certain() {
                return;
            }
            let (written, counts) = match view.public_computer {
                true => (None, None),
                false => (Some(memory.written()), memory.counts()),
            };
            local::set(local::ACCOUNTS, written.as_deref());
            cookie::set(counts.as_deref());
        });
    }

    /// The person knows which accounts are lost.
    pub(crate) fn forget_lost(self) {
        self.memory.update(Memory::forget);
        self.note_accounts();
    }

    /// Takes up what an earlier visit has put off.
    pub(crate) fn restore_put_off(self) {
        let until = local::get(local::STORAGE).and_then(|until| until.parse().ok());
        self.care.update(|care| care.set_put_off(until.unwrap_or(0.0)));
    }
}
