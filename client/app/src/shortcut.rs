//! Keys and what they do.

/// What a key asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Shortcut {
    /// The next message of the list.
    Next,
    /// The previous message of the list.
    Previous,
    /// A page down in the list.
    PageDown,
    /// A page up in the list.
    PageUp,
    /// The first message.
    First,
    /// The last message.
    Last,
    /// Open the message under the cursor.
    Open,
    /// Show conversations in the list, or single messages.
    Conversations,
    /// The next message of the opened conversation.
    NextLetter,
    /// The message before in the opened conversation.
    PreviousLetter,
    /// Give the keyboard to the text of the opened message, to scroll it.
    Scroll,
    /// Pick the message, or no longer.
    Pick,
    /// Pick all from where the last one was picked to the next row.
    PickNext,
    /// Pick all from where the last one was picked to the row before.
    PickPrevious,
    /// Pick all messages of the list.
    PickAll,
    /// Toggle between read and unread.
    ToggleSeen,
    /// Toggle the star.
    ToggleStarred,
    /// Choose tags.
    Tags,
    /// Archive.
    Archive,
    /// Delete.
    Delete,
    /// Junk, or not junk.
    Junk,
    /// Choose a folder to move to.
    Move,
    /// Take the last change back.
    Undo,
    /// Answer the sender.
    Reply,
    /// Answer everybody.
    ReplyAll,
    /// Forward.
    Forward,
    /// Search.
    Search,
    /// Write a new message.
    Compose,
    /// Fetch what is new.
    Refresh,
    /// Close what is on top, or go one level up.
    Back,
    /// Show this list.
    Help,
}

impl Shortcut {
    /// Whether it only moves in the list.
    pub(crate) fn moves(self) -> bool {
        matches!(
            self,
            Self::Next
                | Self::Previous
                | Self::NextLetter
                | Self::PreviousLetter
                | Self::PageDown
                | Self::PageUp
                | Self::PickNext
                | Self::PickPrevious
        )
    }
}

/// Keys that are held while another one is pressed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Held {
    /// Shift.
    pub(crate) shift: bool,
    /// Control, or Command on a Mac.
    pub(crate) control: bool,
}

/// The shortcut behind a key, as `KeyboardEvent.key` names it; `in_list` when the list has focus.
pub(crate) fn shortcut(key: &str, held: Held, in_list: bool) -> Option<Shortcut> {
    if held.control {
        return (in_list && key == "a").then_some(Shortcut::PickAll);
    }
    Some(match key {
        "j" => Shortcut::Next,
        "k" => Shortcut::Previous,
        "t" => Shortcut::Conversations,
        "n" => Shortcut::NextLetter,
        "p" => Shortcut::PreviousLetter,
        "o" => Shortcut::Open,
        "x" => Shortcut::Pick,
        "u" => Shortcut::ToggleSeen,
        "s" => Shortcut::ToggleStarred,
        "l" => Shortcut::Tags,
        "e" => Shortcut::Archive,
        "#" => Shortcut::Delete,
        "!" => Shortcut::Junk,
        "v" => Shortcut::Move,
        "z" => Shortcut::Undo,
        "r" => Shortcut::Reply,
        "a" => Shortcut::ReplyAll,
        "f" => Shortcut::Forward,
        "/" => Shortcut::Search,
        "c" => Shortcut::Compose,
        "g" => Shortcut::Refresh,
        "?" => Shortcut::Help,
        "Escape" => Shortcut::Back,
        // Elsewhere these keys belong to the browser: they scroll and press buttons.
        "ArrowDown" if in_list && held.shift => Shortcut::PickNext,
        "ArrowUp" if in_list && held.shift => Shortcut::PickPrevious,
        "Delete" if in_list => Shortcut::Delete,
        "ArrowDown" if in_list => Shortcut::Next,
        "ArrowUp" if in_list => Shortcut::Previous,
        "PageDown" if in_list => Shortcut::PageDown,
        "PageUp" if in_list => Shortcut::PageUp,
        "Home" if in_list => Shortcut::First,
        "End" if in_list => Shortcut::Last,
        "Enter" if in_list => Shortcut::Open,
        " " if in_list => Shortcut::Scroll,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALONE: Held = Held { shift: false, control: false };

    #[test]
    fn letters_work_everywhere_and_arrows_only_in_the_list() {
        assert_eq!(shortcut("j", ALONE, false), Some(Shortcut::Next));
        assert_eq!(shortcut("ArrowDown", ALONE, true), Some(Shortcut::Next));
        assert_eq!(shortcut("ArrowDown", ALONE, false), None);
        assert_eq!(shortcut("Enter", ALONE, false), None);
        assert_eq!(shortcut("Delete", ALONE, false), None);
        assert_eq!(shortcut("n", ALONE, false), Some(Shortcut::NextLetter));
        assert_eq!(shortcut("/", ALONE, true), Some(Shortcut::Search));
        assert_eq!(shortcut("y", ALONE, true), None);
    }

    #[test]
    fn with_shift_arrows_pick_and_with_control_only_all_are_picked() {
        let shift = Held { shift: true, ..ALONE };
        assert_eq!(shortcut("ArrowDown", shift, true), Some(Shortcut::PickNext));
        // These need Shift on most keyboards.
        assert_eq!(shortcut("#", shift, true), Some(Shortcut::Delete));
        assert_eq!(shortcut("?", shift, false), Some(Shortcut::Help));
        let control = Held { control: true, ..ALONE };
        assert_eq!(shortcut("a", control, true), Some(Shortcut::PickAll));
        assert_eq!(shortcut("a", control, false), None);
        assert_eq!(shortcut("r", control, true), None);
    }
}
