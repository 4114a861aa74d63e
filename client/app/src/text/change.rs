//! What can be done to messages and folders, in words.

use postern_bridge::is_label;

use crate::state::{
    command::{Command, Need, Purpose},
    dialog::Question,
};

pub(crate) const MENU: &str = "What to do";
pub(crate) const MORE: &str = "More";
pub(crate) const UNDO: &str = "Undo";
pub(crate) const PICK: &str = "Pick";
pub(crate) const PICK_NONE: &str = "Pick none";
pub(crate) const CANCEL: &str = "Cancel";
pub(crate) const MOVE_TO: &str = "Move to";
pub(crate) const COPY_TO: &str = "Copy to";
pub(crate) const PLACE_IN: &str = "Put this folder into";
pub(crate) const TOP: &str = "Not in another folder";
pub(crate) const FIND_FOLDER: &str = "Find a folder";
pub(crate) const NO_FOLDER: &str = "No folder has this in its name.";
pub(crate) const TAGS: &str = "Tags";
pub(crate) const NEW_TAG: &str = "New tag";
pub(crate) const ADD_TAG: &str = "Add";
pub(crate) const TAG_WRONG: &str =
    "A tag is one word of letters and digits without accents, such as Project-2.";
pub(crate) const DONE: &str = "Done";
pub(crate) const NEW_FOLDER: &str = "New folder";
pub(crate) const RENAME_FOLDER: &str = "Rename folder";
pub(crate) const FOLDER_NAME: &str = "Name";
pub(crate) const NAME_MISSING: &str = "Write a name for the folder.";
pub(crate) const NAME_WRONG: &str = "A name can't have line breaks.";
pub(crate) const CREATE: &str = "Create";
pub(crate) const RENAME: &str = "Rename";

/// A command as a button or a menu names it.
pub(crate) fn label(command: &Command) -> &'static str {
    match command {
        Command::Archive => "Archive",
        Command::Delete => "Delete",
        Command::DeleteForGood => "Delete for good…",
        Command::Junk => "Mark as junk",
        Command::NotJunk => "Not junk",
        Command::ChooseFolder(Purpose::Move) => "Move to…",
        Command::ChooseFolder(Purpose::Copy) => "Copy to…",
        Command::PutInto(Purpose::Move, _) => MOVE_TO,
        Command::PutInto(Purpose::Copy, _) => COPY_TO,
        Command::ChooseTags => "Tags…",
        Command::Seen(true) => "Mark as read",
        Command::Seen(false) => "Mark as unread",
        Command::Starred(true) => "Star",
        Command::Starred(false) => "Remove star",
        Command::PickAll => "Pick all",
        Command::NewFolder(..) => "New folder…",
        Command::RenameFolder(_) => "Rename…",
        Command::PlaceFolder(_) => "Move…",
        Command::DeleteFolder(_) => "Delete folder…",
        Command::EmptyFolder(_) => "Empty folder…",
        Command::SaveFolder(_) => "Save to a file…",
        Command::ImportInto(_) => "Import mail…",
        Command::Subscribe(_, true) => "Subscribe",
        Command::Subscribe(_, false) => "Unsubscribe",
    }
}

/// Why something can't be done to the messages of a folder.
pub(crate) fn forbidden(need: Need) -> &'static str {
    match need {
        Need::Remove => {
            "This account may not take messages out of this folder. They can be copied to another one."
        }
        Need::MarkRead => "This account may not mark messages of this folder as read or as unread.",
        Need::Mark => {
            "This account may not give messages of this folder stars or tags, or take them."
        }
    }
}

/// How many messages are picked.
pub(crate) fn picked(count: u32) -> String {
    format!("{count} picked")
}

/// A change that the server has refused.
pub(crate) fn refused(sentence: &str, problem: &str) -> String {
    let sentence = sentence.trim_end_matches('.');
    format!("{sentence}. {problem}")
}

