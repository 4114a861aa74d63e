//! Marks, and deleting for good.

use std::collections::BTreeSet;

use postern_bridge::{MailboxId, Mark};
use postern_imap::{
    Command, SequenceSet,
    command::{FetchItem, StoreMode},
    response::Flag,
};

use super::{
    ImapClient, Outcome,
    open::{gone, read_only, uids},
};
use crate::{
    Host, MailError, Transport,
    changes::{self, Arrivals, Entry, Item, Removal, Settled, Task},
    imap::{limits, select::Selected},
    record::{self, Mailbox},
};

const WHAT: &str = "change the marks of messages";
/// What a server lacks that keeps a keyword no longer than a connection.
const LASTING_TAG: &str = "such a tag in this folder that outlasts the connection";
/// The same for another mark.
const LASTING_MARK: &str = "such a mark in this folder that outlasts the connection";

impl<T: Transport> ImapClient<T> {
    pub(super) async fn make_mark<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        entry: &mut Entry,
        mailbox: MailboxId,
        mark: &Mark,
        set: bool,
    ) -> Result<Outcome, MailError> {
        let settled = self.open_for(host, entry, mailbox).await?;
        if let Some(uids) = uids(entry) {
            match self.store_mark(host, entry, &uids, mark, set).await {
                // What follows from something else goes without, and here it is what it is there.
                Err(error) if changes::is_withheld(&error) && !is_asked_for(entry, mark) => {
                    let undone = changes::left_out(host, entry).await?;
                    return Ok(settled.and(undone).and(Settled::asking([mailbox])).into());
                }
                stored => stored?,
            }
        }
        let done = changes::done(host, entry, &Arrivals::default(), Removal::Whole).await?;
        Ok(settled.and(done).into())
    }

    /// Gives messages of the open mailbox a mark, or takes it.
    ///
    /// # Errors
    ///
    /// [`MailError::Unsupported`] if the server does not keep it. If it refuses, or can't be asked.
    async fn store_mark<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        entry: &Entry,
        uids: &SequenceSet,
        mark: &Mark,
        set: bool,
    ) -> Result<(), MailError> {
        let mode = if set { StoreMode::Add } else { StoreMode::Remove };
        let flag = flag(mark);
        let label = self.label(host, mark).await?;
        match &label {
            Some(label) => {
                let labels = std::slice::from_ref(label);
                self.run(host, Command::uid_store_labels(uids, mode, labels)?, WHAT).await?;
            }
            None => self.check_permanent(&flag)?,
        }
        // A keyword of the same name, which another program may have given, is the same tag.
        let is_keyword = !matches!(mark, Mark::Keyword(name) if !changes::is_keyword(name));
        if label.is_none() || !set && is_keyword {
            let command = Command::uid_store(uids, mode, std::slice::from_ref(&flag))?;
            match self.run(host, command, WHAT).await {
                // The label is off, and that was it.
                Err(error) if label.is_some() && changes::is_withheld(&error) => {}
                told => drop(told?),
            }
        }
        if set && label.is_none() && matches!(mark, Mark::Keyword(_)) {
            self.check_kept(host, entry, &flag).await?;
        }
        Ok(())
    }

    /// A server that keeps a mark no longer than the connection need not refuse it (RFC 9051
    /// section 7.1): it is there until then. One that has opened the mailbox for reading alone may
    /// name none that it keeps, whatever it would keep else.
    fn check_permanent(&self, flag: &Flag) -> Result<(), MailError> {
        match (&self.selected, flag) {
            (Some(Selected { permanent, .. }), _) if permanent.has(flag) => Ok(()),
            (Some(Selected { read_only: true, .. }), _) => Err(read_only(WHAT)),
            (Some(_), Flag::Other(_)) => Err(MailError::Unsupported(LASTING_TAG)),
            (Some(_), _) => Err(MailError::Unsupported(LASTING_MARK)),
            (None, _) => Ok(()),
        }
    }

    /// A server that does not keep a keyword need not refuse it (RFC 9051 section 2.3.2). One that
    /// does not tell whether it does has taken it.
    async fn check_kept<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        entry: &Entry,
        flag: &Flag,
    ) -> Result<(), MailError> {
        let Some(item) = entry.task.items().first() else { return Ok(()) };
        let command = Command::uid_fetch(&item.uid.into(), &[FetchItem::Flags])?;
        let mut answer = match self.run(host, command, WHAT).await {
            Err(error) if self.is_refusal(&error) => return Ok(()),
            answer => answer?,
        };
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
        let lost = self.open_for(host, entry, mailbox).await?;
        let removal = self.remove(host, entry).await?;
        let settled = changes::done(host, entry, &Arrivals::default(), removal).await?;
        Ok(Outcome::of(lost.and(settled), removal, mailbox))
    }

    /// Removes an entry's messages from the open mailbox. Where the server can't remove single
    /// messages, they are only marked as deleted: EXPUNGE would also take what somebody else has
    /// marked.
    pub(super) async fn remove<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        entry: &Entry,
    ) -> Result<Removal, MailError> {
        match uids(entry) {
            Some(uids) => self.remove_uids(host, &uids).await,
            None => Ok(Removal::Whole),
        }
    }

    /// Deletes everything in a mailbox that was known to be there when the person wanted it; if nothing
    /// was known, what is there when the server is first asked to. In a mailbox that was made anew
    /// since, only the `items` may be left of it.
    ///
    /// Where another mailbox has the same UIDVALIDITY, the two may have changed names: nothing is removed
    /// before one of the `items` was found, and they are the last that go. Whenever this breaks off, they
    /// are either still there, or all the rest is gone.
    pub(super) async fn make_empty<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        entry: &mut Entry,
        mailbox: MailboxId,
        until: Option<(u32, u32)>,
        items: &[Item],
    ) -> Result<Outcome, MailError> {
        let own = record::mailbox(host.store(), mailbox).await.map_err(gone)?;
        let selected = self.select(host, &own).await?;
        let (uid_validity, uid_next) = match until {
            Some(until) => until,
            None => {
                let until = (selected.uid_validity, selected.uid_next.unwrap_or(u32::MAX));
                let items = items.to_vec();
                entry.task = Task::Empty { mailbox, until: Some(until), items };
                changes::learn(host, entry).await?;
                until
            }
        };
        if uid_validity != selected.uid_validity {
            entry.task = Task::Expunge { mailbox, items: items.to_vec() };
            changes::learn(host, entry).await?;
            let mut outcome = self.make_expunge(host, entry, mailbox).await?;
            outcome.settled = outcome.settled.and(Settled::asking([mailbox]));
            return Ok(outcome);
        }
        let removal = if selected.exists > 0 {
            self.remove_below(host, &own, uid_next, items).await?
        } else {
            Removal::Whole
        };
        let settled = changes::done(host, entry, &Arrivals::default(), removal).await?;
        Ok(Outcome::of(settled.and(Settled::asking([mailbox])), removal, mailbox))
    }

    /// Removes all messages with smaller UIDs from the open mailbox, if it is this one; those of the items
    /// last. Of ranges of which the server's answer can't be read whole, the halves are asked for.
    ///
    /// # Errors
    ///
    /// If it may be another mailbox; if the server can't be asked, or does not tell all that there is: the
    /// rest is removed then.
    async fn remove_below<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        own: &Mailbox,
        uid: u32,
        items: &[Item],
    ) -> Result<Removal, MailError> {
        let mut removal = Removal::Whole;
        let mut is_told = true;
        let mut is_known = false;
        let last: BTreeSet<u32> = items.iter().map(|item| item.uid).collect();
        let mut ranges = Vec::from_iter((uid > 1).then(|| 1..=uid - 1));
        for _ in 0..limits::RANGES {
            let Some(range) = ranges.pop() else { break };
            let Some(mut uids) = self.present_in(host, range.clone()).await? else {
                let (first, last) = range.into_inner();
                let middle = first.midpoint(last);
                if first < last {
                    ranges.extend([middle + 1..=last, first..=middle]);
                } else {
                    is_told = false;
                }
                continue;
            };
            if !uids.is_empty() && !is_known {
                self.check_identity(host, own, items).await?;
                is_known = true;
            }
            uids.retain(|uid| !last.contains(uid));
            for window in uids.chunks(changes::limits::ITEMS) {
                if let Some(window) = SequenceSet::from_numbers(window.iter().copied()) {
                    removal = self.remove_uids(host, &window).await?;
                }
            }
        }
        let is_whole = is_told && ranges.is_empty();
        if let Some(last) = SequenceSet::from_numbers(last).filter(|_| is_known || !is_whole) {
            if !is_known {
                self.check_identity(host, own, items).await?;
            }
            removal = self.remove_uids(host, &last).await?;
        }
        match is_whole {
            true => Ok(removal),
            false => Err(MailError::Unsupported("a list of all messages in the folder")),
        }
    }

    async fn remove_uids<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        uids: &SequenceSet,
    ) -> Result<Removal, MailError> {
        let command = Command::uid_store(uids, StoreMode::Add, &[Flag::Deleted])?;
        self.run(host, command, "delete messages").await?;
        if !self.can_expunge(host).await? {
            return Ok(Removal::OnlyMarked);
        }
        self.run(host, Command::uid_expunge(uids), "delete messages").await?;
        Ok(Removal::Whole)
    }
}

/// Whether a person has asked for a mark, and not for something else that it follows from: for
/// opening a message, or for moving it to the junk.
fn is_asked_for(entry: &Entry, mark: &Mark) -> bool {
    !entry.unasked && !changes::is_for_filters(mark)
}

fn flag(mark: &Mark) -> Flag {
    match mark {
        Mark::Seen => Flag::Seen,
        Mark::Answered => Flag::Answered,
        Mark::Flagged => Flag::Flagged,
        Mark::Keyword(name) => Flag::Other(name.into()),
    }
}
