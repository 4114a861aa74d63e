//! What lies over the page and waits for an answer: a menu or a dialog.

use postern_bridge::{AccountId, MailboxId, MessageId, Selection};

use super::command::{Command, Purpose};

/// A menu, at a place of the page.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Menu {
    /// Where its corner is, in CSS pixels from the page's left edge.
    pub(crate) x: f64,
    /// And from its top.
    pub(crate) y: f64,
    /// What it offers.
    pub(crate) commands: Vec<Command>,
}

/// A dialog.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Dialog {
    /// Which folder shall these messages go to?
    ChooseFolder(Purpose, Selection),
    /// In which folder shall this one be?
    PlaceFolder(MailboxId),
    /// Which tags shall these messages have, of which so many are picked?
    Tags(Selection, u32),
    /// What shall a new folder be called?
    NewFolder(AccountId, Option<MailboxId>),
    /// What shall a folder be called from now on?
    RenameFolder(MailboxId),
    /// As what shall this folder be written to a file?
    SaveFolder(MailboxId),
    /// Which file shall be read into this folder?
    ImportInto(MailboxId),
    /// Shall this be done, though there is no way back?
    Confirm(Question),
}

/// A question before something that can't be undone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Question {
    /// Delete messages.
    DeleteForGood {
        /// What is picked.
        picked: Selection,
        /// How many rows that is.
        rows: u32,
        /// The messages that those stood for when the question was asked: they alone are deleted.
        messages: Vec<MessageId>,
    },
    /// Delete everything in a folder.
    EmptyFolder(MailboxId),
    /// Delete a folder.
    DeleteFolder(MailboxId),
}
