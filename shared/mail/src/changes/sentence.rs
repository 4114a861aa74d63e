//! What was done, as a sentence.

use postern_bridge::{Mark, Role};

use super::{
    editor::name,
    entry::{Entry, Task},
};
use crate::{
    MailError, Store,
    record::{self, Mailbox},
};

/// How a sentence speaks of a change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tense {
    /// It was made.
    Done,
    /// It was taken back.
    Undone,
    /// The server has refused it.
    Refused,
}

/// What a change did, such as "3 messages moved to Archive", and how many messages it changed.
///
/// # Errors
///
/// If the store can't be read.
pub async fn sentence(
    store: &impl Store,
    parts: &[Entry],
    tense: Tense,
) -> Result<(String, u32), MailError> {
    let Some(main) = main_part(parts) else { return Ok(("Nothing to change".into(), 0)) };
    let kind = std::mem::discriminant(&main.task);
    let is_emptying = matches!(main.task, Task::Empty { .. });
    let same =
        parts.iter().filter(|part| is_emptying || std::mem::discriminant(&part.task) == kind);
    let count = same.map(|part| part.task.items().len()).sum::<usize>();
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    let messages = match count {
        1 => "1 message".into(),
        count => format!("{count} messages"),
    };
    let mailbox = async |id| match record::mailbox(store, id).await {
        // Servers spell it INBOX (RFC 9051 section 5.1); people don't.
        Ok(Mailbox { role: Some(Role::Inbox), .. }) => Ok("Inbox".to_owned()),
        Ok(mailbox) => Ok(name(&mailbox).to_owned()),
        Err(MailError::Gone(_)) => Ok("a folder".to_owned()),
        Err(error) => Err(error),
    };
    let not = if tense == Tense::Refused { " not" } else { "" };
    let was = match (tense, count) {
        (Tense::Refused, 1) => " was not",
        (Tense::Refused, _) => " were not",
        _ => "",
    };
    let sentence = match &main.task {
        Task::Mark { mark, set, .. } => {
            let set = *set != (tense == Tense::Undone);
            format!("{messages}{was} {}", marked(mark, set))
        }
        Task::Transfer { from, copy: false, .. } if tense == Tense::Undone => {
            format!("{messages} moved back to {}", mailbox(*from).await?)
        }
        Task::Transfer { copy: true, .. } if tense == Tense::Undone => {
            format!("{messages} no longer copied")
        }
        Task::Transfer { to, copy, .. } => {
            let verb = if *copy { "copied" } else { "moved" };
            format!("{messages}{was} {verb} to {}", mailbox(*to).await?)
        }
        Task::Expunge { .. } => format!("{messages}{was} deleted for good"),
        Task::Empty { mailbox: id, .. } => format!("{} was{not} emptied", mailbox(*id).await?),
        Task::Append { .. } => format!("The draft was{not} saved on the server"),
        Task::Create { mailbox: id, .. } => match tense {
            Tense::Undone => "The folder was deleted again".into(),
            _ => format!("Folder {} was{not} made", mailbox(*id).await?),
        },
        Task::Rename { before, after, .. } => {
            let (old, new) = match tense {
                Tense::Undone => (after, before),
                _ => (before, after),
            };
            format!("Folder {} is{not} {} now", old.join("/"), new.join("/"))
        }
        Task::Remove { mailbox } => {
            let Mailbox { names, .. } = mailbox;
            format!("Folder {} was{not} deleted", names.join("/"))
        }
        Task::Subscribe { mailbox: id, subscribed } => {
            let subscribed = *subscribed != (tense == Tense::Undone);
            let verb = if subscribed { "subscribed" } else { "unsubscribed" };
            format!("Folder {} was{not} {verb}", mailbox(*id).await?)
        }
    };
    Ok((sentence, count))
}

/// That messages were left where they are, since bytes of them are missing; these are their subjects.
pub fn damaged(subjects: &[String]) -> Option<String> {
    let what = match subjects {
        [] => return None,
        [subject] => format!("“{subject}” is damaged in this browser and stays where it is"),
        several => {
            format!(
                "{} messages are damaged in this browser and stay where they are",
                several.len()
            )
        }
    };
    Some(format!("{what}; what its server still has comes again with the next download."))
}

/// The part that people think of: junk is marked as well as moved, and is moved to them.
fn main_part(parts: &[Entry]) -> Option<&Entry> {
    let rank = |part: &&Entry| match part.task {
        Task::Empty { .. } => 7,
        Task::Append { .. } => 6,
        Task::Remove { .. } => 5,
        Task::Transfer { .. } => 4,
        Task::Expunge { .. } => 3,
        Task::Rename { .. } => 2,
        Task::Mark { .. } => 1,
        Task::Create { .. } | Task::Subscribe { .. } => 0,
    };
    parts.iter().max_by_key(rank)
}

fn marked(mark: &Mark, set: bool) -> String {
    match (mark, set) {
        (Mark::Seen, true) => "marked as read".into(),
        (Mark::Seen, false) => "marked as unread".into(),
        (Mark::Flagged, true) => "starred".into(),
        (Mark::Flagged, false) => "no longer starred".into(),
        (Mark::Answered, true) => "marked as answered".into(),
        (Mark::Answered, false) => "marked as not answered".into(),
        (Mark::Keyword(name), true) => format!("tagged {name}"),
        (Mark::Keyword(name), false) => format!("no longer tagged {name}"),
    }
}
