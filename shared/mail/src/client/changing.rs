//! Changes that the person makes, and how they end.

use std::collections::BTreeMap;

use postern_bridge::{
    AccountId, Change as Wanted, ChangeId, Delta, Done, MailboxId, Moved, Problem, ProblemKind,
    Refused, Role, Selection,
};

use super::{Client, lists::Change, marking::keyword};
use crate::{
    Host, MailError,
    changes::{self, Editor, Entry, Item, Made, Origin, Settled, Task, Tense},
    imap::Outcome,
    record::{Account, Mailbox},
};

impl<H: Host> Client<H> {
    /// Makes a change here and has the server told. The same request again, as after a change of the
    /// leading page, is the same change.
    pub(super) async fn change(&self, origin: Origin, change: Wanted) -> Result<Done, Problem> {
        let mut change = change;
        if let Some(messages) = change.messages_mut() {
            let named = self.name(origin.0, messages).await;
            named.map_err(|error| error.problem("The mail server"))?;
        }
        let account = match self.account_of_change(&change).await {
            Ok(account) => account,
            Err(error) => return Err(error.problem("The mail server")),
        };
        let changed = self.change_in(&account, origin, change).await;
        changed.map_err(|error| self.problem(account.id, &error))
    }

    async fn change_in(
        &self,
        account: &Account,
        origin: Origin,
        change: Wanted,
    ) -> Result<Done, MailError> {
        let mut editor = Editor::begin(&*self.inner.host, account, Some(origin)).await?;
        let result = self.apply(&mut editor, account, change).await;
        // What was done before it failed is done, and is told.
        let made = editor.finish();
        self.tell_made(account.id, &made).await?;
        let is_removal =
            |part: &Entry| matches!(part.task, Task::Expunge { .. } | Task::Empty { .. });
        if made.parts.iter().any(is_removal) {
            self.room_was_made().await;
        }
        let mailbox = result?;
        let (sentence, messages) =
            changes::sentence(self.store(), &made.parts, Tense::Done).await?;
        let sentence = match changes::damaged(&made.damaged) {
            Some(damaged) if made.parts.is_empty() => return Err(MailError::Input(damaged)),
            Some(damaged) => format!("{sentence}. {damaged}"),
            None => sentence,
        };
        Ok(Done {
            change: made.change.unwrap_or(ChangeId(0)),
            sentence,
            messages,
            mailbox,
            can_undo: changes::can_undo(&made.parts),
        })
    }

    async fn apply(
        &self,
        editor: &mut Editor<'_, H>,
        account: &Account,
        change: Wanted,
    ) -> Result<Option<MailboxId>, MailError> {
        match change {
            Wanted::Mark { messages, mark, set } => {
                let check = |own: &Mailbox| changes::check_marking(own, &mark);
                for (mailbox, uids) in self.allowed(editor, account, messages, check).await? {
                    editor.mark(mailbox, &uids, &mark, set).await?;
                }
            }
            Wanted::Move { messages, to } => {
                for (mailbox, uids) in self.removable(editor, account, messages).await? {
                    editor.transfer(mailbox, &uids, to, false).await?;
                }
            }
            Wanted::Copy { messages, to } => {
                for (mailbox, uids) in self.selected(editor, account, messages).await? {
                    editor.transfer(mailbox, &uids, to, true).await?;
                }
            }
            Wanted::Archive { messages } => {
                let selected = self.removable(editor, account, messages).await?;
                let archive = self.place_for(editor, account, Role::Archive).await?;
                for (mailbox, uids) in selected {
                    editor.transfer(mailbox, &uids, archive, false).await?;
                }
            }
            Wanted::Junk { messages } => {
                let selected = self.removable(editor, account, messages).await?;
                let junk = self.place_for(editor, account, Role::Junk).await?;
                for (mailbox, uids) in selected {
                    self.mark_junk(editor, mailbox, &uids, true).await?;
                    editor.transfer(mailbox, &uids, junk, false).await?;
                }
            }
            Wanted::NotJunk { messages } => {
                let check = |own: &Mailbox| match own.role {
                    Some(Role::Junk) => changes::check_removal(own),
                    _ => changes::check_marking(own, &keyword(changes::NOT_JUNK)),
                };
                let selected = self.allowed(editor, account, messages, check).await?;
                let inbox = self.place_for(editor, account, Role::Inbox).await?;
                for (mailbox, uids) in selected {
                    self.mark_junk(editor, mailbox, &uids, false).await?;
                    if self.role(mailbox).await? == Some(Role::Junk) {
                        editor.transfer(mailbox, &uids, inbox, false).await?;
                    }
                }
            }
            Wanted::Delete { messages } => {
                // A message that was deleted a moment ago is in the trash by now, though the page
                // still showed it elsewhere: only what the page saw there is deleted for good.
                let in_trash = self.are_seen_in_trash(&messages).await?;
                for (mailbox, uids) in self.removable(editor, account, messages).await? {
                    if self.role(mailbox).await? == Some(Role::Trash) {
                        if in_trash {
                            editor.expunge(mailbox, &uids).await?;
                        }
                    } else {
                        let trash = self.place_for(editor, account, Role::Trash).await?;
                        editor.transfer(mailbox, &uids, trash, false).await?;
                    }
                }
            }
            Wanted::DeleteForGood { messages } => {
                for (mailbox, uids) in self.removable(editor, account, messages).await? {
                    editor.expunge(mailbox, &uids).await?;
                }
            }
            Wanted::Empty { mailbox } => {
                if !matches!(self.role(mailbox).await?, Some(Role::Trash | Role::Junk)) {
                    let sentence = "Only the trash and the folder for junk can be emptied.";
                    return Err(MailError::Input(sentence.into()));
                }
                changes::check_removal(&self.mailbox(mailbox).await?)?;
                editor.empty(mailbox).await?;
            }
            Wanted::CreateMailbox { parent, name, .. } => {
                return editor.create_mailbox(parent, &name, None).await.map(Some);
            }
            Wanted::MoveMailbox { mailbox, parent, name } => {
                editor.move_mailbox(mailbox, parent, &name).await?;
            }
            Wanted::DeleteMailbox { mailbox } => editor.remove_mailbox(mailbox).await?,
            Wanted::Subscribe { mailbox, subscribed } => {
                editor.subscribe(mailbox, subscribed).await?;
            }
        }
        Ok(None)
    }

