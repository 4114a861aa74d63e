//! Puts messages into a mailbox on the server, as they are read from the store.

use postern_bridge::Flags;
use postern_imap::{
    Command, Response,
    command::{MessageForm, StatusItem, Upload},
    quirks::Quirk,
    response::{AppendLimit, Flag, MailboxStatus},
};

use super::{
    ImapClient,
    exchange::{Answer, Feed},
    refusal::refusal,
};
use crate::{
    Host, MailError, Store, Transport, changes::is_keyword, pieces::Pieces, record::Mailbox,
    store::StoreError,
};

impl<T: Transport> ImapClient<T> {
    /// Puts a message into a mailbox unless one that tells the same Message-ID is there: so a
    /// filing that broke off can be repeated, whether or not the server had taken it. Where the
    /// server tells nothing of it, it is there twice then, which is better than not at all.
    ///
    /// # Errors
    ///
    /// If the server refuses, or can't be asked.
    pub async fn append_once<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        mailbox: &Mailbox,
        message_id: &str,
        flags: Flags,
        content: &Pieces,
    ) -> Result<(), MailError> {
        self.select(host, mailbox).await?;
        if self.find_put(host, message_id, None).await?.is_some() {
            return Ok(());
        }
        let wanted = Upload { flags: imap_flags(flags, &[]), ..Upload::default() };
        let messages = [(wanted, content.clone())];
        self.append(host, &mailbox.path, &messages, "file the copy").await.map(drop)
    }

    /// Puts messages into a mailbox on the server, which needs not be open; the store learns of them
    /// at the next sync. All or none of them are taken; several only where the server offers
    /// MULTIAPPEND. No more than a piece of them is held at a time. One with UTF-8 in its header is sent
    /// as such where the server speaks it (RFC 6855 section 4); where it refuses that after all, it is
    /// sent as any other, which every server takes or refuses for itself.
    ///
    /// # Errors
    ///
    /// [`MailError::TooLarge`] before anything is sent, if one is larger than the server says that it
    /// takes. If the server refuses. If the connection is lost, or their bytes can't be read to their end,
    /// the messages may or may not be there, or are not.
    pub(super) async fn append<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        path: &[u8],
        messages: &[(Upload, Pieces)],
        what: &'static str,
    ) -> Result<Answer, MailError> {
        let store = host.store();
        let size = messages.iter().map(|(_, content)| content.size()).max().unwrap_or_default();
        if let Some(limit) = self.append_limit(host, path).await?
            && size > limit
        {
            return Err(MailError::TooLarge { what, size, limit });
        }
        let speaks_utf8 = self.enabled.utf8_append && !self.has_quirk(Quirk::RefusesUtf8Append);
        let mut uploads = Vec::with_capacity(messages.len());
        for (wanted, content) in messages {
            let seen = content.look(store).await?;
            let form = match seen.has_nul {
                false if speaks_utf8 && seen.has_utf8_header() => MessageForm::Utf8,
                false => MessageForm::Text,
                true if self.capabilities(host).await?.has("BINARY") => MessageForm::Binary,
                true => return Err(MailError::Unsupported("messages with a NUL byte")),
            };
            uploads.push(Upload { form, size: content.size(), ..wanted.clone() });
        }
        let answer = self.upload(host, path, messages, &uploads, what).await;
        let in_utf8 = |own: &&mut Upload| own.form == MessageForm::Utf8;
        let mut as_others = uploads.iter_mut().filter(in_utf8).peekable();
        match answer {
            Err(MailError::Refused { .. }) if as_others.peek().is_some() && !self.half_said => {
                as_others.for_each(|own| own.form = MessageForm::Text);
                let answer = self.upload(host, path, messages, &uploads, what).await?;
                self.connection.session.note_quirk(Quirk::RefusesUtf8Append);
                Ok(answer)
            }
            answer => answer,
        }
    }

    async fn upload<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        path: &[u8],
        messages: &[(Upload, Pieces)],
        uploads: &[Upload],
        what: &'static str,
    ) -> Result<Answer, MailError> {
        let store = host.store();
        let command = Command::append_streamed(&self.named(path), uploads)?;
        let tag = self.start(host, command).await?;
        let mut answer = Answer::default();
        let mut pieces = StoredPieces { store, messages, number: 0, sent: 0 };
        let end = self.wait_feeding(host, tag, what, &mut answer, &mut pieces).await?;
        match refusal(what, &end) {
            Some(refusal) => Err(refusal),
            // Who believed that would keep it nowhere.
            None if !pieces.is_sent() => {
                Err(MailError::Protocol("a message is taken before it was sent".into()))
            }
            None => {
                answer.ends.push(end);
                Ok(answer)
            }
        }
    }

    /// How many bytes a message may have that is put into a mailbox, if the server says so (APPENDLIMIT,
    /// RFC 7889): for all of them with what it can do, or else for each when it is asked.
    async fn append_limit<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        path: &[u8],
    ) -> Result<Option<u64>, MailError> {
        let offered = self.capabilities(host).await?;
        if let Some(limit) = offered.value("APPENDLIMIT") {
            return Ok(limit.parse().ok());
        }
        if !offered.has("APPENDLIMIT") {
            return Ok(None);
        }
        let command = Command::status_of(&self.named(path), &[StatusItem::AppendLimit])?;
        let answer = self.run_all(host, vec![command], "tell how large a message may be").await?;
        Ok(answer.responses.iter().find_map(|response| match response {
            Response::MailboxStatus(MailboxStatus {
                append_limit: Some(AppendLimit::Bytes(limit)),
                ..
            }) => Some(*limit),
            _ => None,
        }))
    }
}

/// Messages as the session asks for them, one after the other.
struct StoredPieces<'a, S> {
    store: &'a S,
    /// The one that is being sent, and those that follow.
    messages: &'a [(Upload, Pieces)],
    /// The number of its next piece.
    number: u32,
    /// How many bytes of it were given.
    sent: u64,
}

impl<S> StoredPieces<'_, S> {
    /// Whether every byte was asked for.
    fn is_sent(&self) -> bool {
        let mut sizes = self.messages.iter().map(|(_, content)| content.size());
        sizes.next().is_none_or(|size| self.sent >= size) && sizes.all(|size| size == 0)
    }
}

impl<S: Store> Feed for StoredPieces<'_, S> {
    async fn next(&mut self) -> Result<Vec<u8>, StoreError> {
        // Of a message without a byte nothing is asked for.
        while let [(_, content), rest @ ..] = self.messages
            && self.sent >= content.size()
        {
            *self = Self { store: self.store, messages: rest, number: 0, sent: 0 };
        }
        let nothing = || StoreError::Damaged("no message".into());
        let (_, content) = self.messages.first().ok_or_else(nothing)?;
        let piece = content.get(self.store, self.number).await?;
        self.number += 1;
        self.sent += piece.len() as u64;
        Ok(piece)
    }
}

/// Flags and keywords as the server is told them; `\Deleted` is not for others.
pub(super) fn imap_flags(flags: Flags, keywords: &[String]) -> Vec<Flag> {
    let system = [
        (flags.seen, Flag::Seen),
        (flags.answered, Flag::Answered),
        (flags.flagged, Flag::Flagged),
        (flags.draft, Flag::Draft),
    ];
    let system = system.into_iter().filter_map(|(set, flag)| set.then_some(flag));
    // What is only a label at another server is left out.
    let keywords = keywords.iter().filter(|name| is_keyword(name));
    system.chain(keywords.map(|name| Flag::Other(name.into()))).collect()
}
