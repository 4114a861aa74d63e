//! Commands and what came back for them.

use std::{collections::BTreeMap, time::Duration};

use postern_imap::{
    Command, Event, Response,
    command::InvalidArgument,
    response::{BodySection, Content, Fetch, Status},
    session::{Defect, Tag},
};

use super::{
    ImapClient, PATIENCE, limits,
    refusal::{goodbye, refusal},
};
use crate::{Clock, MailError, Transport, store::StoreError};

/// Where a message that is sent in pieces comes from.
#[allow(async_fn_in_trait, reason = "nothing here is Send, on purpose")]
pub(super) trait Feed {
    /// The next piece, which is not empty.
    async fn next(&mut self) -> Result<Vec<u8>, StoreError>;
}

/// For commands that send no message.
struct Nothing;

impl Feed for Nothing {
    async fn next(&mut self) -> Result<Vec<u8>, StoreError> {
        Err(StoreError::Damaged("no message".into()))
    }
}

/// What came back for a command, or for several.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// The untagged responses, in order.
    pub(super) responses: Vec<Response>,
    /// How each command ended, in the order in which they were given.
    pub(super) ends: Vec<Status>,
    /// Whether some of it could not be read: what is not in it may have been told all the same.
    pub(super) is_damaged: bool,
    /// Large literals, by number.
    streams: BTreeMap<u64, Vec<u8>>,
    /// Why the server is about to hang up.
    goodbye: Option<String>,
    /// Bytes in `streams` and in held sections.
    content: usize,
}

impl Answer {
    /// The FETCH responses, in order.
    pub(super) fn fetches(&mut self) -> impl Iterator<Item = Fetch> {
        let responses = std::mem::take(&mut self.responses);
        responses.into_iter().filter_map(|response| match response {
            Response::Fetch(fetch) => Some(*fetch),
            _ => None,
        })
    }

    /// What was fetched of one message, in one piece even if the server told it in several.
    pub(super) fn fetched(&mut self, uid: u32) -> Option<Fetch> {
        self.fetches().filter(|fetch| fetch.uid == Some(uid)).reduce(|mut all, more| {
            all.sections.extend(more.sections);
            all.body_structure = all.body_structure.or(more.body_structure);
            all
        })
    }

    /// Takes the bytes of a section out of what was fetched.
    pub(super) fn section(&mut self, fetch: &mut Fetch, name: &str) -> Option<Vec<u8>> {
        let same = |section: &BodySection| section.section.eq_ignore_ascii_case(name);
        let at = fetch.sections.iter().position(same)?;
        match fetch.sections.swap_remove(at).content {
            Content::Held(bytes) => Some(bytes),
            Content::Streamed { stream, .. } => self.streams.remove(&stream),
            Content::Missing => None,
        }
    }

    fn take(&mut self, event: Event) -> Result<(), MailError> {
        match event {
            Event::Response(response) => {
                if let Response::Fetch(fetch) = &response {
                    for section in &fetch.sections {
                        if let Content::Held(bytes) = &section.content {
                            self.count(bytes.len())?;
                        }
                    }
                }
                if self.responses.len() >= limits::RESPONSES {
                    return Err(MailError::Protocol("too many responses to one request".into()));
                }
                self.responses.push(response);
            }
            Event::LiteralStart { stream, .. } => {
                self.streams.insert(stream, Vec::new());
            }
            Event::LiteralChunk { stream, bytes } => {
                self.count(bytes.len())?;
                self.streams.entry(stream).or_default().extend(bytes);
            }
            // It is left out; the rest of the answer counts.
            Event::Defect(Defect::Tokens(_) | Defect::Senseless(_)) => self.is_damaged = true,
            Event::Fatal(error) => return Err(MailError::Protocol(error.to_string())),
            Event::Goodbye(status) => self.goodbye = Some(status.text),
            Event::LiteralEnd { .. }
            | Event::ContentWanted { .. }
            | Event::Idling { .. }
            | Event::Defect(_)
            | Event::Greeting(_)
            | Event::Completed { .. } => {}
        }
        Ok(())
    }

    fn count(&mut self, bytes: usize) -> Result<(), MailError> {
        self.content += bytes;
        if self.content > limits::CONTENT {
            return Err(MailError::Protocol("more content than was asked for".into()));
        }
        Ok(())
    }
}

