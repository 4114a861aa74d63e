//! Opened messages.

use futures_channel::oneshot;
use postern_bridge::{AttachmentView, BodyView, ClientId, Delta, MessageId, MessageView, Problem};
use postern_mime as mime;

use super::{Client, lanes::Reading};
use crate::{
    Host, MailError,
    record::{self, AbsentPart, Body, Message},
};

impl<H: Host> Client<H> {
    /// Shows a message, fetching it first if it is not stored, and marks it as read.
    pub(super) async fn open_message(
        &self,
        page: ClientId,
        id: MessageId,
    ) -> Result<(), MailError> {
        let id = self.current(id);
        match self.message_view(id).await {
            Ok(view) => {
                let unseen = !view.flags.seen;
                self.tell(Some(page), Delta::Message(Box::new(view)));
                if unseen {
                    self.mark_opened(id).await?;
                }
                self.ask_for_neighbours(id).await
            }
            Err(error) => {
                let problem = self.message_problem(id, &error).await;
                self.tell(Some(page), Delta::MessageFailed { message: id, problem });
                Ok(())
            }
        }
    }

    /// A problem with a message, told with the name of its server.
    pub(super) async fn message_problem(&self, id: MessageId, error: &MailError) -> Problem {
        match self.account_of(id.mailbox).await {
            Ok(account) => self.problem(account.id, error),
            Err(_) => error.problem("The mail server"),
        }
    }

    pub(super) async fn message_view(&self, id: MessageId) -> Result<MessageView, MailError> {
        let raw = self.stored_body(id).await?;
        let message = self.message(id).await?;
        let absent = match &message.body {
            Body::Partial { absent, .. } => &absent[..],
            _ => &[],
        };
        let mut view = view(&message, mime::view(&raw), absent);
        view.withheld = self.withheld(&message).await?;
        Ok(view)
    }

    /// The message's bytes, fetched first if need be.
    pub(super) async fn stored_body(&self, id: MessageId) -> Result<Vec<u8>, MailError> {
        if self.message(id).await?.body == Body::Absent {
            self.fetch_body(id).await?;
        }
        match self.intact_body(id).await? {
            Some(raw) => Ok(raw),
            None => self.mend(id).await,
        }
    }

    pub(super) async fn message(&self, id: MessageId) -> Result<Message, MailError> {
        let message = record::get(self.store(), &record::message_key(id)).await?;
        message.ok_or(MailError::Gone("message"))
    }

    pub(super) async fn fetch_body(&self, message: MessageId) -> Result<(), MailError> {
        let (done, answer) = oneshot::channel();
        self.ask_server(message, Reading::Body { message, done }, answer).await
    }

    pub(super) async fn ask_server<T>(
        &self,
        message: MessageId,
        job: Reading,
        answer: oneshot::Receiver<Result<T, MailError>>,
    ) -> Result<T, MailError> {
        if !self.inner.online.get() {
            return Err(crate::TransportError::Offline.into());
        }
        let account = self.account_of(message.mailbox).await?;
        self.queue_reading(account.id, job);
        answer.await.unwrap_or(Err(MailError::Gone("message")))
    }
}

fn view(message: &Message, view: mime::View, absent: &[AbsentPart]) -> MessageView {
    let mut attachments: Vec<_> = view.attachments.into_iter().map(attachment_view).collect();
    for attachment in &mut attachments {
        if let Some(part) = absent.iter().find(|part| part.section == attachment.section) {
            attachment.size = part.size;
        }
    }
    MessageView {
        id: message.id,
        subject: view.subject,
        from: record::addresses(view.from),
        reply_to: record::addresses(view.reply_to),
        to: record::addresses(view.to),
        cc: record::addresses(view.cc),
        date: view.sent,
        message_id: view.message_id,
        references: view.references,
        flags: message.flags,
        keywords: message.keywords.clone(),
        body: match view.body {
            mime::Body::Html { document, remote_blocked } => {
                BodyView::Html { document, remote_blocked }
            }
            mime::Body::Text(text) => BodyView::Text(text),
        },
        text: view.text,
        attachments,
        cut: absent.iter().find(|part| part.begun).map(|part| part.section.clone()),
        withheld: None,
    }
}

pub(super) fn attachment_view(info: mime::AttachmentInfo) -> AttachmentView {
    let mime::AttachmentInfo { section, name, media_type, size } = info;
    AttachmentView { section, name, media_type, size }
}

#[cfg(test)]
mod tests {
    use postern_bridge::{Intent, MailboxId, Protocol};

    use super::*;
    use crate::{
        Store,
        changes::{self, tests::mailbox},
        client::tests::still,
        record::{Mailbox, Record, put_body},
        store::{Durability, MemoryStore},
        testing::{account, block_on},
    };

    #[test]
    fn a_message_that_is_opened_is_marked_as_read_only_where_that_is_allowed() {
        let id = MessageId { mailbox: MailboxId(1), uid: 1 };
        for (read_only, can_mark_read, marks) in
            [(false, true, 1), (true, true, 0), (false, false, 0)]
        {
            let own = account(Protocol::Imap);
            let (client, told) = still(MemoryStore::new(), own.clone());
            let letter = b"Subject: x\r\n\r\nHello\r\n";
            let body = Body::Whole { size: letter.len() as u64 };
            let message = Message { body, ..changes::tests::message(id) };
            let mut batch =
                vec![own.put(), Mailbox { read_only, can_mark_read, ..mailbox(1) }.put()];
            batch.extend(message.put_listed());
            batch.extend(put_body(id, letter));
            block_on(client.store().apply(batch, Durability::Strict)).unwrap();
            block_on(client.serve(ClientId(1), Intent::OpenMessage { message: id })).unwrap();
            let told = told.borrow();
            let is_shown = |delta: &Delta| matches!(delta, Delta::Message(_));
            assert!(told.iter().any(is_shown), "{told:?}");
            assert!(!told.iter().any(|delta| matches!(delta, Delta::Problem(_))), "{told:?}");
            assert_eq!(block_on(changes::open(client.store(), own.id)).unwrap(), marks);
            let stored: Option<Message> =
                block_on(record::get(client.store(), &record::message_key(id))).unwrap();
            assert_eq!(stored.unwrap().flags.seen, marks == 1);
        }
    }
}
