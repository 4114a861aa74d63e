//! An inbox comes to this program.

use std::{ops::ControlFlow, time::Instant};

use anyhow::{Context, Result, ensure};
use postern_bridge::{AccountId, MailboxId, Role, Security, ServerLogin};
use postern_mail::{
    Host, Secret, Store,
    imap::ImapClient,
    store::{KeyRange, Table},
};
use postern_tests::{
    dovecot::{Dovecot, PASSWORD},
    drain::Drain,
    native::{NativeHost, NativeTransport, endpoint},
    pinned::Pinned,
};

use crate::Inbox;

/// What a list and a reader need to know of every message.
const FETCH: &str = "UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE BODYSTRUCTURE ENVELOPE \
                     BODY.PEEK[HEADER.FIELDS (REFERENCES)]<0.8192>)";

/// Seconds in which an inbox comes into an empty store, over a connection that is logged in.
pub(crate) async fn sync(dovecot: &Dovecot, inbox: Inbox) -> Result<f64> {
    let host = host(dovecot).await?;
    let (mut client, mailbox) = open(&host, dovecot, inbox.user).await?;
    let _pinned = Pinned::to_one()?;
    let start = Instant::now();
    sync_inbox(&mut client, &host, mailbox).await?;
    let took = start.elapsed();
    client.logout(&host).await;
    let stored = host.store().keys(Table::Messages, &KeyRange::all()).await?.len();
    ensure!(stored == inbox.messages, "{stored} of {} messages are stored", inbox.messages);
    Ok(took.as_secs_f64())
}

/// A host with an empty store.
pub(crate) async fn host(dovecot: &Dovecot) -> Result<NativeHost> {
    let host = NativeHost::trusting([dovecot.authority.root()]);
    host.store().take_lead().await?;
    Ok(host)
}

/// Logs in and finds the inbox.
pub(crate) async fn open(
    host: &NativeHost,
    dovecot: &Dovecot,
    user: &str,
) -> Result<(ImapClient<NativeTransport>, MailboxId)> {
    let login =
        ServerLogin { endpoint: endpoint(dovecot.imaps, Security::Tls), username: user.into() };
    let mut client = ImapClient::connect(host, &login, &Secret::new(PASSWORD)).await?;
    let mailboxes = client.sync_mailboxes(host, AccountId(1)).await?;
    let inbox = mailboxes.iter().find(|mailbox| mailbox.role == Some(Role::Inbox));
    Ok((client, inbox.context("there is no inbox")?.id))
}

/// Brings an inbox into the store.
pub(crate) async fn sync_inbox(
    client: &mut ImapClient<NativeTransport>,
    host: &NativeHost,
    mailbox: MailboxId,
) -> Result<()> {
    let mut changed = |_| ControlFlow::Continue(());
    ensure!(client.sync_messages(host, mailbox, &mut changed).await?.is_continue());
    Ok(())
}

/// Seconds in which the same answer arrives, over a connection that has opened the inbox.
pub(crate) async fn drain(dovecot: &Dovecot, inbox: Inbox) -> Result<f64> {
    let drain = opened(dovecot, inbox.user).await?;
    let _pinned = Pinned::to_one()?;
    let start = Instant::now();
    let received = drain.drain(&commands()).await?;
    let took = start.elapsed();
    let least = inbox.messages * 200;
    ensure!(received > least, "{received} bytes are no answer for {} messages", inbox.messages);
    Ok(took.as_secs_f64())
}

/// The same answer, without what the server says behind it.
pub(crate) async fn record(dovecot: &Dovecot, user: &str) -> Result<Vec<u8>> {
    let mut answer = opened(dovecot, user).await?.record(&commands()).await?;
    let end = answer.windows(END.len()).rposition(|bytes| bytes == END).context("it has no end")?;
    answer.truncate(end + 2);
    Ok(answer)
}

/// What ends the answer.
const END: &[u8] = b"\r\nc OK ";

fn commands() -> String {
    format!("c {FETCH}\r\nd LOGOUT\r\n")
}

/// A connection that has opened the inbox.
async fn opened(dovecot: &Dovecot, user: &str) -> Result<Drain> {
    let mut drain = Drain::connect(dovecot.imaps, dovecot.authority.root()).await?;
    drain.ask(&format!("a LOGIN {user} {PASSWORD}"), "a OK").await?;
    drain.ask("b SELECT INBOX", "b OK").await?;
    Ok(drain)
}
