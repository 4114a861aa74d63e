//! The queue of changes, told to the server.
//!
//! Each entry can be told again from any point at which it broke off; what becomes of each is in the
//! table of [`crate::changes`].

mod append;
mod find;
mod folders;
mod marks;
mod open;
mod transfer;

use postern_bridge::MailboxId;
use postern_imap::response::Code;

use super::{ImapClient, exchange::Answer};
use crate::{
    Host, MailError, Transport,
    changes::{self, Arrivals, Entry, Removal, Settled, Task},
};

/// What became of an entry.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Outcome {
    /// What it means for the pages. `left` counts messages that were left as they are: most
    /// of them are not on the server any more.
    pub settled: Settled,
    /// Whether the server could only mark the messages as deleted, and not remove them.
    pub left_behind: bool,
    /// How many messages stay where they were, because it has not said which copy each has become,
    /// and none was found. They count in `settled.left` as well.
    pub uncopied: u32,
}

impl Outcome {
    /// What became of an entry whose messages were to leave `mailbox`.
    fn of(settled: Settled, removal: Removal, mailbox: MailboxId) -> Self {
        match removal {
            Removal::Whole => settled.into(),
            Removal::OnlyMarked => {
                let settled = settled.and(Settled::asking([mailbox]));
                Self { left_behind: true, ..settled.into() }
            }
        }
    }
}

impl From<Settled> for Outcome {
    fn from(settled: Settled) -> Self {
        Self { settled, left_behind: false, uncopied: 0 }
    }
}

impl<T: Transport> ImapClient<T> {
    /// Makes a change on the server that was made here, unless it was taken back.
    ///
    /// # Errors
    ///
    /// If the server refuses; or if it can't be asked or the store not be written: then the entry
    /// is still open, and goes on from there.
    pub async fn make_change<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        entry: &Entry,
    ) -> Result<Outcome, MailError> {
        let Some(mut entry) = changes::begin(host, entry).await? else {
            return Ok(Outcome::default());
        };
        let untold = match entry.lost {
            0 => Settled::default(),
            lost => Settled::untold(entry.task.mailboxes(), lost),
        };
        let outcome = self.make_task(host, &mut entry).await?;
        Ok(Outcome { settled: untold.and(outcome.settled), ..outcome })
    }

    async fn make_task<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        entry: &mut Entry,
    ) -> Result<Outcome, MailError> {
        match entry.task.clone() {
            Task::Mark { mailbox, mark, set, .. } => {
                self.make_mark(host, entry, mailbox, &mark, set).await
            }
            Task::Transfer { .. } => self.make_transfer(host, entry).await,
            Task::Expunge { mailbox, .. } => self.make_expunge(host, entry, mailbox).await,
            Task::Empty { mailbox, until, items } => {
                self.make_empty(host, entry, mailbox, until, &items).await
            }
            Task::Append { mailbox, item, since } => {
                let arrivals = self.make_append(host, entry, (mailbox, &item), since).await?;
                Ok(changes::done(host, entry, &arrivals, Removal::Whole).await?.into())
            }
            task => {
                self.make_folder_change(host, entry, task).await?;
                Ok(changes::done(host, entry, &Arrivals::default(), Removal::Whole).await?.into())
            }
        }
    }

    /// Whether the server can remove single messages (UIDPLUS, RFC 4315).
    async fn can_expunge<H: Host<Transport = T>>(&mut self, host: &H) -> Result<bool, MailError> {
        let capabilities = self.capabilities(host).await?;
        Ok(capabilities.has("UIDPLUS"))
    }
}

impl Answer {
    /// The response codes, those of untagged responses first.
    fn codes(&self) -> impl Iterator<Item = &Code> {
        let untagged = self.responses.iter().filter_map(|response| match response {
            postern_imap::Response::Status(status) => Some(status),
            _ => None,
        });
        untagged.chain(&self.ends).filter_map(|status| status.code.as_ref())
    }
}
