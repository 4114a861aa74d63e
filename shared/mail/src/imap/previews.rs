//! How the newest messages begin, where the server tells it (PREVIEW, RFC 8970).

use postern_imap::{Command, SequenceSet, command::FetchItem, response::StatusKind};

use super::{ImapClient, batch::Sync, limits, listing, plan};
use crate::{
    Host, MailError, Store, Transport,
    changes::is_provisional,
    record::{self, Body, Message, mailbox_key},
    store::{KeyRange, Order, Table},
};

impl<T: Transport> ImapClient<T> {
    /// Asks how the newest messages begin of which nothing else is here, unless something else is to be
    /// done first. The server may have to read them: each is asked about once over a connection, and large
    /// ones in questions of their own. A server that does not tell is left alone: they show when they are
    /// opened.
    pub(super) async fn ask_previews<H: Host<Transport = T>>(
        &mut self,
        sync: &mut Sync<'_, H>,
    ) -> Result<(), MailError> {
        let host = sync.host();
        if sync.is_paused() || !self.capabilities(host).await?.has("PREVIEW") {
            return Ok(());
        }
        let (range, count) =
            (KeyRange::prefix(mailbox_key(sync.mailbox)), plan::FIRST_WINDOW as usize);
        let newest = host.store().scan(Table::Messages, &range, Order::Descending, count).await?;
        let wanted = |message: &Message| {
            lacks_preview(message)
                && !is_provisional(message.id.uid)
                && !self.asked_previews.contains(&message.id)
        };
        let newest = newest.iter().filter_map(|(_, value)| record::decode::<Message>(value).ok());
        let wanted: Vec<Message> = newest.filter(wanted).collect();
        for question in questions(&wanted) {
            if sync.is_paused() {
                break;
            }
            self.asked_previews.extend(question.iter().map(|message| message.id));
            let uids = SequenceSet::from_numbers(question.iter().map(|message| message.id.uid));
            let Some(uids) = uids else { continue };
            let command = Command::uid_fetch(&uids, &[FetchItem::Preview { lazy: false }])?;
            let mut answer = self.run_all(host, vec![command], "list the messages").await?;
            let told =
                answer.fetches().filter_map(|fetch| Some((fetch.uid?, listing::preview(&fetch))));
            sync.set_previews(told.collect()).await?;
            if answer.ends.iter().any(|end| end.kind != StatusKind::Ok) {
                break;
            }
        }
        Ok(())
    }
}

/// Messages cut into pieces that have at most [`limits::PREVIEWED`] bytes together, or are one message.
fn questions(messages: &[Message]) -> impl Iterator<Item = &[Message]> {
    let mut bytes = 0_u64;
    messages.chunk_by(move |before, next| {
        bytes = bytes.saturating_add(before.size);
        let fits = bytes.saturating_add(next.size) <= limits::PREVIEWED;
        if !fits {
            bytes = 0;
        }
        fits
    })
}

/// Whether it is not known how a message begins.
pub(super) fn lacks_preview(message: &Message) -> bool {
    message.body == Body::Absent && message.preview.is_empty()
}
