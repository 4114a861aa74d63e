//! Every word that the page itself says, in one place, so that other languages can follow.

pub(crate) mod account;
pub(crate) mod backup;
pub(crate) mod certificate;
pub(crate) mod change;
pub(crate) mod conversation;
pub(crate) mod discovery;
pub(crate) mod pop3;
pub(crate) mod search;
pub(crate) mod setup;
pub(crate) mod storage;

/// The name of the program.
pub(crate) const NAME: &str = "Postern";

/// The frame around everything.
pub(crate) mod shell {
    pub(crate) const COMPOSE: &str = "Write";
    pub(crate) const COMPOSE_LONG: &str = "Write a message";
    pub(crate) const REFRESH: &str = "Check for new mail";
    pub(crate) const ACCOUNTS: &str = "Accounts";
    pub(crate) const SHORTCUTS: &str = "Keyboard shortcuts";
    pub(crate) const BACK: &str = "Back";
    pub(crate) const CLOSE: &str = "Close";
    pub(crate) const OFFLINE: &str = "You are offline. What is stored in this browser can be read, and what you send waits for the network.";
    pub(crate) const STARTING: &str = "Starting…";
    pub(crate) const ENGINE_FAILED: &str = "Postern could not start";
    pub(crate) const ENGINE_FAILED_DETAIL: &str = "The part of Postern that fetches mail did not start in this browser. Reload the page; if that does not help, use a current version of Firefox, Chrome, Edge or Safari.";
    pub(crate) const RELOAD: &str = "Reload";
    pub(crate) const THEME_SYSTEM: &str = "Theme: as the system";
    pub(crate) const THEME_LIGHT: &str = "Theme: light";
    pub(crate) const THEME_DARK: &str = "Theme: dark";

    pub(crate) fn title(place: &str, unread: u32) -> String {
        let name = super::NAME;
        match (place, unread) {
            ("", 0) => name.to_owned(),
            ("", unread) => format!("({unread}) {name}"),
            (place, 0) => format!("{place} – {name}"),
            (place, unread) => format!("({unread}) {place} – {name}"),
        }
    }
}

/// The way into a private Postern.
pub(crate) mod access {
    pub(crate) const TITLE: &str = "This Postern is private";
    pub(crate) const DETAIL: &str =
        "Enter the access key that its operator gave you. This browser will remember it.";
    pub(crate) const REFUSED: &str = "The access key that this browser remembers is no longer accepted. Enter the new one, or ask the operator of this Postern for it.";
    pub(crate) const KEY: &str = "Access key";
    pub(crate) const HINT: &str =
        "Stored encrypted in this browser alone. You can remove it later under Accounts.";
    pub(crate) const ENTER: &str = "Continue";
    pub(crate) const TRYING: &str = "Checking…";
    pub(crate) const BANNER: &str = "This Postern asks for its access key before it connects. What is stored in this browser can be read.";
    pub(crate) const KEPT: &str = "Access key";
    pub(crate) const KEPT_DETAIL: &str = "This Postern is private. Its access key is stored encrypted in this browser; without it, no mail can be fetched or sent.";
    pub(crate) const FORGET: &str = "Remove key";
}

/// The folder list.
pub(crate) mod folders {
    pub(crate) const LABEL: &str = "Folders";
    pub(crate) const LOADING: &str = "Fetching the folders…";
    pub(crate) const ADD: &str = "Add account";
    pub(crate) const INBOX: &str = "Inbox";
    pub(crate) const DRAFTS: &str = "Drafts";
    pub(crate) const SENT: &str = "Sent";
    pub(crate) const ARCHIVE: &str = "Archive";
    pub(crate) const JUNK: &str = "Junk";
    pub(crate) const TRASH: &str = "Trash";

    pub(crate) fn unread(count: u32) -> String {
        format!("{count} unread")
    }

    pub(crate) fn more(name: &str) -> String {
        format!("More for {name}")
    }
}

