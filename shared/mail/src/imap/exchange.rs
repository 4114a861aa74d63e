//! Commands and what came back for them.

use std::{collections::BTreeMap, time::Duration};

use postern_imap::{
    Command, Event, Response,
    command::InvalidArgument,
    response::{BodySection, Code, Content, Fetch, Status, StatusKind},
    session::{Defect, Tag},
};

use super::{
    ImapClient, limits,
    listing::Records,
    permanent::Permanent,
    refusal::{goodbye, refusal},
};
use crate::{Clock, MailError, Transport, record::Message, store::StoreError};

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
    /// Whether that may have been a message's flags.
    pub(super) lacks_flags: bool,
    /// The messages that it lists, if their records are wanted and nothing else: those are no responses.
    records: Option<Records>,
    /// Large literals, by number.
    streams: BTreeMap<u64, Vec<u8>>,
    /// Why the server is about to hang up.
    goodbye: Option<String>,
    /// Bytes in `streams` and in held sections.
    content: usize,
    /// Bytes that `responses` were made from.
    size: u64,
}

impl Answer {
    /// One of which the records of the messages that it lists are wanted.
    pub(super) fn listing(records: Records) -> Self {
        Self { records: Some(records), ..Self::default() }
    }

    /// The records that are wanted of the messages that it lists, ascending, each once.
    pub(super) fn listed(&mut self, is_wanted: impl Fn(u32) -> bool) -> Vec<Message> {
        self.records.take().map(|records| records.wanted(is_wanted)).unwrap_or_default()
    }

    /// Where the server stopped, if it did all the same as it was asked but for no more messages
    /// than it allows in one go (MESSAGELIMIT, RFC 9738), which it may with an OK: the lowest UID
    /// that it came to, from the highest on down; 0 if it does not tell.
    pub(super) fn stopped_at(&self) -> Option<u32> {
        self.ends.iter().find_map(|end| match end.code {
            Some(Code::MessageLimit { last_uid, .. }) if end.kind == StatusKind::Ok => {
                Some(last_uid.unwrap_or_default())
            }
            _ => None,
        })
    }

