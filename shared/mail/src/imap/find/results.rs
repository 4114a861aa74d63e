//! What a server finds: all at once, or the newest first in windows where it can (PARTIAL, RFC 9394,
//! over a result that it keeps, RFC 5182).

use postern_imap::{
    Command, Response, SequenceSet,
    command::{InvalidArgument, SearchKey, SearchOptions, SearchReturn, Window},
    response::{Code, SearchResult, StatusKind},
};

use super::super::{ImapClient, exchange::Answer, limits};
use crate::{
    Host, MailError, Transport, changes::is_provisional, error::words,
    search::limits as search_limits,
};

/// What this asks of a server.
pub(super) const WHAT: &str = "search the mailbox";

/// Some of what a server has found.
pub(super) struct Results {
    /// UIDs, ascending.
    pub(super) uids: Vec<u32>,
    /// How to ask for older ones.
    pub(super) older: Option<Older>,
}

/// Messages that were found and are older than those that the server has told of.
pub(super) struct Older {
    keys: Vec<SearchKey>,
    /// How many were found in all.
    found: u32,
    /// How many of them are told.
    told: u32,
}

/// Why a search found nothing.
pub(super) enum Failure {
    /// The server does not know the charset.
    Charset,
    /// It refused for another reason; its words.
    Refused(String),
    Failed(MailError),
}

impl<T: Transport> ImapClient<T> {
    /// The newest of the messages that match all keys.
    pub(super) async fn find_newest<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        keys: &[SearchKey],
    ) -> Result<Results, Failure> {
        let capabilities = self.capabilities(host).await?;
        let has_short = capabilities.has("ESEARCH");
        let is_kept = capabilities.has("SEARCHRES");
        if has_short && is_kept && capabilities.has("PARTIAL") {
            match self.find_first_window(host, keys).await {
                // One that can't do what it says may do with less.
                Err(Failure::Refused(_)) => {}
                results => return results,
            }
        }
        let form = if has_short { SearchReturn::All } else { SearchReturn::Plain };
        let uids = self.find_all(host, keys, &form).await?;
        Ok(Results { uids, older: None })
    }

    async fn find_first_window<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        keys: &[SearchKey],
    ) -> Result<Results, Failure> {
        // To be counted, all that is found is kept (RFC 9394 section 3.3), not only the window.
        let options =
            SearchOptions { count: true, save: true, ..window(1..=search_limits::RESULTS) };
        let answered = self.find_by(host, keys, &SearchReturn::Options(options)).await?;
        let found = answered.iter().find_map(|result| result.count).unwrap_or_default();
        let found = u32::try_from(found).unwrap_or(u32::MAX);
        bounded(found.into())?;
        let uids = in_window(&answered);
        self.checked(host, Older { keys: keys.to_vec(), found, told: 0 }, uids).await
    }

    /// The next older ones of what was found.
    pub(super) async fn find_older<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        older: Older,
    ) -> Result<Results, Failure> {
        let next = older.told + 1..=older.told.saturating_add(search_limits::RESULTS);
        let form = SearchReturn::Options(window(next));
        let uids = match self.find_by(host, &[SearchKey::Saved], &form).await {
            Ok(answered) => in_window(&answered),
            // It kept nothing.
            Err(Failure::Refused(_)) => Vec::new(),
            Err(failure) => return Err(failure),
        };
        self.checked(host, older, uids).await
    }

    /// A window with as many as it must have; where it has fewer, because messages were expunged
    /// meanwhile or the server keeps no results, all are asked for.
    async fn checked<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        Older { keys, found, told }: Older,
        uids: Vec<u32>,
    ) -> Result<Results, Failure> {
        let due = (found - told).min(search_limits::RESULTS);
        if u32::try_from(uids.len()) != Ok(due) {
            let uids = self.find_all(host, &keys, &SearchReturn::All).await?;
            return Ok(Results { uids, older: None });
        }
        let told = told + due;
        let older = (told < found).then_some(Older { keys, found, told });
        Ok(Results { uids, older })
    }

    async fn find_all<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        keys: &[SearchKey],
        form: &SearchReturn,
    ) -> Result<Vec<u32>, Failure> {
        let mut uids = Vec::new();
        // An old server that finds nothing may say nothing.
        for result in self.find_by(host, keys, form).await? {
            let Some(all) = result.all else { continue };
            bounded(all.count())?;
            uids.extend(all.numbers());
        }
        Ok(in_order(uids))
    }

    async fn find_by<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        keys: &[SearchKey],
        form: &SearchReturn,
    ) -> Result<Vec<SearchResult>, Failure> {
        let command = Command::uid_search_in(keys, form, self.enabled.spelling)?;
        let tag = self.start(host, command).await?;
        let mut answer = Answer::default();
        let end = self.wait_for(host, tag, WHAT, &mut answer).await?;
        match (end.kind, end.code) {
            (StatusKind::Ok, _) => {}
            (_, Some(Code::BadCharset(_))) => return Err(Failure::Charset),
            _ => return Err(Failure::Refused(words(&end.text))),
        }
        let results = answer.responses.into_iter().filter_map(|response| match response {
            Response::Search(result) => Some(result),
            _ => None,
        });
        Ok(results.collect())
    }
}

fn window(places: std::ops::RangeInclusive<u32>) -> SearchOptions {
    SearchOptions { window: Some(Window::newest(places)), ..SearchOptions::default() }
}

/// The UIDs of a window; one that is larger than it may be counts as none.
fn in_window(answered: &[SearchResult]) -> Vec<u32> {
    let windows = answered.iter().filter_map(|result| result.partial.as_ref());
    let found = windows.filter_map(|window| window.found.as_ref());
    let found = found.filter(|found| found.count() <= search_limits::RESULTS.into());
    in_order(found.flat_map(SequenceSet::numbers).collect())
}

fn in_order(mut uids: Vec<u32>) -> Vec<u32> {
    uids.sort_unstable();
    uids.dedup();
    uids.retain(|uid| !is_provisional(*uid));
    uids
}

fn bounded(found: u64) -> Result<(), Failure> {
    if found > limits::MESSAGES {
        let error = MailError::Protocol("more messages than there can be".into());
        return Err(Failure::Failed(error));
    }
    Ok(())
}

impl From<MailError> for Failure {
    fn from(error: MailError) -> Self {
        Self::Failed(error)
    }
}

impl From<InvalidArgument> for Failure {
    fn from(error: InvalidArgument) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Failure> for MailError {
    fn from(failure: Failure) -> Self {
        let refused = |text| Self::Refused { what: WHAT, text };
        match failure {
            Failure::Charset => refused("it can't search for such letters".to_owned()),
            Failure::Refused(text) => refused(text),
            Failure::Failed(error) => error,
        }
    }
}
