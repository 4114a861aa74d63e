//! Handing a message over to the submission server.
//!
//! Each step, and what happens if it ends there:
//!
//! 1. *Claim*: `Sending` is stored. A page that dies leaves it so; [`recover`](super::recover)
//!    queues it again.
//! 2. *Connect, log in, name sender and recipients, send the text.* The server has no message
//!    before the final dot (RFC 5321 section 4.1.1.4). A passing failure queues it again; a
//!    permanent refusal fails it.
//! 3. *`Committing` is stored strictly.* If that fails, no dot is written.
//! 4. *The final dot.* From here on, only the server's answer tells. Without one the message is
//!    `Uncertain`, also for a page that dies: never sent again on a guess.
//! 5. *The answer is stored strictly.* If that fails, the entry stays `Committing` and becomes
//!    `Uncertain`.

use postern_bridge::TlsSession;
use postern_smtp::{Address, Command, CommandError, Envelope, Event, Reply, Request};

use super::{
    Entry, State,
    entry::{chunk_key, load},
    limits::{PATIENCE, PATIENCE_AFTER_DOT},
    server::{Server, unexpected, words},
};
use crate::{
    Host, MailError, Secret, Store,
    record::{Account, Record},
    store::{Durability, StoreError, Table},
};

/// Why a message was not handed over; the server certainly does not have it.
enum NotSent {
    /// Trying again may help: it is queued again.
    Passing(MailError),
    /// It can't help; the sentence says why.
    Permanent(String),
}

impl<E: Into<MailError>> From<E> for NotSent {
    fn from(error: E) -> Self {
        match error.into() {
            MailError::Store(StoreError::Damaged(what)) => {
                Self::Permanent(format!("The stored message is damaged: {what}."))
            }
            error => Self::Passing(error),
        }
    }
}

/// Sends a queued entry. `changed` is told of each of its states. Returns what protected the
/// connection, if there was one.
///
/// When it returns without error, the entry's state tells the outcome: `Sent`, `Failed` or
/// `Uncertain`. An entry that does not wait to be sent is left as it is.
///
/// # Errors
///
/// What kept it from being sent; the entry is queued again. If the store failed, the entry is as it
/// was stored last, to be put right by [`recover`](super::recover).
pub async fn transmit<H: Host>(
    host: &H,
    account: &Account,
    password: &Secret,
    id: u32,
    changed: &mut dyn FnMut(&Entry),
) -> Result<Option<TlsSession>, MailError> {
    let Some(mut entry) = claim(host, id, changed).await? else { return Ok(None) };
    let mut server = match prepare(host, account, password, &entry).await {
        Ok(server) => server,
        Err(reason) => return give_up(host, &mut entry, reason, changed).await.map(|()| None),
    };
    let session = server.connection.tls();
    if let Err(error) = store_state(host, &mut entry, State::Committing, changed).await {
        server.connection.close(host).await;
        give_up(host, &mut entry, NotSent::Passing(error), changed).await?;
        return Ok(session);
    }
    match hand_over(host, &mut server).await {
        Some(Ok(())) => {
            let stored = store_state(host, &mut entry, State::Sent, changed).await;
            server.quit().await;
            stored
        }
        Some(Err(reason)) => {
            server.quit().await;
            give_up(host, &mut entry, reason, changed).await
        }
        None => {
            server.connection.close(host).await;
            store_state(host, &mut entry, State::Uncertain, changed).await
        }
    }?;
    Ok(session)
}

/// Takes a queued entry, so that nobody can send or drop it at the same time; `None` if it does not
/// wait any more.
async fn claim<H: Host>(
    host: &H,
    id: u32,
    changed: &mut dyn FnMut(&Entry),
) -> Result<Option<Entry>, MailError> {
    let _editing = host.store().editing().lock().await;
    let mut entry = load(host.store(), id).await?;
    if entry.state != State::Queued {
        return Ok(None);
    }
    store_state(host, &mut entry, State::Sending, changed).await?;
    Ok(Some(entry))
}

/// Everything up to the final dot.
async fn prepare<'host, H: Host>(
    host: &'host H,
    account: &Account,
    password: &Secret,
    entry: &Entry,
) -> Result<Server<'host, H>, NotSent> {
    let mut server = Server::open(host, &account.outgoing, password).await?;
    match send_text(host, &mut server, entry).await {
        Ok(()) => Ok(server),
        Err(reason) => {
            server.connection.close(host).await;
            Err(reason)
        }
    }
}

