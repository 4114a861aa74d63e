//! Which mailbox is open.

use postern_bridge::{MailboxId, MessageId};
use postern_imap::{
    Command, Response,
    command::{KnownState, Resync},
    response::{Code, MyRights, Status},
};

use super::{ImapClient, news::News, permanent::Permanent, rights::Rights};
use crate::{
    Host, MailError, Transport, changes,
    record::{self, Mailbox},
};

/// The mailbox that is open; but for its reach and the marks that it keeps, as it was when it was
/// opened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Selected {
    pub(super) mailbox: MailboxId,
    /// How many messages it has.
    pub(super) exists: u32,
    pub(super) uid_validity: u32,
    /// The smallest UID that was never used, if the server told.
    pub(super) uid_next: Option<u32>,
    /// The server finds messages with smaller UIDs on this connection, if they are there.
    pub(super) reach: u32,
    /// HIGHESTMODSEQ (RFC 7162); 0 if the mailbox has none.
    pub(super) mod_seq: u64,
    /// Whether it is open for reading alone.
    pub(super) read_only: bool,
    /// What may be done with its messages, if the server told with the mailbox, as Courier does.
    pub(super) rights: Option<Rights>,
    /// Which marks its messages keep.
    pub(super) permanent: Permanent,
    /// Whether some of what was told with it could not be read, and may have been flags.
    pub(super) lacks_flags: bool,
}

impl Selected {
    /// A mailbox of which nothing has been told yet.
    pub(super) fn new(mailbox: MailboxId) -> Self {
        Self {
            mailbox,
            exists: 0,
            uid_validity: 0,
            uid_next: None,
            reach: 0,
            mod_seq: 0,
            read_only: false,
            rights: None,
            permanent: Permanent::default(),
            lacks_flags: false,
        }
    }

    /// Notes in the mailbox's record what may be done with its messages.
    pub(super) fn note_rights(&self, own: &mut Mailbox) {
        own.read_only = self.read_only;
        if let Some(rights) = self.rights {
            rights.note(own);
        }
    }
}

impl<T: Transport> ImapClient<T> {
    /// Opens a mailbox afresh, so that its numbers are those of now.
    pub(super) async fn select<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        mailbox: &Mailbox,
    ) -> Result<Selected, MailError> {
        self.news = None;
        self.run_select(host, mailbox, &Resync::None).await
    }

    /// The same, and from now on what the server tells of the mailbox is kept as news: where it can,
    /// beginning with all that has changed since it was `known`.
    pub(super) async fn select_watched<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        mailbox: &Mailbox,
        known: Option<KnownState>,
    ) -> Result<Selected, MailError> {
        let resync = match known {
            Some(known) if self.enabled.qresync => Resync::Since(known),
            _ if self.enabled.condstore => Resync::CondStore,
            _ => Resync::None,
        };
        self.news = Some(News::default());
        self.heard = host.now();
        self.run_select(host, mailbox, &resync).await
    }

    async fn run_select<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        mailbox: &Mailbox,
        resync: &Resync,
    ) -> Result<Selected, MailError> {
        self.selected = None;
        let what = "open the mailbox";
        let command = |client: &Self| Command::select_with(&client.named(&mailbox.path), resync);
        let answer = match self.run(host, command(self)?, what).await {
            Err(MailError::Refused { .. }) if self.must_introduce() => {
                self.introduce(host).await?;
                self.run(host, command(self)?, what).await?
            }
            answer => answer?,
        };
        let mut exists = None;
        let mut selected = Selected::new(mailbox.id);
        let is_closed = |end: &Status| end.code == Some(Code::ReadOnly);
        selected.read_only = answer.ends.iter().any(is_closed);
        selected.lacks_flags = answer.lacks_flags;
        for response in &answer.responses {
            match response {
                Response::Exists(count) => exists = Some(*count),
                Response::Status(status) => match &status.code {
                    Some(Code::UidValidity(validity)) => selected.uid_validity = *validity,
                    Some(Code::UidNext(next)) => selected.uid_next = Some(*next),
                    Some(Code::HighestModSeq(mod_seq)) => selected.mod_seq = *mod_seq,
                    Some(Code::NoModSeq) => selected.mod_seq = 0,
                    Some(Code::PermanentFlags(flags)) => {
                        selected.permanent = Permanent::told(flags);
                    }
                    Some(Code::MyRights(rights)) => {
                        let rights = MyRights { mailbox: Vec::new(), rights: rights.clone() };
                        selected.rights = Some(Rights::from(&rights));
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        if selected.uid_validity == 0 {
            return Err(MailError::Unsupported("message numbers that last (UIDVALIDITY)"));
        }
        // To take it for an empty one would drop what is stored.
        let uncounted = || MailError::Protocol("a mailbox without a number of messages".into());
        selected.exists = exists.ok_or_else(uncounted)?;
        selected.reach = selected.uid_next.unwrap_or_default();
        if let Some(news) = &mut self.news {
            news.opened();
        }
        self.selected = Some(selected.clone());
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
        let mailbox = record::mailbox(host.store(), place.mailbox).await?;
        let selected = self.open(host, &mailbox, Some(place.uid)).await?;
        if selected.uid_validity != mailbox.uid_validity {
            return Err(MailError::Gone("message"));
        }
        Ok(place.uid)
    }

    /// Makes sure that a mailbox is open, and that the server finds messages up to a UID in it; all
    /// that are there if none is given.
    ///
    /// The server looks for UIDs among the messages that it has told this connection of. What came
    /// after the mailbox was opened is told at the end of the next command, not before (RFC 9051
    /// section 5.2): a UID FETCH of it would give nothing, and a UID STORE do nothing and be well.
    pub(super) async fn open<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        mailbox: &Mailbox,
        newest: Option<u32>,
    ) -> Result<Selected, MailError> {
        let selected = match &self.selected {
            Some(selected) if selected.mailbox == mailbox.id => selected.clone(),
            _ => return self.select(host, mailbox).await,
        };
        if newest.is_none_or(|newest| newest >= selected.reach) {
            self.noop(host).await?;
            if let Some(newest) = newest {
                self.reaches(newest.saturating_add(1));
            }
        }
        Ok(selected)
    }

    /// The server finds messages with smaller UIDs on this connection.
    pub(super) fn reaches(&mut self, next: u32) {
        if let Some(selected) = &mut self.selected {
            selected.reach = selected.reach.max(next);
        }
    }

    /// Whether a mailbox is open and all that the server tells of it is kept.
    pub(super) fn watches(&self, mailbox: MailboxId) -> bool {
        self.news.is_some()
            && self.selected.as_ref().is_some_and(|selected| selected.mailbox == mailbox)
    }
}
