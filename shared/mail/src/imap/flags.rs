//! Flags, changed on the server and then here.

use postern_bridge::MessageId;
use postern_imap::{Command, SequenceSet, command::StoreMode, response::Flag};

use super::{ImapClient, marks};
use crate::{
    Host, MailError, Store, Transport,
    record::{self, Mailbox, Message, Record},
    store::Durability,
};

impl<T: Transport> ImapClient<T> {
    /// Marks a message as read or unread, on the server first.
    ///
    /// # Errors
    ///
    /// If the server refuses, or the message is gone.
    pub async fn store_seen<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        id: MessageId,
        seen: bool,
    ) -> Result<(), MailError> {
        self.open(host, id.mailbox).await?;
        let mode = if seen { StoreMode::Add } else { StoreMode::Remove };
        let command = Command::uid_store(&SequenceSet::from(id.uid), mode, &[Flag::Seen])?;
        self.run(host, command, "change the message's flags").await?;

        let store = host.store();
        let _editing = store.editing().lock().await;
        let told = marks::told(store, id, seen).await?;
        let message: Option<Message> = record::get(store, &record::message_key(id)).await?;
        let changed = message.filter(|message| message.flags.seen != seen);
        let Some(mut message) = changed else {
            // The page had it so already: only the mark goes.
            return Ok(store.apply(told.into_iter().collect(), Durability::Relaxed).await?);
        };
        message.flags.seen = seen;
        let mailbox = record::mailbox(store, id.mailbox).await?;
        let unread =
            if seen { mailbox.unread.saturating_sub(1) } else { mailbox.unread.saturating_add(1) };
        let mailbox = Mailbox { unread, ..mailbox };
        let writes = [message.put(), mailbox.put()].into_iter().chain(told);
        Ok(store.apply(writes.collect(), Durability::Relaxed).await?)
    }
}
