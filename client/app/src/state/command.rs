//! What can be done to messages and folders, by key, button, menu or drop.

use postern_bridge::{AccountId, MailboxId, MailboxRights, MailboxView, Role};

/// Something to do. Those of messages are done to what is picked, or else to the opened message, or
/// else to the one under the list's cursor.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Command {
    /// Move to the folder for kept mail.
    Archive,
    /// Move to the trash.
    Delete,
    /// Delete without a way back, after a question.
    DeleteForGood,
    /// Move to the folder for unwanted mail.
    Junk,
    /// Take that back.
    NotJunk,
    /// Choose a folder to move to, or to copy to.
    ChooseFolder(Purpose),
    /// Move, or copy, to a folder.
    PutInto(Purpose, MailboxId),
    /// Choose tags.
    ChooseTags,
    /// Mark as read, or as unread.
    Seen(bool),
    /// Give a star, or take it.
    Starred(bool),
    /// Pick all messages of the list.
    PickAll,
    /// Make a folder, after asking for its name.
    NewFolder(AccountId, Option<MailboxId>),
    /// Give a folder another name, after asking for it.
    RenameFolder(MailboxId),
    /// Choose where a folder shall be.
    PlaceFolder(MailboxId),
    /// Delete a folder, after a question.
    DeleteFolder(MailboxId),
    /// Delete everything in a folder, after a question.
    EmptyFolder(MailboxId),
    /// Write a folder to a file, after asking for its kind.
    SaveFolder(MailboxId),
    /// Read mail from a file into a folder, after asking for it.
    ImportInto(MailboxId),
    /// Subscribe to a folder, or no longer.
    Subscribe(MailboxId, bool),
}

/// What a folder is chosen for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Purpose {
    /// To move messages there.
    Move,
    /// To copy messages there.
    Copy,
}

/// What a command does to messages where they are, for which this account may lack the right.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Need {
    /// It takes them out of their folder.
    Remove,
    /// It marks them as read or as unread.
    MarkRead,
    /// It gives them stars or tags, or takes those.
    Mark,
}

impl Command {
    /// What it does to messages where they are; `None` if it leaves them as they are.
    fn need(&self) -> Option<Need> {
        match self {
            Self::Archive
            | Self::Delete
            | Self::DeleteForGood
            | Self::Junk
            | Self::NotJunk
            | Self::ChooseFolder(Purpose::Move)
            | Self::PutInto(Purpose::Move, _)
            | Self::EmptyFolder(_) => Some(Need::Remove),
            Self::Seen(_) => Some(Need::MarkRead),
            Self::Starred(_) | Self::ChooseTags => Some(Need::Mark),
            Self::ChooseFolder(Purpose::Copy)
            | Self::PutInto(Purpose::Copy, _)
            | Self::PickAll
            | Self::NewFolder(..)
            | Self::RenameFolder(_)
            | Self::PlaceFolder(_)
            | Self::DeleteFolder(_)
            | Self::SaveFolder(_)
            | Self::ImportInto(_)
            | Self::Subscribe(..) => None,
        }
    }

    /// What keeps it from being done to messages of folders with these rights: what it does is refused if
    /// one of them does not allow it.
    pub(crate) fn lacks(&self, rights: impl IntoIterator<Item = MailboxRights>) -> Option<Need> {
        let need = self.need()?;
        let is_allowed = |may: MailboxRights| match need {
            Need::Remove => may.lose_messages,
            Need::MarkRead => may.mark_read,
            Need::Mark => may.mark,
        };
        (!rights.into_iter().all(is_allowed)).then_some(need)
    }
}

/// What messages are like that something can be done to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Traits {
    /// What their folder is for.
    pub(crate) role: Option<Role>,
    /// Whether all are read.
    pub(crate) seen: bool,
    /// Whether all have a star.
    pub(crate) starred: bool,
}

impl Traits {
    /// Deletes them as it fits their place.
    pub(crate) fn delete(self) -> Command {
        if self.role == Some(Role::Trash) { Command::DeleteForGood } else { Command::Delete }
    }

    /// Says that they are unwanted, or the contrary, as it fits their place.
    pub(crate) fn junk(self) -> Command {
        if self.role == Some(Role::Junk) { Command::NotJunk } else { Command::Junk }
    }

    /// Archives them, unless they are archived.
    pub(crate) fn archive(self) -> Option<Command> {
        (self.role != Some(Role::Archive)).then_some(Command::Archive)
    }

    /// Turns their read mark over.
    pub(crate) fn toggle_seen(self) -> Command {
        Command::Seen(!self.seen)
    }

    /// Turns their star over.
    pub(crate) fn toggle_starred(self) -> Command {
        Command::Starred(!self.starred)
    }

    /// All that a menu offers for them.
    pub(crate) fn menu(self) -> Vec<Command> {
        let mut menu = vec![self.toggle_seen(), self.toggle_starred(), Command::ChooseTags];
        menu.extend(self.archive());
        menu.extend([
            Command::ChooseFolder(Purpose::Move),
            Command::ChooseFolder(Purpose::Copy),
            self.junk(),
            Command::Delete,
            Command::DeleteForGood,
        ]);
        if self.role == Some(Role::Trash) {
            menu.retain(|command| *command != Command::Delete);
        }
        menu
    }
}

