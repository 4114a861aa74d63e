//! The window in which a message is written.

use postern_bridge::{AccountId, Attachment, Problem};

use super::draft::{Draft, DraftError, DraftField};
use crate::{format, text};

/// The most bytes that all attachments of a message may have together.
pub(crate) const MOST_ATTACHED: u64 = 25_000_000;

/// How far the message is on its way to the engine.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Stage {
    /// It is being written.
    #[default]
    Writing,
    /// It is sent as soon as a save that is under way has ended.
    Sending,
    /// The engine was asked to take it, by the request of this number.
    Handing(u32),
    /// It is closed as soon as it is saved among the drafts.
    Closing,
    /// It is thrown away as soon as a save that is under way has ended.
    Discarding,
}

/// What is saved among the drafts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Kept {
    /// The request that is not answered yet.
    pub(crate) request: Option<u32>,
    /// What was saved.
    content: Option<(Draft, Vec<(String, usize)>)>,
}

/// What keeps a message from being sent.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Fault {
    /// The field that it is about.
    pub(crate) field: Option<DraftField>,
    /// What is wrong.
    pub(crate) sentence: String,
    /// The account whose settings mend it.
    pub(crate) settings: Option<AccountId>,
}

impl Fault {
    /// One of the message as a whole.
    pub(crate) fn of(sentence: String) -> Self {
        Self { sentence, ..Self::default() }
    }
}

/// The window in which a message is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Composer {
    /// What was written.
    pub(crate) draft: Draft,
    /// Files to send along.
    pub(crate) attachments: Vec<Attachment>,
    /// How far it is.
    pub(crate) stage: Stage,
    /// What the engine was last asked to save, and by which request while that is not answered.
    pub(crate) kept: Kept,
    /// What is wrong.
    pub(crate) problem: Option<Fault>,
    /// Whether only its title shows.
    pub(crate) minimized: bool,
    /// Whether the person was asked to confirm that it be thrown away.
    pub(crate) discarding: bool,
}

impl Composer {
    /// A window around a draft.
    pub(crate) fn new(draft: Draft) -> Self {
        Self { draft, ..Self::default() }
    }

    /// Whether closing it loses something.
    pub(crate) fn is_written(&self) -> bool {
        self.draft.is_written() || !self.attachments.is_empty()
    }

    /// A window around a draft that was saved, with its attachments.
    pub(crate) fn reopened(draft: Draft, attachments: Vec<Attachment>) -> Self {
        let mut composer = Self { draft, attachments, ..Self::default() };
        composer.kept.content = Some(composer.content());
        composer
    }

    /// Whether something was written that is not saved among the drafts.
    pub(crate) fn is_unsaved(&self) -> bool {
        (self.is_written() || self.draft.saved().is_some())
            && self.kept.content.as_ref() != Some(&self.content())
    }

    /// Notes that the engine was asked to save what is written now.
    pub(crate) fn saving(&mut self, request: u32) {
        self.kept = Kept { request: Some(request), content: Some(self.content()) };
    }

    /// Notes that nothing is saved: the engine could not.
    pub(crate) fn save_failed(&mut self) {
        self.kept = Kept::default();
    }

    /// What can change, without the attachments' bytes and without where it is saved.
    fn content(&self) -> (Draft, Vec<(String, usize)>) {
        let files = self.attachments.iter().map(|file| (file.name.clone(), file.content.len()));
        (Draft { saved: None, ..self.draft.clone() }, files.collect())
    }

    /// What it tells to be wrong, if that can be seen.
    pub(crate) fn told(&self) -> Option<String> {
        let problem = self.problem.as_ref().filter(|_| !self.minimized)?;
        Some(problem.sentence.clone())
    }

    /// Adds a file, or says why it can't be added.
    pub(crate) fn attach(&mut self, file: Attachment) {
        let attached: u64 = self.attachments.iter().map(|file| file.content.len() as u64).sum();
        if attached.saturating_add(file.content.len() as u64) > MOST_ATTACHED {
            self.refuse(&file.name);
        } else {
            self.attachments.push(file);
        }
    }

