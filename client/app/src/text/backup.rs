//! Backups, and mail as files.

use postern_bridge::{CopyState, Exported, Imported, Progress, Protocol, Reminder};

use super::{list, setup};
use crate::state::transfer::Batch;

pub(crate) const TITLE: &str = "Storage and backup";
pub(crate) const OPEN: &str = "Storage and backup";
pub(crate) const OPEN_DETAIL: &str =
    "How much mail is stored in this browser, how safe it is there, and copies of it on your disk.";
pub(crate) const LOOK: &str = "Open";
pub(crate) const ROOM: &str = "In this browser";
pub(crate) const KEPT: &str = "The browser keeps what is stored until you remove it.";
pub(crate) const PAGE_NOT_KEPT: &str = "Without a network this page does not open: the browser could not keep it. Most often the disk is nearly full, or the connection broke. It is tried again each time the page is opened.";
pub(crate) const UNKNOWN_ROOM: &str = "This browser does not tell how much space there is.";
pub(crate) const ACCOUNT: &str = "Account";
pub(crate) const STORED: &str = "Stored";
pub(crate) const LAST: &str = "Last backup";
pub(crate) const NEVER: &str = "Never";
pub(crate) const BACK_UP: &str = "Back up";
pub(crate) const BACK_UP_DETAIL: &str =
    "A copy of your mail as a file on your disk. Keep it somewhere else than on this device.";
pub(crate) const WHAT: &str = "What";
pub(crate) const EVERYTHING: &str = "All accounts";
pub(crate) const FORMAT: &str = "As";
pub(crate) const ZIP: &str = "Backup (zip)";
pub(crate) const ZIP_DETAIL: &str = "Brings back settings without passwords, and of POP3 accounts mail, folders, flags and which messages were downloaded. Mail of IMAP accounts is in it as files, and comes from the server again.";
pub(crate) const MBOX: &str = "One mbox file";
pub(crate) const MBOX_DETAIL: &str =
    "For other mail programs. Folders, settings and the list of POP3 downloads are not in it.";
pub(crate) const ZIP_FOLDER: &str = "Zip of .eml files";
pub(crate) const ZIP_FOLDER_DETAIL: &str =
    "One file for each message. Postern reads the flags back as well.";
pub(crate) const MBOX_FOLDER_DETAIL: &str = "For other mail programs.";
pub(crate) const HEADERS: &str = "An account downloads only headers, or leaves large messages on the server. Of those messages a backup has the headers alone.";
pub(crate) const GATHERED: &str = "Here this browser can't write a file bit by bit: it puts the whole backup together in memory first. Should that fail for want of memory, save one account at a time.";
pub(crate) const SAVE: &str = "Save a backup";
pub(crate) const SAVE_FOLDER: &str = "Save to a file";
pub(crate) const REMIND: &str = "Remind me of a backup";
pub(crate) const REMINDERS: [(Reminder, &str); 4] = [
    (Reminder::Off, "Never"),
    (Reminder::Weekly, "After a week"),
    (Reminder::Monthly, "After a month"),
    (Reminder::Quarterly, "After three months"),
];
pub(crate) const BRING_BACK: &str = "Restore and import";
pub(crate) const RESTORE: &str = "Restore a backup";
pub(crate) const RESTORE_DETAIL: &str = "Accounts that are not here are added, and their passwords asked for. What is here already is not doubled.";
pub(crate) const IMPORT: &str = "Import mail";
pub(crate) const IMPORT_DETAIL: &str = "From mbox, .eml or zip files into a folder that is kept in this browser. Messages that are in the folder already are left out.";
pub(crate) const INTO: &str = "Into the folder";
pub(crate) const STOP: &str = "Stop";
pub(crate) const STOPPED: &str = "Stopped. What was done until then stays.";
pub(crate) const EXPORT_STOPPED: &str = "Stopped. There is no usable file.";
pub(crate) const NOT_WRITTEN: &str =
    "The file could not be written. Is the disk full? Nothing in this browser was changed.";
