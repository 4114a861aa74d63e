//! Files that pages write and read: backups, exports, imports.
//!
//! A page is only the way to the disk: it takes bytes at the speed at which it can write them, and
//! gives pieces of a file when asked for. A page that goes ends its transfers.

mod guard;
mod page;
#[cfg(test)]
mod tests;

use futures_channel::{mpsc, oneshot};
use futures_util::future::{AbortHandle, abortable};
use guard::{Filling, Pause};
use page::{Link, PageSink, PageSource};
use postern_bridge::{
    AccountId, ClientId, Delta, ExportFormat, ExportScope, Exported, ImportTarget, Imported,
    MailboxId, Protocol, Reminder,
};
use serde_bytes::ByteBuf;

use super::{Client, accounts::Known, lanes::Reading, lists::Change};
use crate::{
    Host, MailError,
    backup::{self, Backup, Fetch, Source},
    imap::{PART_WINDOW, Raw},
    record::{self, Account, Mailbox, Message},
    store::{Changed, KeyRange},
};

/// A file that a page writes or reads.
pub(super) struct Transfer {
    input: mpsc::UnboundedSender<Input>,
    task: AbortHandle,
}

/// The messages of a mailbox that several files are read into, and what was written since they were
/// read.
#[derive(Default)]
pub(super) struct Recognised {
    known: Option<backup::Known>,
    pub(super) changed: Changed,
}

/// What the page says about it.
enum Input {
    /// So many bytes are written.
    Taken(u64),
    /// The file is complete.
    Saved,
    /// A piece of the file.
    Data { offset: u64, bytes: Option<Vec<u8>> },
}

impl<H: Host> Client<H> {
    /// Writes mail to a file of the page.
    pub(super) fn start_export(
        &self,
        page: ClientId,
        request: u32,
        scope: ExportScope,
        format: ExportFormat,
    ) {
        let client = self.clone();
        self.start_transfer(page, request, async move |link| {
            let result = client.export(link, scope, format).await;
            let result = result.map_err(|error| error.problem("This browser"));
            client.tell(Some(page), Delta::Exported { request, result });
        });
    }

    /// Reads mail from a file of the page.
    pub(super) fn start_import(
        &self,
        page: ClientId,
        request: u32,
        (name, size): (String, u64),
        target: ImportTarget,
        more: bool,
    ) {
        let client = self.clone();
        self.start_transfer(page, request, async move |link| {
            let source = PageSource::new(link, name, size);
            let result = client.import(source, target, more).await;
            let result = result.map_err(|error| error.problem("This browser"));
            client.tell(Some(page), Delta::Imported { request, result });
            client.look_at_storage().await;
        });
    }

    fn start_transfer(
        &self,
        page: ClientId,
        request: u32,
        work: impl AsyncFnOnce(Link<H>) + 'static,
    ) {
        let key = (page, request);
        let (input, heard) = mpsc::unbounded();
        let client = self.clone();
        let link = Link::new(client.clone(), key, heard);
        let (task, handle) = abortable(async move {
            work(link).await;
            client.inner.transfers.borrow_mut().remove(&key);
        });
        let before =
            self.inner.transfers.borrow_mut().insert(key, Transfer { input, task: handle });
        if let Some(before) = before {
            before.task.abort();
        }
        self.inner.host.spawn(async move {
            // Stopped by the person or with the page: nobody waits for an answer.
            let _ = task.await;
        });
    }

    pub(super) fn export_taken(&self, page: ClientId, request: u32, bytes: u64) {
        self.hear(page, request, Input::Taken(bytes));
    }

    pub(super) fn export_saved(&self, page: ClientId, request: u32) {
        self.hear(page, request, Input::Saved);
    }

    pub(super) fn import_data(
        &self,
        page: ClientId,
        request: u32,
        offset: u64,
        bytes: Option<ByteBuf>,
    ) {
        let bytes = bytes.map(ByteBuf::into_vec);
        self.hear(page, request, Input::Data { offset, bytes });
    }

    fn hear(&self, page: ClientId, request: u32, input: Input) {
        if let Some(transfer) = self.inner.transfers.borrow().get(&(page, request)) {
            // One that has just ended needs no more.
            let _ = transfer.input.unbounded_send(input);
        }
    }

    pub(super) fn stop_transfer(&self, page: ClientId, request: u32) {
        // Between two files none is under way, and no more may come.
        self.inner.recognised.take();
        let stopped = self.inner.transfers.borrow_mut().remove(&(page, request));
        if let Some(transfer) = stopped {
            transfer.task.abort();
        }
    }

    /// Stops all transfers of a page that is gone.
    pub(super) fn stop_transfers(&self, page: ClientId) {
        self.inner.recognised.take();
        self.inner.transfers.borrow_mut().retain(|(own, _), transfer| {
            if *own == page {
                transfer.task.abort();
            }
            *own != page
        });
    }

    async fn export(
        &self,
        link: Link<H>,
        scope: ExportScope,
        format: ExportFormat,
    ) -> Result<Exported, MailError> {
        let contents = self.contents(scope).await?;
        let complete = !matches!(scope, ExportScope::Mailbox(_));
        let host = &*self.inner.host;
        let mut sink = PageSink::new(link);
        let exported = backup::export(host, &contents, format, complete, self, &mut sink).await?;
        sink.finish().await?;
        // Only from a zip does everything come back.
        if complete && format == ExportFormat::Zip {
            let mut whole: Vec<AccountId> =
                contents.iter().map(|(account, _)| account.id).collect();
            whole.retain(|account| !exported.incomplete.contains(account));
            backup::note_saved(host.store(), &whole, host.now()).await?;
            self.tell_backups(None).await?;
        }
        Ok(exported)
    }