    /// The selected messages by mailbox, if this account may do with those of each what is wanted: that
    /// is known before anything is done in one of them.
    async fn allowed(
        &self,
        editor: &mut Editor<'_, H>,
        account: &Account,
        messages: Selection,
        check: impl Fn(&Mailbox) -> Result<(), MailError>,
    ) -> Result<BTreeMap<MailboxId, Vec<u32>>, MailError> {
        let selected = self.selected(editor, account, messages).await?;
        for mailbox in selected.keys() {
            check(&self.mailbox(*mailbox).await?)?;
        }
        Ok(selected)
    }

    /// The selected messages by mailbox, if all of them may be taken out of theirs.
    async fn removable(
        &self,
        editor: &mut Editor<'_, H>,
        account: &Account,
        messages: Selection,
    ) -> Result<BTreeMap<MailboxId, Vec<u32>>, MailError> {
        self.allowed(editor, account, messages, changes::check_removal).await
    }

    /// Takes a change back.
    pub(super) async fn undo(&self, change: ChangeId) -> Result<String, Problem> {
        let result = self.undo_change(change).await;
        result.map_err(|error| error.problem("The mail server"))
    }

    async fn undo_change(&self, change: ChangeId) -> Result<String, MailError> {
        for id in self.account_ids() {
            let account = self.account(id)?;
            let undone = match changes::undo(&*self.inner.host, &account, change).await {
                Err(MailError::Gone(_)) => continue,
                undone => undone?,
            };
            let parts = &undone.parts;
            let (sentence, _) = changes::sentence(self.store(), parts, Tense::Undone).await?;
            let damaged = changes::damaged(&undone.made.damaged);
            let sentence = damaged.map_or(sentence.clone(), |own| format!("{sentence}. {own}"));
            self.tell_settled(id, undone.cancelled).await?;
            self.tell_made(id, &undone.made).await?;
            return Ok(sentence);
        }
        Err(MailError::Gone("change"))
    }

    /// Shows what was made here, and has the server told.
    pub(super) async fn tell_made(&self, account: AccountId, made: &Made) -> Result<(), MailError> {
        let changes_order = |task: &Task| !matches!(task, Task::Mark { .. });
        let change = if made.parts.iter().any(|part| changes_order(&part.task)) {
            Change::Order
        } else {
            Change::Rows
        };
        let about_mailboxes = |task: &Task| {
            matches!(
                task,
                Task::Create { .. }
                    | Task::Rename { .. }
                    | Task::Remove { .. }
                    | Task::Subscribe { .. }
            )
        };
        self.tell_moved(&made.moved);
        for mailbox in &made.changed {
            self.note_change(*mailbox, change);
        }
        if made.parts.iter().any(|part| about_mailboxes(&part.task)) {
            self.tell_mailboxes(None, account).await?;
        }
        let is_to_be_told = made.parts.iter().any(Entry::is_open);
        // A deleted mailbox takes along what the server was still to be told of it.
        let removes = made.parts.iter().any(|part| matches!(part.task, Task::Remove { .. }));
        if is_to_be_told || removes {
            self.tell_pending(account).await?;
        }
        if is_to_be_told {
            self.queue_changes(account);
        }
        Ok(())
    }

    pub(super) fn tell_moved(&self, moved: &[Moved]) {
        if !moved.is_empty() {
            self.inner.places.borrow_mut().note(moved);
            self.searches_follow_moved(moved);
            self.tell(None, Delta::Moved(moved.to_vec()));
        }
    }