    /// Whether it has all that was told, and the server came to the end.
    pub(super) fn is_whole(&self) -> bool {
        !self.is_damaged && self.stopped_at().is_none()
    }

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
            all.size = all.size.or(more.size);
            all
        })
    }

    /// Takes the bytes of a section out of what was fetched.
    pub(super) fn section(&mut self, fetch: &mut Fetch, name: &str) -> Option<Vec<u8>> {
        let same = |section: &BodySection| section.section.eq_ignore_ascii_case(name.as_bytes());
        let at = fetch.sections.iter().position(same)?;
        match fetch.sections.swap_remove(at).content {
            Content::Held(bytes) => Some(bytes.to_vec()),
            Content::Streamed { stream, .. } => self.streams.remove(&stream),
            Content::Missing => None,
        }
    }

    /// Takes an event that was made from so many bytes.
    fn take(&mut self, event: Event, size: u64) -> Result<(), MailError> {
        match event {
            Event::Response(response) => {
                if let Response::Fetch(fetch) = &response {
                    for section in &fetch.sections {
                        if let Content::Held(bytes) = &section.content {
                            self.count(bytes.len())?;
                        }
                    }
                }
                self.size += size;
                let count = self.responses.len() + self.records.as_ref().map_or(0, Records::len);
                if count >= limits::RESPONSES || self.size > limits::ANSWER {
                    return Err(MailError::Protocol("too many responses to one request".into()));
                }
                let is_listed = match (&mut self.records, &response) {
                    (Some(records), Response::Fetch(fetch)) => records.take(fetch),
                    _ => false,
                };
                if !is_listed {
                    self.responses.push(response);
                }
            }
            Event::LiteralStart { stream, .. } => {
                self.streams.insert(stream, Vec::new());
            }
            Event::LiteralChunk { stream, bytes } => {
                self.count(bytes.len())?;
                self.streams.entry(stream).or_default().extend(bytes);
            }
            // It is left out; the rest of the answer counts.
            Event::Defect(defect @ (Defect::Tokens(_) | Defect::Senseless(_))) => {
                self.is_damaged = true;
                self.lacks_flags |= !is_of_others(&defect);
            }
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

/// Whether what could not be read tells something else than what messages have, by its name. If it
/// may have been that some are gone, all is compared in any case.
fn is_of_others(defect: &Defect) -> bool {
    let names = ["EXISTS", "EXPUNGE", "FLAGS", "LIST", "RECENT", "STATUS", "VANISHED"];
    matches!(defect, Defect::Senseless(name) if names.contains(&&**name))
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
        let tag = self.start(clock, command).await?;
        let answer = self.finish(clock, tag, what, Answer::default()).await?;
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
        self.probe(clock, commands.iter().map(Command::name)).await?;
        let session = &mut self.connection.session;
        let tags: Vec<_> = commands.into_iter().map(|command| session.start(command)).collect();
        let mut answer = Answer::default();
        for tag in tags {
            let end = self.wait_for(clock, tag, what, &mut answer).await?;
            answer.ends.push(end);
        }
        Ok(answer)
    }

    /// Gives a command, after a [`probe`](Self::probe).
    ///
    /// # Errors
    ///
    /// If the connection is dead.
    pub(super) async fn start(
        &mut self,
        clock: &impl Clock,
        command: Command,
    ) -> Result<Tag, MailError> {
        self.probe(clock, [command.name()]).await?;
        Ok(self.connection.session.start(command))
    }

    /// Asks the server whether it is still there, if it has said nothing for a while and one of the
    /// commands that come next is one on which it may work for long without a word: that the connection
    /// is dead shows sooner so. None of them is given before, since what is told meanwhile is dropped.
    async fn probe(
        &mut self,
        clock: &impl Clock,
        commands: impl IntoIterator<Item = &'static str>,
    ) -> Result<(), MailError> {
        let silence = clock.now().abs_diff(self.connection.heard());
        let was_silent = u128::from(silence) > limits::QUIET.as_millis();
        if was_silent && limits::patience(commands) > limits::PATIENCE {
            // With nothing selected the news are of what is about to be opened, and what comes now is of
            // what was open before.
            let next = if self.selected.is_none() { self.news.take() } else { None };
            let tag = self.connection.session.start(Command::noop());
            self.wait_for(clock, tag, "keep the connection", &mut Answer::default()).await?;
            if next.is_some() {
                self.news = next;
            }
        }
        Ok(())
    }

    /// Waits for the end of a command that was started, and takes all that comes until then into an
    /// answer. A refusal is left to the caller.
    pub(super) async fn finish(
        &mut self,
        clock: &impl Clock,
        tag: Tag,
        what: &'static str,
        mut answer: Answer,
    ) -> Result<Answer, MailError> {
        let end = self.wait_for(clock, tag, what, &mut answer).await?;
        answer.ends.push(end);
        Ok(answer)
    }

    /// Whether a response is news of a watched mailbox and nothing else; it is kept as such.
    pub(super) fn is_news(&mut self, response: &Response) -> bool {
        if let Response::Status(status) = response {
            match (&status.code, &mut self.selected) {
                (Some(Code::NotificationOverflow), _) => {
                    // It tells nothing more of any mailbox until it is asked to again.
                    (self.watches_all, self.told_of_others) = (false, true);
                    self.overflows += 1;
                }
                // Told anew as keywords come and go.
                (Some(Code::PermanentFlags(flags)), Some(selected)) => {
                    selected.permanent = Permanent::told(flags);
                }
                _ => {}
            }
        }
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
        let mut deadline = Deadline::from(clock.now());
        loop {
            if let Some(status) = self.ended.remove(&tag) {
                return Ok(status);
            }
            let left = deadline.left(clock.now()).ok_or(MailError::TimedOut(what))?;
            let before = self.connection.session.taken();
            let patience = self.patience().min(left);
            let event = self.connection.next_event(clock, patience, what).await;
            let size = self.connection.session.taken() - before;
            deadline.carry(size);
            if let Ok(event) = &event {
                self.overhear(event);
            }
            if let (Ok(Event::Defect(defect)), Some(news)) = (&event, &mut self.news) {
                news.doubt(defect);
            }
            if let Ok(Event::Response(Response::MailboxStatus(status))) = &event {
                self.lookout.hear(status);
            }
            match (event, &answer.goodbye) {
                (Ok(Event::Completed { tag, status }), _) => {
                    self.ended.insert(tag, status);
                }
                (Ok(Event::Response(response)), _) if self.is_news(&response) => {}
                (Ok(Event::ContentWanted { tag: wanted, rest }), _) if wanted == tag => {
                    self.half_said = true;
                    let piece = feed.next().await?;
                    deadline.carry(piece.len() as u64);
                    let fed = self.connection.session.feed(tag, &piece);
                    fed.map_err(|error| MailError::Input(format!("This can't be sent: {error}.")))?;
                    self.half_said = (piece.len() as u64) < rest;
                }
                (Ok(event), _) => answer.take(event, size)?,
                (Err(_), Some(text)) => return Err(goodbye(text)),
                (Err(error), None) => return Err(error),
            }
        }
    }

    /// How long the server may be silent now. While it takes a message it has nothing else to do.
    fn patience(&self) -> Duration {
        match self.half_said {
            true => limits::PATIENCE,
            false => limits::patience(self.connection.session.under_way()),
        }
    }
}

/// Until when a command must have ended, however often the server says something meanwhile: for a
/// while it may only be at work, and then for as long as what is asked for is carried.
struct Deadline {
    /// In milliseconds since 1970 (UTC), if nothing is carried.
    idle: i64,
    /// Bytes that were carried, either way.
    carried: u64,
}

impl Deadline {
    fn from(now: i64) -> Self {
        Self { idle: now.saturating_add(limits::WORK), carried: 0 }
    }

    fn carry(&mut self, bytes: u64) {
        self.carried += bytes;
    }

    /// How long it still is; `None` if it has passed.
    fn left(&self, now: i64) -> Option<Duration> {
        let carrying = self.carried * 1_000 / limits::BYTES_PER_SECOND;
        let end = self.idle.saturating_add_unsigned(carrying);
        let left = u64::try_from(end.saturating_sub(now)).ok()?;
        (left > 0).then(|| Duration::from_millis(left))
    }
}

impl From<InvalidArgument> for MailError {
    fn from(error: InvalidArgument) -> Self {
        Self::Input(format!("This can't be sent to a mail server: {error}."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_may_take_long_if_it_carries_what_was_asked_for() {
        let minutes = |carried: u64| {
            let mut deadline = Deadline::from(1_000);
            deadline.carry(carried);
            deadline.left(1_000).map(|left| left.as_secs() / 60)
        };
        assert_eq!(
            (minutes(0), minutes(60 << 10), minutes(64 << 20)),
            (Some(30), Some(31), Some(1122))
        );
        let mut deadline = Deadline::from(0);
        assert_eq!(deadline.left(limits::WORK), None);
        deadline.carry(1 << 10);
        assert_eq!(deadline.left(limits::WORK), Some(Duration::from_secs(1)));
    }
}
