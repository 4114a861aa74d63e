//! Searches of the open mailbox, in the short form where the server has it.

use std::ops::RangeInclusive;

use postern_imap::{
    Command, Response, SequenceSet,
    command::{SearchKey, SearchReturn},
    response::SearchResult,
};

use super::{ImapClient, exchange::Answer, limits};
use crate::{Host, MailError, Transport};

/// What this asks of a server.
const WHAT: &str = "search the mailbox";

/// The messages that the server says are in the open mailbox.
pub(super) struct Present {
    /// Their UIDs, ascending.
    pub(super) uids: Vec<u32>,
    /// Whether those are all: of one that is not among them, it is known that it is gone.
    pub(super) is_whole: bool,
}

impl<T: Transport> ImapClient<T> {
    /// Asks which messages the open mailbox has. What was told is not all if some of it could not be
    /// read, if the server stopped before the end, or if it is fewer than there were the whole
    /// time.
    ///
    /// # Errors
    ///
    /// If the server can't be asked, or tells more messages than there can be.
    pub(super) async fn present<H: Host<Transport = T>>(
        &mut self,
        host: &H,
    ) -> Result<Present, MailError> {
        let before = self.connection.session.exists();
        let answer = self.run_search(host, vec![SearchKey::All], SearchReturn::All).await?;
        let is_told = answer.is_whole();
        let uids = result(answer)?.all;
        let count = uids.as_ref().map_or(0, SequenceSet::count);
        if count > limits::MESSAGES {
            return Err(MailError::Unsupported("a mailbox of this size"));
        }
        // Some may have gone or come meanwhile.
        let least = before.min(self.connection.session.exists()).unwrap_or_default();
        let is_whole = is_told && count >= least.into();
        Ok(Present { uids: uids.iter().flat_map(SequenceSet::numbers).collect(), is_whole })
    }

    /// Asks which messages with UIDs in a range the open mailbox has, ascending; `None` if some of the
    /// answer could not be read, it stops before the end, or it tells more than a mailbox can have:
    /// then a smaller range may help.
    ///
    /// # Errors
    ///
    /// If the server can't be asked.
    pub(super) async fn present_in<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        range: RangeInclusive<u32>,
    ) -> Result<Option<Vec<u32>>, MailError> {
        let Some(set) = SequenceSet::from_ranges([range.clone()]) else { return Ok(Some(vec![])) };
        let answer = self.run_search(host, vec![SearchKey::Uid(set)], SearchReturn::All).await?;
        if !answer.is_whole() {
            return Ok(None);
        }
        let uids = result(answer)?.all;
        if uids.as_ref().map_or(0, SequenceSet::count) > limits::MESSAGES {
            return Ok(None);
        }
        let uids = uids.iter().flat_map(SequenceSet::numbers);
        Ok(Some(uids.filter(|uid| range.contains(uid)).collect()))
    }

    /// Searches for messages that match every key.
    pub(super) async fn search_all<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        keys: Vec<SearchKey>,
        short: SearchReturn,
    ) -> Result<SearchResult, MailError> {
        result(self.run_search(host, keys, short).await?)
    }

    async fn run_search<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        keys: Vec<SearchKey>,
        short: SearchReturn,
    ) -> Result<Answer, MailError> {
        let capabilities = self.capabilities(host).await?;
        let has_short = capabilities.has("ESEARCH");
        let form = if has_short { short } else { SearchReturn::Plain };
        self.run(host, Command::uid_search(&keys, form)?, WHAT).await
    }
}

/// The result of a search, in one piece even if the server told it in several.
fn result(answer: Answer) -> Result<SearchResult, MailError> {
    let results = answer.responses.into_iter().filter_map(|response| match response {
        Response::Search(result) => Some(result),
        _ => None,
    });
    // Without an answer nothing is known: to take it for "none" would drop what is stored.
    results.reduce(join).ok_or_else(|| MailError::Protocol("a search without a result".into()))
}

fn join(one: SearchResult, other: SearchResult) -> SearchResult {
    let sets = [&one.all, &other.all];
    let all =
        SequenceSet::from_ranges(sets.into_iter().flatten().flat_map(|set| set.ranges()).cloned());
    let count = all.as_ref().map(SequenceSet::count).or(one.count).or(other.count);
    SearchResult { all, count, ..one }
}