pub(crate) const IS_SAVED: &str = "Yes, it is there";
pub(crate) const IS_NOT_SAVED: &str = "No";
pub(crate) const DISMISS: &str = "Dismiss";
pub(crate) const GO: &str = "Back up";

pub(crate) const COPY: &str = "Copy to an IMAP account";
pub(crate) const COPY_DETAIL: &str = "All folders of a POP3 account, with their flags. Nothing is deleted here. The copy goes on by itself after an interruption, and sends nothing twice.";
pub(crate) const COPY_FROM: &str = "From (POP3)";
pub(crate) const COPY_TO: &str = "To (IMAP)";
pub(crate) const COPY_START: &str = "Start copying";

pub(crate) fn copy_state(address: &str, state: &CopyState) -> String {
    match state {
        CopyState::Running(Progress { done, total, .. }) if *total > 0 => {
            format!("Copying {address}: {done} of {total}")
        }
        CopyState::Running(_) => format!("Copying {address}…"),
        CopyState::Waiting(why) => format!("{why} The copy goes on by itself."),
        CopyState::Failed(why) => format!("{why} The copy has stopped."),
        CopyState::Done { copied, present, missing } => {
            let there = list::count(copied.saturating_add(*present), 0);
            let missing = match missing {
                0 => String::new(),
                1 => {
                    " 1 could not be checked, or is not there: the server refused it, has one that \
                      may be it, or it is not here as a whole."
                        .to_owned()
                }
                more => format!(
                    " {more} could not be checked, or are not there: the server refused them, has \
                     some that may be they, or they are not here as a whole."
                ),
            };
            format!("Checked: the server has {there} of {address}, {copied} of them new.{missing}")
        }
    }
}

pub(crate) const DAMAGED: &str = "The mail stored in this browser can't be used";
pub(crate) const ERASE: &str = "Start afresh…";
pub(crate) const ERASE_DETAIL: &str = "Everything that is stored in this browser is removed. Then add your accounts again, which downloads what their servers still have, and restore a backup for the rest.";
pub(crate) const ERASE_YES: &str = "Remove everything and start afresh";
pub(crate) const HAVE_ONE: &str = "You have a backup of an earlier Postern?";
pub(crate) const LOST: &str = "Your mail is no longer in this browser";
pub(crate) const LOST_DETAIL: &str = "What was stored here was removed: somebody cleared the browser's data, or the browser did so itself, as it may when it needs the space or after some time without a visit. These accounts were here:";
pub(crate) const LOST_UNNAMED: &str = "An account, its address forgotten as well";
pub(crate) const LOST_IMAP: &str =
    "Its mail is on the server. Add the account again, and all of it is back.";
pub(crate) const LOST_POP3: &str = "Add the account again to download what its server still has. What was deleted there comes back from a backup alone: restore it first, and nothing is downloaded twice.";
pub(crate) const LOST_KNOWN: &str = "I know; start afresh";
pub(crate) const CHOOSE_FILE: &str = "Choose a file";

pub(crate) fn is_it_saved(name: &str) -> String {
    format!("Is “{name}” among your downloads? Only you can tell: this browser does not.")
}

pub(crate) fn save_folder(name: &str) -> String {
    format!("Save “{name}” to a file")
}

pub(crate) fn import_into(name: &str) -> String {
    format!("Import mail into “{name}”")
}

pub(crate) fn in_use_alone(used: &str) -> String {
    format!("{used} in use. {UNKNOWN_ROOM}")
}

pub(crate) fn in_use(used: &str, quota: &str, percent: u64) -> String {
    format!("{used} of {quota} in use ({percent} %)")
}

pub(crate) fn protocol(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Imap => setup::IMAP,
        Protocol::Pop3 => setup::POP3,
    }
}

