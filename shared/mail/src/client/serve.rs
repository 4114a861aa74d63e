//! What is done for each intent of a page.

use postern_bridge::{Access, ClientId, Connection, Delta, Intent};

use super::Client;
use crate::{Host, MailError};

impl<H: Host> Client<H> {
    /// Does what a page wants. What has an answer of its own tells it there, its problem included.
    pub(super) async fn serve(&self, page: ClientId, intent: Intent) -> Result<(), MailError> {
        match intent {
            Intent::Hello => self.greet(page).await,
            Intent::Network { online } => self.network(online),
            Intent::Discover { request, address } => {
                self.discover(page, request, &address).await;
                Ok(())
            }
            Intent::StopDiscovery { request } => {
                self.stop_discovery(page, request);
                Ok(())
            }
            Intent::EnterAccessKey { request, key } => {
                let result = self.enter_access_key(key).await;
                self.tell(Some(page), Delta::AccessKeyTried { request, result });
                Ok(())
            }
            Intent::ForgetAccessKey => self.forget_access_key().await,
            Intent::TestAccount { request, draft } => {
                let result = self.test_account(draft).await;
                self.tell(Some(page), Delta::AccountTested { request, result });
                Ok(())
            }
            Intent::AddAccount { request, draft } => {
                let result = self.add_account(draft).await;
                self.tell(Some(page), Delta::AccountAdded { request, result });
                Ok(())
            }
            Intent::ChangeAccount { request, account, change } => {
                let result = self.change_account(account, change).await;
                self.tell(Some(page), Delta::AccountChanged { request, result });
                Ok(())
            }
            Intent::PreviewRetention { request, account, retention } => {
                let result = self.preview_retention(account, retention).await;
                self.tell(Some(page), Delta::RetentionPreview { request, result });
                Ok(())
            }
            Intent::TrustCertificate { account, server, host, port, trusted } => {
                self.trust(account, server, (&host, port), trusted).await
            }
            Intent::RemoveAccount { account } => self.remove_account(account).await,
            Intent::Refresh { account } => {
                self.try_storage_again().await;
                // Where there is no room for a note, the rest is done all the same.
                let noted = self.ask_for_all(account).await;
                self.refresh(account)?;
                self.try_outgoing(account).await?;
                noted
            }
            Intent::OpenMailbox { mailbox } => self.open_mailbox(page, mailbox).await,
            Intent::ShowRows { mailbox, rows } => self.show_rows(page, mailbox, rows).await,
            Intent::Search { request, mailbox, scope, query } => {
                self.search_messages(page, request, mailbox, scope, &query).await
            }
            Intent::GroupConversations { mailbox, on, at } => {
                self.group_conversations(page, mailbox, on, at).await
            }
            Intent::OpenConversation { message } => self.open_conversation(page, message).await,
            Intent::CloseConversation => {
                self.close_conversation(page);
                Ok(())
            }
            Intent::NameMessages { request, messages } => {
                let result = self.named(page, messages).await;
                self.tell(Some(page), Delta::Named { request, result });
                Ok(())
            }
            Intent::OpenMessage { message } => self.open_message(page, message).await,
            Intent::DownloadWhole { message } => self.download_whole(page, message).await,
            Intent::Change { request, change } => {
                let result = self.change((page, request), change).await;
                self.tell(Some(page), Delta::Changed { request, result });
                Ok(())
            }
            Intent::Undo { request, change } => {
                let result = self.undo(change).await;
                self.tell(Some(page), Delta::Undone { request, change, result });
                Ok(())
            }
            Intent::SaveDraft { request, message, draft } => {
                let result = self.save_draft((page, request), message, draft).await;
                self.tell(Some(page), Delta::DraftSaved { request, result });
                Ok(())
            }
            Intent::OpenDraft { request, message } => {
                let result = self.open_draft(message).await;
                self.tell(Some(page), Delta::Draft { request, result });
                Ok(())
            }
            Intent::FetchAttachment { request, message, section } => {
                self.send_attachment(page, request, message, &section).await;
                Ok(())
            }
            Intent::Send { request, message, draft } => {
                let result = self.send(page, request, message, draft).await;
                self.tell(Some(page), Delta::Queued { request, result });
                Ok(())
            }
            Intent::RetrySend { outbox } => self.retry_send(outbox).await,
            Intent::DiscardSend { outbox } => self.discard_send(outbox).await,
            Intent::Export { request, scope, format } => {
                self.start_export(page, request, scope, format);
                Ok(())
            }
            Intent::ExportTaken { request, bytes } => {
                self.export_taken(page, request, bytes);
                Ok(())
            }
            Intent::ExportSaved { request } => {
                self.export_saved(page, request);
                Ok(())
            }
            Intent::Import { request, name, size, target, more } => {
                self.start_import(page, request, (name, size), target, more);
                Ok(())
            }
            Intent::ImportData { request, offset, bytes } => {
                self.import_data(page, request, offset, bytes);
                Ok(())
            }
            Intent::StopTransfer { request } => {
                self.stop_transfer(page, request);
                Ok(())
            }
            Intent::CopyToImap { from, to } => self.copy_to_imap(from, to).await,
            Intent::StopCopy { from } => self.stop_copy(from).await,
            Intent::RemindOfBackup(reminder) => self.remind_of_backup(reminder).await,
            // There is a client, so what is stored can be used.
            Intent::EraseStorage => Ok(()),
            Intent::LookAtStorage => {
                self.look_at_storage().await;
                self.go_on_if_there_is_room().await
            }
            Intent::PublicComputer(is_public) => self.set_public_computer(is_public).await,
            Intent::MeasureStorage => self.measure_storage(page).await,
        }
    }

    /// Tells a new page everything that it shows first.
    async fn greet(&self, page: ClientId) -> Result<(), MailError> {
        // A page that another client has told more keeps what it knows.
        let access = self.inner.access.get();
        if access != Access::Unknown {
            self.tell(Some(page), Delta::Access(access));
        }
        self.tell(Some(page), Delta::Accounts(self.account_views()));
        for account in self.account_ids() {
            self.tell_mailboxes(Some(page), account).await?;
            self.tell_pending(account).await?;
        }
        self.tell_outbox(Some(page)).await?;
        self.tell_backups(Some(page)).await?;
        self.tell_copies(page);
        self.look_at_storage().await;
        // With accounts their connections find it out.
        if self.inner.accounts.borrow().is_empty() {
            self.learn_access().await;
        }
        Ok(())
    }

    fn network(&self, online: bool) -> Result<(), MailError> {
        if self.inner.online.replace(online) == online {
            return Ok(());
        }
        for account in self.account_ids() {
            if online {
                self.refresh(account)?;
                self.queue_changes(account);
                self.wake_unless_refused(account);
            } else {
                self.set_connection(account, Connection::Offline);
            }
        }
        Ok(())
    }
}
