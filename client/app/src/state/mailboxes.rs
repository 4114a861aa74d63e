//! The mailboxes of all accounts.

use std::collections::BTreeMap;

use postern_bridge::{AccountId, MailboxId, MailboxView, Role};

/// Mailboxes by account, each in the order to show them.
#[derive(Debug, Default)]
pub(crate) struct Mailboxes(BTreeMap<AccountId, Vec<MailboxView>>);

impl Mailboxes {
    /// Takes over the mailboxes of one account.
    pub(crate) fn set(&mut self, account: AccountId, mailboxes: Vec<MailboxView>) {
        self.0.insert(account, mailboxes);
    }

    /// Takes over the counts of one mailbox.
    pub(crate) fn set_counts(&mut self, id: MailboxId, unread: u32, total: u32) {
        let mailboxes = self.0.values_mut().flatten();
        for mailbox in mailboxes.filter(|mailbox| mailbox.id == id) {
            (mailbox.unread, mailbox.total) = (unread, total);
        }
    }

    /// Forgets the mailboxes of accounts that are gone.
    pub(crate) fn keep_accounts(&mut self, kept: impl Fn(AccountId) -> bool) {
        self.0.retain(|account, _| kept(*account));
    }

    /// The mailboxes of an account; `None` while they are not known.
    pub(crate) fn of(&self, account: AccountId) -> Option<&[MailboxView]> {
        self.0.get(&account).map(Vec::as_slice)
    }

    /// One mailbox.
    pub(crate) fn get(&self, id: MailboxId) -> Option<&MailboxView> {
        self.0.values().flatten().find(|mailbox| mailbox.id == id)
    }

    /// Whether a mailbox is nested in another one, however deep.
    pub(crate) fn is_within(&self, id: MailboxId, outer: MailboxId) -> bool {
        let parent = |id| self.get(id).and_then(|mailbox| mailbox.parent);
        // A ring of parents would be an error of the engine's; it shall not hang the page.
        std::iter::successors(parent(id), |above| parent(*above))
            .take(256)
            .any(|above| above == outer)
    }

    /// The inbox of an account, or else its first mailbox that holds messages.
    pub(crate) fn inbox(&self, account: AccountId) -> Option<MailboxId> {
        let mailboxes = self.of(account)?;
        let inbox = mailboxes.iter().find(|mailbox| mailbox.role == Some(Role::Inbox));
        inbox.or_else(|| mailboxes.iter().find(|mailbox| mailbox.selectable)).map(|found| found.id)
    }

    /// Unread messages in all inboxes, for the page's title.
    pub(crate) fn unread_in_inboxes(&self) -> u32 {
        let mailboxes = self.0.values().flatten();
        mailboxes
            .filter(|mailbox| mailbox.role == Some(Role::Inbox))
            .fold(0, |sum, mailbox| sum.saturating_add(mailbox.unread))
    }
}

#[cfg(test)]
mod tests {
    use postern_bridge::MailboxRights;

    use super::*;

    fn mailbox(id: u32, role: Option<Role>, selectable: bool) -> MailboxView {
        MailboxView {
            id: MailboxId(id),
            account: AccountId(1),
            name: format!("m{id}"),
            depth: 0,
            parent: None,
            role,
            selectable,
            local: false,
            subscribed: true,
            conversations: false,
            labels: false,
            may: MailboxRights::default(),
            unread: 1,
            total: 2,
        }
    }

    #[test]
    fn the_inbox_is_found_by_its_role_and_else_the_first_that_opens() {
        let mut mailboxes = Mailboxes::default();
        let account = AccountId(1);
        assert_eq!(mailboxes.inbox(account), None);
        mailboxes.set(account, vec![mailbox(1, None, false), mailbox(2, None, true)]);
        assert_eq!(mailboxes.inbox(account), Some(MailboxId(2)));
        mailboxes.set(account, vec![mailbox(2, None, true), mailbox(3, Some(Role::Inbox), true)]);
        assert_eq!(mailboxes.inbox(account), Some(MailboxId(3)));
    }

    #[test]
    fn what_is_nested_deep_is_within_as_well() {
        let nested = |id, parent| MailboxView { parent, ..mailbox(id, None, true) };
        let mut mailboxes = Mailboxes::default();
        let [top, middle, bottom] = [MailboxId(1), MailboxId(2), MailboxId(3)];
        mailboxes.set(
            AccountId(1),
            vec![nested(1, None), nested(2, Some(top)), nested(3, Some(middle))],
        );
        assert!(mailboxes.is_within(bottom, top) && mailboxes.is_within(middle, top));
        assert!(!mailboxes.is_within(top, bottom) && !mailboxes.is_within(top, top));
    }

    #[test]
    fn counts_change_one_mailbox() {
        let mut mailboxes = Mailboxes::default();
        let inbox = Some(Role::Inbox);
        mailboxes.set(AccountId(1), vec![mailbox(1, inbox, true), mailbox(2, inbox, true)]);
        mailboxes.set_counts(MailboxId(1), 5, 9);
        assert_eq!(mailboxes.get(MailboxId(1)).unwrap().unread, 5);
        assert_eq!(mailboxes.unread_in_inboxes(), 6);
    }

    #[test]
    fn a_removed_account_takes_its_mailboxes_along() {
        let mut mailboxes = Mailboxes::default();
        mailboxes.set(AccountId(1), vec![mailbox(1, None, true)]);
        mailboxes.keep_accounts(|account| account != AccountId(1));
        assert_eq!(mailboxes.get(MailboxId(1)), None);
    }
}
