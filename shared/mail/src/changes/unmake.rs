//! Making a change here undone that the server has not done.

use postern_bridge::{MailboxId, Mark, MessageId, Moved};

use super::{
    entry::{Entry, Item, State, Step, Task},
    pending::{is_provisional, set_mark},
    settle::Settled,
    stage::Stage,
};
use crate::{
    MailError, Store,
    imap::forget_messages,
    record::{self, Mailbox, Message, Record},
};

/// Takes back what an open entry changed here, and removes it from the queue. One that holds what is
/// in no other place is held instead.
pub(super) async fn unmake<S: Store>(
    stage: &mut Stage<'_, S>,
    entries: &mut Vec<Entry>,
    at: usize,
    settled: &mut Settled,
) -> Result<(), MailError> {
    let entry = entries[at].clone();
    match &entry.task {
        Task::Mark { mailbox, items, mark, set } => {
            doubt(stage, *mailbox, items, settled).await?;
            for item in items.iter().filter(|item| !item.doubtful) {
                unmark(stage, entries, &entry, (*mailbox, item), (mark, *set)).await?;
            }
        }
        Task::Transfer { from, to, items, copy, step } => {
            if *step != Step::Begun {
                // There may be copies.
                settled.unknown.insert(*to);
            }
            for item in items {
                return_item(stage, entries, entry.number, (*from, *to, *copy), item, settled)
                    .await?;
            }
            if !copy {
                doubt(stage, *from, items, settled).await?;
            }
        }
        // What was removed here is fetched again.
        Task::Expunge { mailbox, .. } | Task::Empty { mailbox, .. } => {
            settled.unknown.insert(*mailbox);
        }
        Task::Append { .. } => {
            entries[at].state = State::Held;
            return Ok(());
        }
        Task::Create { mailbox, .. } => {
            let holds = |own: &Entry| {
                own.is_open()
                    && matches!(own.task, Task::Append { mailbox: of, .. } if of == *mailbox)
            };
            if entries.iter().any(holds) {
                entries[at].state = State::Held;
                return Ok(());
            }
            settled.mailboxes = true;
            if let Ok(own) = stage.mailbox(*mailbox).await {
                let own = own.clone();
                stage.write(own.delete());
                forget_messages(own.id).into_iter().for_each(|write| stage.write(write));
                stage.forget_mailbox(own.id);
            }
        }
        Task::Rename { mailbox, before, after, old, new } => {
            settled.mailboxes = true;
            let mailboxes = record::mailboxes(stage.store(), entry.account).await?;
            for own in mailboxes.iter().filter(|own| own.id == *mailbox || is_in(own, after)) {
                let renamed = renamed(own, (after, new), (before, old));
                *stage.mailbox(own.id).await? = renamed;
            }
        }
        Task::Remove { mailbox } => {
            settled.mailboxes = true;
            settled.unknown.insert(mailbox.id);
            let back = Mailbox { uid_validity: 0, uid_next: 0, ..mailbox.clone() };
            stage.write(back.put());
        }
        Task::Subscribe { mailbox, subscribed } => {
            settled.mailboxes = true;
            if let Ok(own) = stage.mailbox(*mailbox).await {
                own.subscribed = !subscribed;
            }
        }
    }
    entries.remove(at);
    Ok(())
}

/// Makes undone what a transfer did here with one message: it is where it was, or its copy is gone.
pub(super) async fn return_item<S: Store>(
    stage: &mut Stage<'_, S>,
    entries: &mut [Entry],
    number: u32,
    (from, to, copy): (MailboxId, MailboxId, bool),
    item: &Item,
    settled: &mut Settled,
) -> Result<(), MailError> {
    let there = MessageId { mailbox: to, uid: item.to };
    come_back(stage, entries, number, there).await?;
    let home = MessageId { mailbox: from, uid: item.uid };
    if copy || !is_here(stage, from, item).await? {
        stage.remove(there).await?;
    } else if stage.relocate(Moved { from: there, to: home }).await? {
        settled.moved.push(Moved { from: there, to: home });
    } else {
        settled.unknown.insert(from);
    }
    Ok(())
}

/// Whether a mailbox is nested in another one.
pub(super) fn is_in(mailbox: &Mailbox, names: &[String]) -> bool {
    mailbox.names.len() > names.len() && mailbox.names.starts_with(names)
}

/// A mailbox, itself renamed or in one that is: what its names and path began with is replaced.
pub(super) fn renamed(
    mailbox: &Mailbox,
    (from, old): (&[String], &[u8]),
    (to, new): (&[String], &[u8]),
) -> Mailbox {
    let names = [to, mailbox.names.get(from.len()..).unwrap_or_default()].concat();
    let rest = mailbox.path.strip_prefix(old).unwrap_or_default();
    Mailbox { names, path: [new, rest].concat(), ..mailbox.clone() }
}