    /// Tells pages how many changes the server is still to be told.
    pub(super) async fn tell_pending(&self, account: AccountId) -> Result<(), MailError> {
        let changes = changes::open(self.store(), account).await?;
        self.tell(None, Delta::Pending { account, changes });
        Ok(())
    }

    /// Shows how an entry of the queue has ended.
    pub(super) async fn tell_settled(
        &self,
        account: AccountId,
        settled: Settled,
    ) -> Result<(), MailError> {
        self.tell_moved(&settled.moved);
        for mailbox in settled.changed {
            self.note_change(mailbox, Change::Order);
        }
        for mailbox in settled.unknown {
            self.ask_for(account, mailbox);
        }
        if settled.mailboxes {
            self.tell_mailboxes(None, account).await?;
            self.refresh(account)?;
        }
        self.tell_pending(account).await
    }

    /// Shows what became of an entry that the server was told.
    pub(super) async fn tell_outcome(
        &self,
        entry: &Entry,
        outcome: Outcome,
    ) -> Result<(), MailError> {
        let Outcome { settled, left_behind, uncopied } = outcome;
        let left = settled.left - uncopied;
        self.tell_settled(entry.account, settled).await?;
        let host = self.account(entry.account)?.incoming.endpoint.host;
        if uncopied > 0 {
            let sentence = format!(
                "{host} did not say that it has copied them, and they were not found there. They \
                 stay where they were."
            );
            let problem = Problem::new(ProblemKind::Server, sentence);
            self.tell_refused(entry, problem, Some(uncopied)).await?;
        }
        if left_behind {
            let sentence = format!(
                "{host} can't remove single messages. They stay where they were, marked as deleted."
            );
            self.tell_refused(entry, Problem::new(ProblemKind::Server, sentence), None).await?;
        } else if left > 0 {
            let sentence = format!("They are no longer on {host}, or could not be found there.");
            self.tell_refused(entry, Problem::new(ProblemKind::Gone, sentence), Some(left)).await?;
        }
        Ok(())
    }

    /// Takes back what the server has refused, and tells why.
    pub(super) async fn take_back_refused(
        &self,
        entry: &Entry,
        error: &MailError,
    ) -> Result<(), MailError> {
        // Told before it is taken back: a folder that was to be made still has its name.
        let problem = self.problem(entry.account, error);
        self.tell_refused(entry, problem, None).await?;
        let settled = changes::refused(&*self.inner.host, entry, error).await?;
        self.tell_settled(entry.account, settled).await
    }

    /// Keeps what the server does not listen to, so that the rest of the queue goes on, and tells so.
    pub(super) async fn hold_unheard(&self, entry: &Entry) -> Result<(), MailError> {
        let host = self.account(entry.account)?.incoming.endpoint.host;
        let sentence = format!(
            "{host} hangs up each time when it is told. It is kept here, and will be told again when \
             Postern starts the next time."
        );
        self.tell_refused(entry, Problem::new(ProblemKind::Server, sentence), None).await?;
        changes::hold(&*self.inner.host, entry).await?;
        self.tell_pending(entry.account).await
    }

    async fn tell_refused(
        &self,
        entry: &Entry,
        problem: Problem,
        messages: Option<u32>,
    ) -> Result<(), MailError> {
        let mut entry = entry.clone();
        if let (Some(messages), Some(items)) = (messages, entry.task.items_mut()) {
            // Some may have left the entry since.
            items.resize(messages as usize, Item::default());
        }
        let parts = std::slice::from_ref(&entry);
        let (sentence, _) = changes::sentence(self.store(), parts, Tense::Refused).await?;
        let Entry { account, change, .. } = entry;
        self.tell(None, Delta::Refused(Box::new(Refused { account, change, sentence, problem })));
        Ok(())
    }

    /// The mailbox for a role, which is made if there is none.
    pub(super) async fn place_for(
        &self,
        editor: &mut Editor<'_, H>,
        account: &Account,
        role: Role,
    ) -> Result<MailboxId, MailError> {
        let mailboxes = self.mailboxes(account.id).await?;
        if let Some(own) = mailboxes.iter().find(|own| own.role == Some(role) && own.selectable) {
            return Ok(own.id);
        }
        let name = match role {
            Role::Inbox => return Err(MailError::Gone("inbox")),
            Role::Drafts => "Drafts",
            Role::Sent => "Sent",
            Role::Archive => "Archive",
            Role::Junk => "Junk",
            Role::Trash => "Trash",
        };
        editor.create_mailbox(None, name, Some(role)).await
    }

    pub(super) async fn role(&self, mailbox: MailboxId) -> Result<Option<Role>, MailError> {
        Ok(self.mailbox(mailbox).await?.role)
    }
}

#[cfg(test)]
mod tests;
