//! Messages that the server finds.

use std::ops::ControlFlow;

use postern_bridge::{MailboxId, MessageId};
use postern_imap::{
    Command, Response, SequenceSet,
    command::{InvalidArgument, SearchKey, SearchReturn},
    mailbox_name::Spelling,
    response::{Code, StatusKind},
};

use super::{ImapClient, exchange::Answer, limits, listing, select::Selected};
use crate::{
    Host, MailError, Store, Transport,
    changes::{Pending, is_provisional},
    record::{self, Message, Place, Record},
    search::{self, Asked, Query, Rung, limits as search_limits},
    store::{Durability, Table},
};

/// Something that the server has found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Found {
    /// Messages that are stored, some of them just now.
    pub places: Vec<Place>,
    /// Those of them that were not stored before.
    pub listed: Vec<Place>,
    /// UIDs of messages that the next sync of their mailbox will store.
    pub awaited: Vec<u32>,
}

/// Why a search found nothing.
enum Failure {
    /// The server does not know the charset.
    Charset,
    /// It refused for another reason; its words.
    Refused(String),
    Failed(MailError),
}

impl<T: Transport> ImapClient<T> {
    /// Has the server look for messages of a mailbox. `found` is called with what was found and is
    /// stored, and again for each window of what was not stored and has been fetched; where it says
    /// so, no more is fetched. A server that refuses a charset or a key is asked for less, and what
    /// it then finds counts if what is stored of it shows that it fulfils the rest.
    ///
    /// Only where no sync has been whole yet, messages are stored here, as a sync that is broken off
    /// after a window leaves them; elsewhere a message that is not stored has just come, and its
    /// mailbox's next sync stores it.
    ///
    /// # Errors
    ///
    /// If the server refuses in every way, or can't be asked, or the store not be written.
    pub async fn find<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        mailbox: MailboxId,
        query: &Query,
        found: &mut dyn FnMut(Found) -> ControlFlow<()>,
    ) -> Result<(), MailError> {
        let before = record::mailbox(host.store(), mailbox).await?;
        let selected = match self.selected {
            Some(selected) if selected.mailbox == mailbox => selected,
            _ => self.examine(host, &before).await?,
        };
        if before.uid_validity != 0 && before.uid_validity != selected.uid_validity {
            return Err(MailError::Gone("mailbox"));
        }
        let (uids, rest) = self.ask(host, query).await?;
        let (places, missing) = search::admitted(host.store(), mailbox, &uids, &rest).await?;
        let mut first = Found { places, ..Found::default() };
        if before.uid_next != 0 {
            first.awaited = missing.into_iter().filter(|uid| *uid >= before.uid_next).collect();
            let _ = found(first);
            return Ok(());
        }
        if found(first).is_break() {
            return Ok(());
        }
        let newest = missing.len().saturating_sub(search_limits::FETCHED);
        for window in missing[newest..].rchunks(search_limits::WINDOW) {
            let Some(set) = SequenceSet::from_numbers(window.iter().copied()) else { continue };
            let command = Command::uid_fetch(&set, &listing::ITEMS)?;
            let mut answer = self.run(host, command, "list the messages").await?;
            let messages = listing::messages(mailbox, &mut answer, |uid| {
                window.binary_search(&uid).is_ok() && !is_provisional(uid)
            });
            let listed = keep(host, &selected, messages).await?;
            let uids: Vec<u32> = listed.iter().map(|place| place.uid).collect();
            let (places, _) = search::admitted(host.store(), mailbox, &uids, &rest).await?;
            if found(Found { places, listed, ..Found::default() }).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The UIDs that the server finds, ascending, and what must be known of those messages besides.
    async fn ask<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        query: &Query,
    ) -> Result<(Vec<u32>, Query), MailError> {
        let mut tried = Vec::new();
        let mut refused = None;
        for rung in Rung::ALL {
            let Asked { keys, rest } = query.asked(rung);
            if tried.contains(&keys) || (keys.is_empty() && rung != Rung::All) {
                continue;
            }
            match self.search_keys(host, &keys).await {
                Ok(uids) => return Ok((uids, rest)),
                Err(Failure::Failed(error)) => return Err(error),
                Err(Failure::Charset) => {
                    refused.get_or_insert("it can't search for such letters".to_owned());
                }
                Err(Failure::Refused(text)) => {
                    refused.get_or_insert(text);
                }
            }
            tried.push(keys);
        }
        let text = refused.unwrap_or_default();
        Err(MailError::Refused { what: "search the mailbox", text })
    }

    async fn search_keys<H: Host<Transport = T>>(
        &mut self,
        host: &H,
        keys: &[SearchKey],
    ) -> Result<Vec<u32>, Failure> {
        let capabilities = self.capabilities(host).await?;
        let has_short = capabilities.has("ESEARCH") || capabilities.has("IMAP4REV2");
        let form = if has_short { SearchReturn::All } else { SearchReturn::Plain };
        let command = Command::uid_search_in(keys, &form, Spelling::ModifiedUtf7)?;
        let what = "search the mailbox";
        let tag = self.connection.session.start(command);
        let mut answer = Answer::default();
        let end = self.wait_for(host, tag, what, &mut answer).await?;
        match (end.kind, end.code) {
            (StatusKind::Ok, _) => {}
            (_, Some(Code::BadCharset(_))) => return Err(Failure::Charset),
            _ => return Err(Failure::Refused(end.text)),
        }
        let mut uids = Vec::new();
        // An old server that finds nothing may say nothing.
        for response in answer.responses {
            let Response::Search(result) = response else { continue };
            if result.all.as_ref().is_some_and(|all| all.count() > limits::MESSAGES) {
                let error = MailError::Protocol("more messages than there can be".into());
                return Err(Failure::Failed(error));
            }
            uids.extend(result.all.iter().flat_map(SequenceSet::numbers));
        }
        uids.sort_unstable();
        uids.dedup();
        uids.retain(|uid| !is_provisional(*uid));
        Ok(uids)
    }
}

/// Stores messages of a mailbox that has not been synced as a whole; returns the places of those
/// that were not stored. What is queued about them counts more than what the server told.
async fn keep<H: Host>(
    host: &H,
    selected: &Selected,
    messages: Vec<Message>,
) -> Result<Vec<Place>, MailError> {
    let store = host.store();
    let _editing = store.editing().lock().await;
    let mut mailbox = record::mailbox(store, selected.mailbox).await?;
    let mut writes = Vec::new();
    if mailbox.uid_validity == 0 {
        // Nothing is stored, so that the mod-sequence stands for all of that.
        mailbox.uid_validity = selected.uid_validity;
        mailbox.synced.mod_seq = selected.mod_seq;
        writes.push(mailbox.put());
    }
    if mailbox.uid_validity != selected.uid_validity || mailbox.uid_next != 0 {
        // A sync was quicker.
        return Ok(Vec::new());
    }
    let keys: Vec<_> = messages.iter().map(|own| record::message_key(own.id)).collect();
    let stored = store.get_many(Table::Messages, &keys).await?;
    let pending = Pending::of(store, mailbox.id, host.now()).await?;
    let mut places = Vec::new();
    for (mut message, stored) in messages.into_iter().zip(stored) {
        let MessageId { uid, .. } = message.id;
        if stored.is_some() || pending.has_departed(uid) {
            continue;
        }
        pending.mark(uid, &mut message.flags, &mut message.keywords);
        places.push(message.place());
        writes.extend(message.put_listed());
    }
    if !places.is_empty() {
        store.apply(writes, Durability::Relaxed).await?;
    }
    Ok(places)
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
