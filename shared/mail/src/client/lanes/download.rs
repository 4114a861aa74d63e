//! The sync lane of a POP3 account: the download.

use std::time::Duration;

use futures_channel::mpsc;
use postern_bridge::{AccountId, Connection, Delta, Progress, Role, ServerRole};

use super::{super::pop3::waiting, Change, Client, Sync};
use crate::{
    Host, MailError, outbox,
    pop3::{self, DownloadStep, Job},
};

/// How often a POP3 server is asked for news: each time is a log-in, and servers ration those.
const POLL_POP3: Duration = Duration::from_secs(300);

impl<H: Host> Client<H> {
    pub(super) async fn download_lane(
        self,
        account: AccountId,
        mut jobs: mpsc::UnboundedReceiver<Sync>,
    ) {
        // Whether the inbox holds what the server had when it was asked last.
        let mut complete = false;
        let mut patience = POLL_POP3;
        while let Some(job) = self.next_job(&mut jobs, patience).await {
            let result = match job {
                Some(Sync::File { outbox }) => self.file_locally(account, outbox).await,
                Some(Sync::Mailbox(mailbox) | Sync::News(mailbox)) => {
                    let is_inbox = self.inbox(account).await == Ok(mailbox);
                    if complete || !is_inbox { self.mailbox_fresh(mailbox).await } else { Ok(()) }
                }
                Some(Sync::All) | None if self.inner.online.get() => {
                    let result = self.download(account).await;
                    if let Some(seconds) = waiting(&result) {
                        patience = Duration::from_secs(seconds.into());
                    } else {
                        patience = POLL_POP3;
                        complete = result.is_ok();
                    }
                    self.report_download(account, result);
                    Ok(())
                }
                Some(Sync::All) | None => {
                    complete = false;
                    Ok(())
                }
            };
            if let Err(error) = result {
                self.tell_problem(account, self.problem(account, &error));
            }
        }
    }

    fn report_download(&self, account: AccountId, result: Result<(), MailError>) {
        match &result {
            Err(error) if waiting(&result).is_some() => self.show_waiting(account, error),
            _ => self.report(account, result),
        }
    }

    async fn download(&self, id: AccountId) -> Result<(), MailError> {
        let account = self.account(id)?;
        let inbox = self.inbox(id).await?;
        self.set_connection(id, Connection::Connecting);
        let host = &*self.inner.host;
        let password = host.unseal(&account.sealed_password).await?;
        let mut step = |step: DownloadStep| {
            let (what, done, total) = match step {
                DownloadStep::LoggedIn { session } => {
                    let used = &account.incoming.endpoint;
                    return self.connected(id, ServerRole::Incoming, used, session);
                }
                DownloadStep::Found { new } => ("Downloading", 0, new),
                DownloadStep::Stored { done, new } => ("Downloading", done, new),
                DownloadStep::Completed { moved } => return self.show_completed(moved),
                DownloadStep::Deleting { .. } => ("Deleting on the server", 0, 0),
            };
            let progress = Progress { what: what.into(), done, total };
            self.tell(None, Delta::Progress { account: id, progress: Some(progress) });
            self.note_change(inbox, Change::Order);
        };
        let safety = self.safety().await;
        let job = Job { account: &account, password: &password, inbox, safety };
        let result = pop3::download(host, job, &mut step).await;
        self.tell(None, Delta::Progress { account: id, progress: None });
        self.mailbox_changed(inbox, Change::Order).await?;
        match result {
            Ok(_) => self.note_download(&account).await?,
            Err(error) => {
                let used = &account.incoming.endpoint;
                self.not_connected(id, ServerRole::Incoming, used, &error).await?;
                return Err(error);
            }
        }
        self.wake_outbox(id);
        self.mailbox_fresh(inbox).await
    }

    async fn file_locally(&self, account: AccountId, id: u32) -> Result<(), MailError> {
        let mailboxes = self.mailboxes(account).await?;
        let sent = mailboxes.into_iter().find(|mailbox| mailbox.role == Some(Role::Sent));
        let sent = sent.ok_or(MailError::Gone("mailbox for sent messages"))?;
        outbox::file_locally(&*self.inner.host, id, sent.id).await?;
        self.mailbox_changed(sent.id, Change::Order).await
    }
}
