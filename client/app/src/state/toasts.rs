//! Short notes in the corner: problems, what became of sent mail, a new version.

use postern_bridge::{AccountId, ChangeId, Problem, ProblemKind, SendState};

use crate::text;

/// How a toast looks and how urgently it is read out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Tone {
    /// Something goes on.
    Busy,
    /// Something is worth knowing.
    Info,
    /// Something went well.
    Good,
    /// Something went wrong.
    Bad,
}

/// What a toast's button does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Action {
    /// Send an outbox entry again.
    RetrySend(u32),
    /// Send an outbox entry that waits, at once.
    SendNow(u32),
    /// File the copy of a sent message again.
    FileAgain(u32),
    /// Drop an outbox entry.
    DiscardSend(u32),
    /// Start the new version.
    Update,
    /// Load the page again.
    Reload,
    /// Take a change back.
    Undo(ChangeId),
    /// Go to an account's settings, where a refused certificate is shown.
    ShowCertificate(AccountId),
    /// Go to an account's settings, where something is to be mended.
    OpenSettings(AccountId),
}

/// What a toast is about, so that a later state replaces an earlier one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Topic {
    /// One outbox entry.
    Outbox(u32),
    /// A new version of the page.
    Update,
    /// The engine itself.
    Engine,
    /// A problem of one kind.
    Problem(ProblemKind),
    /// The last change to messages or folders.
    Change,
    /// A change that the server has refused.
    Refused(ChangeId),
    /// Something about the message that is being written.
    Compose,
}

/// One note.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Toast {
    /// Its number, new whenever its text changes.
    pub(crate) id: u32,
    /// What it is about.
    pub(crate) topic: Topic,
    /// How it looks.
    pub(crate) tone: Tone,
    /// What it says.
    pub(crate) text: String,
    /// Its buttons.
    pub(crate) actions: Vec<Action>,
    /// Whether it goes away by itself.
    pub(crate) passing: bool,
}

/// The toasts, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Toasts {
    last_id: u32,
    list: Vec<Toast>,
}

impl Toasts {
    /// All toasts.
    pub(crate) fn all(&self) -> &[Toast] {
        &self.list
    }

    /// Closes a toast.
    pub(crate) fn close(&mut self, id: u32) {
        self.list.retain(|toast| toast.id != id);
    }

    /// Tells of a problem. That there is no network needs no answer, so it goes away by itself.
    pub(crate) fn problem(&mut self, problem: Problem) {
        self.problem_of(problem, None);
    }

    /// Tells of a problem; `refusing` is the account that has the certificate which was refused.
    pub(crate) fn problem_of(&mut self, problem: Problem, refusing: Option<AccountId>) {
        let passing = problem.kind == ProblemKind::Offline;
        let topic = Topic::Problem(problem.kind);
        let way = refusing.map(Action::ShowCertificate);
        let actions = way.or(problem.settings.map(Action::OpenSettings)).into_iter().collect();
        self.put(topic, Tone::Bad, problem.sentence, actions, passing);
    }

    /// Tells that an attachment could not be saved here.
    pub(crate) fn not_saved(&mut self) {
        let text = text::reader::NOT_SAVED.to_owned();
        self.put(Topic::Problem(ProblemKind::Storage), Tone::Bad, text, vec![], false);
    }

    /// Tells something in passing.
    pub(crate) fn note(&mut self, topic: Topic, text: &str) {
        self.put(topic, Tone::Info, text.to_owned(), vec![], true);
    }

    /// Tells what was changed, with the way back if there is one.
    pub(crate) fn changed(&mut self, sentence: String, undo: Option<ChangeId>) {
        let actions = undo.map(Action::Undo).into_iter().collect();
        self.put(Topic::Change, Tone::Good, sentence, actions, true);
    }

    /// Tells that a change was taken back; that the server had refused it is of no interest then.
    pub(crate) fn undone(&mut self, change: ChangeId, sentence: String) {
        self.list.retain(|toast| toast.topic != Topic::Refused(change));
        self.put(Topic::Change, Tone::Info, sentence, vec![], true);
    }

