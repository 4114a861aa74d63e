//! Intents that another leader may have to hear of.

use std::collections::BTreeMap;

use postern_bridge::{Delta, Intent, Up};

/// What our page wants and nobody has seen to yet, by number.
///
/// An intent that has an answer is kept until the answer is there: a leader that took it may be
/// gone before it is done. Of others the leader's word is enough.
#[derive(Default)]
pub(super) struct Pending {
    intents: BTreeMap<u64, Up>,
    last_number: u64,
}

impl Pending {
    /// Keeps an intent, if it is one to keep; returns its number.
    pub(super) fn add(&mut self, up: &Up) -> u64 {
        self.last_number += 1;
        // Nobody waits for these answers any more.
        match up.intent {
            Intent::StopDiscovery { request } => {
                self.intents.retain(|_, up| !is_search(&up.intent, request));
            }
            Intent::StopTransfer { request } => {
                self.intents.retain(|_, up| !is_transfer(&up.intent, request));
            }
            _ => {}
        }
        if kept_until(&up.intent) != Until::Said {
            self.intents.insert(self.last_number, up.clone());
        }
        self.last_number
    }

    /// Notes that a leader has taken an intent.
    pub(super) fn taken(&mut self, number: u64) {
        if self.intents.get(&number).is_some_and(|up| kept_until(&up.intent) == Until::Taken) {
            self.intents.remove(&number);
        }
    }

    /// Notes what came down to our page.
    pub(super) fn answered(&mut self, delta: &Delta) {
        self.intents.retain(|_, up| !is_answer(delta, &up.intent));
    }

    /// What is still open, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Up)> {
        self.intents.iter().map(|(number, up)| (*number, up))
    }

    /// The same, to be seen to by ourselves.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Up> + use<> {
        std::mem::take(&mut self.intents).into_values()
    }
}

/// How long an intent is kept.
#[derive(Eq, PartialEq)]
enum Until {
    /// Not at all: what the page shows is told to each new leader anyway.
    Said,
    /// Until a leader has taken it.
    Taken,
    /// Until its answer is there.
    Answered,
}

fn kept_until(intent: &Intent) -> Until {
    match intent {
        Intent::Hello
        | Intent::Network { .. }
        | Intent::StopDiscovery { .. }
        | Intent::ExportTaken { .. }
        | Intent::ImportData { .. }
        | Intent::StopTransfer { .. }
        | Intent::EraseStorage
        | Intent::OpenMailbox { .. }
        | Intent::OpenConversation { .. }
        | Intent::CloseConversation
        | Intent::ShowRows { .. }
        | Intent::Search { .. } => Until::Said,
        Intent::ForgetAccessKey
        | Intent::TrustCertificate { .. }
        | Intent::RemoveAccount { .. }
        | Intent::DownloadWhole { .. }
        | Intent::GroupConversations { .. }
        | Intent::Refresh { .. }
        | Intent::RetrySend { .. }
        | Intent::DiscardSend { .. }
        | Intent::ExportSaved { .. }
        | Intent::RemindOfBackup(_)
        | Intent::CopyToImap { .. }
        | Intent::StopCopy { .. }
        | Intent::LookAtStorage
        | Intent::PublicComputer(_)
        | Intent::MeasureStorage => Until::Taken,
        Intent::Discover { .. }
        | Intent::EnterAccessKey { .. }
        | Intent::TestAccount { .. }
        | Intent::AddAccount { .. }
        | Intent::ChangeAccount { .. }
        | Intent::PreviewRetention { .. }
        | Intent::NameMessages { .. }
        | Intent::OpenMessage { .. }
        | Intent::FetchAttachment { .. }
        | Intent::Change { .. }
        | Intent::Undo { .. }
        | Intent::SaveDraft { .. }
        | Intent::OpenDraft { .. }
        | Intent::Export { .. }
        | Intent::Import { .. }
        | Intent::Send { .. } => Until::Answered,
    }
}

fn is_search(intent: &Intent, number: u32) -> bool {
    matches!(intent, Intent::Discover { request, .. } if *request == number)
}

fn is_transfer(intent: &Intent, number: u32) -> bool {
    matches!(intent, Intent::Export { request, .. } | Intent::Import { request, .. }
        if *request == number)
}

