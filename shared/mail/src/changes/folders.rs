//! Mailboxes made, renamed, deleted and subscribed to.
//!
//! As with messages it shows at once; the entry follows. While such an entry is open, the server's
//! list of mailboxes is not taken for the truth (see [`Mailboxes::of`]).

use postern_bridge::{AccountId, MailboxId, Role};
use postern_imap::mailbox_name;

use super::{
    editor::Editor,
    entry::{Entry, State, Task, entries},
    limits,
    stage::Stage,
    unmake::{is_in, renamed},
};
use crate::{
    Host, MailError, Store,
    imap::{forget_messages, limits::MAILBOX_DEPTH},
    record::{self, Mailbox, Message, Record, Series, next_number},
    store::{KeyRange, StoreError, Table},
};

/// What separates the names of a local mailbox in its path.
const LOCAL_DELIMITER: u8 = b'/';

impl<H: Host> Editor<'_, H> {
    /// Makes a mailbox; returns its number.
    ///
    /// # Errors
    ///
    /// [`MailError::Input`] for a name that can't be or is taken; else if the store can't be written.
    pub async fn create_mailbox(
        &mut self,
        parent: Option<MailboxId>,
        name: &str,
        role: Option<Role>,
    ) -> Result<MailboxId, MailError> {
        let made = self.parts().iter().find_map(|part| match part.task {
            Task::Create { mailbox, .. } => Some(mailbox),
            _ => None,
        });
        if let Some(made) = made {
            return Ok(made);
        }
        let store = self.host.store();
        let _editing = self.editing().await;
        let all = record::mailboxes(store, self.account.id).await?;
        if let Some(own) = all.iter().find(|own| role.is_some() && own.role == role) {
            return Ok(own.id);
        }
        let (names, path) = self.place_for(&all, parent, name, None)?;
        let (number, numbered) = next_number(store, Series::Mailbox).await?;
        let local = self.is_local();
        let mailbox = Mailbox {
            path,
            names,
            role,
            delimiter: delimiter(&all, local),
            // A local mailbox gives out UIDs; one on a server has told none.
            uid_validity: local.into(),
            uid_next: local.into(),
            ..Mailbox::new(MailboxId(number), self.account.id)
        };
        let mut stage = Stage::new(store);
        stage.write(numbered);
        stage.write(mailbox.put());
        self.commit(stage, vec![Task::Create { mailbox: mailbox.id, role }]).await?;
        Ok(mailbox.id)
    }

    /// Gives a mailbox another name or place, and those that are nested in it.
    ///
    /// # Errors
    ///
    /// [`MailError::Input`] for a name that can't be or is taken, or a mailbox that stays what it
    /// is; else if the store can't be written.
    pub async fn move_mailbox(
        &mut self,
        mailbox: MailboxId,
        parent: Option<MailboxId>,
        name: &str,
    ) -> Result<(), MailError> {
        let store = self.host.store();
        let _editing = self.editing().await;
        let all = record::mailboxes(store, self.account.id).await?;
        let own = find(&all, mailbox)?;
        check_own(own, "renamed")?;
        let (names, path) = self.place_for(&all, parent, name, Some(own))?;
        if names == own.names {
            return Ok(());
        }
        if names.starts_with(&own.names) && names.len() > own.names.len() {
            return Err(MailError::Input("A folder can't be moved into itself.".into()));
        }
        let deepest = all.iter().filter(|other| is_in(other, &own.names));
        let below = deepest.map(|other| other.names.len() - own.names.len()).max().unwrap_or(0);
        if names.len() + below > MAILBOX_DEPTH {
            return Err(too_deep());
        }
        let affected = |other: &&Mailbox| other.id == mailbox || is_in(other, &own.names);
        let ids: Vec<MailboxId> = all.iter().filter(affected).map(|other| other.id).collect();
        self.check_settled(&ids, "Rename").await?;
        let mut stage = Stage::new(store);
        for other in all.iter().filter(affected) {
            *stage.mailbox(other.id).await? =
                renamed(other, (&own.names, &own.path), (&names, &path));
        }
        let task = Task::Rename {
            mailbox,
            before: own.names.clone(),
            after: names,
            old: own.path.clone(),
            new: path,
        };
        self.commit(stage, vec![task]).await
    }

    /// Deletes a mailbox and its messages.
    ///
    /// The lock for editing is held all the while, so that nothing is moved in that the ledger does not
    /// learn of. A local mailbox is emptied in several batches: a crash in between leaves it with fewer
    /// messages.
    ///
    /// # Errors
    ///
    /// [`MailError::Input`] for one that stays, or that others are nested in; else if the store
    /// can't be written.
    pub async fn remove_mailbox(&mut self, mailbox: MailboxId) -> Result<(), MailError> {
        let editing = self.editing().await;
        let was_locked = self.set_locked(true);
        let removed = self.remove_locked(mailbox).await;
        self.set_locked(was_locked);
        drop(editing);
        removed
    }

    /// Deletes a mailbox while the lock for editing is held.
    async fn remove_locked(&mut self, mailbox: MailboxId) -> Result<(), MailError> {
        let store = self.host.store();
        if self.is_local() && self.removable(mailbox).await?.is_some() {
            let range = KeyRange::prefix(record::mailbox_key(mailbox));
            let (messages, unreadable) = record::readable::<Message>(store, &range).await?;
            if !unreadable.is_empty() {
                return Err(MailError::Input(
                    "There are messages in this folder that can't be read. What is left of them would \
                     be lost, so the folder stays."
                        .into(),
                ));
            }
            // So that the ledger learns of each message.
            let uids: Vec<u32> = messages.iter().map(|message| message.id.uid).collect();
            self.expunge(mailbox, &uids).await?;
        }
        let Some(own) = self.removable(mailbox).await? else { return Ok(()) };
        self.check_settled(&[mailbox], "Delete").await?;
        let mut stage = Stage::new(store);
        stage.write(own.delete());
        forget_messages(own.id).into_iter().for_each(|write| stage.write(write));
        let (needless, is_unheard_of) = self.needless(mailbox).await?;
        let done = State::Done(self.host.now());
        for entry in needless {
            stage.write(Entry { state: done, ..entry }.put());
        }
        let state = if is_unheard_of { done } else { self.first_state() };
        self.commit_as(stage, vec![Task::Remove { mailbox: own.clone() }], state).await
    }

    /// What the server need not be told any more of a mailbox that is deleted, and whether it has
    /// not heard of it at all. Then it is told nothing: what others call the same meanwhile is theirs.
    async fn needless(&self, mailbox: MailboxId) -> Result<(Vec<Entry>, bool), StoreError> {
        let mut entries = entries(self.host.store(), self.account.id).await?;
        entries.retain(|own| own.state == State::Queued && own.task.mailboxes().contains(&mailbox));
        let is_new = entries.iter().any(|own| matches!(own.task, Task::Create { .. }));
        entries.retain(|own| is_new || matches!(own.task, Task::Subscribe { .. }));
        Ok((entries, is_new))
    }

    /// A mailbox that may be deleted; `None` if there is none.
    async fn removable(&self, mailbox: MailboxId) -> Result<Option<Mailbox>, MailError> {
        let all = record::mailboxes(self.host.store(), self.account.id).await?;
        let Some(own) = all.iter().find(|own| own.id == mailbox) else { return Ok(None) };
        check_own(own, "deleted")?;
        if all.iter().any(|other| is_in(other, &own.names)) {
            return Err(MailError::Input(
                "There are folders in this folder. Delete or move them first.".into(),
            ));
        }
        Ok(Some(own.clone()))
    }

    /// Refuses to delete or rename mailboxes whose messages the server is still to be told of: it
    /// knows them under the old name, and would delete what is on its way out.
    async fn check_settled(&self, mailboxes: &[MailboxId], verb: &str) -> Result<(), MailError> {
        let entries = entries(self.host.store(), self.account.id).await?;
        let open = || entries.iter().filter(|entry| entry.is_open());
        // One that the server is still to be told of gets its last name at once.
        let is_new = |id: &MailboxId| {
            open().any(|own| matches!(own.task, Task::Create { mailbox, .. } if mailbox == *id))
        };
        let known = || mailboxes.iter().filter(|id| verb == "Delete" || !is_new(id));
        if open().any(|entry| known().any(|id| entry.task.has_messages_of(*id))) {
            return Err(MailError::Input(format!(
                "The mail server is still to be told of changes to messages in this folder. \
                 {verb} it once that is done."
            )));
        }
        Ok(())
    }

    /// Subscribes to a mailbox, or no longer.
    ///
    /// # Errors
    ///
    /// If it is not there, or the store can't be written.
    pub async fn subscribe(
        &mut self,
        mailbox: MailboxId,
        subscribed: bool,
    ) -> Result<(), MailError> {
        let store = self.host.store();
        let _editing = self.editing().await;
        let mut stage = Stage::new(store);
        let own = stage.mailbox(mailbox).await?;
        if own.subscribed == subscribed || self.is_local() {
            return Ok(());
        }
        own.subscribed = subscribed;
        self.commit(stage, vec![Task::Subscribe { mailbox, subscribed }]).await
    }

    /// Names and path of a mailbox that is made or moved.
    fn place_for(
        &self,
        all: &[Mailbox],
        parent: Option<MailboxId>,
        name: &str,
        own: Option<&Mailbox>,
    ) -> Result<(Vec<String>, Vec<u8>), MailError> {
        let (names, path) = new_place(all, self.is_local(), parent, name)?;
        let name = name.trim();
        let is_other = |other: &&Mailbox| own.is_none_or(|own| own.id != other.id);
        if all.iter().filter(is_other).any(|other| other.names == names || other.path == path) {
            return Err(MailError::Input(format!("There is a folder named “{name}” already.")));
        }
        if names.len() > MAILBOX_DEPTH {
            return Err(too_deep());
        }
        Ok((names, path))
    }
}

