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
    /// Give the keyboard to the text of the opened message, to scroll it.
    Scroll,
    /// Toggle between read and unread.
    ToggleSeen,
    /// Answer the sender.
    Reply,
    /// Answer everybody.
    ReplyAll,
    /// Forward.
    Forward,
    /// Write a new message.
    Compose,
    /// Fetch what is new.
    Refresh,
    /// Close what is on top, or go one level up.
    Back,
    /// Show this list.
    Help,
}

/// The shortcut behind a key, as `KeyboardEvent.key` names it; `in_list` when the list has focus.
pub(crate) fn shortcut(key: &str, in_list: bool) -> Option<Shortcut> {
    Some(match key {
        "j" => Shortcut::Next,
        "k" => Shortcut::Previous,
        "o" => Shortcut::Open,
        "u" => Shortcut::ToggleSeen,
        "r" => Shortcut::Reply,
        "a" => Shortcut::ReplyAll,
        "f" => Shortcut::Forward,
        "c" => Shortcut::Compose,
        "g" => Shortcut::Refresh,
        "?" => Shortcut::Help,
        "Escape" => Shortcut::Back,
        // Elsewhere these keys belong to the browser: they scroll and press buttons.
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

    #[test]
    fn letters_work_everywhere_and_arrows_only_in_the_list() {
        assert_eq!(shortcut("j", false), Some(Shortcut::Next));
        assert_eq!(shortcut("ArrowDown", true), Some(Shortcut::Next));
        assert_eq!(shortcut("ArrowDown", false), None);
        assert_eq!(shortcut("Enter", false), None);
        assert_eq!(shortcut("/", true), None);
    }
}