/// The state of a connection.
pub(crate) mod connection {
    pub(crate) const OFFLINE: &str = "Not connected";
    pub(crate) const CONNECTING: &str = "Connecting…";
    pub(crate) const ONLINE: &str = "Up to date";
    pub(crate) const FAILED: &str = "Can't connect";
    pub(crate) const WAITING: &str = "Waiting";

    pub(crate) fn pending(changes: u32) -> String {
        match changes {
            1 => "1 change waiting".to_owned(),
            changes => format!("{changes} changes waiting"),
        }
    }

    pub(crate) const PENDING_LONG: &str = "The server is told as soon as it can be reached.";

    pub(crate) fn nearly_full(percent: u64) -> String {
        match percent {
            0..100 => format!("The mailbox on the server is {percent} % full."),
            _ => "The mailbox on the server is full.".to_owned(),
        }
    }

    pub(crate) fn progress(what: &str, done: u32, total: u32) -> String {
        match total {
            0 => format!("{what}…"),
            total => format!("{what}: {done} of {total}"),
        }
    }
}

/// The message list.
pub(crate) mod list {
    pub(crate) const LABEL: &str = "Messages";
    pub(crate) const WAITING: &str = "The mail comes a little later";
    pub(crate) const CHOOSE: &str = "Choose a folder";
    pub(crate) const CHOOSE_DETAIL: &str = "Its messages will be listed here.";
    pub(crate) const EMPTY: &str = "Nothing here";
    pub(crate) const EMPTY_DETAIL: &str = "This folder has no messages.";
    pub(crate) const LOADING: &str = "Fetching messages…";
    pub(crate) const FAILED: &str = "Could not ask the server";
    pub(crate) const OFFLINE: &str = "Not stored yet";
    pub(crate) const OFFLINE_DETAIL: &str =
        "You are offline, and nothing of this folder is stored in this browser yet.";
    pub(crate) const TRY_AGAIN: &str = "Try again";
    pub(crate) const NO_SUBJECT: &str = "(no subject)";
    pub(crate) const NOBODY: &str = "(unknown sender)";
    pub(crate) const UNREAD: &str = "Unread";
    pub(crate) const STARRED: &str = "Starred";
    pub(crate) const ANSWERED: &str = "Answered";
    pub(crate) const HAS_ATTACHMENTS: &str = "Has attachments";

    pub(crate) fn count(total: u32, unread: u32) -> String {
        let messages = match total {
            1 => "1 message".to_owned(),
            total => format!("{total} messages"),
        };
        if unread == 0 { messages } else { format!("{messages}, {unread} unread") }
    }
}

/// The reading pane.
pub(crate) mod reader {
    pub(crate) const LABEL: &str = "Message";
    pub(crate) const CHOOSE: &str = "No message selected";
    pub(crate) const CHOOSE_DETAIL: &str =
        "Choose one from the list, or move with j and k and open with Enter.";
    pub(crate) const LOADING: &str = "Opening the message…";
    pub(crate) const FAILED: &str = "This message can't be shown";
    pub(crate) const TRY_AGAIN: &str = "Try again";
    pub(crate) const FROM: &str = "From";
    pub(crate) const TO: &str = "To";
    pub(crate) const CC: &str = "Cc";
    pub(crate) const REPLY: &str = "Reply";
    pub(crate) const REPLY_ALL: &str = "Reply all";
    pub(crate) const FORWARD: &str = "Forward";
    pub(crate) const NO_DATE: &str = "No date";
    pub(crate) const FRAME: &str = "The message's text";
    pub(crate) const EMPTY: &str = "This message has no text.";
    pub(crate) const AS_TEXT: &str = "Show as text";
    pub(crate) const AS_HTML: &str = "Show as designed";
    pub(crate) const DOWNLOAD: &str = "Download";
    pub(crate) const DOWNLOADING: &str = "Downloading…";
    pub(crate) const CUT: &str = "This text is very long: only its beginning is shown.";
    pub(crate) const SAVE_TEXT: &str = "Save all of it";
    pub(crate) const NOT_SAVED: &str =
        "This browser has no room for the attachment. Close other tabs, and try once more.";
    pub(crate) const WRITE_ON: &str = "Continue writing";

