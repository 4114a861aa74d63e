//! A message that is being written.

use postern_bridge::{
    AccountId, AccountView, Address, Attachment, Identity, MailboxId, MessageId, MessageView,
    OutgoingMessage, SavedDraft,
};
use serde::{Deserialize, Serialize};

use crate::{address, text};

/// What was written so far, as typed. Attachments are kept apart: they are too big to be saved
/// with every key.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Draft {
    /// The account that sends.
    pub(crate) account: u32,
    /// `To`, as typed.
    pub(crate) to: String,
    /// `Cc`, as typed.
    pub(crate) cc: String,
    /// `Bcc`, as typed.
    pub(crate) bcc: String,
    /// The subject.
    pub(crate) subject: String,
    /// The text.
    pub(crate) text: String,
    /// What was there before the person wrote anything; without a change nothing can be lost.
    pub(crate) prefilled: String,
    /// The same of `To`, `Cc`, `Bcc` and the subject.
    #[serde(default)]
    pub(crate) prefilled_fields: [String; 4],
    /// The mailbox and UID of the message that this one answers.
    pub(crate) in_reply_to: Option<(u32, u32)>,
    /// `References`.
    pub(crate) references: Vec<String>,
    /// The mailbox and UID under which it is saved among the drafts.
    #[serde(default)]
    pub(crate) saved: Option<(u32, u32)>,
}

/// A field of the message that can be wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum DraftField {
    /// `To`
    To,
    /// `Cc`
    Cc,
    /// `Bcc`
    Bcc,
}

/// Why a draft can't be sent as it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum DraftError {
    /// Nobody would get it.
    NoRecipient,
    /// This is no address.
    NoAddress(DraftField, String),
}

/// Who gets an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Audience {
    /// The sender.
    Sender,
    /// Everybody.
    All,
}

impl Draft {
    /// An empty message.
    pub(crate) fn new(account: AccountId) -> Self {
        Self { account: account.0, ..Self::default() }
    }

    /// An answer, with the text quoted below.
    pub(crate) fn reply(
        account: &AccountView,
        message: &MessageView,
        audience: Audience,
        date: &str,
    ) -> Self {
        let own = &account.identity;
        let mut to = if message.reply_to.is_empty() { &message.from } else { &message.reply_to };
        if to.iter().all(|address| is_own(address, own)) {
            // An answer to one's own message goes to whom it went.
            to = &message.to;
        }
        let mut to = to.clone();
        let mut cc = vec![];
        if audience == Audience::All {
            let others = |list: &[Address], known: &[Address]| -> Vec<Address> {
                let new = |address: &&Address| {
                    !is_own(address, own) && !known.iter().any(|known| same(known, address))
                };
                list.iter().filter(new).cloned().collect()
            };
            to.extend(others(&message.to, &to));
            cc = others(&message.cc, &to);
        }
        let from = message.from.first().map_or("", Address::label);
        let text = format!("\n\n{}\n{}", text::compose::wrote(from, date), quote(&message.text));
        Self {
            account: account.id.0,
            to: address::join(&to),
            cc: address::join(&cc),
            subject: prefixed("Re:", &message.subject),
            prefilled: text.clone(),
            text,
            in_reply_to: Some((message.id.mailbox.0, message.id.uid)),
            references: message.references.clone(),
            ..Self::default()
        }
        .prefilled()
    }

    /// A message passed on, with its headers and its text below.
    pub(crate) fn forward(account: &AccountView, message: &MessageView, date: &str) -> Self {
        let header = text::compose::forwarded(
            &address::join(&message.from),
            date,
            &message.subject,
            &address::join(&message.to),
        );
        let text = format!("\n\n{header}\n\n{}", message.text);
        Self {
            account: account.id.0,
            subject: prefixed("Fwd:", &message.subject),
            prefilled: text.clone(),
            text,
            ..Self::default()
        }
        .prefilled()
    }

    /// A message that was saved unfinished.
    pub(crate) fn unfinished(SavedDraft { id, message }: &SavedDraft) -> Self {
        Self {
            account: message.account.0,
            to: address::join(&message.to),
            cc: address::join(&message.cc),
            bcc: address::join(&message.bcc),
            subject: message.subject.clone(),
            text: message.text.clone(),
            in_reply_to: message.in_reply_to.map(|to| (to.mailbox.0, to.uid)),
            references: message.references.clone(),
            saved: Some((id.mailbox.0, id.uid)),
            ..Self::default()
        }
    }

