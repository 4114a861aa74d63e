//! Saving the message that is being written among the drafts, and opening one that was saved.

use leptos::prelude::*;
use postern_bridge::{Change, Intent, MessageId, Problem, SavedDraft};

use super::{
    App,
    composer::{Composer, Stage},
    draft::Draft,
    toasts::Topic,
};
use crate::text;

impl App {
    /// Saves what is being written among the drafts, if it has changed since it was saved.
    pub(crate) fn autosave(self) {
        let due = self.composer.with_untracked(|composer| {
            composer.as_ref().is_some_and(|composer| {
                composer.stage == Stage::Writing
                    && composer.kept.request.is_none()
                    && composer.is_unsaved()
            })
        });
        if due {
            self.change_composer(|composer| {
                self.save(composer);
            });
        }
    }

    /// Closes the message; what is not saved yet is saved first.
    pub(crate) fn close_composer(self) {
        self.composer.update(|slot| {
            let Some(composer) = slot else { return };
            if composer.stage != Stage::Writing {
                return;
            }
            match composer.kept.request {
                Some(request) if !composer.is_unsaved() => composer.stage = Stage::Closing(request),
                None if !composer.is_unsaved() => *slot = None,
                _ => composer.stage = Stage::Closing(self.save(composer)),
            }
        });
    }

    /// Throws away what is being written, and what was saved of it.
    pub(crate) fn throw_away(self) {
        let thrown = self.composer.try_update(Option::take).flatten();
        if let Some(saved) = thrown.and_then(|composer| composer.draft.saved()) {
            self.change(Change::DeleteForGood { messages: saved.into() }, false);
        }
    }

    /// Opens a saved draft to write on.
    pub(crate) fn open_draft(self, message: MessageId) {
        let written = |composer: &Option<Composer>| {
            composer.as_ref().is_some_and(|composer| composer.draft.saved() != Some(message))
        };
        if self.composer.with_untracked(Option::is_some) {
            let other = self.composer.with_untracked(written);
            self.change_composer(|composer| composer.minimized = false);
            if other {
                let text = text::compose::FINISH_FIRST;
                self.toasts.update(|toasts| toasts.note(Topic::Compose, text));
            }
            return;
        }
        self.request(|request| Intent::OpenDraft { request, message });
    }

    /// A draft was saved, or could not be.
    pub(super) fn draft_saved(self, number: u32, result: Result<MessageId, Problem>) {
        self.composer.update(|slot| {
            let Some(composer) = slot.as_mut() else { return };
            if composer.kept.request != Some(number) {
                return;
            }
            composer.kept.request = None;
            let closing = composer.stage == Stage::Closing(number);
            match result {
                Ok(id) => {
                    composer.draft.set_saved(id);
                    if closing {
                        *slot = None;
                        let text = text::compose::SAVED;
                        self.toasts.update(|toasts| toasts.note(Topic::Compose, text));
                    }
                }
                Err(problem) => {
                    composer.save_failed();
                    if closing {
                        composer.hand_back(problem);
                    }
                }
            }
        });
    }

    /// A saved draft is here, or is not.
    pub(super) fn draft_opened(self, result: Result<Box<SavedDraft>, Problem>) {
        match result {
            Ok(saved) => {
                // Something else may be open by now; that is not replaced.
                if self.composer.with_untracked(Option::is_none) {
                    let draft = Draft::unfinished(&saved);
                    let attachments = saved.message.attachments;
                    self.composer.set(Some(Composer::reopened(draft, attachments)));
                }
            }
            Err(problem) => self.toasts.update(|toasts| toasts.problem(problem)),
        }
    }

    fn save(self, composer: &mut Composer) -> u32 {
        let message = composer.draft.unsent(composer.attachments.clone());
        let draft = composer.draft.saved();
        let request = self.request(|request| Intent::SaveDraft { request, message, draft });
        composer.saving(request);
        request
    }
}
