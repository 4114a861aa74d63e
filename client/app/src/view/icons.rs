//! The page's icons: 24 by 24, drawn with the text's colour.

use leptos::prelude::*;
use postern_bridge::Role;

use crate::state::command::{Command, Purpose};

/// An icon, as the path that draws it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Glyph(&'static str);

pub(crate) const INBOX: Glyph = Glyph(
    "M4 13l2.4-7.2A2 2 0 0 1 8.3 4.5h7.4a2 2 0 0 1 1.9 1.3L20 13v4.5a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2zM4 13h4.5l1.2 2.5h4.6l1.2-2.5H20",
);
pub(crate) const DRAFTS: Glyph = Glyph(
    "M12.5 5.5H6a2 2 0 0 0-2 2V18a2 2 0 0 0 2 2h10.5a2 2 0 0 0 2-2v-6.5M18 3.7l2.3 2.3-8.3 8.3-3.2.9.9-3.2z",
);
pub(crate) const SENT: Glyph = Glyph("M20.5 3.5L3.5 10.2l6.8 3.5 3.5 6.8zM10.3 13.7l4.4-4.4");
pub(crate) const ARCHIVE: Glyph =
    Glyph("M3.5 4.5h17v4h-17zM5 8.5v9a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2v-9M10 12.5h4");
pub(crate) const JUNK: Glyph =
    Glyph("M8.3 3.5h7.4l4.8 4.8v7.4l-4.8 4.8H8.3l-4.8-4.8V8.3zM12 8v4.5M12 15.9v.1");
pub(crate) const TRASH: Glyph = Glyph(
    "M4 6.5h16M9 6.5V5a1.5 1.5 0 0 1 1.5-1.5h3A1.5 1.5 0 0 1 15 5v1.5M6 6.5l.8 12a2 2 0 0 0 2 1.9h6.4a2 2 0 0 0 2-1.9l.8-12M10 10.5v5.5M14 10.5v5.5",
);
pub(crate) const FOLDER: Glyph =
    Glyph("M3.5 7a2 2 0 0 1 2-2h3.7l2 2.5h7.3a2 2 0 0 1 2 2V17a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2z");
pub(crate) const WRITE: Glyph = Glyph(
    "M4 20l.9-4.1L16.2 4.6a1.8 1.8 0 0 1 2.6 0l.6.6a1.8 1.8 0 0 1 0 2.6L8.1 19.1zM14.5 6.3l3.2 3.2",
);
pub(crate) const REFRESH: Glyph = Glyph("M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9M19.5 4.5V9H15");
pub(crate) const ACCOUNTS: Glyph =
    Glyph("M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20a7.5 7.5 0 0 1 15 0");
pub(crate) const KEYBOARD: Glyph = Glyph(
    "M4.5 6.5h15a1.5 1.5 0 0 1 1.5 1.5v8a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 16V8a1.5 1.5 0 0 1 1.5-1.5zM7 10v.1M10.3 10v.1M13.7 10v.1M17 10v.1M8 14h8",
);
pub(crate) const SYSTEM: Glyph =
    Glyph("M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 4v16M12 8h5.5M12 12h8M12 16h5.5");
pub(crate) const LIGHT: Glyph = Glyph(
    "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2.5V5M12 19v2.5M2.5 12H5M19 12h2.5M5.3 5.3L7 7M17 17l1.7 1.7M5.3 18.7L7 17M17 7l1.7-1.7",
);
pub(crate) const DARK: Glyph = Glyph("M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z");
pub(crate) const SEARCH: Glyph = Glyph("M10.5 17.5a7 7 0 1 1 0-14 7 7 0 0 1 0 14zM15.5 15.5l5 5");
pub(crate) const BACK: Glyph = Glyph("M14.5 5.5L8 12l6.5 6.5");
pub(crate) const CLOSE: Glyph = Glyph("M6 6l12 12M18 6L6 18");
pub(crate) const MINIMIZE: Glyph = Glyph("M6 17.5h12");
pub(crate) const EXPAND: Glyph = Glyph("M6 14.5l6-6 6 6");
pub(crate) const REPLY: Glyph = Glyph("M10 5.5L4 11.5l6 6M4 11.5h9.5a6 6 0 0 1 6 6v1");
pub(crate) const REPLY_ALL: Glyph =
    Glyph("M8 6l-5.5 5.5L8 17M13 6l-5.5 5.5L13 17M7.5 11.5h7.5a6 6 0 0 1 6 6v1");