fn is_answer(delta: &Delta, intent: &Intent) -> bool {
    match (delta, intent) {
        (Delta::Discovered { request: answered, .. }, Intent::Discover { request, .. })
        | (
            Delta::AccessKeyTried { request: answered, .. },
            Intent::EnterAccessKey { request, .. },
        )
        | (Delta::AccountTested { request: answered, .. }, Intent::TestAccount { request, .. })
        | (Delta::AccountAdded { request: answered, .. }, Intent::AddAccount { request, .. })
        | (
            Delta::AccountChanged { request: answered, .. },
            Intent::ChangeAccount { request, .. },
        )
        | (
            Delta::RetentionPreview { request: answered, .. },
            Intent::PreviewRetention { request, .. },
        )
        | (Delta::Attachment { request: answered, .. }, Intent::FetchAttachment { request, .. })
        | (Delta::Named { request: answered, .. }, Intent::NameMessages { request, .. })
        | (Delta::Changed { request: answered, .. }, Intent::Change { request, .. })
        | (Delta::Undone { request: answered, .. }, Intent::Undo { request, .. })
        | (Delta::DraftSaved { request: answered, .. }, Intent::SaveDraft { request, .. })
        | (Delta::Draft { request: answered, .. }, Intent::OpenDraft { request, .. })
        | (Delta::Exported { request: answered, .. }, Intent::Export { request, .. })
        | (Delta::Imported { request: answered, .. }, Intent::Import { request, .. })
        | (Delta::Queued { request: answered, .. }, Intent::Send { request, .. }) => {
            answered == request
        }
        (Delta::Message(view), Intent::OpenMessage { message }) => view.id == *message,
        (Delta::MessageFailed { message: failed, .. }, Intent::OpenMessage { message }) => {
            failed == message
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use postern_bridge::{
        AccountId, ClientId, MailboxId, MessageId, OutgoingMessage, Problem, ProblemKind,
    };

    use super::*;

    const MESSAGE: MessageId = MessageId { mailbox: MailboxId(1), uid: 5 };

    fn up(intent: Intent) -> Up {
        Up { client: ClientId(7), intent }
    }

    fn send(request: u32) -> Intent {
        let message = OutgoingMessage::empty(AccountId(1));
        Intent::Send { request, message, draft: None }
    }

    fn attachment(request: u32) -> Intent {
        Intent::FetchAttachment { request, message: MESSAGE, section: "2".into() }
    }

    fn pending(intents: impl IntoIterator<Item = Intent>) -> Pending {
        let mut pending = Pending::default();
        for intent in intents {
            pending.add(&up(intent));
        }
        pending
    }

    fn numbers(pending: &Pending) -> Vec<u64> {
        pending.iter().map(|(number, _)| number).collect()
    }

    #[test]
    fn what_the_page_shows_is_not_kept() {
        let mailbox = MailboxId(1);
        let pending = pending([
            Intent::Hello,
            Intent::Network { online: true },
            Intent::OpenMailbox { mailbox },
            Intent::ShowRows { mailbox, rows: 0..50 },
        ]);
        assert!(numbers(&pending).is_empty());
    }

    #[test]
    fn an_intent_without_an_answer_is_kept_until_it_is_taken() {
        let refresh = Intent::Refresh { account: AccountId(1) };
        let mut pending = pending([refresh.clone(), refresh]);
        pending.taken(1);
        assert_eq!(numbers(&pending), [2]);
    }

    #[test]
    fn an_intent_with_an_answer_is_kept_until_its_own_answer_is_there() {
        let mut pending = pending([send(1), send(2), attachment(3)]);
        for number in [1, 2, 3] {
            pending.taken(number);
        }
        assert_eq!(numbers(&pending), [1, 2, 3]);
        pending.answered(&Delta::Queued { request: 2, result: Ok(9) });
        pending.answered(&Delta::Queued { request: 3, result: Ok(10) });
        assert_eq!(numbers(&pending), [1, 3]);
    }

    #[test]
    fn a_message_that_can_not_be_opened_is_answered_too() {
        let other = MessageId { uid: 6, ..MESSAGE };
        let open = |message| Intent::OpenMessage { message };
        let mut pending = pending([open(MESSAGE), open(other)]);
        let problem = Problem::new(ProblemKind::Gone, "It is gone.");
        pending.answered(&Delta::MessageFailed { message: MESSAGE, problem });
        assert_eq!(numbers(&pending), [2]);
    }

    #[test]
    fn a_search_that_was_stopped_is_not_kept() {
        let search = |request| Intent::Discover { request, address: "ada@example.org".into() };
        let stop = Intent::StopDiscovery { request: 4 };
        let pending = pending([search(4), search(5), send(4), stop]);
        assert_eq!(numbers(&pending), [2, 3]);
    }

    #[test]
    fn what_we_see_to_ourselves_is_taken_in_order_and_once() {
        let mut pending = pending([send(4), send(3)]);
        let taken: Vec<_> = pending.take().map(|up| up.intent).collect();
        assert_eq!(taken, [send(4), send(3)]);
        assert_eq!(pending.take().count(), 0);
    }
}
