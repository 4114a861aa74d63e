//! What other settings of a POP3 account would delete on its server.

use postern_bridge::{AccountId, DeletionPreview, Problem, Retention};

/// The answer to a question about one setting.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Preview {
    request: u32,
    about: Option<(AccountId, Retention)>,
    /// What would be deleted, or why nobody knows.
    answer: Option<Result<DeletionPreview, String>>,
}

impl Preview {
    /// A question was asked. What is known about the same one is shown until the answer comes.
    pub(crate) fn ask(&mut self, request: u32, account: AccountId, retention: Retention) {
        self.request = request;
        if self.about.replace((account, retention)) != self.about {
            self.answer = None;
        }
    }

    /// Takes over an answer; that to an older question is ignored.
    pub(crate) fn answered(&mut self, request: u32, result: Result<DeletionPreview, Problem>) {
        if self.request == request {
            self.answer = Some(result.map_err(|problem| problem.sentence));
        }
    }

    /// The answer about this setting, if it is here. A setting that deletes nothing needs none.
    pub(crate) fn of(
        &self,
        account: AccountId,
        retention: Retention,
    ) -> Option<&Result<DeletionPreview, String>> {
        let is_about = self.about == Some((account, retention)) && retention.deletes();
        self.answer.as_ref().filter(|_| is_about)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_answer_about_what_is_chosen_now_is_shown() {
        let (first, second) = (Retention::DeleteAfterDownload, Retention::DeleteAfterDays(3));
        let answer = |messages| DeletionPreview { messages, ..DeletionPreview::default() };
        let account = AccountId(1);
        let mut preview = Preview::default();
        preview.ask(1, account, first);
        preview.ask(2, account, second);
        preview.answered(1, Ok(answer(9)));
        assert_eq!(preview.of(account, second), None);
        preview.answered(2, Ok(answer(3)));
        assert_eq!(preview.of(account, second), Some(&Ok(answer(3))));
        assert_eq!(preview.of(account, first), None);
        assert_eq!(preview.of(AccountId(2), second), None);
        preview.ask(3, account, second);
        assert_eq!(preview.of(account, second), Some(&Ok(answer(3))), "until the new one comes");
        preview.ask(4, account, Retention::Keep);
        preview.answered(4, Ok(answer(0)));
        assert_eq!(preview.of(account, Retention::Keep), None);
    }
}
