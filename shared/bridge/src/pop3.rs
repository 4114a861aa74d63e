//! What a POP3 account leaves on its server, what it downloads, and what is known of that server.

use serde::{Deserialize, Serialize};

/// What a POP3 account does with messages on the server after they are stored here.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Retention {
    /// Leave every message on the server.
    #[default]
    Keep,
    /// Delete a message once it is durably stored and verified here.
    DeleteAfterDownload,
    /// Delete a message this many days after it was stored here.
    DeleteAfterDays(u16),
    /// Delete a message once the person has deleted it here, or moved it out of the inbox.
    DeleteWhenDeletedHere,
    /// This is a secondary computer: leave every message, and take no notice of what another one
    /// deletes.
    Secondary,
}

impl Retention {
    /// Whether messages are deleted on the server without being asked for one by one.
    pub fn deletes(self) -> bool {
        match self {
            Self::Keep | Self::Secondary => false,
            Self::DeleteAfterDownload | Self::DeleteAfterDays(_) | Self::DeleteWhenDeletedHere => {
                true
            }
        }
    }
}

/// How much of each message a POP3 account downloads.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum Extent {
    /// All of it.
    #[default]
    Whole,
    /// All of it up to this size; of larger ones the header.
    UpTo {
        /// In units of 1,024 bytes.
        kibibytes: u32,
    },
    /// The header.
    Headers,
}

impl Extent {
    /// Whether messages of this size in bytes are downloaded whole.
    pub fn takes(self, size: u64) -> bool {
        match self {
            Self::Whole => true,
            Self::UpTo { kibibytes } => size <= u64::from(kibibytes) * 1024,
            Self::Headers => false,
        }
    }
}

/// Why nothing is deleted on a POP3 server, whatever the account's settings say: this browser would
/// hold the only copy, and is not fit to.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum DeletionHold {
    /// The browser may clear its storage when it needs space, or after some time without a visit.
    NotPersistent,
    /// It is a public computer, as the person has said.
    PublicComputer,
    /// Stored messages are there that were not read back and compared yet.
    Unverified,
    /// This device's clock has leapt ahead, so that the age of messages is uncertain: those go later.
    Clock,
}

/// What is known of a POP3 account's server.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Pop3View {
    /// The server's name for itself.
    pub implementation: Option<String>,
    /// After how many days the server deletes messages by itself; 0 is as soon as they were
    /// downloaded.
    pub expires: Option<u32>,
    /// How many seconds must pass between two log-ins.
    pub login_delay: Option<u32>,
    /// Messages on the server that have no unique id: they are never deleted there.
    pub unidentified: u32,
    /// Messages of which nothing is here: too large at a server that can't give the header alone,
    /// not handed out by it, without room here, or at fault that the connection breaks; and those that
    /// are damaged here and not handed out again.
    pub left_out: u32,
    /// Messages of which the record in this browser is damaged: they are neither downloaded nor deleted
    /// on the server.
    pub unreadable: u32,
    /// Lines of the server's list of messages that make no sense.
    pub defects: u32,
    /// Messages that vanished from the server though nobody here had them deleted over POP3.
    pub removed_elsewhere: u32,
    /// Why nothing is deleted on the server at present.
    pub hold: Option<DeletionHold>,
}

/// What a change of the settings would delete on the server.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct DeletionPreview {
    /// How many messages the next download would delete.
    pub messages: u32,
    /// How many of them can't be brought back from here, because they were deleted here.
    pub not_here: u32,
    /// How many messages will come to be due later, without anybody doing anything.
    pub later: u32,
    /// Why they would not be deleted yet.
    pub hold: Option<DeletionHold>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_limit_takes_what_is_as_large_and_no_more() {
        let limit = Extent::UpTo { kibibytes: 2 };
        assert!(limit.takes(2048) && !limit.takes(2049));
        assert!(Extent::Whole.takes(u64::MAX) && !Extent::Headers.takes(0));
    }

    #[test]
    fn only_policies_that_say_so_delete() {
        use Retention as R;
        for (policy, deletes) in [
            (R::Keep, false),
            (R::Secondary, false),
            (R::DeleteAfterDownload, true),
            (R::DeleteAfterDays(9), true),
            (R::DeleteWhenDeletedHere, true),
        ] {
            assert_eq!(policy.deletes(), deletes, "{policy:?}");
        }
    }
}
