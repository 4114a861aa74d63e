//! POP3 accounts: what is downloaded, what is deleted on the server, and what is known of it.

use postern_bridge::{DeletionHold, DeletionPreview, Extent, Protocol, Retention};

use crate::format;

pub(crate) const RETENTION_HERE: &str =
    "Delete it when I delete it here, or move it out of the inbox";
pub(crate) const RETENTION_SECONDARY: &str =
    "This is a secondary computer: leave everything to another one";
pub(crate) const RETENTION_HERE_MEANS: &str = "What you delete here will be deleted from the server as well. Of what you move to another folder, this browser will hold the only copy.";
pub(crate) const RETENTION_SECONDARY_MEANS: &str =
    "Nothing is ever deleted from the server, and what another computer deletes there stays here.";

pub(crate) const PUBLIC_COMPUTER: &str = "Others use this computer as well: it is a public one";
pub(crate) const PUBLIC_COMPUTER_MEANS: &str = "Nothing is deleted from any POP3 server, whatever is chosen, so that all mail is still there for your own computer. What was downloaded stays in this browser, as does your password, until you remove the account: do so before you leave.";

pub(crate) const EXTENT: &str = "How much is downloaded";
pub(crate) const EXTENT_WHOLE: &str = "Every message as a whole";
pub(crate) const EXTENT_UP_TO_BEFORE: &str = "Whole up to";
pub(crate) const EXTENT_UP_TO_AFTER: &str = "MB; beyond, headers";
pub(crate) const EXTENT_HEADERS: &str = "Only headers";
pub(crate) const EXTENT_MEANS: &str = "The rest of a message is downloaded when you ask for it. Until then it is on the server alone, and Postern deletes it there only if you delete the message here.";

pub(crate) const SERVER: &str = "About the POP3 server";
pub(crate) const IMPLEMENTATION: &str = "Software";
pub(crate) const EXPIRES: &str = "Keeps mail";
pub(crate) const LOGIN_DELAY: &str = "Log-ins";
pub(crate) const DOWNLOAD_WHOLE: &str = "Download whole";
pub(crate) const WILL_COME: &str = "The rest of this message will be here after the next download.";
pub(crate) const REST_GONE: &str =
    "Only the header of this message is here, and its rest can't be had from the server any more.";

/// What only the header of a message being here means.
pub(crate) fn header_only(size: u64) -> String {
    format!("Only the header of this message was downloaded. The whole has {}.", format::size(size))
}

/// What not even the header of a message being here means.
pub(crate) fn not_here(size: u64) -> String {
    format!(
        "This message of {} was not downloaded: the server did not hand it out, can't give its header alone, there was no room for it here, or the connection broke each time. It is still on the server.",
        format::size(size)
    )
}

/// What a setting would delete on the server with the next download.
pub(crate) fn preview(retention: Retention, preview: &DeletionPreview) -> String {
    let DeletionPreview { messages, not_here, later, .. } = *preview;
    let what = match retention {
        Retention::DeleteAfterDays(days) => {
            format!("stored here for {} or longer", count(u32::from(days), "day"))
        }
        Retention::DeleteWhenDeletedHere => "deleted here or moved out of the inbox".to_owned(),
        Retention::Keep | Retention::DeleteAfterDownload | Retention::Secondary => {
            "stored here".to_owned()
        }
    };
    let mut sentences = vec![match messages {
        0 => "With this setting, nothing would be deleted from the server now.".to_owned(),
        1 => format!("1 message that is {what} will be deleted from the server."),
        messages => {
            format!("{messages} messages that are {what} will be deleted from the server.")
        }
    }];
    match not_here {
        0 => {}
        1 => sentences.push("1 of them was deleted here: it will be gone for good.".into()),
        _ => sentences
            .push(format!("{not_here} of them were deleted here: they will be gone for good.")),
    }
    if later > 0 {
        let more = if messages > 0 { " more" } else { "" };
        sentences.push(format!("{later}{more} will follow when their time has come."));
    }
    sentences.join(" ")
}

/// Why nothing is deleted on the server.
pub(crate) fn hold(hold: DeletionHold) -> &'static str {
    match hold {
        DeletionHold::NotPersistent => {
            "Nothing is deleted from the server for now: this browser may clear its storage when it needs space or after some time without a visit, and mail that is nowhere else would be lost. Have the browser keep its storage first."
        }
        DeletionHold::PublicComputer => {
            "Nothing is deleted from the server, since others use this computer as well: it should not hold the only copy of your mail."
        }
        DeletionHold::Clock => {
            "Some messages are not deleted from the server yet: the clock of this device has leapt ahead, and nothing tells that so much time has passed. They will be deleted once their days have surely passed."
        }
        DeletionHold::Unverified => {
            "Nothing is deleted from the server for now: some stored messages have not been read back and compared yet. The next download does that first."
        }
    }
}

/// After how many days the server deletes messages by itself.
pub(crate) fn expires(days: u32) -> String {
    match days {
        0 => "until it was downloaded: then the server deletes it by itself".to_owned(),
        days => format!("for {}, then deletes it by itself", count(days, "day")),
    }
}

