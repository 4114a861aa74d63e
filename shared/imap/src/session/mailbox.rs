//! What is known of the selected mailbox, and what a server says that can't be true of it.

use crate::response::Response;

/// Something that can't be true of a mailbox of which the server has told other things.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Contradiction {
    /// There are fewer messages than before, and none was said to be gone.
    #[error("the mailbox shrank from {before} messages to {now} without a word")]
    Shrunk {
        /// How many there were.
        before: u32,
        /// How many there are.
        now: u32,
    },
    /// A message is gone that was not there. It is not passed on.
    #[error("message {number} of {exists} is said to be gone")]
    ExpungedNothing {
        /// Its place.
        number: u32,
        /// How many messages there are.
        exists: u32,
    },
    /// Something is told about a message that is not there.
    #[error("something is told about message {number} of {exists}")]
    NoSuchMessage {
        /// Its place.
        number: u32,
        /// How many messages there are.
        exists: u32,
    },
    /// Zero is no UID. It is left out.
    #[error("a message is said to have the UID 0")]
    ZeroUid,
    /// UIDs ascend with the places of their messages, so two messages can't have the same one.
    #[error("UID {uid} is not where it can be: it is told twice, or out of order")]
    MisplacedUid {
        /// The UID that came last.
        uid: u32,
    },
}

/// The selected mailbox, as far as it takes to notice contradictions.
#[derive(Debug, Default)]
pub(super) struct SelectedMailbox {
    /// How many messages it has; unknown until the server tells.
    exists: Option<u32>,
    /// The place and UID that were told last.
    last: Option<(u32, u32)>,
}

impl SelectedMailbox {
    /// How many messages it has, if the server told.
    pub(super) fn exists(&self) -> Option<u32> {
        self.exists
    }

    /// Another mailbox is being opened, or none is open any more.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Takes note of a response: what is wrong with it, and what is left of it to pass on.
    pub(super) fn observe(
        &mut self,
        response: Response,
    ) -> (Option<Contradiction>, Option<Response>) {
        match response {
            Response::Exists(now) => {
                let before = self.exists.replace(now);
                let shrunk = before.filter(|before| now < *before);
                if shrunk.is_some() {
                    self.last = None;
                }
                let shrunk = shrunk.map(|before| Contradiction::Shrunk { before, now });
                (shrunk, Some(response))
            }
            Response::Expunge(number) => match self.exists {
                Some(exists) if number == 0 || number > exists => {
                    (Some(Contradiction::ExpungedNothing { number, exists }), None)
                }
                exists => {
                    self.exists = exists.map(|exists| exists - 1);
                    self.last = None;
                    (None, Some(response))
                }
            },
            Response::Fetch(mut fetch) => {
                let mut found = None;
                if fetch.uid == Some(0) {
                    fetch.uid = None;
                    found = Some(Contradiction::ZeroUid);
                }
                let number = fetch.sequence;
                if let Some(exists) = self.exists
                    && (number == 0 || number > exists)
                {
                    found = Some(Contradiction::NoSuchMessage { number, exists });
                } else if let Some(uid) = fetch.uid {
                    let last = self.last.replace((number, uid));
                    if last.is_some_and(|(place, last)| place.cmp(&number) != last.cmp(&uid)) {
                        found = Some(Contradiction::MisplacedUid { uid });
                    }
                }
                (found, Some(Response::Fetch(fetch)))
            }
            Response::Vanished(ref vanished) if !vanished.earlier => {
                let gone = u32::try_from(vanished.uids.count()).unwrap_or(u32::MAX);
                self.exists = self.exists.map(|exists| exists.saturating_sub(gone));
                self.last = None;
                (None, Some(response))
            }
            other => (None, Some(other)),
        }
    }
}