/// The path on the server of a mailbox that is to be made.
///
/// # Errors
///
/// [`MailError::Input`] for a name that can't be.
pub fn new_path(
    all: &[Mailbox],
    parent: Option<MailboxId>,
    name: &str,
) -> Result<Vec<u8>, MailError> {
    Ok(new_place(all, false, parent, name)?.1)
}

/// Names and path of a mailbox that is to be made.
fn new_place(
    all: &[Mailbox],
    local: bool,
    parent: Option<MailboxId>,
    name: &str,
) -> Result<(Vec<String>, Vec<u8>), MailError> {
    let name = name.trim();
    let delimiter = delimiter(all, local);
    check_name(name, delimiter)?;
    let parent = parent.map(|id| find(all, id)).transpose()?;
    let mut names = parent.map(|parent| parent.names.clone()).unwrap_or_default();
    names.push(name.into());
    let encoded = mailbox_name::encode(name);
    let path = match (parent, delimiter) {
        (None, delimiter) => [prefix(all, delimiter), encoded].concat(),
        (Some(parent), Some(delimiter)) if parent.can_nest => {
            [&parent.path[..], &[delimiter], &encoded].concat()
        }
        (Some(parent), _) => {
            let name = super::editor::name(parent);
            return Err(MailError::Input(format!("There can be no folders in “{name}”.")));
        }
    };
    Ok((names, path))
}