/// What it means that the server deletes messages by itself after so many days, if it may delete what
/// is not here as a whole. With 0 it deletes what was downloaded, which is.
pub(crate) fn expires_before_it_is_here(days: u32, extent: Extent) -> Option<String> {
    let here = match extent {
        Extent::Whole => return None,
        Extent::UpTo { .. } => "of large messages only headers are downloaded",
        Extent::Headers => "only headers are downloaded",
    };
    (days > 0).then(|| {
        let days = count(days, "day");
        format!(
            "Here {here}, and this server deletes messages by itself after {days}: the rest of what you have not had downloaded whole by then will be lost."
        )
    })
}

/// How long the server wants to be left alone after a log-in.
pub(crate) fn login_delay(seconds: u32) -> String {
    match seconds {
        0..=90 => format!("one every {}", count(seconds, "second")),
        seconds => {
            format!("one every {}; Postern keeps to that", count(seconds.div_ceil(60), "minute"))
        }
    }
}

/// Messages that have no unique id on the server.
pub(crate) fn unidentified(messages: u32) -> String {
    let subject =
        if messages == 1 { "1 message has" } else { &*format!("{messages} messages have") };
    format!(
        "{subject} no identity on this server. Postern knows them by their content, downloads them again when the mailbox changes and once a day, and never deletes them there."
    )
}

/// Messages of which not even the header is here.
pub(crate) fn left_out(messages: u32) -> String {
    let subject = if messages == 1 { "1 message is" } else { &*format!("{messages} messages are") };
    format!(
        "{subject} not here: too large at a server that can't give headers alone, not handed out by it, without room here, or the connection broke each time. In the list something stands for each: open it to have it downloaded. One that is damaged here and that the server does not hand out again counts as well; it is never deleted there."
    )
}

/// Messages of which the record here is damaged.
pub(crate) fn unreadable(messages: u32) -> String {
    let subject = if messages == 1 { "1 message" } else { &*format!("{messages} messages") };
    format!(
        "What this browser has noted of {subject} is damaged. Such a message is neither downloaded again nor deleted from the server; what is in the folders stays."
    )
}

/// Lines of the server's list that make no sense.
pub(crate) fn defects(lines: u32) -> String {
    let subject = if lines == 1 { "1 line" } else { &*format!("{lines} lines") };
    format!(
        "{subject} of the server's list of messages made no sense. The messages that they are about are known by their content, as far as the server hands them out, and never deleted there."
    )
}

/// Messages that somebody else has removed; `imap` is the address of an account that is about the
/// same mailbox over IMAP.
pub(crate) fn removed_elsewhere(messages: u32, imap: Option<&str>) -> String {
    let subject =
        if messages == 1 { "1 message was" } else { &*format!("{messages} messages were") };
    match imap {
        None => format!(
            "{subject} removed from the server by another program. What was downloaded stays here. To find all mail here, set the other program to leave it on the server; if the mail is meant for the other one, make this the secondary computer."
        ),
        Some(imap) => format!(
            "{subject} removed from the server: deleted or moved in the account {imap}, which has the same mailbox over IMAP, or by another program. What was downloaded stays here. If that was you, nothing is wrong; else set the other program to leave mail on the server. To hear no more of it, make this the secondary computer."
        ),
    }
}

/// That another account is about the same mailbox.
pub(crate) fn shared_mailbox(own: Protocol, address: &str) -> String {
    match own {
        Protocol::Pop3 => format!(
            "The account {address} reads the same mailbox over IMAP. What POP3 deletes from the server vanishes there too: leave messages on the server here, or remove one of the two accounts."
        ),
        Protocol::Imap => format!(
            "The account {address} downloads from the same mailbox over POP3. What it deletes from the server vanishes here too: let it leave messages on the server, or remove one of the two accounts."
        ),
    }
}

fn count(number: u32, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_deletes_before_it_is_here_is_told() {
        assert_eq!(expires_before_it_is_here(0, Extent::Headers), None);
        assert_eq!(expires_before_it_is_here(9, Extent::Whole), None);
        let told = expires_before_it_is_here(1, Extent::Headers).unwrap();
        assert!(told.starts_with("Here only headers are downloaded, and"), "{told}");
        assert!(told.contains("by itself after 1 day: "), "{told}");
    }

    #[test]
    fn what_is_gone_may_have_been_deleted_in_an_account_of_the_same_mailbox() {
        let told = removed_elsewhere(1, None);
        assert!(told.starts_with("1 message was removed from the server by another"), "{told}");
        let told = removed_elsewhere(2, Some("ann@example.org"));
        let expected = "2 messages were removed from the server: deleted or moved in the account \
                        ann@example.org, which has the same mailbox over IMAP";
        assert!(told.starts_with(expected), "{told}");
    }

    #[test]
    fn a_preview_says_how_many_and_why() {
        let told = |retention, messages, not_here, later| {
            preview(retention, &DeletionPreview { messages, not_here, later, hold: None })
        };
        assert_eq!(
            told(Retention::DeleteAfterDays(14), 412, 0, 9),
            "412 messages that are stored here for 14 days or longer will be deleted from the \
             server. 9 more will follow when their time has come."
        );
        assert_eq!(
            told(Retention::DeleteAfterDownload, 1, 1, 0),
            "1 message that is stored here will be deleted from the server. 1 of them was deleted \
             here: it will be gone for good."
        );
        assert_eq!(
            told(Retention::DeleteWhenDeletedHere, 0, 0, 0),
            "With this setting, nothing would be deleted from the server now."
        );
    }
}