    /// Tells that the server has refused a change; it stays until somebody has seen it.
    pub(crate) fn refused(&mut self, change: ChangeId, text: String) {
        self.put(Topic::Refused(change), Tone::Bad, text, vec![], false);
    }

    /// Tells that a new version waits.
    pub(crate) fn update_ready(&mut self) {
        let text = text::toast::UPDATE_READY.to_owned();
        self.put(Topic::Update, Tone::Info, text, vec![Action::Update], false);
    }

    /// Tells that the engine broke and only a reload helps.
    pub(crate) fn engine_broke(&mut self) {
        let text = text::toast::ENGINE_BROKE.to_owned();
        self.put(Topic::Engine, Tone::Bad, text, vec![Action::Reload], false);
    }

    /// Tells that the engine has taken a message, unless more is known already.
    pub(crate) fn taken(&mut self, outbox: u32, subject: &str) {
        if !self.list.iter().any(|toast| toast.topic == Topic::Outbox(outbox)) {
            let text = text::toast::queued(subject);
            self.put(Topic::Outbox(outbox), Tone::Busy, text, vec![], false);
        }
    }

    /// Tells what has become of a message on its way out.
    ///
    /// That a message was sent or dropped is told only when an earlier state was: after a reload
    /// nobody asks for it any more.
    pub(crate) fn outbox(&mut self, outbox: u32, subject: &str, state: SendState) {
        let topic = Topic::Outbox(outbox);
        let followed = self.list.iter().any(|toast| toast.topic == topic);
        let again = vec![Action::RetrySend(outbox), Action::DiscardSend(outbox)];
        match state {
            // The page that has sent it hears so only when it could not be sent at once.
            SendState::Queued => {
                let actions = vec![Action::SendNow(outbox), Action::DiscardSend(outbox)];
                let is_told = |toast: &Toast| toast.topic == topic && toast.actions == actions;
                // A button that somebody is about to press stays where it is.
                if !self.list.iter().any(is_told) {
                    self.put(topic, Tone::Busy, text::toast::queued(subject), actions, false);
                }
            }
            SendState::Sending => {
                self.put(topic, Tone::Busy, text::toast::sending(subject), vec![], false);
            }
            SendState::Sent if followed => {
                self.put(topic, Tone::Good, text::toast::sent(subject), vec![], true);
            }
            SendState::Discarded if followed => {
                self.put(topic, Tone::Info, text::toast::discarded(subject), vec![], true);
            }
            SendState::Sent | SendState::Discarded => {}
            SendState::Failed(why) => {
                self.put(topic, Tone::Bad, text::toast::send_failed(subject, &why), again, false);
            }
            SendState::Uncertain => {
                self.put(topic, Tone::Bad, text::toast::uncertain(subject), again, false);
            }
            SendState::Unfiled(why) => {
                let actions = vec![Action::FileAgain(outbox), Action::DiscardSend(outbox)];
                self.put(topic, Tone::Bad, text::toast::unfiled(subject, &why), actions, false);
            }
        }
    }

