//! A message that is stored here alone, put into its mailbox.

use postern_bridge::{MailboxId, MessageId};
use postern_imap::{command::Upload, response::Code};

use super::{ImapClient, open::gone};
use crate::{
    Host, MailError, Transport,
    changes::{self, Arrivals, Item},
    error::SAVE_DRAFT,
    imap::append::imap_flags,
    pieces::Pieces,
    record::{self, Body, Message},
};

impl<T: Transport> ImapClient<T> {
    /// Puts a message into its mailbox, unless one with its Message-ID is there, or several: an
    /// earlier try may have come through, and another program may have made copies of that.
    pub(super) async fn make_append<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        mailbox: MailboxId,
        item: &Item,
    ) -> Result<Arrivals, MailError> {
        let target = record::mailbox(host.store(), mailbox).await.map_err(gone)?;
        let selected = self.select(host, &target).await?;
        if let Some(uid) = self.find_sent(host, &item.message_id).await? {
            return Ok(Arrivals { uid_validity: selected.uid_validity, uids: vec![uid] });
        }
        let id = MessageId { mailbox, uid: item.to };
        // It may have been moved on since, or deleted: then it need not be put there.
        let Some(id) = changes::here(host.store(), target.account, id).await? else {
            return Ok(Arrivals::default());
        };
        let message: Option<Message> = record::get(host.store(), &record::message_key(id)).await?;
        let Some(message) = message else { return Ok(Arrivals::default()) };
        let Body::Whole { size } = message.body else { return Err(MailError::Gone("message")) };
        let flags = imap_flags(message.flags, &message.keywords);
        let wanted = Upload { flags, ..Upload::default() };
        let messages = [(wanted, Pieces::of_message(id, size))];
        let answer = self.append(host, &target.path, &messages, SAVE_DRAFT).await?;
        let told = answer.codes().find_map(|code| match code {
            Code::AppendUid { uid_validity, uids } => Some((*uid_validity, uids.numbers().next()?)),
            _ => None,
        });
        if let Some((uid_validity, uid)) = told {
            return Ok(Arrivals { uid_validity, uids: vec![uid] });
        }
        let uid = self.find_sent(host, &item.message_id).await?.unwrap_or(0);
        Ok(Arrivals { uid_validity: selected.uid_validity, uids: vec![uid] })
    }

    async fn find_sent<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        message_id: &str,
    ) -> Result<Option<u32>, MailError> {
        if message_id.is_empty() {
            return Ok(None);
        }
        Ok(self.search_message_id(host, message_id, 1).await?.into_iter().max())
    }
}
