//! What a server answers, by what is looked for.

use postern_imap::{
    Response, SequenceSet,
    response::{
        Code, Content, CopiedUids, Fetch, Flag, ListEntry, MailboxStatus, SearchResult, Thread,
    },
};

/// All that was said since the last answer, with how the command ended as the last. What belongs to no
/// step, such as RECENT, may be there as well.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) responses: Vec<Response>,
}

impl Answer {
    /// The one thing of its kind that is there.
    pub(crate) fn one<'a, T>(&'a self, is_it: impl FnMut(&'a Response) -> Option<T>) -> T {
        let mut found: Vec<T> = self.responses.iter().filter_map(is_it).collect();
        assert_eq!(found.len(), 1, "{:#?}", self.responses);
        found.remove(0)
    }

    /// The one response code of its kind.
    pub(crate) fn code<'a, T>(&'a self, mut is_it: impl FnMut(&'a Code) -> Option<T>) -> T {
        self.one(|response| match response {
            Response::Status(status) => status.code.as_ref().and_then(&mut is_it),
            _ => None,
        })
    }

    /// Which UIDs became which.
    pub(crate) fn copied(&self) -> &CopiedUids {
        self.code(|code| match code {
            Code::CopyUid(copied) => Some(copied),
            _ => None,
        })
    }

    /// The UIDs that appended messages got.
    pub(crate) fn appended(&self) -> &SequenceSet {
        self.code(|code| match code {
            Code::AppendUid { uids, .. } => Some(uids),
            _ => None,
        })
    }

    /// What was found.
    pub(crate) fn found(&self) -> &SearchResult {
        self.one(|response| match response {
            Response::Search(result) => Some(result),
            _ => None,
        })
    }

    /// The UIDs in their order.
    pub(crate) fn sorted(&self) -> &[u32] {
        self.one(|response| match response {
            Response::Sort(result) => Some(&*result.numbers),
            _ => None,
        })
    }

    /// Of each thread the UIDs, each with that of the message it answers.
    pub(crate) fn threads(&self) -> Vec<Vec<(u32, Option<u32>)>> {
        let threads = self.one(|response| match response {
            Response::Threads(threads) => Some(threads),
            _ => None,
        });
        let pairs = |thread: &Thread| {
            let number = |at: usize| thread.messages[at].number;
            thread.messages.iter().map(|own| (own.number, own.parent.map(number))).collect()
        };
        threads.iter().map(pairs).collect()
    }

    /// What is told of a message.
    pub(crate) fn fetched(&self, uid: u32) -> &Fetch {
        self.one(|response| match response {
            Response::Fetch(fetch) if fetch.uid == Some(uid) => Some(&**fetch),
            _ => None,
        })
    }

    /// That nothing is told of a message.
    pub(crate) fn assert_untold(&self, uid: u32) {
        let is_it = |response: &Response| matches!(response, Response::Fetch(fetch) if fetch.uid == Some(uid));
        assert!(!self.responses.iter().any(is_it), "{:#?}", self.responses);
    }

    /// Whether a message is told to have a flag.
    pub(crate) fn has_flag(&self, uid: u32, flag: &Flag) -> bool {
        self.fetched(uid).flags.as_ref().is_some_and(|flags| flags.contains(flag))
    }

    /// The counts of a mailbox.
    pub(crate) fn counts(&self, name: &[u8]) -> &MailboxStatus {
        self.one(|response| match response {
            Response::MailboxStatus(status) if status.name == name => Some(status),
            _ => None,
        })
    }

    /// The mailboxes that are listed.
    pub(crate) fn listed(&self) -> Vec<&ListEntry> {
        let entries = self.responses.iter().filter_map(|response| match response {
            Response::List(entry) => Some(entry),
            _ => None,
        });
        entries.collect()
    }

    /// How many messages the mailbox has.
    pub(crate) fn exists(&self) -> u32 {
        self.one(|response| match response {
            Response::Exists(count) => Some(*count),
            _ => None,
        })
    }

    /// That one message is gone, by its UID or, where the server does without, its number.
    pub(crate) fn assert_gone(&self, uid: u32, number: u32) {
        let is_it = self.one(|response| match response {
            Response::Vanished(gone) => Some(!gone.earlier && gone.uids == set(&uid.to_string())),
            Response::Expunge(own) => Some(*own == number),
            _ => None,
        });
        assert!(is_it, "{:#?}", self.responses);
    }

    /// That these are gone since before this was asked.
    pub(crate) fn assert_gone_before(&self, uids: &str) {
        let gone = self.one(|response| match response {
            Response::Vanished(gone) => Some(gone),
            _ => None,
        });
        assert!(gone.earlier && gone.uids == set(uids), "{gone:?}");
    }
}

/// A set of UIDs.
pub(crate) fn set(text: &str) -> SequenceSet {
    SequenceSet::parse(text.as_bytes()).expect("a set")
}

/// The bytes of a section that are told with it.
pub(crate) fn held(content: &Content) -> &[u8] {
    match content {
        Content::Held(bytes) => bytes,
        other => panic!("{other:?}"),
    }
}
