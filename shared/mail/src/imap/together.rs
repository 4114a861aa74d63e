//! What belongs together, asked of the server before all messages are here.

use postern_imap::{
    Command, Response,
    command::{SearchKey, ThreadAlgorithm},
    response::Thread,
};

use super::{ImapClient, batch::Sync, plan};
use crate::{Host, MailError, Transport, record, threads};

impl<T: Transport> ImapClient<T> {
    /// Whether the server is to say what belongs together: where conversations are shown before all
    /// messages are here, and it has no names for conversations that come with each.
    pub(super) async fn wants_threads<H: Host<Transport = T>>(
        &mut self,
        sync: &Sync<'_, H>,
        missing: &[u32],
    ) -> Result<bool, MailError> {
        let mailbox = record::mailbox(sync.host().store(), sync.mailbox).await?;
        let is_long = missing.len() > plan::FIRST_WINDOW as usize;
        if !(mailbox.conversations && mailbox.uid_next == 0 && is_long) {
            return Ok(false);
        }
        let capabilities = self.capabilities(sync.host()).await?;
        let is_offered = capabilities.has("THREAD=REFERENCES");
        let is_named = capabilities.has("OBJECTID") || capabilities.has("X-GM-EXT-1");
        Ok(is_offered && !is_named && sync.total() <= threads::limits::ASKED)
    }

    /// Asks what belongs together. A server that refuses is left alone: what the messages themselves
    /// say counts anyway.
    pub(super) async fn ask_threads<H: Host<Transport = T>>(
        &mut self,
        sync: &mut Sync<'_, H>,
    ) -> Result<(), MailError> {
        let command = Command::uid_thread(ThreadAlgorithm::References, &[SearchKey::All])?;
        let answer = self.run_all(sync.host(), vec![command], "list the conversations").await?;
        let threads = answer.responses.into_iter().filter_map(|response| match response {
            Response::Threads(threads) => Some(threads),
            _ => None,
        });
        let uids = |thread: Thread| thread.messages.iter().map(|own| own.number).collect();
        sync.tell_together(threads.flatten().map(uids).collect());
        Ok(())
    }
}
