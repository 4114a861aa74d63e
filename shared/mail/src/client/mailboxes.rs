//! The folders that pages show.

use postern_bridge::{MailboxId, MailboxRights, MailboxView, Protocol, Role};

use crate::{imap::limits::MAILBOX_DEPTH, record::Mailbox};

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
        take_messages: mailbox.selectable,
        be_emptied: matches!(mailbox.role, Some(Role::Trash | Role::Junk)),
    }
}