    /// Says that a file is too big to be added.
    pub(crate) fn refuse(&mut self, name: &str) {
        let limit = format::size(MOST_ATTACHED);
        self.problem = Some(Fault::of(text::compose::too_big(name, &limit)));
    }

    /// Notes what keeps the message from being sent.
    pub(crate) fn reject(&mut self, error: DraftError) {
        let (field, sentence) = match error {
            DraftError::NoRecipient => (DraftField::To, text::compose::NO_RECIPIENT.into()),
            DraftError::NoAddress(field, entry) => (field, text::compose::no_address(&entry)),
        };
        self.problem = Some(Fault { field: Some(field), ..Fault::of(sentence) });
    }

    /// Takes over that the engine is gone, and with it every answer: what is written stays open.
    pub(crate) fn engine_broke(&mut self) {
        self.save_failed();
        self.minimized &= self.stage == Stage::Writing;
        self.stage = Stage::Writing;
    }

    /// Takes over that the engine could not take the message: it can be changed and sent again.
    pub(crate) fn hand_back(&mut self, problem: Problem) {
        self.stage = Stage::Writing;
        self.minimized = false;
        self.problem = Some(Fault { settings: problem.settings, ..Fault::of(problem.sentence) });
    }
}

#[cfg(test)]
mod tests {
    use postern_bridge::ProblemKind;

    use super::*;

    fn file(size: u64) -> Attachment {
        let content = vec![0; size as usize];
        Attachment { name: "a.bin".into(), media_type: String::new(), content }
    }

    #[test]
    fn attachments_fit_up_to_the_limit_and_not_beyond() {
        let mut composer = Composer::default();
        composer.attach(file(MOST_ATTACHED - 1));
        composer.attach(file(1));
        assert_eq!((composer.attachments.len(), &composer.problem), (2, &None));
        composer.attach(file(1));
        assert_eq!(composer.attachments.len(), 2);
        assert!(composer.problem.is_some());
    }

    #[test]
    fn what_is_saved_is_not_saved_again_until_it_changes() {
        let mut composer = Composer::new(Draft { text: "Hello".into(), ..Draft::default() });
        assert!(composer.is_unsaved());
        composer.saving(1);
        assert!(!composer.is_unsaved());
        composer.draft.saved = Some((1, 2));
        assert!(!composer.is_unsaved());
        composer.draft.text.push('!');
        assert!(composer.is_unsaved());
        composer.saving(2);
        composer.attach(file(3));
        assert!(composer.is_unsaved());
        composer.saving(3);
        composer.save_failed();
        assert!(composer.is_unsaved());
    }

    #[test]
    fn a_message_whose_answer_will_not_come_is_open_again() {
        for stage in [Stage::Closing, Stage::Handing(1), Stage::Sending, Stage::Discarding] {
            let mut composer = Composer { stage, minimized: true, ..Composer::default() };
            composer.saving(1);
            composer.engine_broke();
            assert_eq!((composer.stage, composer.minimized), (Stage::Writing, false));
            assert_eq!(composer.kept.request, None);
        }
    }

    #[test]
    fn a_message_that_is_not_taken_keeps_its_text_and_leads_to_what_mends_it() {
        let mut composer = Composer::new(Draft { text: "Hello".into(), ..Draft::default() });
        composer.stage = Stage::Handing(1);
        let settings = Some(AccountId(2));
        composer.hand_back(Problem { settings, ..Problem::new(ProblemKind::Login, "Lost.") });
        assert_eq!(composer.stage, Stage::Writing);
        assert_eq!(composer.draft.text, "Hello");
        assert_eq!(composer.problem, Some(Fault { settings, ..Fault::of("Lost.".into()) }));
        assert_eq!(composer.told().as_deref(), Some("Lost."));
        composer.minimized = true;
        assert_eq!(composer.told(), None);
        composer.reject(DraftError::NoRecipient);
        let problem = composer.problem.unwrap();
        assert_eq!((problem.field, problem.settings), (Some(DraftField::To), None));
    }
}