/// What is open about an account's mailboxes, so that a list that the server gave earlier is not
/// taken for the truth.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mailboxes {
    open: usize,
    last: u32,
}

impl Mailboxes {
    /// What is open now.
    ///
    /// # Errors
    ///
    /// If the store can't be read.
    pub async fn of(store: &impl Store, account: AccountId) -> Result<Self, StoreError> {
        let entries = entries(store, account).await?;
        let about = || entries.iter().filter(|entry| entry.task.is_about_mailboxes());
        let is_open = |entry: &&Entry| matches!(entry.state, State::Queued | State::Tried);
        Ok(Self {
            open: about().filter(is_open).count(),
            last: about().map(|entry| entry.number).max().unwrap_or(0),
        })
    }

    /// Whether a list that was asked for at `self` is the truth at `now`.
    pub fn allow(&self, now: &Self) -> bool {
        self.open == 0 && now.open == 0 && self.last == now.last
    }
}

/// What stands before the names of mailboxes at the top: on some servers all are in the inbox.
fn prefix(all: &[Mailbox], delimiter: Option<u8>) -> Vec<u8> {
    let Some(delimiter) = delimiter else { return Vec::new() };
    let is_inbox = |path: &[u8]| path.eq_ignore_ascii_case(b"INBOX");
    let others = || all.iter().filter(|own| !is_inbox(&own.path));
    let in_inbox =
        |own: &Mailbox| own.path.len() > 6 && is_inbox(&own.path[..5]) && own.path[5] == delimiter;
    if others().next().is_some() && others().all(in_inbox) {
        return [&b"INBOX"[..], &[delimiter]].concat();
    }
    Vec::new()
}

fn delimiter(all: &[Mailbox], local: bool) -> Option<u8> {
    if local { Some(LOCAL_DELIMITER) } else { all.iter().find_map(|own| own.delimiter) }
}

fn check_name(name: &str, delimiter: Option<u8>) -> Result<(), MailError> {
    let input = |sentence: String| Err(MailError::Input(sentence));
    if name.is_empty() {
        return input("Please enter a name for the folder.".into());
    }
    if name.chars().count() > limits::NAME {
        return input(format!("A folder's name can have at most {} characters.", limits::NAME));
    }
    let delimiter = delimiter.map_or('/', char::from);
    let bad = |c: char| c == delimiter || matches!(c, '%' | '*') || c.is_control();
    if name.contains(bad) {
        return input(format!("A folder's name can't have the signs {delimiter} % *."));
    }
    Ok(())
}

fn check_own(mailbox: &Mailbox, what: &str) -> Result<(), MailError> {
    if mailbox.role.is_none() {
        return Ok(());
    }
    let name = super::editor::name(mailbox);
    Err(MailError::Input(format!("“{name}” is needed and can't be {what}.")))
}

fn too_deep() -> MailError {
    MailError::Input(format!("Folders can be nested at most {MAILBOX_DEPTH} deep."))
}

fn find(all: &[Mailbox], id: MailboxId) -> Result<&Mailbox, MailError> {
    all.iter().find(|own| own.id == id).ok_or(MailError::Gone("folder"))
}

/// The UIDs of a mailbox's messages.
pub(super) async fn stored_uids(
    store: &impl Store,
    mailbox: MailboxId,
) -> Result<Vec<u32>, StoreError> {
    let keys = store.keys(Table::Messages, &KeyRange::prefix(record::mailbox_key(mailbox))).await?;
    let uid = |key: &crate::store::Key| key.0.last_chunk::<4>().map(|uid| u32::from_be_bytes(*uid));
    Ok(keys.iter().filter_map(uid).collect())
}
