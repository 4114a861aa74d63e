//! IMAP: the first sync of a large inbox, beside a socket that only drains the server's answer; and
//! the parser alone, beside others.

mod parser;

use std::{ops::ControlFlow, time::Instant};

use anyhow::{Context, Result, ensure};
use postern_bridge::{AccountId, Role, Security, ServerLogin};
use postern_mail::{
    Host, Secret, Store,
    imap::{ImapClient, SyncStep},
};
use postern_tests::{
    corpus,
    dovecot::{Dovecot, PASSWORD},
    drain::Drain,
    native::{NativeHost, endpoint},
    report::{Comparison, RUNS, Unit, deliver, in_time, scaled},
};
use tokio::task::LocalSet;

/// What a list and a reader need to know of every message.
const FETCH: &str = "UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)";

fn main() -> Result<()> {
    let messages = scaled(10_000);
    let dovecot = Dovecot::start()?;
    dovecot.deliver_all("ben", corpus::letters(messages))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    LocalSet::new().block_on(
        &runtime,
        in_time(async {
            // The server's first answer takes ten times longer: it reads every message.
            drain(&dovecot, messages).await?;
            sync(&dovecot, messages).await?;
            for _ in 0..RUNS {
                ours.push(sync(&dovecot, messages).await?);
                peer.push(drain(&dovecot, messages).await?);
            }
            Ok(())
        }),
    )?;
    let first_sync = Comparison {
        name: "imap/first sync",
        unit: Unit::Seconds,
        peer_name: "bare drain",
        goal: 1.0 / 1.5,
    };
    deliver(vec![first_sync.figure(ours, peer), parser::figure()])
}

/// Seconds in which an inbox comes into an empty store, over a connection that is logged in.
async fn sync(dovecot: &Dovecot, messages: usize) -> Result<f64> {
    let host = NativeHost::trusting([dovecot.authority.root()]);
    host.store().take_lead().await?;
    let login =
        ServerLogin { endpoint: endpoint(dovecot.imaps, Security::Tls), username: "ben".into() };
    let mut client = ImapClient::connect(&host, &login, &Secret::new(PASSWORD)).await?;
    let mailboxes = client.sync_mailboxes(&host, AccountId(1)).await?;
    let inbox = mailboxes.iter().find(|mailbox| mailbox.role == Some(Role::Inbox));
    let inbox = inbox.context("there is no inbox")?.id;

    let start = Instant::now();
    let mut stored = 0;
    let mut changed = |step: SyncStep| {
        stored = step.stored;
        ControlFlow::Continue(())
    };
    ensure!(client.sync_messages(&host, inbox, &mut changed).await?.is_continue());
    let took = start.elapsed();
    client.logout(&host).await;
    ensure!(stored as usize == messages, "{stored} of {messages} messages are stored");
    Ok(took.as_secs_f64())
}

/// Seconds in which the same answer arrives, over a connection that has opened the inbox.
async fn drain(dovecot: &Dovecot, messages: usize) -> Result<f64> {
    let mut drain = Drain::connect(dovecot.imaps, dovecot.authority.root()).await?;
    drain.ask(&format!("a LOGIN ben {PASSWORD}"), "a OK").await?;
    drain.ask("b SELECT INBOX", "b OK").await?;
    let start = Instant::now();
    let received = drain.drain(&format!("c {FETCH}\r\nd LOGOUT\r\n")).await?;
    let took = start.elapsed();
    ensure!(received > messages * 200, "{received} bytes are no answer for {messages} messages");
    Ok(took.as_secs_f64())
}
