//! Which messages a change is about.

use std::collections::{BTreeMap, HashSet};

use postern_bridge::{Change as Wanted, ClientId, MailboxId, MessageId, Problem, Role, Selection};

use super::Client;
use crate::{
    Host, MailError, Store,
    changes::{self, Editor},
    record::{self, Account},
    store::{KeyRange, Table},
};

impl<H: Host> Client<H> {
    /// Says which messages a selection means at this moment.
    pub(super) async fn named(
        &self,
        page: ClientId,
        messages: Selection,
    ) -> Result<Vec<MessageId>, Problem> {
        let named = self.name_all(page, messages).await;
        named.map_err(|error| error.problem("The mail server"))
    }

    async fn name_all(
        &self,
        page: ClientId,
        messages: Selection,
    ) -> Result<Vec<MessageId>, MailError> {
        let mut messages = messages;
        self.name(page, &mut messages).await?;
        let account = self.account_of(named_mailbox(&messages)?).await?;
        let mut editor = Editor::begin(&*self.inner.host, &account, None).await?;
        let selected = self.selected(&mut editor, &account, messages).await?;
        let ids = selected.into_iter().flat_map(|(mailbox, uids)| {
            uids.into_iter().map(move |uid| MessageId { mailbox, uid })
        });
        Ok(ids.collect())
    }

    /// Names the messages of a selection of which the store does not know what it means: of what the
    /// page's search has found, or of conversations.
    pub(super) async fn name(
        &self,
        page: ClientId,
        messages: &mut Selection,
    ) -> Result<(), MailError> {
        self.name_found(page, messages)?;
        self.name_conversations(messages).await
    }

    fn name_found(&self, page: ClientId, messages: &mut Selection) -> Result<(), MailError> {
        if !matches!(messages, Selection::FoundBetween { .. } | Selection::FoundBut { .. }) {
            return Ok(());
        }
        let windows = self.inner.windows.borrow();
        let search = windows.get(&page).and_then(|window| window.search.as_ref());
        let found = search.and_then(|search| search.selected(messages));
        *messages = Selection::Messages(found.ok_or(MailError::Gone("search"))?);
        Ok(())
    }

    /// The account of a change.
    pub(super) async fn account_of_change(&self, change: &Wanted) -> Result<Account, MailError> {
        let mailbox = match change {
            Wanted::CreateMailbox { account, .. } => return self.account(*account),
            Wanted::Mark { messages, .. }
            | Wanted::Move { messages, .. }
            | Wanted::Copy { messages, .. }
            | Wanted::Archive { messages }
            | Wanted::Junk { messages }
            | Wanted::NotJunk { messages }
            | Wanted::Delete { messages }
            | Wanted::DeleteForGood { messages } => named_mailbox(messages)?,
            Wanted::Empty { mailbox }
            | Wanted::MoveMailbox { mailbox, .. }
            | Wanted::DeleteMailbox { mailbox }
            | Wanted::Subscribe { mailbox, .. } => *mailbox,
        };
        self.account_of(mailbox).await
    }

    /// Whether the page saw all of these messages in the trash.
    pub(super) async fn are_seen_in_trash(&self, messages: &Selection) -> Result<bool, MailError> {
        let mut mailboxes: Vec<MailboxId> = match messages {
            Selection::Messages(ids) => ids.iter().map(|id| id.mailbox).collect(),
            _ => vec![named_mailbox(messages)?],
        };
        mailboxes.sort_unstable();
        mailboxes.dedup();
        for mailbox in mailboxes {
            if self.role(mailbox).await? != Some(Role::Trash) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Where a message is now that a page may know by an earlier number.
    pub(super) fn current(&self, id: MessageId) -> MessageId {
        self.inner.places.borrow().of(id)
    }

    /// The messages of a selection, by mailbox; in the order in which they are.
    pub(super) async fn selected(
        &self,
        editor: &mut Editor<'_, H>,
        account: &Account,
        selection: Selection,
    ) -> Result<BTreeMap<MailboxId, Vec<u32>>, MailError> {
        let ids = match selection {
            Selection::Messages(ids) => ids.into_iter().map(|id| self.current(id)).collect(),
            Selection::Between(one, other) => {
                let ends = [self.current(one), self.current(other)];
                let order = self.in_order(ends[0].mailbox).await?;
                let place = |id| order.iter().position(|own| *own == id);
                let places = place(ends[0]).zip(place(ends[1]));
                let (one, other) = places.ok_or(MailError::Gone("message"))?;
                order[one.min(other)..=one.max(other)].to_vec()
            }
            // Named by now.
            Selection::FoundBetween { .. } | Selection::FoundBut { .. } => {
                return Err(MailError::Gone("search"));
            }
            Selection::Conversations(_) | Selection::ConversationsBetween(..) => {
                return Err(MailError::Gone("conversation"));
            }
            Selection::ConversationsBut { mailbox, except } => {
                let (mut uids, except) = self.all_and_those(mailbox, &except).await?;
                editor.keep_meant(&mut uids);
                let meant = uids.into_iter().filter(|uid| !except.contains(uid));
                meant.map(|uid| MessageId { mailbox, uid }).collect()
            }
            Selection::AllBut { mailbox, except } => {
                let except: HashSet<_> = except.into_iter().map(|id| self.current(id)).collect();
                let all = self.in_order(mailbox).await?;
                let mut uids: Vec<u32> = all.iter().map(|id| id.uid).collect();
                editor.keep_meant(&mut uids);
                let meant = uids.into_iter().map(|uid| MessageId { mailbox, uid });
                meant.filter(|id| !except.contains(id)).collect()
            }
        };
        if ids.len() > changes::limits::SELECTED {
            return Err(MailError::Input("These are too many messages for one change.".into()));
        }
        let mut selected: BTreeMap<MailboxId, Vec<u32>> = BTreeMap::new();
        for id in ids {
            selected.entry(id.mailbox).or_default().push(id.uid);
        }
        for mailbox in selected.keys() {
            if self.mailbox(*mailbox).await?.account != account.id {
                let sentence = "One change can only be about messages of one account.";
                return Err(MailError::Input(sentence.into()));
            }
        }
        Ok(selected)
    }

    /// A mailbox's messages, oldest first.
    async fn in_order(&self, mailbox: MailboxId) -> Result<Vec<MessageId>, MailError> {
        let range = KeyRange::prefix(record::mailbox_key(mailbox));
        let keys = self.store().keys(Table::Arrival, &range).await?;
        Ok(keys.iter().map(record::arrived_message).collect::<Result<_, _>>()?)
    }
}

/// The mailbox in which the page saw the messages.
fn named_mailbox(messages: &Selection) -> Result<MailboxId, MailError> {
    Ok(match messages {
        Selection::Messages(ids) => ids.first().ok_or(MailError::Gone("message"))?.mailbox,
        Selection::Conversations(ids) => ids.first().ok_or(MailError::Gone("message"))?.mailbox,
        Selection::Between(one, _) | Selection::ConversationsBetween(one, _) => one.mailbox,
        Selection::AllBut { mailbox, .. }
        | Selection::ConversationsBut { mailbox, .. }
        | Selection::FoundBut { mailbox, .. } => *mailbox,
        Selection::FoundBetween { one, .. } => one.mailbox,
    })
}