    /// Where it is saved among the drafts.
    pub(crate) fn saved(&self) -> Option<MessageId> {
        self.saved.map(|(mailbox, uid)| MessageId { mailbox: MailboxId(mailbox), uid })
    }

    /// Notes where it is saved.
    pub(crate) fn set_saved(&mut self, id: MessageId) {
        self.saved = Some((id.mailbox.0, id.uid));
    }

    /// Whether discarding it loses something that the person wrote.
    pub(crate) fn is_written(&self) -> bool {
        let fields = self.fields();
        let changed = |(now, before): (&&String, &String)| now.trim() != before.trim();
        self.text.trim() != self.prefilled.trim()
            || fields.iter().zip(&self.prefilled_fields).any(changed)
    }

    fn fields(&self) -> [&String; 4] {
        [&self.to, &self.cc, &self.bcc, &self.subject]
    }

    /// The same, with what stands in its fields now as what was there before.
    fn prefilled(self) -> Self {
        let prefilled_fields = self.fields().map(Clone::clone);
        Self { prefilled_fields, ..self }
    }

    /// The message to send.
    ///
    /// # Errors
    ///
    /// What has to be mended first.
    pub(crate) fn outgoing(
        &self,
        attachments: Vec<Attachment>,
    ) -> Result<OutgoingMessage, DraftError> {
        let list = |field, typed: &str| {
            address::parse_list(typed).map_err(|entry| DraftError::NoAddress(field, entry))
        };
        let to = list(DraftField::To, &self.to)?;
        let cc = list(DraftField::Cc, &self.cc)?;
        let bcc = list(DraftField::Bcc, &self.bcc)?;
        if to.is_empty() && cc.is_empty() && bcc.is_empty() {
            return Err(DraftError::NoRecipient);
        }
        Ok(self.message([to, cc, bcc], attachments))
    }

    /// The message to save unfinished, with recipients as they were typed.
    pub(crate) fn unsent(&self, attachments: Vec<Attachment>) -> OutgoingMessage {
        let recipients = [&self.to, &self.cc, &self.bcc].map(|typed| address::unfinished(typed));
        self.message(recipients, attachments)
    }

    fn message(
        &self,
        [to, cc, bcc]: [Vec<Address>; 3],
        attachments: Vec<Attachment>,
    ) -> OutgoingMessage {
        OutgoingMessage {
            account: AccountId(self.account),
            to,
            cc,
            bcc,
            subject: self.subject.trim().to_owned(),
            text: self.text.clone(),
            in_reply_to: self
                .in_reply_to
                .map(|(mailbox, uid)| MessageId { mailbox: MailboxId(mailbox), uid }),
            references: self.references.clone(),
            attachments,
        }
    }

    /// The draft as a string for the browser's local storage: one character per byte.
    pub(crate) fn to_saved(&self) -> String {
        postern_bridge::to_bytes(self).into_iter().map(char::from).collect()
    }

    /// A draft that was saved; `None` if the string is none.
    pub(crate) fn from_saved(saved: &str) -> Option<Self> {
        let bytes: Vec<u8> =
            saved.chars().map(|c| u8::try_from(u32::from(c))).collect::<Result<_, _>>().ok()?;
        postern_bridge::from_bytes(&bytes).ok()
    }
}

/// Sets `> ` before each line; lines that are quoted already get another `>` (RFC 3676 section 4.5).
fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + text.len() / 32);
    for line in text.trim_end().lines() {
        quoted.push_str(if line.is_empty() || line.starts_with('>') { ">" } else { "> " });
        quoted.push_str(line);
        quoted.push('\n');
    }
    quoted
}

fn prefixed(prefix: &str, subject: &str) -> String {
    let has_prefix =
        subject.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    if has_prefix { subject.to_owned() } else { format!("{prefix} {subject}") }
}

fn same(one: &Address, other: &Address) -> bool {
    one.address.eq_ignore_ascii_case(&other.address)
}

