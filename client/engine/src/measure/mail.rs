//! Mail from an IMAP server into IndexedDB, as the client fetches it.

use std::ops::ControlFlow;

use postern_bridge::{AccountId, MailboxId, MessageId, Role, ServerLogin};
use postern_mail::{
    Clock, Host, MailError, Secret, Store,
    imap::ImapClient,
    store::{KeyRange, Table},
};

use crate::{clock::BrowserClock, host::BrowserHost, transport::MailTransport, worker::Worker};

use super::{Measured, host, login, memory};

type Client = ImapClient<MailTransport>;

/// Brings the `MESSAGES` of the inbox of `HOST,PORT,END,USER,PASSWORD,MESSAGES` into an empty database.
pub(super) async fn sync(worker: &Worker, asked: &str) -> Result<Measured, String> {
    let (login, rest) = login(asked)?;
    let [password, messages] = rest[..] else {
        return Err("PASSWORD or MESSAGES is missing".into());
    };
    let measured = async {
        let host = host(worker).await?;
        let (mut client, inbox) = open(&host, &login, password).await?;
        let (idle, start) = (memory(), BrowserClock.now());
        bring(&mut client, &host, inbox).await?;
        let millis = BrowserClock.now() - start;
        client.logout(&host).await;
        let stored = host.store().keys(Table::Messages, &KeyRange::all()).await?.len();
        Ok((Measured { millis, idle }, stored))
    };
    let (measured, stored) = measured.await.map_err(|error: MailError| error.to_string())?;
    if stored.to_string() != messages {
        return Err(format!("{stored} of {messages} messages are stored"));
    }
    Ok(measured)
}

/// Fetches part `SECTION` of the first message in the inbox of
/// `HOST,PORT,END,USER,PASSWORD,SECTION`, which is brought into an empty database before.
pub(super) async fn part(worker: &Worker, asked: &str) -> Result<Measured, String> {
    let (login, rest) = login(asked)?;
    let [password, section] = rest[..] else { return Err("SECTION is missing".into()) };
    let measured = async {
        let host = host(worker).await?;
        let (mut client, mailbox) = open(&host, &login, password).await?;
        bring(&mut client, &host, mailbox).await?;
        let (idle, start) = (memory(), BrowserClock.now());
        let message = MessageId { mailbox, uid: 1 };
        client.fetch_part(&host, message, section).await?;
        let millis = BrowserClock.now() - start;
        client.logout(&host).await;
        Ok(Measured { millis, idle })
    };
    measured.await.map_err(|error: MailError| error.to_string())
}

/// Logs in and finds the inbox.
async fn open(
    host: &BrowserHost,
    login: &ServerLogin,
    password: &str,
) -> Result<(Client, MailboxId), MailError> {
    let mut client = ImapClient::connect(host, login, &Secret::new(password)).await?;
    let mailboxes = client.sync_mailboxes(host, AccountId(1)).await?;
    let inbox = mailboxes.iter().find(|mailbox| mailbox.role == Some(Role::Inbox));
    Ok((client, inbox.ok_or(MailError::Gone("inbox"))?.id))
}

/// Brings an inbox up to date.
async fn bring(client: &mut Client, host: &BrowserHost, inbox: MailboxId) -> Result<(), MailError> {
    // Nothing breaks it off.
    let mut changed = |_| ControlFlow::Continue(());
    client.sync_messages(host, inbox, &mut changed).await.map(drop)
}
