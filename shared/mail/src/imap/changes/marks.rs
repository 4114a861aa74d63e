//! Marks, and deleting for good.

use postern_bridge::{MailboxId, Mark};
use postern_imap::{
    Command,
    command::{FetchItem, StoreMode},
    response::Flag,
};

use super::{ImapClient, Outcome, open::uids};
use crate::{
    Host, MailError, Transport,
    changes::{self, Arrivals, Entry, Removal},
};

const WHAT: &str = "change the marks of messages";

impl<T: Transport> ImapClient<T> {
    pub(super) async fn make_mark<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        entry: &mut Entry,
        mailbox: MailboxId,
        mark: &Mark,
        set: bool,
    ) -> Result<Outcome, MailError> {
        let lost = self.open_for(host, entry, mailbox).await?;
        if let Some(uids) = uids(entry) {
            let mode = if set { StoreMode::Add } else { StoreMode::Remove };
            let flag = flag(mark);
            let command = Command::uid_store(&uids, mode, std::slice::from_ref(&flag))?;
            self.run(host, command, WHAT).await?;
            if set && matches!(mark, Mark::Keyword(_)) {
                self.check_kept(host, entry, &flag).await?;
            }
        }
        let settled = changes::done(host, entry, &Arrivals::default(), Removal::Whole).await?;
        Ok(lost.and(settled).into())
    }

    /// A server that does not keep a keyword need not refuse it (RFC 9051 section 2.3.2).
    async fn check_kept<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        entry: &Entry,
        flag: &Flag,
    ) -> Result<(), MailError> {
        let Some(item) = entry.task.items().first() else { return Ok(()) };
        let command = Command::uid_fetch(&item.uid.into(), &[FetchItem::Flags])?;
        let mut answer = self.run(host, command, WHAT).await?;
        let told = answer.fetches().find(|fetch| fetch.uid == Some(item.uid));
        let same = |own: &Flag| own.as_str().eq_ignore_ascii_case(flag.as_str());
        match told.and_then(|fetch| fetch.flags) {
            Some(flags) if !flags.iter().any(same) => Err(MailError::Unsupported("tags")),
            _ => Ok(()),
        }
    }

    pub(super) async fn make_expunge<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        entry: &mut Entry,
        mailbox: MailboxId,
    ) -> Result<Outcome, MailError> {
        self.open_for(host, entry, mailbox).await?;
        let removal = self.remove(host, entry).await?;
        let settled = changes::done(host, entry, &Arrivals::default(), removal).await?;
        Ok(Outcome::of(settled, removal, mailbox))
    }

    /// Removes an entry's messages from the open mailbox. Where the server can't remove single
    /// messages, they are only marked as deleted: EXPUNGE would also take what somebody else has
    /// marked.
    pub(super) async fn remove<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        entry: &Entry,
    ) -> Result<Removal, MailError> {
        let Some(uids) = uids(entry) else { return Ok(Removal::Whole) };
        let command = Command::uid_store(&uids, StoreMode::Add, &[Flag::Deleted])?;
        self.run(host, command, "delete messages").await?;
        if !self.can_expunge(host).await? {
            return Ok(Removal::OnlyMarked);
        }
        self.run(host, Command::uid_expunge(&uids), "delete messages").await?;
        Ok(Removal::Whole)
    }
}

fn flag(mark: &Mark) -> Flag {
    match mark {
        Mark::Seen => Flag::Seen,
        Mark::Answered => Flag::Answered,
        Mark::Flagged => Flag::Flagged,
        Mark::Keyword(name) => Flag::Other(name.clone()),
    }
}
