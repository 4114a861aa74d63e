//! Copies of sent messages, filed on the server of an IMAP account.

use postern_bridge::{AccountId, Flags, MailboxId, Role};

use super::{Client, Sync, changes::is_final, link::Link, queue::Queue};
use crate::{
    Host, MailError,
    outbox::{self, Entry, State},
    pieces::Pieces,
    record::Mailbox,
};

#[cfg(test)]
mod tests;

impl<H: Host> Client<H> {
    /// Files the copy of a sent message in the mailbox for such. Until the copy is there, the outbox keeps
    /// the message. What is refused is left to the person: asked again and again the server would refuse
    /// it each time. What it can't take for now is no failure of the account, and is asked again with the
    /// next look at everything.
    ///
    /// *If this ends early*, the copy is there, or not: the next try looks for its Message-ID first.
    pub(super) async fn file_on_server(
        &self,
        account: AccountId,
        id: u32,
        link: &mut Link<H>,
        queue: &mut Queue,
    ) -> Result<(), MailError> {
        let (entry, content) = outbox::to_file(&*self.inner.host, id).await?;
        if entry.state != State::Sent || entry.filed {
            return Ok(());
        }
        // A server that can't be reached, or refuses the log-in, says nothing about the copy.
        link.open().await?;
        let sent = match self.file_copy(account, &entry, &content, link).await {
            Err(error) if is_final(&error) => {
                let why = self.problem(account, &error).sentence;
                let entry = outbox::mark_unfiled(&*self.inner.host, id, why).await?;
                self.tell_entry(None, &entry);
                return Ok(());
            }
            // Whether that is about more than the copy shows when it is asked for a connection.
            Err(MailError::Closed(_) | MailError::Unavailable(_)) => return link.open().await,
            filed => filed?,
        };
        outbox::mark_filed(&*self.inner.host, id).await?;
        // What could not be listed now is listed with the next look.
        self.sync_one(account, link, queue, sent, Sync::Mailbox(sent)).await.map(drop)
    }

    /// Puts the copy of a sent message into the mailbox for such; returns that. Where none is known, or the
    /// server refuses the copy, whose mailbox may be gone by now or have another name, the mailboxes are
    /// listed, once; it is made if there is none.
    async fn file_copy(
        &self,
        account: AccountId,
        entry: &Entry,
        content: &Pieces,
        link: &mut Link<H>,
    ) -> Result<MailboxId, MailError> {
        if let Some(known) = self.sent_mailbox(account).await? {
            match put_copy(&known, entry, content, link).await {
                Err(refused @ MailError::Refused { .. }) => {
                    match self.sync_list(account, link).await {
                        // Why the copy is refused says more.
                        Err(MailError::Refused { .. }) => return Err(refused),
                        listed => drop(listed?),
                    }
                }
                put => return put,
            }
        } else {
            self.sync_list(account, link).await?;
        }
        let sent = match self.sent_mailbox(account).await? {
            Some(sent) => sent,
            None => self.make_sent_mailbox(account, link).await?,
        };
        put_copy(&sent, entry, content, link).await
    }

    async fn make_sent_mailbox(
        &self,
        account: AccountId,
        link: &mut Link<H>,
    ) -> Result<Mailbox, MailError> {
        let delimiter = self.mailboxes(account).await?.iter().find_map(|own| own.delimiter);
        link.work(async |imap, host| {
            imap.make_mailbox(host, b"Sent", Some(delimiter), Some(Role::Sent)).await
        })
        .await?;
        self.sync_list(account, link).await?;
        let made = self.sent_mailbox(account).await?;
        made.ok_or(MailError::Unsupported("a folder for sent messages"))
    }

    async fn sent_mailbox(&self, account: AccountId) -> Result<Option<Mailbox>, MailError> {
        let mailboxes = self.mailboxes(account).await?;
        Ok(mailboxes.into_iter().find(|mailbox| mailbox.role == Some(Role::Sent)))
    }
}

async fn put_copy<H: Host>(
    mailbox: &Mailbox,
    entry: &Entry,
    content: &Pieces,
    link: &mut Link<H>,
) -> Result<MailboxId, MailError> {
    let flags = Flags { seen: true, ..Flags::default() };
    link.work(async |imap, host| {
        imap.append_once(host, mailbox, &entry.message_id, flags, content).await
    })
    .await?;
    Ok(mailbox.id)
}