/// Brings a message back to `place` that later entries have moved on or marked; they no longer name
/// it.
async fn come_back<S: Store>(
    stage: &mut Stage<'_, S>,
    entries: &mut [Entry],
    number: u32,
    place: MessageId,
) -> Result<(), MailError> {
    // Where the message was after each of the later entries, last of all where it is.
    let mut places = vec![place];
    let mut marks = Vec::new();
    for entry in entries.iter_mut().filter(|own| own.is_open() && own.number > number) {
        let current = places[places.len() - 1];
        if entry.task.mailbox() != Some(current.mailbox) {
            continue;
        }
        let task = entry.task.clone();
        let Some(items) = entry.task.items_mut() else { continue };
        let Some(index) = items.iter().position(|item| item.uid == current.uid) else { continue };
        let item = items.remove(index);
        match task {
            Task::Transfer { to, copy, .. } => {
                let there = MessageId { mailbox: to, uid: item.to };
                if copy {
                    stage.remove(there).await?;
                } else {
                    places.push(there);
                }
            }
            Task::Mark { mark, set, .. } if !item.doubtful => marks.push((mark, set)),
            _ => {}
        }
    }
    let current = places[places.len() - 1];
    stage.relocate(Moved { from: current, to: place }).await?;
    let change = |message: &mut Message| {
        for (mark, set) in marks.iter().rev() {
            set_mark(&mut message.flags, &mut message.keywords, mark, !set);
        }
    };
    stage.change(place, change).await?;
    Ok(())
}

/// Undoes the giving or taking of a mark of a message, wherever later entries have brought it or a
/// copy of it. The first of them that changes the mark back has nothing left to do with it there,
/// and no longer names it: were that refused, it would be shown as it never was on the server. Of
/// what the server has heard of nobody knows whether it did it: that is still told.
async fn unmark<S: Store>(
    stage: &mut Stage<'_, S>,
    entries: &mut [Entry],
    entry: &Entry,
    (mailbox, item): (MailboxId, &Item),
    (mark, set): (&Mark, bool),
) -> Result<(), MailError> {
    if item.uid == 0 {
        return Ok(());
    }
    let origin = MessageId { mailbox, uid: item.uid };
    let is_at_origin = is_here(stage, mailbox, item).await?;
    // Each item of a later entry adds one at most.
    let mut places = vec![origin];
    for later in entries.iter_mut().filter(|own| own.is_open() && own.number > entry.number) {
        for place in std::mem::take(&mut places) {
            // From the first transfer on it is on its way.
            let is_it = |own: &Item| {
                own.uid == place.uid
                    && (is_provisional(own.uid) || own.uid_validity == item.uid_validity)
            };
            let is_there = later.task.mailbox() == Some(place.mailbox);
            let index = later.task.items().iter().position(|own| is_there && is_it(own));
            match (index, &mut later.task) {
                (Some(at), Task::Mark { mark: other, set: now, items, .. }) if other == mark => {
                    if *now != set && entry.state == State::Queued {
                        items.remove(at);
                    } else if *now != set {
                        items[at].doubtful = true;
                    }
                }
                (Some(at), Task::Transfer { to, items, copy, .. }) => {
                    places.extend(copy.then_some(place));
                    places.push(MessageId { mailbox: *to, uid: items[at].to });
                }
                _ => places.push(place),
            }
        }
    }
    for place in places.into_iter().filter(|place| is_at_origin || *place != origin) {
        let change = |message: &mut Message| {
            set_mark(&mut message.flags, &mut message.keywords, mark, !set);
        };
        stage.change(place, change).await?;
    }
    Ok(())
}

/// What the server has told of the marks of some items' messages was not stored while the queue said
/// otherwise, or that they are away: the next sync asks for them, whatever the mod-sequence of the mailbox
/// says.
pub(super) async fn doubt<S: Store>(
    stage: &mut Stage<'_, S>,
    mailbox: MailboxId,
    items: &[Item],
    settled: &mut Settled,
) -> Result<(), MailError> {
    let mut uids = Vec::new();
    for item in items.iter().filter(|item| !is_provisional(item.uid)) {
        if is_here(stage, mailbox, item).await? {
            uids.push(item.uid);
        }
    }
    if !uids.is_empty() {
        stage.mailbox(mailbox).await?.doubts.add(uids);
        settled.unknown.insert(mailbox);
    }
    Ok(())
}

/// Whether what has the UID of an item here is its message: not if the UID is unknown, or is one of
/// another UIDVALIDITY. One on its way is so in any.
async fn is_here<S: Store>(
    stage: &mut Stage<'_, S>,
    mailbox: MailboxId,
    item: &Item,
) -> Result<bool, MailError> {
    match stage.mailbox(mailbox).await {
        Ok(own) => {
            let is_of = item.uid != 0 && own.uid_validity == item.uid_validity;
            Ok(is_of || is_provisional(item.uid))
        }
        Err(MailError::Gone(_)) => Ok(false),
        Err(error) => Err(error),
    }
}