/// A question, what follows from a yes, and that yes.
pub(crate) fn question(question: &Question, name: &str) -> (String, String, &'static str) {
    let (title, detail, yes) = match question {
        Question::DeleteForGood { picked, rows, messages } => {
            let whole = picked.names_conversations().then_some(*rows);
            let title = match (messages.len(), whole) {
                (1, _) => "Delete this message for good?".to_owned(),
                (count, Some(1)) => {
                    format!("Delete this conversation of {count} messages for good?")
                }
                (count, Some(rows)) => {
                    format!("Delete {rows} conversations of {count} messages for good?")
                }
                (count, None) => format!("Delete {count} messages for good?"),
            };
            let detail = match messages.len() {
                1 => "It can't be brought back.",
                _ => "They can't be brought back.",
            };
            (title, detail.to_owned(), "Delete")
        }
        Question::EmptyFolder(_) => (
            format!("Empty {name}?"),
            "All of its messages are deleted and can't be brought back.".to_owned(),
            "Empty",
        ),
        Question::DeleteFolder(_) => (
            format!("Delete the folder {name}?"),
            "All of its messages are deleted with it and can't be brought back.".to_owned(),
            "Delete",
        ),
    };
    (title, detail, yes)
}

/// The tags that other mail programs know as well, by keyword.
pub(crate) const COMMON_TAGS: [(&str, &str); 5] = [
    ("$label1", "Important"),
    ("$label2", "Work"),
    ("$label3", "Personal"),
    ("$label4", "To do"),
    ("$label5", "Later"),
];

/// A keyword as a tag, or nothing for one that means something else to programs.
pub(crate) fn tag(keyword: &str) -> Option<String> {
    let common = COMMON_TAGS.iter().find(|(known, _)| keyword.eq_ignore_ascii_case(known));
    if let Some((_, name)) = common {
        return Some((*name).to_owned());
    }
    // `$Forwarded`, `$MDNSent`, `$Junk` and their like (RFC 5788), and what programs note.
    let own = !keyword.starts_with(['$', '\\'])
        && !["junk", "nonjunk", "notjunk"].contains(&&*keyword.to_ascii_lowercase());
    own.then(|| keyword.to_owned())
}

/// Whether what was typed can be a tag, or a label where tags are labels.
pub(crate) fn fits(typed: &str, are_labels: bool) -> bool {
    if are_labels {
        return is_label(typed);
    }
    (1..=50).contains(&typed.len())
        && typed.chars().all(|c| c.is_ascii_alphanumeric() || "-_.+&".contains(c))
}

#[cfg(test)]
mod tests {
    use postern_bridge::{MailboxId, MessageId, Selection};

    use super::*;

    #[test]
    fn a_label_may_have_spaces_and_accents_and_a_tag_may_not() {
        for (typed, tag, label) in [
            ("Project-2", true, true),
            ("Muy Importante", false, true),
            ("größe", false, true),
            ("", false, false),
            ("$Forwarded", false, false),
            ("\\Inbox", false, false),
            ("two\nlines", false, false),
            ("caf\u{fffd}", false, false),
            (&"x".repeat(51), false, true),
            (&"ü".repeat(225), false, true),
            (&"ü".repeat(226), false, false),
        ] {
            assert_eq!((fits(typed, false), fits(typed, true)), (tag, label), "{typed}");
        }
    }

    #[test]
    fn keywords_of_programs_are_no_tags() {
        for (keyword, name) in [
            ("$Label1", Some("Important")),
            ("Project-2", Some("Project-2")),
            ("$Forwarded", None),
            ("NonJunk", None),
            ("\\Recent", None),
        ] {
            assert_eq!(tag(keyword).as_deref(), name, "{keyword}");
        }
    }

    #[test]
    fn before_deleting_for_good_it_is_said_how_many_messages_go() {
        let title = |picked: Selection, rows, count| {
            let messages = (1..=count).map(|uid| MessageId { mailbox: MailboxId(1), uid });
            let messages = messages.collect();
            question(&Question::DeleteForGood { picked, rows, messages }, "").0
        };
        let (single, whole) = (Selection::Messages, Selection::Conversations);
        assert_eq!(title(single(vec![]), 1, 1), "Delete this message for good?");
        assert_eq!(title(single(vec![]), 7, 7), "Delete 7 messages for good?");
        assert_eq!(title(whole(vec![]), 1, 1), "Delete this message for good?");
        assert_eq!(title(whole(vec![]), 1, 3), "Delete this conversation of 3 messages for good?");
        assert_eq!(title(whole(vec![]), 2, 5), "Delete 2 conversations of 5 messages for good?");
    }
}
