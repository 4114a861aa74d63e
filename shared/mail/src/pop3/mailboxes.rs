//! The local mailboxes of a POP3 account.

use postern_bridge::{AccountId, MailboxId, Role};

use crate::{
    Host,
    record::{Mailbox, Record, Series, next_numbers},
    store::{StoreError, Write},
};

/// The mailboxes that each account begins with, which get numbers in a row, in this order.
pub(crate) const LOCAL: [(&str, Role); 6] = [
    ("Inbox", Role::Inbox),
    ("Drafts", Role::Drafts),
    ("Sent", Role::Sent),
    ("Archive", Role::Archive),
    ("Junk", Role::Junk),
    ("Trash", Role::Trash),
];

/// The writes that give an account its local mailboxes; they belong into the batch that adds it.
///
/// # Errors
///
/// If the store can't be read.
pub async fn create_local_mailboxes<H: Host>(
    host: &H,
    account: AccountId,
) -> Result<Vec<Write>, StoreError> {
    let (first, remember) = next_numbers(host.store(), Series::Mailbox, LOCAL.len() as u32).await?;
    let mailboxes = LOCAL.iter().zip(first..);
    let mailboxes = mailboxes
        .map(|((name, role), id)| local_mailbox(account, MailboxId(id), name, Some(*role)).put());
    Ok(mailboxes.chain([remember]).collect())
}

/// An empty local mailbox at the top of an account.
pub(crate) fn local_mailbox(
    account: AccountId,
    id: MailboxId,
    name: &str,
    role: Option<Role>,
) -> Mailbox {
    Mailbox {
        path: name.as_bytes().to_vec(),
        names: vec![name.into()],
        role,
        delimiter: Some(b'/'),
        uid_validity: 1,
        uid_next: 1,
        ..Mailbox::new(id, account)
    }
}
