//! Puts a message into a mailbox on the server.

use postern_bridge::Flags;
use postern_imap::{
    Command,
    command::{SearchKey, SearchReturn},
    response::{Flag, SearchResult},
};

use super::ImapClient;
use crate::{Host, MailError, Transport, record::Mailbox};

impl<T: Transport> ImapClient<T> {
    /// Puts a message into a mailbox unless one with the same Message-ID is there: so a filing that
    /// broke off can be repeated, whether or not the server had taken it.
    ///
    /// # Errors
    ///
    /// If the server refuses, or can't be asked.
    pub async fn append_once<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        mailbox: &Mailbox,
        message_id: &str,
        flags: Flags,
        raw: &[u8],
    ) -> Result<(), MailError> {
        self.select(host, mailbox).await?;
        let key = SearchKey::Header { name: "Message-ID".into(), value: message_id.into() };
        match self.search(host, key, SearchReturn::Count).await? {
            SearchResult { count: Some(0), .. } => {}
            SearchResult { count: None, all: None, .. } => {}
            _ => return Ok(()),
        }
        self.append(host, mailbox, flags, raw).await
    }

    /// Puts a message into a mailbox on the server; the store learns of it at the next sync.
    ///
    /// # Errors
    ///
    /// If the server refuses. If the connection is lost, the message may or may not be there.
    pub async fn append<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        mailbox: &Mailbox,
        flags: Flags,
        raw: &[u8],
    ) -> Result<(), MailError> {
        let flags: Vec<Flag> = [
            (flags.seen, Flag::Seen),
            (flags.answered, Flag::Answered),
            (flags.flagged, Flag::Flagged),
            (flags.deleted, Flag::Deleted),
            (flags.draft, Flag::Draft),
        ]
        .into_iter()
        .filter_map(|(set, flag)| set.then_some(flag))
        .collect();
        let command = Command::append(&mailbox.path, &flags, raw.to_vec())?;
        self.run(host, command, "file the message").await.map(drop)
    }
}
