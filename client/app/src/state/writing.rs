//! Opening, sending and closing the message that is being written.

use leptos::prelude::*;
use postern_bridge::{AccountId, AccountView, Intent, MessageView, Problem};

use super::{
    App,
    composer::{Composer, Stage},
    draft::{Audience, Draft},
    toasts::Topic,
};
use crate::{browser::local, format, text};

impl App {
    /// Opens an empty message, or the one that is being written.
    pub(crate) fn compose(self) {
        if self.composer.with_untracked(Option::is_some) {
            self.expand_composer();
        } else if let Some(account) = self.current_account() {
            self.composer.set(Some(Composer::new(Draft::new(account.id))));
        }
    }

    /// Opens an answer to the message that is shown.
    pub(crate) fn reply(self, audience: Audience) {
        self.write_about_shown(|account, message, date| {
            Draft::reply(account, message, audience, date)
        });
    }

    /// Opens a message that passes on the one that is shown.
    pub(crate) fn forward(self) {
        self.write_about_shown(Draft::forward);
    }

    /// Brings back what was being written when the page was closed.
    pub(crate) fn restore_draft(self) {
        if let Some(mut draft) = local::get(local::DRAFT).as_deref().and_then(Draft::from_saved) {
            // Its attachments are with the saved one alone, which must not be replaced without them.
            draft.saved = None;
            self.composer.set(Some(Composer { minimized: true, ..Composer::new(draft) }));
        }
    }

    /// Keeps what is being written for the case that the page is closed.
    pub(crate) fn save_draft(self) {
        let saved = self.composer.with(|composer| {
            let written = composer.as_ref().filter(|composer| composer.draft.is_written());
            written.map(|composer| composer.draft.to_saved())
        });
        local::set(local::DRAFT, saved.as_deref());
    }

    /// Hands the message to the engine; it is kept until the engine has stored it.
    pub(crate) fn send_draft(self) {
        self.composer.update(|composer| {
            let Some(composer) = composer else { return };
            if !matches!(composer.stage, Stage::Writing | Stage::Sending) {
                return;
            }
            if composer.kept.request.is_some() {
                // Where it is saved becomes known first, so that it does not stay there.
                composer.stage = Stage::Sending;
                return;
            }
            composer.stage = Stage::Writing;
            match composer.draft.outgoing(composer.attachments.clone()) {
                Ok(message) => {
                    composer.problem = None;
                    let draft = composer.draft.saved();
                    let send = |request| Intent::Send { request, message, draft };
                    composer.stage = Stage::Handing(self.request(send));
                }
                Err(error) => composer.reject(error),
            }
        });
    }

    /// Throws the message away; asks first if something would be lost.
    pub(crate) fn discard(self) {
        self.composer.update(|composer| match composer {
            Some(written) if written.is_written() || written.draft.saved().is_some() => {
                written.discarding = true;
                written.minimized = false;
            }
            _ => *composer = None,
        });
    }

    /// Changes the window in which a message is written.
    pub(crate) fn change_composer(self, change: impl FnOnce(&mut Composer)) {
        self.composer.update(|composer| {
            if let Some(composer) = composer {
                change(composer);
            }
        });
    }

    pub(super) fn handed_over(self, request: u32, result: Result<u32, Problem>) {
        let awaited = self.composer.with_untracked(|composer| {
            composer.as_ref().is_some_and(|composer| composer.stage == Stage::Handing(request))
        });
        if !awaited {
            return;
        }
        match result {
            Ok(outbox) => {
                let sent = self.composer.try_update(Option::take).flatten();
                let subject = sent.map(|sent| sent.draft.subject).unwrap_or_default();
                self.toasts.update(|toasts| toasts.taken(outbox, &subject));
            }
            Err(problem) => self.change_composer(|composer| composer.hand_back(problem)),
        }
    }

    fn write_about_shown(self, write: impl FnOnce(&AccountView, &MessageView, &str) -> Draft) {
        if self
            .composer
            .with_untracked(|composer| composer.as_ref().is_some_and(Composer::is_written))
        {
            self.expand_composer();
            self.toasts.update(|toasts| toasts.note(Topic::Compose, text::compose::FINISH_FIRST));
            return;
        }
        let Some(message) = self.answered() else {
            return;
        };
        let Some(account) = self.current_account() else { return };
        let date = message.date.map(format::full_date).unwrap_or_default();
        self.composer.set(Some(Composer::new(write(&account, &message, &date))));
    }

    fn expand_composer(self) {
        self.change_composer(|composer| composer.minimized = false);
    }

    /// The account of the open mailbox, or else the first one.
    fn current_account(self) -> Option<AccountView> {
        let mailbox = self.route.get_untracked().mailbox();
        let id: Option<AccountId> = self.mailboxes.with_untracked(|mailboxes| {
            mailbox.and_then(|id| mailboxes.get(id)).map(|mailbox| mailbox.account)
        });
        self.accounts.with_untracked(|accounts| {
            id.and_then(|id| accounts.get(id)).or_else(|| accounts.all().first()).cloned()
        })
    }
}
