//! A message that is stored here alone, put into its mailbox.

use postern_bridge::{MailboxId, MessageId};
use postern_imap::{command::Upload, response::Code};

use super::{ImapClient, open::gone};
use crate::{
    Host, MailError, Transport,
    changes::{self, Arrivals, Entry, Item, Task},
    error::SAVE_DRAFT,
    imap::append::imap_flags,
    pieces::Pieces,
    record::{self, Body, Message},
};

impl<T: Transport> ImapClient<T> {
    /// Puts a message into its mailbox, unless one with its Message-ID is there, or several: an
    /// earlier try may have come through, and another program may have made copies of that. Those
    /// are known by the Message-ID that they tell. One that tells nothing may be it only if it came
    /// `since` the first try.
    ///
    /// *If this ends early*, the message is there, or not, and UIDVALIDITY and UIDNEXT from before
    /// the first APPEND are in the entry; in a mailbox that was made anew, from before the first
    /// one since.
    pub(super) async fn make_append<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        entry: &mut Entry,
        (mailbox, item): (MailboxId, &Item),
        since: Option<(u32, u32)>,
    ) -> Result<Arrivals, MailError> {
        let target = record::mailbox(host.store(), mailbox).await.map_err(gone)?;
        let selected = self.select(host, &target).await?;
        let uid_validity = selected.uid_validity;
        let from = |since: Option<(u32, u32)>| {
            since.filter(|(validity, _)| *validity == uid_validity).map(|(_, next)| next)
        };
        if let Some(uid) = self.find_put(host, &item.message_id, from(since)).await? {
            return Ok(Arrivals { uid_validity, uids: vec![uid] });
        }
        let id = MessageId { mailbox, uid: item.to };
        // It may have been moved on since, or deleted: then it need not be put there.
        let Some(id) = changes::here(host.store(), target.account, id).await? else {
            return Ok(Arrivals::default());
        };
        let message: Option<Message> = record::get(host.store(), &record::message_key(id)).await?;
        let Some(message) = message else { return Ok(Arrivals::default()) };
        let Body::Whole { size } = message.body else { return Err(MailError::Gone("message")) };
        let now = selected.uid_next.map(|uid_next| (uid_validity, uid_next));
        let since = since.filter(|(validity, _)| *validity == uid_validity).or(now);
        entry.task = Task::Append { mailbox, item: item.clone(), since };
        changes::learn(host, entry).await?;
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
        let uid = self.find_put(host, &item.message_id, from(since)).await?.unwrap_or(0);
        Ok(Arrivals { uid_validity, uids: vec![uid] })
    }
}
