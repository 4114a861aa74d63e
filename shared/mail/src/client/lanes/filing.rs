//! Copies of sent messages, filed on the server of an IMAP account.

use postern_bridge::{AccountId, Flags, MailboxId, Role};

use super::{Client, Sync, changes::is_final, link::Link, queue::Queue};
use crate::{
    Host, MailError,
    outbox::{self, State},
    pieces::Pieces,
    record::Mailbox,
};

#[cfg(test)]
mod tests;

impl<H: Host> Client<H> {
    /// Files the copy of a sent message in the mailbox for such. Until the copy is there, the outbox keeps
    /// the message. What is refused is left to the person: asked again and again the server would refuse
    /// it each time.
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
            filed => filed?,
        };
        outbox::mark_filed(&*self.inner.host, id).await?;
        // What could not be listed now is listed with the next look.
        self.sync_one(account, link, queue, sent, Sync::Mailbox(sent)).await.map(drop)
    }

    /// Puts the copy of a sent message into the mailbox for such, which is made if there is none; returns
    /// that.
    async fn file_copy(
        &self,
        account: AccountId,
        entry: &outbox::Entry,
        content: &Pieces,
        link: &mut Link<H>,
    ) -> Result<MailboxId, MailError> {
        let sent = match self.sent_mailbox(account).await? {
            Some(sent) => sent,
            None => {
                let delimiter = self.mailboxes(account).await?.iter().find_map(|own| own.delimiter);
                link.work(async |imap, host| {
                    imap.make_mailbox(host, b"Sent", Some(delimiter), Some(Role::Sent)).await
                })
                .await?;
                link.work(async |imap, host| imap.sync_mailboxes(host, account).await).await?;
                self.tell_mailboxes(None, account).await?;
                let made = self.sent_mailbox(account).await?;
                made.ok_or(MailError::Unsupported("a folder for sent messages"))?
            }
        };
        let flags = Flags { seen: true, ..Flags::default() };
        link.work(async |imap, host| {
            imap.append_once(host, &sent, &entry.message_id, flags, content).await
        })
        .await?;
        Ok(sent.id)
    }

    async fn sent_mailbox(&self, account: AccountId) -> Result<Option<Mailbox>, MailError> {
        let mailboxes = self.mailboxes(account).await?;
        Ok(mailboxes.into_iter().find(|mailbox| mailbox.role == Some(Role::Sent)))
    }
}
