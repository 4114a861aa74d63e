//! The folders that pages show, and how much room there is for them.

use std::mem;

use postern_bridge::{
    AccountId, Delta, MailboxId, MailboxRights, MailboxView, Mark, Protocol, Quota, Role,
};

use super::Client;
use crate::{Host, imap::limits::MAILBOX_DEPTH, record::Mailbox};

impl<H: Host> Client<H> {
    /// Notes how much of its room on the server an account uses.
    pub(super) fn set_quota(&self, account: AccountId, quota: Quota) {
        let changed = {
            let mut accounts = self.inner.accounts.borrow_mut();
            let running = accounts.get_mut(&account);
            running.is_some_and(|running| mem::replace(&mut running.quota, quota) != quota)
        };
        if changed {
            self.tell(None, Delta::Accounts(self.account_views()));
        }
    }
}

/// An account's mailboxes as pages show them, in the same order.
pub(super) fn views(mailboxes: &[Mailbox], protocol: Protocol) -> Vec<MailboxView> {
    let local = protocol == Protocol::Pop3;
    mailboxes.iter().map(|mailbox| view(mailbox, mailboxes, local)).collect()
}

fn view(mailbox: &Mailbox, all: &[Mailbox], local: bool) -> MailboxView {
    MailboxView {
        id: mailbox.id,
        account: mailbox.account,
        name: mailbox.names.last().cloned().unwrap_or_default(),
        depth: u8::try_from(mailbox.names.len().saturating_sub(1)).unwrap_or(u8::MAX),
        parent: parent(mailbox, all),
        role: mailbox.role,
        selectable: mailbox.selectable,
        local,
        subscribed: mailbox.subscribed,
        conversations: mailbox.conversations,
        labels: mailbox.synced.labelled,
        may: rights(mailbox, all),
        unread: mailbox.unread,
        total: mailbox.total,
    }
}

/// The mailbox that another one is nested in.
fn parent(mailbox: &Mailbox, all: &[Mailbox]) -> Option<MailboxId> {
    let (_, above) = mailbox.names.split_last()?;
    all.iter().find(|own| own.names == above).map(|own| own.id)
}

/// What may be done with a mailbox: those with a role stay what and where they are.
fn rights(mailbox: &Mailbox, all: &[Mailbox]) -> MailboxRights {
    let is_nested = |own: &Mailbox| {
        own.names.len() > mailbox.names.len() && own.names.starts_with(&mailbox.names)
    };
    let is_own = mailbox.role.is_none();
    MailboxRights {
        have_children: mailbox.can_nest && mailbox.names.len() < MAILBOX_DEPTH,
        be_moved: is_own,
        be_deleted: is_own && !all.iter().any(is_nested),
        take_messages: mailbox.selectable && mailbox.can_take,
        be_emptied: matches!(mailbox.role, Some(Role::Trash | Role::Junk)),
        lose_messages: mailbox.may_remove(),
        mark_read: mailbox.may_mark(&Mark::Seen),
        mark: mailbox.may_mark(&Mark::Flagged),
    }
}