    /// The accounts and mailboxes that are to be written.
    async fn contents(
        &self,
        scope: ExportScope,
    ) -> Result<Vec<(Account, Vec<Mailbox>)>, MailError> {
        let accounts = match scope {
            ExportScope::Mailbox(id) => {
                let mailbox = self.mailbox(id).await?;
                return Ok(vec![(self.account(mailbox.account)?, vec![mailbox])]);
            }
            ExportScope::Account(account) => vec![account],
            ExportScope::Everything => self.account_ids(),
        };
        let mut contents = Vec::new();
        for id in accounts {
            contents.push((self.account(id)?, self.mailboxes(id).await?));
        }
        Ok(contents)
    }

    async fn import(
        &self,
        mut source: PageSource<H>,
        target: ImportTarget,
        more: bool,
    ) -> Result<Imported, MailError> {
        let _alone = self.inner.importing.lock().await;
        match target {
            ImportTarget::Mailbox(mailbox) => {
                if self.account_of(mailbox).await?.protocol != Protocol::Pop3 {
                    let sentence = "Mail can be read from a file into folders that are kept in \
                                    this browser: those of POP3 accounts.";
                    return Err(MailError::Input(sentence.into()));
                }
                let _filling = Filling { client: self, mailbox };
                self.read_into(mailbox, &mut source, more).await
            }
            ImportTarget::Restore => self.restore(source).await,
        }
    }

    /// Reads a file into a local mailbox. What the mailbox has is held for the next one, if there
    /// is `more`, and follows what is written meanwhile.
    async fn read_into(
        &self,
        mailbox: MailboxId,
        source: &mut impl Source,
        more: bool,
    ) -> Result<Imported, MailError> {
        self.hand_out_written();
        let before = self.inner.recognised.replace(more.then(Recognised::default));
        let mut known = match before {
            Some(Recognised { known: Some(known), changed }) => {
                known.follow(self.store(), &changed).await?
            }
            _ => None,
        };
        let imported = backup::import(&*self.inner.host, mailbox, &mut known, source).await;
        if let Some(recognised) = &mut *self.inner.recognised.borrow_mut() {
            recognised.known = known;
        }
        imported
    }

    async fn restore(&self, mut source: PageSource<H>) -> Result<Imported, MailError> {
        let host = &*self.inner.host;
        let backup = Backup::open(&mut source).await?;
        // Which accounts it is about must not be judged without one.
        self.mend_records().await?;
        let pause = Pause::of(self, backup.present(host.store()).await?);
        let restored = backup.restore(host, &mut source).await;
        pause.end().await?;
        self.tell_outbox(None).await?;
        restored
    }

    /// Removes what was stored of a message whose file is read no longer.
    async fn discard_partial(&self) -> Result<(), MailError> {
        let _alone = self.inner.importing.lock().await;
        Ok(backup::discard_partial(self.store()).await?)
    }

    /// Does something that nobody waits for; all pages are told if it fails.
    fn spawn_told(&self, work: impl Future<Output = Result<(), MailError>> + 'static) {
        let client = self.clone();
        self.inner.host.spawn(async move {
            if let Err(error) = work.await {
                client.tell(None, Delta::Problem(error.problem("This browser")));
            }
        });
    }

    /// Has the accounts work that are stored and do not, and those that were paused.
    async fn resume_accounts(&self, paused: &[AccountId]) -> Result<(), MailError> {
        let stored: Vec<Account> = record::all(self.store(), &KeyRange::all()).await?;
        for account in stored {
            let id = account.id;
            let is_there = self.inner.accounts.borrow().contains_key(&id);
            if is_there && !paused.contains(&id) {
                continue;
            }
            let known = Known::of(self.store(), &account).await?;
            self.rerun_account(account, known).await;
            self.tell(None, Delta::Accounts(self.account_views()));
            self.tell_mailboxes(None, id).await?;
            for mailbox in self.mailboxes(id).await? {
                self.mailbox_changed(mailbox.id, Change::Order).await?;
            }
        }
        self.tell_backups(None).await
    }

    /// Tells a page, or all, how old the backups are.
    pub(super) async fn tell_backups(&self, page: Option<ClientId>) -> Result<(), MailError> {
        let host = &*self.inner.host;
        let accounts = self.account_ids();
        backup::note_since(host.store(), &accounts, host.now()).await?;
        let backups = backup::backups(host.store(), &accounts).await?;
        self.tell(page, Delta::Backups(backups));
        Ok(())
    }

    pub(super) async fn remind_of_backup(&self, reminder: Reminder) -> Result<(), MailError> {
        backup::set_reminder(self.store(), reminder).await?;
        self.tell_backups(None).await
    }
}

impl<H: Host> Fetch for Client<H> {
    async fn whole(&self, message: &Message) -> Option<Raw> {
        let account = self.account_of(message.id.mailbox).await.ok()?;
        if account.protocol != Protocol::Imap || !self.inner.online.get() {
            return None;
        }
        if message.size < u64::from(PART_WINDOW) {
            let (done, answer) = oneshot::channel();
            self.queue_reading(account.id, Reading::Whole { message: message.id, done });
            return answer.await.ok()?.ok().map(Raw::Held);
        }
        let (done, answer) = oneshot::channel();
        self.queue_reading(account.id, Reading::part(message.id, "", done));
        answer.await.ok()?.ok()?;
        let end = record::part_end(self.store(), message.id, "").await.ok()??;
        Some(Raw::Stored { size: end.size })
    }
}
