//! Local folders, copied to an IMAP account over a connection of its own.

use std::time::Duration;

use futures_util::future::{AbortHandle, abortable};
use postern_bridge::{AccountId, ClientId, CopyState, Delta, Progress, Protocol};

use super::{Client, lanes::Link};
use crate::{
    Host, MailError, Store,
    migrate::{self, Copied, CopyStep},
    record::Account,
    store::Durability,
};

/// How long to wait before a copy that broke off goes on.
const RETRY: Duration = Duration::from_secs(30);

/// A copy that is under way or has ended.
pub(super) struct Copying {
    to: AccountId,
    state: CopyState,
    task: AbortHandle,
}

impl<H: Host> Client<H> {
    /// Copies the local folders of one account to another one.
    pub(super) async fn copy_to_imap(
        &self,
        from: AccountId,
        to: AccountId,
    ) -> Result<(), MailError> {
        // A refusal is told as a copy that has failed, which is not remembered.
        self.account(to)?;
        if self.check_copy(&self.account(from)?, to).is_ok() {
            migrate::store_plan(self.store(), from, to).await?;
        }
        self.start_copy(from, to);
        Ok(())
    }

    /// Refuses what is no copy from POP3 to IMAP, and one into a mailbox that a POP3 account
    /// empties: the copies would be downloaded as new mail, and deleted there again. Into one that
    /// POP3 leaves as it is goes what it does not have any more, which the ledger knows again when
    /// it is listed.
    fn check_copy(&self, source: &Account, to: AccountId) -> Result<(), MailError> {
        let target = self.account(to)?;
        if (source.protocol, target.protocol) != (Protocol::Pop3, Protocol::Imap) {
            let sentence = "Folders of a POP3 account can be copied to an IMAP account.";
            return Err(MailError::Input(sentence.into()));
        }
        let accounts = self.inner.accounts.borrow();
        let mut all = accounts.values().map(|running| &running.account);
        match all.find(|own| empties(own, &target)) {
            Some(own) => Err(MailError::Input(emptied(&own.identity.address))),
            None => Ok(()),
        }
    }

    /// Stops a copy, or forgets what came of it. What was copied stays on the server.
    pub(super) async fn stop_copy(&self, from: AccountId) -> Result<(), MailError> {
        let stopped = self.inner.copies.borrow_mut().remove(&from);
        let Some(copying) = stopped else { return Ok(()) };
        copying.task.abort();
        self.store().apply(vec![migrate::forget_plan(from)], Durability::Strict).await?;
        self.tell(None, Delta::Copying { from, to: copying.to, state: None });
        Ok(())
    }

    /// Stops the copies from and to an account.
    pub(super) async fn stop_copies_of(&self, account: AccountId) -> Result<(), MailError> {
        let concerned: Vec<AccountId> = {
            let copies = self.inner.copies.borrow();
            let is_of = |(from, copying): &(&AccountId, &Copying)| {
                **from == account || copying.to == account
            };
            copies.iter().filter(is_of).map(|(from, _)| *from).collect()
        };
        for from in concerned {
            self.stop_copy(from).await?;
        }
        Ok(())
    }

    /// Goes on with the copies that an earlier life has left.
    pub(super) async fn resume_copies(&self) -> Result<(), MailError> {
        for (from, to) in migrate::plans(self.store()).await? {
            if self.account(from).is_ok() && self.account(to).is_ok() {
                self.start_copy(from, to);
            }
        }
        Ok(())
    }

    /// Tells a new page of the copies.
    pub(super) fn tell_copies(&self, page: ClientId) {
        for (from, copying) in &*self.inner.copies.borrow() {
            let (to, state) = (copying.to, Some(copying.state.clone()));
            self.tell(Some(page), Delta::Copying { from: *from, to, state });
        }
    }

    /// An account was changed: copies that run begin anew with what is allowed now.
    pub(super) fn begin_copies_anew(&self) {
        let running: Vec<(AccountId, AccountId)> = {
            let copies = self.inner.copies.borrow();
            let running = copies.iter().filter(|(_, copying)| {
                matches!(copying.state, CopyState::Running(_) | CopyState::Waiting(_))
            });
            running.map(|(from, copying)| (*from, copying.to)).collect()
        };
        for (from, to) in running {
            self.start_copy(from, to);
        }
    }

    fn start_copy(&self, from: AccountId, to: AccountId) {
        let client = self.clone();
        let (task, handle) = abortable(async move { client.run_copy(from, to).await });
        let state = CopyState::Running(Progress { what: "Copying".into(), done: 0, total: 0 });
        let copying = Copying { to, state, task: handle };
        if let Some(before) = self.inner.copies.borrow_mut().insert(from, copying) {
            before.task.abort();
        }
        self.inner.host.spawn(async move {
            // Stopped by the person: then there is nothing left to tell.
            let _ = task.await;
        });
    }

    async fn run_copy(&self, from: AccountId, to: AccountId) {
        let mut link = Link::new(self, to);
        loop {
            let mut told = 0;
            let mut step = |CopyStep { done, total }: CopyStep| {
                let now = self.inner.host.now();
                if (now - told).abs() >= 100 {
                    told = now;
                    let progress = Progress { what: "Copying".into(), done, total };
                    self.set_copy(from, to, CopyState::Running(progress));
                }
            };
            let copied = async {
                self.check_copy(&self.account(from)?, to)?;
                link.work(async |imap, host| migrate::copy(host, from, to, imap, &mut step).await)
                    .await
            };
            let copied = copied.await;
            link.hang_up().await;
            match copied {
                Ok(copied) => break self.end_copy(from, to, copied).await,
                Err(error) if error.is_passing() || error.breaks_connection() => {
                    let problem = self.problem(to, &error);
                    self.set_copy(from, to, CopyState::Waiting(problem.sentence));
                    self.inner.host.sleep(RETRY).await;
                }
                Err(error) => {
                    let problem = self.problem(to, &error);
                    self.set_copy(from, to, CopyState::Failed(problem.sentence));
                    break self.forget_copy(from).await;
                }
            }
        }
    }

    async fn end_copy(&self, from: AccountId, to: AccountId, copied: Copied) {
        let Copied { copied, present, missing } = copied;
        self.forget_copy(from).await;
        self.set_copy(from, to, CopyState::Done { copied, present, missing });
        // An account that was removed meanwhile has nothing to show.
        let _ = self.refresh(to);
    }

    async fn forget_copy(&self, from: AccountId) {
        let forgotten = self.store().apply(vec![migrate::forget_plan(from)], Durability::Strict);
        if let Err(error) = forgotten.await {
            // The next start does it once more, which does no harm.
            self.tell_problem(from, MailError::from(error).problem("This browser"));
        }
    }

    fn set_copy(&self, from: AccountId, to: AccountId, state: CopyState) {
        if let Some(copying) = self.inner.copies.borrow_mut().get_mut(&from) {
            copying.state = state.clone();
        }
        self.tell(None, Delta::Copying { from, to, state: Some(state) });
    }
}

/// Whether a POP3 account deletes mail in the mailbox of an IMAP account, as far as the settings
/// tell.
fn empties(pop3: &Account, imap: &Account) -> bool {
    pop3.protocol == Protocol::Pop3 && pop3.retention.deletes() && pop3.shares_mailbox_with(imap)
}

fn emptied(address: &str) -> String {
    format!(
        "The POP3 account {address} deletes mail from this very mailbox: the copies would be \
         downloaded as new mail and deleted there again. In its settings, have it leave mail on the \
         server first, or copy to another mailbox."
    )
}
