//! The content of attachments, given to pages in pieces.

use futures_channel::oneshot;
use postern_bridge::{AttachmentView, ClientId, Delta, MessageId, Problem};
use postern_mime as mime;
use serde_bytes::ByteBuf;

use super::{Client, lanes::Reading, reading::attachment_view};
use crate::{Host, MailError, imap::read_part, record::Body};

/// Bytes of a message that is stored whole that go to the page at once.
const PIECE: usize = 1 << 20;

impl<H: Host> Client<H> {
    /// Answers a page that wants to save an attachment.
    pub(super) async fn send_attachment(
        &self,
        page: ClientId,
        request: u32,
        message: MessageId,
        section: &str,
    ) {
        let mut send = |offset, piece| {
            let bytes = ByteBuf::from(piece);
            self.tell(Some(page), Delta::AttachmentData { request, offset, bytes });
        };
        let result: Result<AttachmentView, Problem> =
            match self.attachment(message, section, &mut send).await {
                Ok(view) => Ok(view),
                Err(error) => Err(self.message_problem(message, &error).await),
            };
        self.tell(Some(page), Delta::Attachment { request, result });
    }

    /// Gives an attachment to `take`, decoded, in pieces, each with where it begins: one that begins
    /// at 0 is the first, even if others came before it. It is fetched if it is not stored.
    pub(super) async fn attachment(
        &self,
        id: MessageId,
        section: &str,
        take: &mut dyn FnMut(u64, Vec<u8>),
    ) -> Result<AttachmentView, MailError> {
        let id = self.current(id);
        let raw = self.stored_body(id).await?;
        let message = self.message(id).await?;
        let part = mime::part(&raw, section).ok_or(MailError::Gone("attachment"))?;
        let mut view = attachment_view(part.info);
        view.size = match message.body {
            Body::Partial { absent, .. } if absent.iter().any(|part| part.section == section) => {
                self.absent_part(id, section, take).await?
            }
            _ => {
                let mut offset = 0;
                for piece in part.content.chunks(PIECE) {
                    take(offset, piece.to_vec());
                    offset += piece.len() as u64;
                }
                offset
            }
        };
        Ok(view)
    }

    /// The same for a part that is not stored with its message; its size in bytes. A message that is
    /// moved while the part comes is followed: what has come moves along.
    async fn absent_part(
        &self,
        mut message: MessageId,
        section: &str,
        take: &mut dyn FnMut(u64, Vec<u8>),
    ) -> Result<u64, MailError> {
        if let Some(size) = read_part(self.store(), message, section, take).await? {
            return Ok(size);
        }
        loop {
            let (done, answer) = oneshot::channel();
            let job = Reading::part(message, section, done);
            let fetched = self.ask_server(message, job, answer).await;
            let asked = message;
            message = self.current(asked);
            if let Some(size) = read_part(self.store(), message, section, take).await? {
                return Ok(size);
            }
            // It may also have been moved while it was read.
            if self.current(message) == asked {
                fetched?;
                return Err(MailError::Gone("attachment"));
            }
            message = self.current(message);
        }
    }
}
