//! What the engine tells, taken over.

use leptos::prelude::*;
use postern_bridge::{Delta, MessageId, MessageView, Problem};

use super::{
    App, Landing,
    accounts::Accounts,
    composer::Composer,
    list::{List, Shown},
    picked::Picked,
    toasts::Toasts,
};
use crate::{engine, route::Route};

impl App {
    /// Shows a message where it was asked for: by itself, or in its conversation.
    fn take_message(self, message: MessageView) {
        if self.reader.with_untracked(|reader| reader.message() == Some(message.id)) {
            self.reader.update(|reader| reader.show(message));
        } else {
            self.conversation.update(|conversation| conversation.take(message));
        }
    }

    fn take_failure(self, message: MessageId, problem: Problem) {
        if self.reader.with_untracked(|reader| reader.message() == Some(message)) {
            self.reader.update(|reader| reader.fail(message, problem));
        } else {
            self.conversation.update(|conversation| conversation.fail(message, problem));
        }
    }

    pub(super) fn receive(self, event: engine::Event) {
        match event {
            engine::Event::Delta(delta) => self.apply(delta),
            engine::Event::Broken => {
                self.change_composer(Composer::engine_broke);
                if self.accounts.with_untracked(Accounts::known) {
                    self.toasts.update(Toasts::engine_broke);
                } else {
                    self.engine_failed.set(true);
                }
            }
        }
    }

    fn apply(self, delta: Delta) {
        match delta {
            Delta::Accounts(accounts) => {
                let ids: Vec<_> = accounts.iter().map(|account| account.id).collect();
                self.mailboxes.update(|mailboxes| mailboxes.keep_accounts(|id| ids.contains(&id)));
                // What has gone since is not back before the page is opened again.
                if !self.accounts.with_untracked(Accounts::known) {
                    self.storage_failed.set(None);
                }
                self.remember_accounts(&accounts);
                self.accounts.update(|known| known.set(accounts));
            }
            Delta::Access(access) => self.door.update(|door| door.set(access)),
            Delta::AccessKeyTried { request, result } => {
                self.door.update(|door| door.tried(request, result));
            }
            Delta::Mailboxes { account, mailboxes } => {
                self.mailboxes.update(|known| known.set(account, mailboxes));
            }
            Delta::Counts { mailbox, unread, total } => {
                self.mailboxes.update(|known| known.set_counts(mailbox, unread, total));
            }
            Delta::Connection { account, state } => {
                self.accounts.update(|accounts| accounts.set_connection(account, state));
            }
            Delta::Progress { account, progress } => {
                self.accounts.update(|accounts| accounts.set_progress(account, progress));
            }
            Delta::Rows { mailbox, total, start, rows, fresh, search, conversations } => {
                let shown = match search {
                    Some(search) => Shown::Found(search),
                    None if conversations => Shown::Conversations,
                    None => Shown::Messages,
                };
                let was_grouped = self.list.with_untracked(List::is_grouped);
                self.list.update(|list| list.apply(mailbox, total, start, rows, fresh, shown));
                // What was picked as one kind of row must not be meant as another.
                if self.list.with_untracked(List::is_grouped) != was_grouped {
                    self.picked.update(Picked::clear);
                }
            }
            Delta::Conversation(view) => self.show_conversation(*view),
            Delta::Rekeyed(moves) => self.rekeyed(&moves),
            Delta::Named { request, result } => self.named(request, result),
            Delta::Message(message) => self.take_message(*message),
            Delta::MessageFailed { message, problem } => self.take_failure(message, problem),
            Delta::Discovered { request, result } => {
                let answered = self.step.try_update(|step| step.answered(request, result));
                if let Some(found) = answered.flatten() {
                    self.form.update(|form| form.take_found(found));
                }
            }
            Delta::AccountTested { request, result } => {
                self.setup.update(|setup| setup.tested(request, result));
            }
            Delta::AccountChanged { request, result } => {
                self.changing.update(|changing| changing.changed(request, result));
            }
            Delta::RetentionPreview { request, result } => {
                self.preview.update(|preview| preview.answered(request, result));
            }
            Delta::AccountAdded { request, result: Ok(account) } => {
                if self.setup.with_untracked(|setup| setup.adding == Some(request)) {
                    self.begin_setup();
                    self.landing.set(Landing::Account(account));
                    self.go_instead(Route::Folders);
                }
            }
            Delta::AccountAdded { request, result: Err(problem) } => {
                self.setup.update(|setup| setup.add_failed(request, problem));
            }
            Delta::AttachmentData { request, offset, bytes } => {
                self.take_attachment_data(request, offset, &bytes);
            }
            Delta::Attachment { request, result } => self.save_attachment(request, result),
            Delta::Changed { request, result } => self.changed(request, result),
            Delta::Undone { change, result, .. } => self.undone(change, result),
            Delta::Refused(refused) => self.refused(*refused),
            Delta::Moved(moves) => self.moved(&moves),
            Delta::Pending { account, changes } => {
                self.accounts.update(|accounts| accounts.set_pending(account, changes));
            }
            Delta::DraftSaved { request, result } => self.draft_saved(request, result),
            Delta::Draft { request, result } => self.draft_opened(request, result),
            Delta::Queued { request, result } => self.handed_over(request, result),
            Delta::Outbox { outbox, subject, state, .. } => {
                self.toasts.update(|toasts| toasts.outbox(outbox, &subject, state));
            }
            Delta::ExportData { request, offset, bytes } => {
                self.write_piece(request, offset, &bytes);
            }
            Delta::ImportWants { request, offset, length } => {
                self.read_piece(request, offset, length);
            }
            Delta::TransferProgress { request, progress } => {
                self.transfer.update(|transfer| transfer.set_progress(request, progress));
            }
            Delta::Exported { request, result } => {
                self.let_go(request);
                self.transfer.update(|transfer| transfer.exported(request, result));
            }
            Delta::Imported { request, result } => self.file_read(request, result),
            Delta::Copying { from, to, state } => self.copies.update(|copies| match state {
                Some(state) => drop(copies.insert(from, (to, state))),
                None => drop(copies.remove(&from)),
            }),
            Delta::Backups(backups) => self.care.update(|care| care.set_backups(backups)),
            Delta::StorageFailed { sentence, erasable } => {
                self.storage_failed.set(Some((sentence, erasable)));
            }
            Delta::Storage(view) => {
                self.care.update(|care| care.set(view));
                self.note_accounts();
            }
            Delta::StoredByAccount(stored) => self.care.update(|care| care.set_stored(stored)),
            Delta::Problem(problem) => {
                let refused = problem.certificate.as_deref();
                let refusing = refused.and_then(|refused| {
                    self.accounts.with_untracked(|accounts| accounts.refused(refused))
                });
                self.toasts.update(|toasts| toasts.problem_of(problem, refusing));
            }
        }
    }
}