impl<T: Transport> ImapClient<T> {
    /// Runs a command to its end; `what` it asks, as a verb phrase: "open the mailbox".
    ///
    /// # Errors
    ///
    /// If the server refuses, breaks the protocol, or the connection is gone.
    pub(super) async fn run(
        &mut self,
        clock: &impl Clock,
        command: Command,
        what: &'static str,
    ) -> Result<Answer, MailError> {
        let tag = self.connection.session.start(command);
        let answer = self.finish(clock, tag, what).await?;
        let refusal = answer.ends.iter().find_map(|end| refusal(what, end));
        refusal.map_or(Ok(answer), Err)
    }

    /// Runs commands to their ends, all sent at once. Refusals are left to the caller.
    pub(super) async fn run_all(
        &mut self,
        clock: &impl Clock,
        commands: Vec<Command>,
        what: &'static str,
    ) -> Result<Answer, MailError> {
        let session = &mut self.connection.session;
        let tags: Vec<_> = commands.into_iter().map(|command| session.start(command)).collect();
        let mut answer = Answer::default();
        for tag in tags {
            let end = self.wait_for(clock, tag, what, &mut answer).await?;
            answer.ends.push(end);
        }
        Ok(answer)
    }

    /// Waits for the end of a command that was started, and takes all that comes until then. A
    /// refusal is left to the caller.
    pub(super) async fn finish(
        &mut self,
        clock: &impl Clock,
        tag: Tag,
        what: &'static str,
    ) -> Result<Answer, MailError> {
        let mut answer = Answer::default();
        let end = self.wait_for(clock, tag, what, &mut answer).await?;
        answer.ends.push(end);
        Ok(answer)
    }

    /// Whether a response is news of a watched mailbox and nothing else; it is kept as such.
    pub(super) fn is_news(&mut self, response: &Response) -> bool {
        self.news.as_mut().is_some_and(|news| news.note(response))
    }

    /// A server may end commands in another order than that in which they were given.
    pub(super) async fn wait_for(
        &mut self,
        clock: &impl Clock,
        tag: Tag,
        what: &'static str,
        answer: &mut Answer,
    ) -> Result<Status, MailError> {
        self.wait_feeding(clock, tag, what, answer, &mut Nothing).await
    }

    /// The same for a command whose answer may take longer than others.
    pub(super) async fn wait_longer(
        &mut self,
        clock: &impl Clock,
        patience: Duration,
        tag: Tag,
        what: &'static str,
        answer: &mut Answer,
    ) -> Result<Status, MailError> {
        self.wait(clock, patience, tag, what, answer, &mut Nothing).await
    }

    /// The same for a command that sends a message in pieces. If it ends or breaks off before the
    /// message does, the connection is of no more use: the server still waits for the rest.
    pub(super) async fn wait_feeding(
        &mut self,
        clock: &impl Clock,
        tag: Tag,
        what: &'static str,
        answer: &mut Answer,
        feed: &mut impl Feed,
    ) -> Result<Status, MailError> {
        self.wait(clock, PATIENCE, tag, what, answer, feed).await
    }

    async fn wait(
        &mut self,
        clock: &impl Clock,
        patience: Duration,
        tag: Tag,
        what: &'static str,
        answer: &mut Answer,
        feed: &mut impl Feed,
    ) -> Result<Status, MailError> {
        loop {
            if let Some(status) = self.ended.remove(&tag) {
                return Ok(status);
            }
            match (self.connection.next_event(clock, patience, what).await, &answer.goodbye) {
                (Ok(Event::Completed { tag, status }), _) => {
                    self.ended.insert(tag, status);
                }
                (Ok(Event::Response(response)), _) if self.is_news(&response) => {}
                (Ok(Event::ContentWanted { tag: wanted, rest }), _) if wanted == tag => {
                    self.half_said = true;
                    let piece = feed.next().await?;
                    let fed = self.connection.session.feed(tag, &piece);
                    fed.map_err(|error| MailError::Input(format!("This can't be sent: {error}.")))?;
                    self.half_said = (piece.len() as u64) < rest;
                }
                (Ok(event), _) => answer.take(event)?,
                (Err(_), Some(text)) => return Err(goodbye(text.clone())),
                (Err(error), None) => return Err(error),
            }
        }
    }
}

impl From<InvalidArgument> for MailError {
    fn from(error: InvalidArgument) -> Self {
        Self::Input(format!("This can't be sent to a mail server: {error}."))
    }
}
