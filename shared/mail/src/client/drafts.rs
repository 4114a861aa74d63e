//! Unfinished messages: saved, opened again, and gone once they are sent.

use postern_bridge::{
    AccountId, Address, Attachment, MessageId, OutgoingMessage, Problem, Role, SavedDraft,
};
use postern_mime as mime;

use super::Client;
use crate::{
    Host, MailError,
    changes::{Editor, Origin},
    outbox, record,
};

/// The address that stands for one that is not finished; what was typed is kept as its name. Nobody
/// has an address under this domain (RFC 2606).
const UNFINISHED: &str = "unfinished@postern.invalid";

impl<H: Host> Client<H> {
    /// Saves a draft in place of an earlier version.
    pub(super) async fn save_draft(
        &self,
        origin: Origin,
        message: OutgoingMessage,
        earlier: Option<MessageId>,
    ) -> Result<MessageId, Problem> {
        let account = self.account(message.account).map_err(|error| error.problem(""))?;
        let host = &*self.inner.host;
        let saved = async {
            let raw = outbox::compose_draft(host, &account, &unfinished(message)).await?;
            let mut editor = Editor::begin(host, &account, Some(origin)).await?;
            let drafts = self.place_for(&mut editor, &account, Role::Drafts).await?;
            let earlier = earlier.map(|id| self.current(id));
            let (own, other) = match earlier {
                Some(id) if self.is_of(id, account.id).await? => (Some(id), None),
                other => (None, other),
            };
            let saved = editor.save_draft(drafts, &raw, own).await;
            self.tell_made(account.id, &editor.finish()).await?;
            let saved = saved?;
            // It was begun for another account, where it goes only once it is kept here.
            if let Some(other) = other {
                self.forget_draft(other).await?;
            }
            Ok(saved)
        };
        saved.await.map_err(|error| self.problem(account.id, &error))
    }

    /// A saved draft, to be written on.
    pub(super) async fn open_draft(&self, id: MessageId) -> Result<Box<SavedDraft>, Problem> {
        let id = self.current(id);
        match self.saved_draft(id).await {
            Ok(draft) => Ok(Box::new(draft)),
            Err(error) => Err(self.message_problem(id, &error).await),
        }
    }

    async fn saved_draft(&self, id: MessageId) -> Result<SavedDraft, MailError> {
        let account = self.account_of(id.mailbox).await?;
        let view = self.message_view(id).await?;
        if view.cut.is_some() {
            // To save it again would leave nothing but its beginning.
            return Err(MailError::Input("This draft is too long to be written on here.".into()));
        }
        let written = mime::written(&record::body(self.store(), id).await?);
        let mut attachments = Vec::new();
        for attachment in view.attachments {
            let mut content = Vec::new();
            let mut take = |offset: u64, piece: Vec<u8>| {
                if offset == 0 {
                    content.clear();
                }
                content.extend(piece);
            };
            let view = self.attachment(id, &attachment.section, &mut take).await?;
            attachments.push(Attachment { name: view.name, media_type: view.media_type, content });
        }
        let message = OutgoingMessage {
            account: account.id,
            to: finished(written.to),
            cc: finished(written.cc),
            bcc: finished(written.bcc),
            subject: written.subject,
            text: view.text,
            in_reply_to: None,
            references: written.references,
            attachments,
        };
        Ok(SavedDraft { id, message })
    }

    /// Removes the draft of a message that is stored elsewhere, in whichever account it is.
    pub(super) async fn forget_draft(&self, draft: MessageId) -> Result<(), MailError> {
        let draft = self.current(draft);
        let account = match self.account_of(draft.mailbox).await {
            Err(MailError::Gone(_)) => return Ok(()),
            account => account?,
        };
        let mut editor = Editor::begin(&*self.inner.host, &account, None).await?;
        editor.discard_draft(draft).await?;
        self.tell_made(account.id, &editor.finish()).await
    }

    /// Whether a message is in an account; one that is gone is in none.
    async fn is_of(&self, id: MessageId, account: AccountId) -> Result<bool, MailError> {
        match self.account_of(id.mailbox).await {
            Ok(own) => Ok(own.id == account),
            Err(MailError::Gone(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// A message whose addresses can all be written into a header.
fn unfinished(mut message: OutgoingMessage) -> OutgoingMessage {
    let all = [&mut message.to, &mut message.cc, &mut message.bcc];
    for address in all.into_iter().flatten() {
        if !mime::is_address(address.address.trim()) {
            let typed = match &*address.name {
                "" => address.address.clone(),
                name => format!("{name} <{}>", address.address),
            };
            let typed = typed.chars().filter(|c| !c.is_control()).collect();
            *address = Address { name: typed, address: UNFINISHED.into() };
        }
    }
    message.subject.retain(|c| !c.is_control());
    message
}

/// Addresses as they were typed.
fn finished(addresses: Vec<mime::Address>) -> Vec<Address> {
    let typed = |own: Address| match own.address == UNFINISHED {
        true => Address { name: String::new(), address: own.name },
        false => own,
    };
    record::addresses(addresses).into_iter().map(typed).collect()
}
