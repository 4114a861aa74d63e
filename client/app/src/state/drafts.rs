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
                    && !composer.discarding
                    && composer.kept.request.is_none()
                    && composer.is_unsaved()
            })
        });
        if due {
            self.change_composer(|composer| self.save(composer));
        }
    }

    /// Closes the message; what is not saved yet is saved first.
    pub(crate) fn close_composer(self) {
        self.composer.update(|slot| {
            let Some(composer) = slot else { return };
            if composer.stage != Stage::Writing {
                return;
            }
            // One save at a time: only its answer tells what the next one replaces.
            if composer.kept.request.is_none() {
                if !composer.is_unsaved() {
                    *slot = None;
                    return;
                }
                self.save(composer);
            }
            composer.stage = Stage::Closing;
        });
    }

    /// Throws away what is being written, and what was saved of it.
    pub(crate) fn throw_away(self) {
        self.composer.update(|slot| {
            let Some(composer) = slot else { return };
            if composer.kept.request.is_some() {
                composer.stage = Stage::Discarding;
                composer.minimized = true;
                return;
            }
            let saved = composer.draft.saved();
            *slot = None;
            if let Some(saved) = saved {
                self.change(Change::DeleteForGood { messages: saved.into() }, false);
            }
        });
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
        let request = self.request(|request| Intent::OpenDraft { request, message });
        self.opening_draft.set(Some(request));
    }

    /// A draft was saved, or could not be.
    pub(super) fn draft_saved(self, number: u32, result: Result<MessageId, Problem>) {
        let mut next = None;
        self.change_composer(|composer| {
            if composer.kept.request != Some(number) {
                return;
            }
            composer.kept.request = None;
            next = Some(composer.stage.clone());
            match result {
                Ok(id) => composer.draft.set_saved(id),
                Err(problem) => {
                    composer.save_failed();
                    if composer.stage == Stage::Closing {
                        composer.hand_back(problem);
                        next = None;
                    }
                }
            }
        });
        match next {
            Some(Stage::Sending) => self.send_draft(),
            Some(Stage::Discarding) => self.throw_away(),
            Some(Stage::Closing) => {
                self.change_composer(|composer| composer.stage = Stage::Writing);
                self.close_composer();
                if self.composer.with_untracked(Option::is_none) {
                    let text = text::compose::SAVED;
                    self.toasts.update(|toasts| toasts.note(Topic::Compose, text));
                }
            }
            _ => {}
        }
    }

    /// A saved draft is here, or is not; only the one that was asked for last is opened.
    pub(super) fn draft_opened(self, request: u32, result: Result<Box<SavedDraft>, Problem>) {
        if self.opening_draft.get_untracked() != Some(request) {
            return;
        }
        self.opening_draft.set(None);
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

    fn save(self, composer: &mut Composer) {
        let message = composer.draft.unsent(composer.attachments.clone());
        let draft = composer.draft.saved();
        let request = self.request(|request| Intent::SaveDraft { request, message, draft });
        composer.saving(request);
    }
}