pub(crate) fn due(address: &str) -> String {
    format!(
        "It is time for a backup of {address}: this browser may hold the only copy of its mail."
    )
}

/// How far a file is; `place` is which of several it is, and how many they are.
pub(crate) fn progress(
    name: &str,
    place: Option<(usize, usize)>,
    progress: Option<&Progress>,
) -> String {
    let place = place.map_or_else(String::new, |(at, of)| format!(" ({at} of {of})"));
    match progress {
        Some(Progress { what, done, total }) if *total > 0 => {
            let percent = u64::from(*done) * 100 / u64::from(*total);
            format!("{what} {name}{place}: {percent} %")
        }
        _ => format!("{name}{place}…"),
    }
}

/// What was written to a file; `incomplete` are the addresses of accounts of which not all is in it.
pub(crate) fn exported(
    name: &str,
    exported: &Exported,
    size: &str,
    incomplete: &[String],
) -> String {
    let messages = list::count(exported.messages, 0);
    let headers = match exported.headers {
        0 => String::new(),
        1 => " Of 1 it has only the header: no more was downloaded.".to_owned(),
        more => format!(" Of {more} it has only the headers: no more was downloaded."),
    };
    let missing = match exported.missing {
        0 => String::new(),
        1 => " 1 message is not in it: it is not here as a whole, and could not be fetched."
            .to_owned(),
        more => format!(
            " {more} messages are not in it: they are not here as a whole, and could not be fetched."
        ),
    };
    let incomplete = match incomplete {
        [] => String::new(),
        some => format!(" Accounts of which not all is in it: {}.", some.join(", ")),
    };
    format!("Saved “{name}”: {messages}, {size}.{headers}{missing}{incomplete}")
}

pub(crate) fn imported(name: &str, imported: &Imported) -> String {
    let mut sentence = format!("“{name}”: {}", counts(imported));
    match imported.added.len() {
        0 => {}
        1 => sentence += " Enter the password of the account that came back in its settings.",
        _ => sentence += " Enter the passwords of the accounts that came back in their settings.",
    }
    sentence
}

/// What came of several files.
pub(crate) fn imported_all(batch: &Batch) -> String {
    let files = |count: usize| if count == 1 { "1 file".into() } else { format!("{count} files") };
    let mut sentence =
        format!("{} read: {}", files(batch.done - batch.refused), counts(&batch.sum));
    if batch.refused > 0 {
        let refused = files(batch.refused);
        sentence +=
            &format!(" {refused} not read to the end: what was added of such is not counted.");
    }
    if batch.left() > 0 {
        sentence += &format!(" {} not read.", files(batch.left()));
    }
    sentence
}

/// How many messages were found, and what became of them.
fn counts(imported: &Imported) -> String {
    let mut sentence = format!("{} added", list::count(imported.messages, 0));
    if imported.duplicates > 0 {
        sentence += &format!(", {} here already", imported.duplicates);
    }
    if imported.skipped > 0 {
        sentence += &format!(", {} not readable", imported.skipped);
    }
    if imported.left > 0 {
        sentence += &format!(", {} left to their IMAP server", imported.left);
    }
    sentence + "."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_backup_the_accounts_are_named_of_which_not_all_is_in_it() {
        let some = Exported { messages: 7, missing: 5, bytes: 1, ..Exported::default() };
        let accounts = ["ada@example.org", "ben@example.org"].map(String::from);
        let told = exported("x.zip", &some, "1 B", &accounts);
        assert!(told.contains("5 messages are not in it"), "{told}");
        let accounts = "Accounts of which not all is in it: ada@example.org, ben@example.org.";
        assert!(told.ends_with(accounts), "{told}");
        let whole = exported("x.zip", &Exported { missing: 0, ..some }, "1 B", &[]);
        assert_eq!(whole, "Saved “x.zip”: 7 messages, 1 B.");
    }
}