    pub(crate) fn remote_blocked(count: u32) -> String {
        match count {
            1 => "1 remote image was not loaded to protect your privacy.".to_owned(),
            count => format!("{count} remote images were not loaded to protect your privacy."),
        }
    }

    pub(crate) fn attachments(count: usize) -> String {
        match count {
            1 => "1 attachment".to_owned(),
            count => format!("{count} attachments"),
        }
    }

    pub(crate) fn download(name: &str) -> String {
        format!("Download {name}")
    }
}

/// The window in which a message is written.
pub(crate) mod compose {
    pub(crate) const TITLE: &str = "New message";
    pub(crate) const FROM: &str = "From";
    pub(crate) const TO: &str = "To";
    pub(crate) const CC: &str = "Cc";
    pub(crate) const BCC: &str = "Bcc";
    pub(crate) const SUBJECT: &str = "Subject";
    pub(crate) const TEXT: &str = "Text";
    pub(crate) const TO_HINT: &str = "name@example.org, …";
    pub(crate) const ATTACH: &str = "Attach files";
    pub(crate) const REMOVE: &str = "Remove";
    pub(crate) const DROP_HERE: &str = "Drop files to attach them";
    pub(crate) const SEND: &str = "Send";
    pub(crate) const SENDING: &str = "Handing over…";
    pub(crate) const SEND_HINT: &str = "Send (Ctrl+Enter)";
    pub(crate) const DISCARD: &str = "Discard";
    pub(crate) const CLOSE: &str = "Save and close";
    pub(crate) const SAVED: &str = "Saved in Drafts.";
    pub(crate) const DISCARD_QUESTION: &str = "Throw this message away? It can't be brought back.";
    pub(crate) const DISCARD_YES: &str = "Throw away";
    pub(crate) const DISCARD_NO: &str = "Keep writing";
    pub(crate) const MINIMIZE: &str = "Minimise";
    pub(crate) const EXPAND: &str = "Go on writing";
    pub(crate) const NO_RECIPIENT: &str = "Add at least one recipient.";
    pub(crate) const FINISH_FIRST: &str =
        "You are writing a message already. Send it or discard it first.";

    pub(crate) fn no_address(entry: &str) -> String {
        format!(
            "“{entry}” is not a mail address. Write name@example.org, with commas between several."
        )
    }

    pub(crate) fn too_big(name: &str, limit: &str) -> String {
        format!("“{name}” was not attached: all attachments together may have {limit}.")
    }

    pub(crate) fn unreadable(name: &str) -> String {
        format!("“{name}” could not be read.")
    }

    pub(crate) fn wrote(who: &str, date: &str) -> String {
        if date.is_empty() { format!("{who} wrote:") } else { format!("On {date}, {who} wrote:") }
    }

    pub(crate) fn forwarded(from: &str, date: &str, subject: &str, to: &str) -> String {
        format!(
            "---------- Forwarded message ----------\nFrom: {from}\nDate: {date}\nSubject: {subject}\nTo: {to}"
        )
    }
}

/// The list of accounts.
pub(crate) mod accounts {
    pub(crate) const TITLE: &str = "Accounts";
    pub(crate) const ADD: &str = "Add account";
    pub(crate) const REMOVE: &str = "Remove…";
    pub(crate) const REMOVE_YES: &str = "Remove";
    pub(crate) const REMOVE_NO: &str = "Keep";
    pub(crate) const INCOMING: &str = "Incoming";
    pub(crate) const OUTGOING: &str = "Outgoing";
    pub(crate) const ON_SERVER: &str = "On the server";
    pub(crate) const KEEP: &str = "mail is kept";
    pub(crate) const DELETE: &str = "mail is deleted once it is stored here";
    pub(crate) const DELETE_WHEN_HERE: &str = "mail is deleted when it is deleted here";
    pub(crate) const SECONDARY: &str = "mail is left to another computer";
    pub(crate) const LOST_IMAP: &str = "Its password and everything stored for it in this browser will be deleted. Your mail stays at your provider. Messages that wait to be sent are lost.";
    pub(crate) const LOST_POP3: &str = "Its password and all of its mail in this browser will be deleted. Messages that are no longer on the server are lost for good, and so are those that wait to be sent.";