    fn put(&mut self, topic: Topic, tone: Tone, text: String, actions: Vec<Action>, passing: bool) {
        self.last_id += 1;
        let toast = Toast { id: self.last_id, topic, tone, text, actions, passing };
        match self.list.iter_mut().find(|toast| toast.topic == topic) {
            Some(known) => *known = toast,
            None => self.list.push(toast),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outbox_entry_has_one_toast_through_all_its_states() {
        let mut toasts = Toasts::default();
        for state in [SendState::Queued, SendState::Sending, SendState::Sent] {
            toasts.outbox(1, "Hello", state);
        }
        assert_eq!(toasts.all().len(), 1);
        assert_eq!(toasts.all()[0].tone, Tone::Good);
        assert!(toasts.all()[0].passing);
    }

    #[test]
    fn what_was_sent_before_the_page_opened_is_not_told() {
        let mut toasts = Toasts::default();
        toasts.outbox(1, "Hello", SendState::Sent);
        toasts.outbox(2, "Hello", SendState::Discarded);
        assert!(toasts.all().is_empty());
    }

    #[test]
    fn a_failed_or_uncertain_message_waits_for_the_person() {
        for state in [SendState::Failed("No.".into()), SendState::Uncertain] {
            let mut toasts = Toasts::default();
            toasts.outbox(7, "Hello", state);
            let toast = &toasts.all()[0];
            assert_eq!(toast.actions, [Action::RetrySend(7), Action::DiscardSend(7)]);
            assert!(!toast.passing);
        }
    }

    #[test]
    fn what_waits_after_a_try_can_be_tried_at_once_or_dropped() {
        let mut toasts = Toasts::default();
        toasts.taken(7, "Hello");
        assert_eq!(toasts.all()[0].actions, [], "it is on its way at once");
        let both = [Action::SendNow(7), Action::DiscardSend(7)];
        for (state, actions) in [
            (SendState::Sending, &[][..]),
            (SendState::Queued, &both),
            (SendState::Sending, &[]),
            (SendState::Queued, &both),
        ] {
            toasts.outbox(7, "Hello", state);
            assert_eq!(toasts.all()[0].actions, actions);
        }
        let before = toasts.all()[0].id;
        toasts.outbox(7, "Hello", SendState::Queued);
        assert_eq!(toasts.all()[0].id, before, "its buttons stay where they are");
        // A page that was opened later.
        let mut toasts = Toasts::default();
        toasts.outbox(7, "Hello", SendState::Queued);
        assert_eq!(toasts.all()[0].actions, both);
    }

    #[test]
    fn a_copy_that_was_refused_is_never_called_unsent() {
        let mut toasts = Toasts::default();
        toasts.outbox(7, "Hello", SendState::Unfiled("It is full.".into()));
        let toast = &toasts.all()[0];
        assert!(toast.text.starts_with("“Hello” was sent"), "{}", toast.text);
        assert!(toast.text.ends_with("It is full."), "{}", toast.text);
        assert_eq!(toast.actions, [Action::FileAgain(7), Action::DiscardSend(7)]);
        assert!(!toast.passing);
    }

    #[test]
    fn the_last_change_can_be_taken_back_from_its_note() {
        let mut toasts = Toasts::default();
        toasts.changed("1 message moved to Archive".into(), Some(ChangeId(1)));
        toasts.changed("2 messages moved to Trash".into(), Some(ChangeId(2)));
        assert_eq!(toasts.all().len(), 1);
        assert_eq!(toasts.all()[0].actions, [Action::Undo(ChangeId(2))]);
        toasts.undone(ChangeId(2), "2 messages moved back".into());
        assert_eq!((toasts.all().len(), &toasts.all()[0].actions), (1, &vec![]));
    }

    #[test]
    fn a_refused_change_stays_until_it_was_seen() {
        let mut toasts = Toasts::default();
        toasts.refused(ChangeId(1), "Not moved.".into());
        toasts.changed("Marked".into(), None);
        assert_eq!(toasts.all().len(), 2);
        assert!(!toasts.all()[0].passing);
    }

    #[test]
    fn a_problem_leads_to_where_it_is_mended() {
        let mut toasts = Toasts::default();
        let plain = Problem::new(ProblemKind::Login, "Wrong password.");
        let mended = Problem { settings: Some(AccountId(2)), ..plain.clone() };
        let (certificate, settings) =
            (Action::ShowCertificate(AccountId(1)), Action::OpenSettings(AccountId(2)));
        for (problem, refusing, action) in [
            (&plain, None, None),
            (&plain, Some(AccountId(1)), Some(certificate)),
            (&mended, None, Some(settings)),
            (&mended, Some(AccountId(1)), Some(certificate)),
        ] {
            toasts.problem_of(problem.clone(), refusing);
            assert_eq!(toasts.all()[0].actions.first(), action.as_ref());
        }
    }

    #[test]
    fn the_same_problem_twice_is_one_toast_with_a_new_number() {
        let mut toasts = Toasts::default();
        let problem = Problem::new(ProblemKind::Login, "Wrong password.");
        toasts.problem(problem.clone());
        let first = toasts.all()[0].id;
        toasts.problem(problem);
        assert_eq!(toasts.all().len(), 1);
        assert_ne!(toasts.all()[0].id, first);
    }
}