pub(crate) const FORWARD: Glyph = Glyph("M14 5.5l6 6-6 6M20 11.5h-9.5a6 6 0 0 0-6 6v1");
pub(crate) const UNREAD: Glyph = Glyph(
    "M3.5 7.5a2 2 0 0 1 2-2H14M20.5 11v5.5a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2v-9l8.5 6 3.5-2.5M19 4.5a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
);
pub(crate) const READ: Glyph =
    Glyph("M3.5 10l8.5-6 8.5 6v7.5a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2zM3.5 10l8.5 5.5 8.5-5.5");
pub(crate) const CONVERSATION: Glyph = Glyph(
    "M5 4.5h9a1.5 1.5 0 0 1 1.5 1.5v5a1.5 1.5 0 0 1-1.5 1.5H8.5L5.5 15v-2.5H5A1.5 1.5 0 0 1 3.5 11V6A1.5 1.5 0 0 1 5 4.5zM18.5 8.5h.5a1.5 1.5 0 0 1 1.5 1.5v5.5A1.5 1.5 0 0 1 19 17h-.5v2.5l-3-2.5H11a1.5 1.5 0 0 1-1.5-1.5",
);
pub(crate) const ATTACHMENT: Glyph = Glyph(
    "M19.5 11.5l-7.6 7.6a4.6 4.6 0 0 1-6.5-6.5l8-8a3.1 3.1 0 0 1 4.3 4.3l-7.9 7.9a1.5 1.5 0 0 1-2.2-2.2l7.1-7.1",
);
pub(crate) const STAR: Glyph =
    Glyph("M12 3.8l2.5 5.2 5.7.8-4.1 4 1 5.7-5.1-2.7-5.1 2.7 1-5.7-4.1-4 5.7-.8z");
pub(crate) const DOWNLOAD: Glyph = Glyph("M12 4v11M7 10.5l5 5 5-5M4.5 19.5h15");
pub(crate) const SHIELD: Glyph =
    Glyph("M12 3.5l7 2.7v5.3c0 4.3-2.9 7.5-7 9-4.1-1.5-7-4.7-7-9V6.2zM9 12l2.2 2.2L15.2 10");
pub(crate) const KEY: Glyph =
    Glyph("M15.5 3.5a5 5 0 1 0 0 10 5 5 0 0 0 0-10zM12 12l-8 8M6.5 17.5L9 20M16.5 7.5v.1");
pub(crate) const TEXT: Glyph = Glyph("M5 7h14M5 12h14M5 17h9");
pub(crate) const IMAGE: Glyph = Glyph(
    "M5.5 4.5h13a1.5 1.5 0 0 1 1.5 1.5v12a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 18V6a1.5 1.5 0 0 1 1.5-1.5zM9 8.2a1.3 1.3 0 1 0 0 2.6 1.3 1.3 0 0 0 0-2.6zM4.5 17l4.5-4 3 2.5 3.5-3.5 4 4",
);
pub(crate) const FILE: Glyph =
    Glyph("M13 3.5H7.5a2 2 0 0 0-2 2v13a2 2 0 0 0 2 2h9a2 2 0 0 0 2-2V9zM13 3.5V9h5.5");
pub(crate) const ADD: Glyph = Glyph("M12 5v14M5 12h14");
pub(crate) const WARNING: Glyph = Glyph("M12 4l9 15.5H3zM12 10v4.5M12 17v.1");
pub(crate) const GOOD: Glyph = Glyph("M5 12.5l4.5 4.5L19 7.5");
pub(crate) const OFFLINE: Glyph = Glyph(
    "M3.5 3.5l17 17M8.5 14.5a5 5 0 0 1 5.5-1.1M5 11a10 10 0 0 1 4.5-2.6M13 8.1a10 10 0 0 1 6 2.9M12 18.5v.1",
);
pub(crate) const LATER: Glyph =
    Glyph("M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM12 7.5V12l3 2");
