//! Local messages, copied to mailboxes on the server.

use postern_imap::{
    Command, SequenceSet,
    command::{FetchItem, SearchKey, SearchReturn, Upload},
    mailbox_name::Spelling,
};

use super::{ImapClient, append::imap_flags, limits::MESSAGES, listing};
use crate::{
    Host, MailError, Transport,
    migrate::{Present, limits},
    pieces::Pieces,
    record::{Mailbox, Message},
};

impl<T: Transport> ImapClient<T> {
    /// What a mailbox on the server has, by what tells messages apart.
    ///
    /// # Errors
    ///
    /// If the server refuses, or can't be asked.
    pub(crate) async fn likenesses<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        mailbox: &Mailbox,
    ) -> Result<Present, MailError> {
        let mut present = Present::default();
        if self.select(host, mailbox).await?.exists == 0 {
            return Ok(present);
        }
        let found = self.search_all(host, vec![SearchKey::All], SearchReturn::All).await?;
        if found.all.as_ref().is_some_and(|uids| uids.count() > MESSAGES) {
            return Err(MailError::Unsupported("a mailbox of this size"));
        }
        let uids: Vec<u32> = found.all.iter().flat_map(SequenceSet::numbers).collect();
        for window in uids.chunks(limits::WINDOW) {
            let Some(set) = SequenceSet::from_numbers(window.iter().copied()) else { continue };
            let items = [FetchItem::Envelope, FetchItem::InternalDate];
            let command = Command::uid_fetch(&set, &items)?;
            let mut answer = self.run(host, command, "list the messages").await?;
            for fetch in answer.fetches() {
                let message = listing::message(mailbox.id, &fetch, Spelling::default());
                message.iter().for_each(|message| present.add(message));
            }
        }
        Ok(present)
    }

    /// How many messages it takes to [`append_copies`](Self::append_copies) at once.
    ///
    /// # Errors
    ///
    /// If the server can't be asked.
    pub(crate) async fn copies_at_once<H: Host<Transport = T>>(
        &mut self,
        host: &H,
    ) -> Result<usize, MailError> {
        let several = self.capabilities(host).await?.has("MULTIAPPEND");
        Ok(if several { limits::TOGETHER } else { 1 })
    }

    /// Puts messages of which so many bytes are stored into a mailbox, with their flags, their
    /// keywords and their time: all of them, or none.
    ///
    /// # Errors
    ///
    /// If the server refuses. If the connection is lost, the messages may or may not be there.
    pub(crate) async fn append_copies<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        mailbox: &Mailbox,
        messages: &[(Message, u64)],
    ) -> Result<(), MailError> {
        let upload = |(message, size): &(Message, u64)| {
            let flags = imap_flags(message.flags, &message.keywords);
            let internal_date = Some(message.arrived.max(0) / 1000);
            let wanted = Upload { flags, internal_date, ..Upload::default() };
            (wanted, Pieces::of_message(message.id, *size))
        };
        let messages: Vec<_> = messages.iter().map(upload).collect();
        self.append(host, &mailbox.path, &messages, "take the messages").await.map(drop)
    }
}
