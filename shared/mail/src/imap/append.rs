//! Puts a message into a mailbox on the server, as it is read from the store.

use postern_bridge::Flags;
use postern_imap::{
    Command,
    command::{MessageForm, SearchKey, SearchReturn, Upload},
    response::{Flag, SearchResult},
};

use super::{
    ImapClient,
    exchange::{Answer, Feed},
    refusal::refusal,
};
use crate::{
    Host, MailError, Store, Transport, pieces::Pieces, record::Mailbox, store::StoreError,
};

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
        content: &Pieces,
    ) -> Result<(), MailError> {
        self.select(host, mailbox).await?;
        let key = SearchKey::Header { name: "Message-ID".into(), value: message_id.into() };
        match self.search(host, key, SearchReturn::Count).await? {
            SearchResult { count: Some(0), .. } => {}
            SearchResult { count: None, all: None, .. } => {}
            _ => return Ok(()),
        }
        let wanted = Upload { flags: imap_flags(flags, &[]), ..Upload::default() };
        self.append(host, &mailbox.path, wanted, content, "file the message").await.map(drop)
    }

    /// Puts a message into a mailbox on the server, which needs not be open; the store learns of it
    /// at the next sync. No more than a piece of it is held at a time.
    ///
    /// # Errors
    ///
    /// If the server refuses. If the connection is lost, or its bytes can't be read to their end, the
    /// message may or may not be there, or is not.
    pub(super) async fn append<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        path: &[u8],
        wanted: Upload,
        content: &Pieces,
        what: &'static str,
    ) -> Result<Answer, MailError> {
        let store = host.store();
        let form = match content.has_nul(store).await? {
            false => MessageForm::Text,
            true if self.capabilities(host).await?.has("BINARY") => MessageForm::Binary,
            true => return Err(MailError::Unsupported("messages with a NUL byte")),
        };
        let upload = Upload { form, size: content.size(), ..wanted };
        let command = Command::append_streamed(&self.named(path), &[upload])?;
        let tag = self.connection.session.start(command);
        let mut answer = Answer::default();
        let mut pieces = StoredPieces { store, content, number: 0 };
        let end = self.wait_feeding(host, tag, what, &mut answer, &mut pieces).await?;
        match refusal(what, &end) {
            Some(refusal) => Err(refusal),
            None => {
                answer.ends.push(end);
                Ok(answer)
            }
        }
    }
}

/// A message as the session asks for it.
struct StoredPieces<'a, S> {
    store: &'a S,
    content: &'a Pieces,
    number: u32,
}

impl<S: Store> Feed for StoredPieces<'_, S> {
    async fn next(&mut self) -> Result<Vec<u8>, StoreError> {
        let piece = self.content.get(self.store, self.number).await?;
        self.number += 1;
        Ok(piece)
    }
}

/// Flags and keywords as the server is told them; `\Deleted` is not for others.
pub(super) fn imap_flags(flags: Flags, keywords: &[String]) -> Vec<Flag> {
    let system = [
        (flags.seen, Flag::Seen),
        (flags.answered, Flag::Answered),
        (flags.flagged, Flag::Flagged),
        (flags.draft, Flag::Draft),
    ];
    let system = system.into_iter().filter_map(|(set, flag)| set.then_some(flag));
    system.chain(keywords.iter().map(|name| Flag::Other(name.into()))).collect()
}