pub(crate) const SEND: Glyph = SENT;
pub(crate) const MORE: Glyph = Glyph("M5 11.5h1v1H5zM11.5 11.5h1v1h-1zM18 11.5h1v1h-1z");
pub(crate) const TAG: Glyph = Glyph(
    "M4 4.5h7.6a2 2 0 0 1 1.4.6l6.7 6.7a1.6 1.6 0 0 1 0 2.3l-5.6 5.6a1.6 1.6 0 0 1-2.3 0L5.1 13A2 2 0 0 1 4.5 11.6V4.5M8.5 8.5v.1",
);
pub(crate) const MOVE: Glyph = Glyph(
    "M3.5 11V7a2 2 0 0 1 2-2h3.7l2 2.5h7.3a2 2 0 0 1 2 2V17a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2v-1M3.5 13.5H13M10 10.5l3 3-3 3",
);
pub(crate) const COPY: Glyph = Glyph(
    "M9 8.5h9a1.5 1.5 0 0 1 1.5 1.5v9a1.5 1.5 0 0 1-1.5 1.5H9A1.5 1.5 0 0 1 7.5 19v-9A1.5 1.5 0 0 1 9 8.5zM4.5 15.5V5A1.5 1.5 0 0 1 6 3.5h9.5",
);
pub(crate) const PICK: Glyph = Glyph("M5.5 5h13v14h-13zM8.5 12l2.5 2.5L15.5 9.5");

pub(crate) const STORAGE: Glyph = Glyph(
    "M12 4c4.4 0 7.5 1.2 7.5 2.7S16.4 9.4 12 9.4 4.5 8.2 4.5 6.7 7.600 4 12 4zM4.5 6.7v10.6C4.5 18.8 7.6 20 12 20s7.5-1.2 7.5-2.7V6.7M4.5 12c0 1.5 3.1 2.7 7.5 2.7s7.5-1.2 7.5-2.7",
);

/// The icon of something to do.
pub(crate) fn of_command(command: &Command) -> Glyph {
    match command {
        Command::Archive => ARCHIVE,
        Command::Delete | Command::DeleteForGood => TRASH,
        Command::DeleteFolder(_) | Command::EmptyFolder(_) => TRASH,
        Command::Junk => JUNK,
        Command::NotJunk => INBOX,
        Command::ChooseFolder(Purpose::Move) | Command::PutInto(Purpose::Move, _) => MOVE,
        Command::ChooseFolder(Purpose::Copy) | Command::PutInto(Purpose::Copy, _) => COPY,
        Command::PlaceFolder(_) => MOVE,
        Command::ChooseTags => TAG,
        Command::Seen(true) => READ,
        Command::Seen(false) => UNREAD,
        Command::Starred(_) => STAR,
        Command::PickAll => PICK,
        Command::NewFolder(..) => ADD,
        Command::RenameFolder(_) => WRITE,
        Command::SaveFolder(_) => DOWNLOAD,
        Command::ImportInto(_) => FILE,
        Command::Subscribe(..) => FOLDER,
    }
}

/// The icon of a mailbox.
pub(crate) fn of_role(role: Option<Role>) -> Glyph {
    match role {
        Some(Role::Inbox) => INBOX,
        Some(Role::Drafts) => DRAFTS,
        Some(Role::Sent) => SENT,
        Some(Role::Archive) => ARCHIVE,
        Some(Role::Junk) => JUNK,
        Some(Role::Trash) => TRASH,
        None => FOLDER,
    }
}

/// Draws an icon; it says nothing to a screen reader, the text beside it does.
#[component]
pub(crate) fn Icon(
    /// Which one.
    #[prop(into)]
    glyph: Signal<Glyph>,
) -> impl IntoView {
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
            <path d=move || glyph.get().0 />
        </svg>
    }
}

/// The gate that is also an envelope.
#[component]
pub(crate) fn Mark() -> impl IntoView {
    view! {
        <svg class="mark" viewBox="0 0 64 64" aria-hidden="true" focusable="false">
            <path class="mark-gate" d="M14 54V28a18 18 0 0 1 36 0v26z" />
            <path class="mark-flap" d="M14 30l18 14 18-14" />
            <circle class="mark-knob" cx="32" cy="44" r="4.5" />
        </svg>
    }
}
