//! The local mailboxes of a POP3 account.

use postern_bridge::{AccountId, MailboxId, Role};

use crate::{
    Host,
    record::{Mailbox, Record, next_numbers},
    store::{StoreError, Write},
};

const LOCAL: [(&str, Role); 6] = [
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
    let (first, remember) = next_numbers(host.store(), "mailbox", LOCAL.len() as u32).await?;
    let mailboxes = LOCAL.iter().zip(first..).map(|((name, role), id)| {
        Mailbox {
            id: MailboxId(id),
            account,
            path: name.as_bytes().to_vec(),
            names: vec![(*name).into()],
            role: Some(*role),
            selectable: true,
            delimiter: Some(b'/'),
            can_nest: true,
            subscribed: true,
            uid_validity: 1,
            uid_next: 1,
            unread: 0,
            total: 0,
            conversations: false,
            synced: Default::default(),
        }
        .put()
    });
    Ok(mailboxes.chain([remember]).collect())
}
