//! Which mailbox is open.

use postern_bridge::{MailboxId, MessageId};
use postern_imap::{Command, Response, response::Code};

use super::ImapClient;
use crate::{
    Host, MailError, Transport, changes,
    record::{self, Mailbox},
};

/// The mailbox that is open, as it was when it was opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Selected {
    pub(super) mailbox: MailboxId,
    /// How many messages it has.
    pub(super) exists: u32,
    pub(super) uid_validity: u32,
    /// The smallest UID that was never used, if the server told.
    pub(super) uid_next: Option<u32>,
}

impl<T: Transport> ImapClient<T> {
    /// Opens a mailbox afresh, so that its numbers are those of now.
    pub(super) async fn select<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        mailbox: &Mailbox,
    ) -> Result<Selected, MailError> {
        self.selected = None;
        let answer = self.run(host, Command::select(&mailbox.path)?, "open the mailbox").await?;
        let mut selected =
            Selected { mailbox: mailbox.id, exists: 0, uid_validity: 0, uid_next: None };
        for response in &answer.responses {
            match response {
                Response::Exists(exists) => selected.exists = *exists,
                Response::Status(status) => match status.code {
                    Some(Code::UidValidity(validity)) => selected.uid_validity = validity,
                    Some(Code::UidNext(next)) => selected.uid_next = Some(next),
                    _ => {}
                },
                _ => {}
            }
        }
        if selected.uid_validity == 0 {
            return Err(MailError::Unsupported("message numbers that last (UIDVALIDITY)"));
        }
        self.selected = Some(selected);
        Ok(selected)
    }

    /// Makes sure that the mailbox is open in which the server has a message, which may be elsewhere
    /// than here while it is on its way; returns its UID there.
    pub(super) async fn open_at<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        id: MessageId,
    ) -> Result<u32, MailError> {
        let account = record::mailbox(host.store(), id.mailbox).await?.account;
        let place = changes::on_server(host.store(), account, id).await?;
        if changes::is_provisional(place.uid) {
            return Err(MailError::Gone("message"));
        }
        self.open(host, place.mailbox).await?;
        Ok(place.uid)
    }

    /// Makes sure that a mailbox is open and that its stored UIDs mean what they meant.
    pub(super) async fn open<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        id: MailboxId,
    ) -> Result<(), MailError> {
        let mailbox = record::mailbox(host.store(), id).await?;
        let selected = match self.selected {
            Some(selected) if selected.mailbox == id => selected,
            _ => self.select(host, &mailbox).await?,
        };
        if selected.uid_validity != mailbox.uid_validity {
            return Err(MailError::Gone("message"));
        }
        Ok(())
    }
}