fn is_own(address: &Address, own: &Identity) -> bool {
    address.address.eq_ignore_ascii_case(&own.address)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{accounts::tests::account, reader::tests::message},
        *,
    };

    #[test]
    fn a_change_of_recipients_or_subject_alone_is_worth_keeping() {
        let (account, message) = (account(1, "ben@example.org"), message(1));
        for draft in [
            Draft::reply(&account, &message, Audience::Sender, "today"),
            Draft::forward(&account, &message, "today"),
        ] {
            assert!(!draft.is_written());
            let cc = format!("{}, eve@example.org", draft.cc);
            assert!(Draft { cc, ..draft.clone() }.is_written());
            assert!(Draft { subject: "Other".into(), ..draft }.is_written());
        }
    }

    #[test]
    fn recipients_that_are_no_addresses_yet_are_saved_as_they_were_typed() {
        let draft = Draft { to: "Ada <ada@example.org>, bo, ,".into(), ..Draft::default() };
        let to = draft.unsent(Vec::new()).to;
        let shown: Vec<_> = to.iter().map(|own| (&*own.name, &*own.address)).collect();
        assert_eq!(shown, [("Ada", "ada@example.org"), ("", "bo")]);
        assert_eq!(address::join(&to), "Ada <ada@example.org>, bo");
    }

    fn who(address: &str) -> Address {
        Address { name: String::new(), address: address.into() }
    }

    fn received() -> MessageView {
        MessageView {
            subject: "Lunch".into(),
            from: vec![who("ada@x.example")],
            to: vec![who("ME@x.example"), who("bob@x.example")],
            cc: vec![who("cy@x.example"), who("ada@x.example")],
            references: vec!["1@x".into()],
            text: "Noon?\n\n> earlier\n".into(),
            ..message(3)
        }
    }

    #[test]
    fn a_reply_goes_to_the_sender_and_quotes() {
        let reply =
            Draft::reply(&account(1, "me@x.example"), &received(), Audience::Sender, "today");
        assert_eq!((reply.to.as_str(), reply.cc.as_str()), ("ada@x.example", ""));
        assert_eq!(reply.subject, "Re: Lunch");
        assert!(reply.text.ends_with("\n> Noon?\n>\n>> earlier\n"));
        assert_eq!(reply.in_reply_to, Some((1, 3)));
        assert_eq!(reply.references, ["1@x"]);
    }

    #[test]
    fn a_reply_to_all_leaves_oneself_and_doubles_out() {
        let reply = Draft::reply(&account(1, "me@x.example"), &received(), Audience::All, "today");
        assert_eq!(reply.to, "ada@x.example, bob@x.example");
        assert_eq!(reply.cc, "cy@x.example");
    }

    #[test]
    fn a_reply_prefers_reply_to() {
        let list = MessageView { reply_to: vec![who("list@x.example")], ..received() };
        let reply = Draft::reply(&account(1, "me@x.example"), &list, Audience::Sender, "today");
        assert_eq!(reply.to, "list@x.example");
    }

    #[test]
    fn a_reply_to_ones_own_message_goes_to_whom_it_went() {
        let own = MessageView {
            from: vec![who("me@x.example")],
            to: vec![who("ada@x.example")],
            ..received()
        };
        let reply = Draft::reply(&account(1, "me@x.example"), &own, Audience::Sender, "today");
        assert_eq!(reply.to, "ada@x.example");
    }

    #[test]
    fn a_prefix_is_not_doubled() {
        assert_eq!(prefixed("Re:", "RE: Lunch"), "RE: Lunch");
        assert_eq!(prefixed("Fwd:", "ü"), "Fwd: ü");
        assert_eq!(prefixed("Re:", "日本"), "Re: 日本");
    }

    #[test]
    fn a_forward_starts_no_thread_and_has_no_recipient_yet() {
        let forward = Draft::forward(&account(1, "me@x.example"), &received(), "today");
        assert_eq!(forward.subject, "Fwd: Lunch");
        assert_eq!(forward.in_reply_to, None);
        assert_eq!(forward.outgoing(vec![]), Err(DraftError::NoRecipient));
    }

    #[test]
    fn only_what_the_person_wrote_can_be_lost() {
        let mut reply =
            Draft::reply(&account(1, "me@x.example"), &received(), Audience::Sender, "today");
        assert!(!reply.is_written());
        reply.text.insert_str(0, "Yes!");
        assert!(reply.is_written());
        let mut new = Draft::new(AccountId(1));
        assert!(!new.is_written());
        new.subject = "Hello".into();
        assert!(new.is_written());
    }

    #[test]
    fn a_wrong_address_is_named_with_its_field() {
        let draft = Draft { to: "a@b".into(), cc: "c@d, nobody".into(), ..Draft::default() };
        assert_eq!(
            draft.outgoing(vec![]),
            Err(DraftError::NoAddress(DraftField::Cc, "nobody".into()))
        );
    }

    #[test]
    fn a_saved_draft_comes_back() {
        let draft =
            Draft { text: "größer 日本".into(), in_reply_to: Some((1, 2)), ..Draft::default() };
        assert_eq!(Draft::from_saved(&draft.to_saved()), Some(draft));
        assert_eq!(Draft::from_saved("日"), None);
        assert_eq!(Draft::from_saved(""), None);
    }
}