/// All that a menu offers for a folder.
pub(crate) fn folder_menu(mailbox: &MailboxView) -> Vec<Command> {
    let (id, may) = (mailbox.id, mailbox.may);
    let mut menu = Vec::new();
    if may.have_children {
        menu.push(Command::NewFolder(mailbox.account, Some(id)));
    }
    if may.be_moved {
        menu.extend([Command::RenameFolder(id), Command::PlaceFolder(id)]);
    }
    if !mailbox.local && mailbox.role != Some(Role::Inbox) {
        menu.push(Command::Subscribe(id, !mailbox.subscribed));
    }
    if mailbox.selectable && mailbox.total > 0 {
        menu.push(Command::SaveFolder(id));
    }
    if mailbox.local && may.take_messages {
        menu.push(Command::ImportInto(id));
    }
    if may.be_emptied && mailbox.total > 0 {
        menu.push(Command::EmptyFolder(id));
    }
    if may.be_deleted {
        menu.push(Command::DeleteFolder(id));
    }
    menu
}

#[cfg(test)]
mod tests {
    use postern_bridge::MailboxRights;

    use super::*;

    #[test]
    fn in_the_trash_deleting_is_for_good() {
        let trash = Traits { role: Some(Role::Trash), ..Traits::default() };
        assert_eq!(trash.delete(), Command::DeleteForGood);
        assert!(!trash.menu().contains(&Command::Delete));
        let inbox = Traits { role: Some(Role::Inbox), ..Traits::default() };
        assert_eq!(inbox.delete(), Command::Delete);
    }

    #[test]
    fn marks_are_turned_over() {
        let traits = Traits { seen: true, starred: false, role: None };
        assert_eq!(traits.toggle_seen(), Command::Seen(false));
        assert_eq!(traits.toggle_starred(), Command::Starred(true));
    }

    #[test]
    fn junk_can_be_wanted_again_and_the_archive_archives_nothing() {
        let in_role = |role| Traits { role: Some(role), ..Traits::default() };
        assert_eq!(in_role(Role::Junk).junk(), Command::NotJunk);
        assert_eq!(in_role(Role::Inbox).junk(), Command::Junk);
        assert_eq!(in_role(Role::Archive).archive(), None);
    }

    #[test]
    fn a_folders_menu_offers_what_may_be_done_with_it() {
        let mailbox = |role, may, total| MailboxView {
            id: MailboxId(3),
            account: AccountId(1),
            name: "m".into(),
            depth: 0,
            parent: None,
            role,
            selectable: true,
            local: false,
            subscribed: true,
            conversations: false,
            labels: false,
            may,
            unread: 0,
            total,
        };
        let all = MailboxRights {
            have_children: true,
            be_moved: true,
            be_deleted: true,
            take_messages: true,
            be_emptied: false,
            ..MailboxRights::default()
        };
        let id = MailboxId(3);
        assert_eq!(
            folder_menu(&mailbox(None, all, 1)),
            [
                Command::NewFolder(AccountId(1), Some(id)),
                Command::RenameFolder(id),
                Command::PlaceFolder(id),
                Command::Subscribe(id, false),
                Command::SaveFolder(id),
                Command::DeleteFolder(id),
            ]
        );
        let emptied = MailboxRights { be_emptied: true, ..MailboxRights::default() };
        let trash = Some(Role::Trash);
        let subscribe = Command::Subscribe(id, false);
        let menu = folder_menu(&mailbox(trash, emptied, 1));
        let save = Command::SaveFolder(id);
        assert_eq!(menu, [subscribe.clone(), save.clone(), Command::EmptyFolder(id)]);
        assert_eq!(folder_menu(&mailbox(trash, emptied, 0)), [subscribe]);
        let inbox = mailbox(Some(Role::Inbox), MailboxRights::default(), 1);
        assert_eq!(folder_menu(&inbox), [save]);
        let local = MailboxView { local: true, may: all, ..mailbox(Some(Role::Archive), all, 0) };
        assert!(folder_menu(&local).contains(&Command::ImportInto(id)));
    }

    #[test]
    fn what_one_folder_does_not_allow_is_done_to_messages_of_none() {
        let all = MailboxRights {
            lose_messages: true,
            mark_read: true,
            mark: true,
            ..MailboxRights::default()
        };
        let lacks = |may| {
            let command = |command: Command| command.lacks([all, may]);
            [
                command(Command::Seen(true)),
                command(Command::Starred(false)),
                command(Command::ChooseTags),
                command(Command::NotJunk),
                command(Command::PutInto(Purpose::Move, MailboxId(1))),
                command(Command::PutInto(Purpose::Copy, MailboxId(1))),
            ]
        };
        assert_eq!(lacks(all), [None; 6]);
        let unread = lacks(MailboxRights { mark_read: false, ..all });
        assert_eq!(unread, [Some(Need::MarkRead), None, None, None, None, None]);
        let unmarked = lacks(MailboxRights { mark: false, ..all });
        let mark = Some(Need::Mark);
        assert_eq!(unmarked, [None, mark, mark, None, None, None]);
        let kept = lacks(MailboxRights { lose_messages: false, ..all });
        let remove = Some(Need::Remove);
        assert_eq!(kept, [None, None, None, remove, remove, None]);
        assert_eq!(Command::Delete.lacks([]), None, "no folder is known");
    }

    #[test]
    fn all_that_a_menu_offers_for_messages_of_a_shared_folder_but_copying_may_be_refused() {
        let none = MailboxRights::default();
        let menu = Traits::default().menu();
        let allowed = menu.iter().filter(|command| command.lacks([none]).is_none());
        let copy = Command::ChooseFolder(Purpose::Copy);
        assert_eq!(allowed.collect::<Vec<_>>(), [&copy]);
    }
}
