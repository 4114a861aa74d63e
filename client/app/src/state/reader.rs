//! The reading pane's message.

use std::sync::Arc;

use postern_bridge::{MessageId, MessageView, Problem};

/// What the reading pane shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Reader {
    /// Nothing is open.
    #[default]
    Closed,
    /// The engine was asked.
    Opening(MessageId),
    /// The message is here.
    Open(Arc<MessageView>),
    /// The message can't be shown.
    Failed(MessageId, Problem),
}

impl Reader {
    /// The message that the pane is about.
    pub(crate) fn message(&self) -> Option<MessageId> {
        match self {
            Self::Closed => None,
            Self::Opening(id) | Self::Failed(id, _) => Some(*id),
            Self::Open(view) => Some(view.id),
        }
    }

    /// The message, if it is here.
    pub(crate) fn view(&self) -> Option<&Arc<MessageView>> {
        match self {
            Self::Open(view) => Some(view),
            _ => None,
        }
    }

    /// Takes over a message; one that is no longer wanted is ignored.
    pub(crate) fn show(&mut self, view: MessageView) {
        if self.message() == Some(view.id) {
            *self = Self::Open(Arc::new(view));
        }
    }

    /// Takes over a failure; one of a message that is already shown or not wanted is ignored.
    pub(crate) fn fail(&mut self, message: MessageId, problem: Problem) {
        if *self == Self::Opening(message) {
            *self = Self::Failed(message, problem);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use postern_bridge::{BodyView, Flags, MailboxId, ProblemKind};

    use super::*;

    pub(crate) fn message(uid: u32) -> MessageView {
        MessageView {
            id: MessageId { mailbox: MailboxId(1), uid },
            subject: String::new(),
            from: vec![],
            reply_to: vec![],
            to: vec![],
            cc: vec![],
            date: None,
            message_id: String::new(),
            references: vec![],
            flags: Flags::default(),
            keywords: vec![],
            body: BodyView::Text(String::new()),
            text: String::new(),
            attachments: vec![],
            cut: None,
            withheld: None,
        }
    }

    #[test]
    fn a_message_that_comes_too_late_does_not_replace_the_one_asked_for_since() {
        let (old, new) = (message(1), message(2));
        let mut reader = Reader::Opening(new.id);
        reader.show(old);
        assert_eq!(reader, Reader::Opening(new.id));
        reader.show(new.clone());
        assert_eq!(reader.view().unwrap().id, new.id);
    }

    #[test]
    fn a_failure_does_not_hide_a_message_that_is_shown() {
        let shown = message(1);
        let problem = Problem::new(ProblemKind::Offline, "");
        let mut reader = Reader::Opening(shown.id);
        reader.show(shown.clone());
        reader.fail(shown.id, problem.clone());
        assert!(reader.view().is_some());
        let mut reader = Reader::Opening(shown.id);
        reader.fail(shown.id, problem.clone());
        assert_eq!(reader, Reader::Failed(shown.id, problem));
    }
}