    pub(crate) fn delete_after(days: u16) -> String {
        format!("mail is deleted {days} days after it was stored here")
    }
}

/// Keyboard shortcuts.
pub(crate) mod shortcuts {
    pub(crate) const TITLE: &str = "Keyboard shortcuts";
    pub(crate) const LIST: &[(&[&str], &str)] = &[
        (&["j", "↓"], "Next message"),
        (&["k", "↑"], "Previous message"),
        (&["Enter", "o"], "Open the message"),
        (&["Space"], "Scroll its text; Tab leaves it"),
        (&["t"], "Conversations or single messages"),
        (&["n", "p"], "Next and previous message of the conversation"),
        (&["x"], "Pick the message"),
        (&["Shift ↓", "Shift ↑"], "Pick several"),
        (&["Ctrl A"], "Pick all"),
        (&["u"], "Read or unread"),
        (&["s"], "Star"),
        (&["l"], "Tags"),
        (&["e"], "Archive"),
        (&["#", "Delete"], "Delete"),
        (&["!"], "Junk, or not junk"),
        (&["v"], "Move to a folder"),
        (&["z"], "Undo"),
        (&["r"], "Reply"),
        (&["a"], "Reply to all"),
        (&["f"], "Forward"),
        (&["/"], "Search"),
        (&["c"], "Write a message"),
        (&["Ctrl Enter"], "Send"),
        (&["g"], "Check for new mail"),
        (&["Esc"], "Close, or go back"),
        (&["?"], "Show these shortcuts"),
    ];
}

/// Notes in the corner.
pub(crate) mod toast {
    pub(crate) const LABEL: &str = "Notes";
    pub(crate) const DISMISS: &str = "Dismiss";
    pub(crate) const RETRY: &str = "Send again";
    pub(crate) const SEND_NOW: &str = "Send now";
    pub(crate) const FILE_AGAIN: &str = "File again";
    pub(crate) const DISCARD: &str = "Discard";
    pub(crate) const UPDATE_READY: &str = "A new version of Postern is ready.";
    pub(crate) const UPDATE: &str = "Reload";
    pub(crate) const ENGINE_BROKE: &str =
        "Something broke inside Postern. What is stored is safe; reload the page to go on.";

    pub(crate) fn queued(subject: &str) -> String {
        format!("{} is waiting to be sent.", quoted(subject))
    }

    pub(crate) fn sending(subject: &str) -> String {
        format!("Sending {}…", quoted(subject))
    }

    pub(crate) fn sent(subject: &str) -> String {
        format!("{} was sent.", quoted(subject))
    }

    pub(crate) fn discarded(subject: &str) -> String {
        format!("{} was discarded and not sent.", quoted(subject))
    }

    pub(crate) fn send_failed(subject: &str, why: &str) -> String {
        format!("{} was not sent. {why}", quoted(subject))
    }

    pub(crate) fn uncertain(subject: &str) -> String {
        format!(
            "The connection broke at the last moment: {} may or may not have been sent. Ask the recipient or look in Sent before you send it again.",
            quoted(subject)
        )
    }

    pub(crate) fn unfiled(subject: &str, why: &str) -> String {
        format!(
            "{} was sent; only its copy could not be put into Sent, and is kept here until you discard it. {why}",
            quoted(subject)
        )
    }

    fn quoted(subject: &str) -> String {
        if subject.is_empty() { "Your message".to_owned() } else { format!("“{subject}”") }
    }
}
