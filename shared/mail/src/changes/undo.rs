//! Taking a change back.

use std::collections::BTreeMap;

use postern_bridge::{ChangeId, MessageId};

use super::{
    editor::{Editor, Made},
    entry::{Entry, State, Task, entries},
    folders::stored_uids,
    settle::Settled,
    take_back::take_back,
    unmake::is_in,
};
use crate::{
    Host, MailError, Store,
    record::{self, Account, Record},
    store::Durability,
};

/// How a change was taken back.
#[derive(Debug, Default)]
pub struct Undone {
    /// The parts that were taken back.
    pub parts: Vec<Entry>,
    /// What the parts that never happen mean for the pages.
    pub cancelled: Settled,
    /// The changes that reverse the other parts.
    pub made: Made,
}

/// Whether a change of these parts can be taken back: not if it deleted something for good.
pub fn can_undo(parts: &[Entry]) -> bool {
    !parts.is_empty()
        && parts.iter().all(|part| {
            !matches!(
                part.task,
                Task::Expunge { .. }
                    | Task::Empty { .. }
                    | Task::Remove { .. }
                    | Task::Append { .. }
            )
        })
}

/// Takes a change back: parts that the server has not heard of are cancelled, in one batch with the
/// note that the others are taken back; those are then reversed by changes of their own. A crash in
/// between leaves the change half taken back: nothing is lost, and the rest can be done by hand.
///
/// # Errors
///
/// [`MailError::Gone`] if it is not known (any more), [`MailError::Input`] if it can't be taken back;
/// else if the store can't be written.
pub async fn undo<H: Host>(
    host: &H,
    account: &Account,
    change: ChangeId,
) -> Result<Undone, MailError> {
    // While it is held, no part can come to its end at the server and get other numbers.
    let editing = host.store().editing().lock().await;
    let (parts, cancelled) = cancel(host, account, change).await?;
    let mut editor = Editor::begin_locked(host, account, &editing).await?;
    // Where messages are now that were somewhere else before the change.
    let mut places: BTreeMap<MessageId, u32> = BTreeMap::new();
    for part in parts.iter().rev().filter(|part| part.state != State::Queued) {
        reverse(&mut editor, part, &mut places).await?;
    }
    Ok(Undone { parts, cancelled, made: editor.finish() })
}

async fn cancel<H: Host>(
    host: &H,
    account: &Account,
    change: ChangeId,
) -> Result<(Vec<Entry>, Settled), MailError> {
    let store = host.store();
    let mut all = entries(store, account.id).await?;
    let parts: Vec<Entry> = all.iter().filter(|own| own.change == change).cloned().collect();
    if parts.is_empty() {
        return Err(MailError::Gone("change"));
    }
    if !can_undo(&parts) {
        return Err(MailError::Input("What was deleted for good can't be brought back.".into()));
    }
    let is_cancelled = |part: &&Entry| {
        part.state == State::Queued && !matches!(part.task, Task::Create { role: Some(_), .. })
    };
    for part in parts.iter().filter(is_cancelled) {
        check_unused(store, part).await?;
    }
    let queued: Vec<u32> = parts.iter().filter(is_cancelled).map(|part| part.number).collect();
    let cancelled = take_back(host, &mut all, &queued).await?;
    // What was taken back can't be taken back again.
    let writes: Vec<_> = parts
        .iter()
        .filter(|part| !is_cancelled(part))
        .map(|part| Entry { change: ChangeId(0), ..part.clone() }.put())
        .collect();
    store.apply(writes, Durability::Strict).await?;
    Ok((parts, cancelled))
}

/// Refuses to take back a mailbox that has been put to use.
async fn check_unused(store: &impl Store, part: &Entry) -> Result<(), MailError> {
    let Task::Create { mailbox, .. } = part.task else { return Ok(()) };
    let all = record::mailboxes(store, part.account).await?;
    let own = all.iter().find(|own| own.id == mailbox);
    let holds_others = own.is_some_and(|own| all.iter().any(|other| is_in(other, &own.names)));
    // Messages may be in it that are not stored here.
    let holds_some = own.is_some_and(|own| own.total > 0);
    if holds_others || holds_some || !stored_uids(store, mailbox).await?.is_empty() {
        return Err(MailError::Input(
            "The folder has been put to use by now. Delete it by hand.".into(),
        ));
    }
    Ok(())
}

async fn reverse<H: Host>(
    editor: &mut Editor<'_, H>,
    part: &Entry,
    places: &mut BTreeMap<MessageId, u32>,
) -> Result<(), MailError> {
    match &part.task {
        Task::Mark { mailbox, items, mark, set } => {
            let uids: Vec<u32> = items
                .iter()
                .map(|item| {
                    let id = MessageId { mailbox: *mailbox, uid: item.uid };
                    places.get(&id).copied().unwrap_or(item.uid)
                })
                .collect();
            editor.mark(*mailbox, &uids, mark, !set).await
        }
        Task::Transfer { from, to, items, copy: false, .. } => {
            let uids: Vec<u32> = items.iter().map(|item| item.to).filter(|uid| *uid != 0).collect();
            let before = editor.moved().len();
            editor.transfer(*to, &uids, *from, false).await?;
            for step in &editor.moved()[before..] {
                if let Some(item) = items.iter().find(|item| item.to == step.from.uid) {
                    places.insert(MessageId { mailbox: *from, uid: item.uid }, step.to.uid);
                }
            }
            Ok(())
        }
        Task::Transfer { to, items, copy: true, .. } => {
            let uids: Vec<u32> = items.iter().map(|item| item.to).filter(|uid| *uid != 0).collect();
            editor.expunge(*to, &uids).await
        }
        // A mailbox for a role is of use without the change that it was made for.
        Task::Create { role: Some(_), .. } => Ok(()),
        Task::Create { mailbox, role: None } => {
            check_unused(editor.host.store(), part).await?;
            editor.remove_mailbox(*mailbox).await
        }
        Task::Rename { mailbox, before, .. } => {
            let all = record::mailboxes(editor.host.store(), part.account).await?;
            let Some((name, above)) = before.split_last() else { return Ok(()) };
            let parent = all.iter().find(|own| own.names == above).map(|own| own.id);
            editor.move_mailbox(*mailbox, parent, name).await
        }
        Task::Subscribe { mailbox, subscribed } => editor.subscribe(*mailbox, !subscribed).await,
        Task::Expunge { .. } | Task::Empty { .. } | Task::Remove { .. } | Task::Append { .. } => {
            Ok(())
        }
    }
}