async fn send_text<H: Host>(
    host: &H,
    server: &mut Server<'_, H>,
    entry: &Entry,
) -> Result<(), NotSent> {
    name_recipients(server, entry).await?;
    match server.ask(Command::Data, "leave to send the message").await? {
        Event::ContentWanted => {}
        other => return Err(refused(&other, "take the message")),
    }
    let mut sent = 0;
    let mut number = 0;
    while sent < entry.size {
        let chunk = host.store().get(Table::Outbox, &chunk_key(entry.id, number)).await?;
        let chunk = chunk.ok_or_else(|| StoreError::Damaged("its text is gone".into()))?;
        let session = &mut server.connection.session;
        session.content(&chunk).map_err(|error| MailError::Protocol(error.to_string()))?;
        server.connection.flush(host, PATIENCE, "the message").await?;
        sent += chunk.len() as u64;
        number += 1;
    }
    Ok(())
}

/// MAIL and RCPT: all recipients or none.
async fn name_recipients<H: Host>(
    server: &mut Server<'_, H>,
    entry: &Entry,
) -> Result<(), NotSent> {
    let parse = |text: &String| {
        Address::parse(text).map_err(|error| {
            NotSent::Permanent(format!("“{text}” is not a mail address: {error}."))
        })
    };
    let envelope = Envelope {
        sender: parse(&entry.sender)?,
        recipients: entry.recipients.iter().map(parse).collect::<Result<_, _>>()?,
        size: entry.size,
        eight_bit: entry.eight_bit,
    };
    if let Err(error) = server.connection.session.start(Command::Envelope(envelope)) {
        return Err(NotSent::Permanent(not_for_this_server(&error)));
    }
    match server.next("the recipients").await? {
        Event::EnvelopeAccepted => Ok(()),
        Event::RecipientsRefused(refused) => {
            let reason = recipients_refused(&refused);
            // Nothing depends on the answer; the connection is closed next.
            let _ = server.ask(Command::Rset, "a fresh start").await;
            Err(reason)
        }
        other => Err(refused(&other, "take mail from this sender")),
    }
}

/// The final dot and its answer; `None` if there is none.
async fn hand_over<H: Host>(host: &H, server: &mut Server<'_, H>) -> Option<Result<(), NotSent>> {
    if server.connection.session.finish().is_err() {
        // The session has ended before the dot: the server took its leave to send back.
        let error = MailError::Protocol("an answer before the end of the message".into());
        return Some(Err(NotSent::Passing(error)));
    }
    let what = "the acceptance of the message";
    match server.connection.next_event(host, PATIENCE_AFTER_DOT, what).await {
        Ok(Event::Accepted(_)) => Some(Ok(())),
        Ok(event @ Event::Refused { request: Request::Content, .. }) => {
            Some(Err(refused(&event, "take the message")))
        }
        _ => None,
    }
}

/// It was not sent: queued again, or failed.
async fn give_up<H: Host>(
    host: &H,
    entry: &mut Entry,
    reason: NotSent,
    changed: &mut dyn FnMut(&Entry),
) -> Result<(), MailError> {
    match reason {
        NotSent::Permanent(sentence) => {
            store_state(host, entry, State::Failed(sentence), changed).await
        }
        NotSent::Passing(error) => {
            store_state(host, entry, State::Queued, changed).await?;
            Err(error)
        }
    }
}

async fn store_state<H: Host>(
    host: &H,
    entry: &mut Entry,
    state: State,
    changed: &mut dyn FnMut(&Entry),
) -> Result<(), MailError> {
    let next = Entry { state, ..entry.clone() };
    host.store().apply(vec![next.put()], Durability::Strict).await?;
    *entry = next;
    changed(entry);
    Ok(())
}

/// A refusal, by whether it is for good; `what` as in [`MailError::Refused`].
fn refused(event: &Event, what: &'static str) -> NotSent {
    match event {
        Event::Refused { reply, .. } if reply.is_permanent() => {
            NotSent::Permanent(format!("The server refused to {what}. It says: “{}”", words(reply)))
        }
        Event::Failed(error) => NotSent::Passing(MailError::Protocol(error.to_string())),
        _ => NotSent::Passing(unexpected(event, what)),
    }
}

/// Names the address that is refused; a permanent refusal counts for more than a passing one.
fn recipients_refused(refused: &[(Address, Reply)]) -> NotSent {
    let permanent = refused.iter().find(|(_, reply)| reply.is_permanent());
    match (permanent, refused.first()) {
        (Some((address, reply)), _) => NotSent::Permanent(format!(
            "The server does not take mail for {address}. It says: “{}” The message was sent to \
             nobody.",
            words(reply)
        )),
        (None, Some((address, reply))) => {
            NotSent::Passing(MailError::Unavailable(format!("{address}: {}", words(reply))))
        }
        (None, None) => NotSent::Passing(MailError::Protocol("a refusal of nobody".into())),
    }
}

fn not_for_this_server(error: &CommandError) -> String {
    match error {
        CommandError::TooLarge { limit } => {
            format!("The message is too large: the server takes at most {limit} bytes.")
        }
        CommandError::NeedsSmtpUtf8(address) => {
            format!("The server can't handle the letters in the address {address}.")
        }
        error => format!("The message can't be sent: {error}."),
    }
}
