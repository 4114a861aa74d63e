//! The mail comes to this program, into a store in memory; and to a socket that keeps nothing.

use std::{fmt::Write, time::Instant};

use anyhow::{Context, Result, ensure};
use postern_bridge::{
    AccountId, Extent, Identity, Protocol, Retention, Role, Security, ServerLogin,
};
use postern_mail::{
    Host, Secret, Store,
    pop3::{Job, Safety, create_local_mailboxes, download},
    record::{self, Account, Mailbox},
    store::{Durability, KeyRange},
};
use postern_tests::{
    dovecot::{Dovecot, PASSWORD},
    drain::Drain,
    native::{NativeHost, endpoint},
    pinned::Pinned,
};

use crate::{Mail, USER};

/// Seconds from the connection to the goodbye of a download into an empty store.
pub(crate) async fn receive(dovecot: &Dovecot, mail: Mail) -> Result<f64> {
    let host = NativeHost::trusting([dovecot.authority.root()]);
    let store = host.store();
    store.take_lead().await?;
    let login =
        ServerLogin { endpoint: endpoint(dovecot.pop3s, Security::Tls), username: USER.into() };
    let account = Account {
        id: AccountId(1),
        identity: Identity { name: "Ben Hollis".into(), address: "ben@example.org".into() },
        protocol: Protocol::Pop3,
        incoming: login.clone(),
        outgoing: login,
        retention: Retention::Keep,
        extent: Extent::Whole,
        proof: Default::default(),
        sealed_password: Vec::new(),
    };
    let writes = create_local_mailboxes(&host, account.id).await?;
    store.apply(writes, Durability::Relaxed).await?;
    let mailboxes: Vec<Mailbox> = record::all(store, &KeyRange::all()).await?;
    let inbox = mailboxes.iter().find(|mailbox| mailbox.role == Some(Role::Inbox));
    let inbox = inbox.context("there is no inbox")?.id;

    let password = Secret::new(PASSWORD);
    let safety = Safety { persistent: true, public_computer: false };
    let job = Job { account: &account, password: &password, inbox, safety };
    let _pinned = Pinned::to_one()?;
    let start = Instant::now();
    let report = download(&host, job, &mut |_| {}).await?;
    let took = start.elapsed();
    let downloaded = report.downloaded as usize;
    ensure!(downloaded == mail.messages, "{downloaded} of {} messages are stored", mail.messages);
    Ok(took.as_secs_f64())
}

/// Seconds from the connection to the goodbye of a client that keeps nothing.
pub(crate) async fn drain(dovecot: &Dovecot, mail: Mail) -> Result<f64> {
    let Mail { messages, bytes } = mail;
    let _pinned = Pinned::to_one()?;
    let start = Instant::now();
    let mut drain = Drain::connect(dovecot.pop3s, dovecot.authority.root()).await?;
    drain.ask(&format!("USER {USER}"), "+OK").await?;
    drain.ask(&format!("PASS {PASSWORD}"), "+OK").await?;
    let listed = drain.ask("UIDL", ".").await?;
    ensure!(listed == messages + 2, "{listed} lines are no list of {messages} messages");
    let mut commands = String::new();
    for number in 1..=messages {
        write!(commands, "RETR {number}\r\n")?;
    }
    let received = drain.drain(&(commands + "QUIT\r\n")).await?;
    let took = start.elapsed();
    ensure!(received >= bytes, "{received} bytes are not the {bytes} that were delivered");
    Ok(took.as_secs_f64())
}
