//! A download, beside a socket that asks for the same in one go and only drains the answers.

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
    corpus,
    dovecot::{Dovecot, PASSWORD},
    drain::Drain,
    native::{NativeHost, endpoint},
    report::{Comparison, Unit, deliver, in_time, scaled},
};
use tokio::task::LocalSet;

/// How often each side is measured; odd, so that a median is a measured value.
const RUNS: usize = 5;

fn main() -> Result<()> {
    let mail: Vec<_> = corpus::sizes(scaled(2_000)).collect();
    let (messages, bytes) = (mail.len(), mail.iter().map(Vec::len).sum());
    let dovecot = Dovecot::start()?;
    dovecot.deliver_all("ben", mail)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    LocalSet::new().block_on(
        &runtime,
        in_time(async {
            // The server's first session takes longer: it gives every message its identifier.
            drain(&dovecot, messages, bytes).await?;
            receive(&dovecot, messages).await?;
            for _ in 0..RUNS {
                ours.push(receive(&dovecot, messages).await?);
                peer.push(drain(&dovecot, messages, bytes).await?);
            }
            Ok(())
        }),
    )?;
    let whole = Comparison {
        name: "pop3/download",
        unit: Unit::Seconds,
        peer_name: "bare drain",
        goal: 1.0 / 1.3,
    };
    deliver(vec![whole.figure(ours, peer)])
}

/// Seconds from the connection to the goodbye of a download into an empty store.
async fn receive(dovecot: &Dovecot, messages: usize) -> Result<f64> {
    let host = NativeHost::trusting([dovecot.authority.root()]);
    let store = host.store();
    store.take_lead().await?;
    let login =
        ServerLogin { endpoint: endpoint(dovecot.pop3s, Security::Tls), username: "ben".into() };
    let account = Account {
        id: AccountId(1),
        identity: Identity { name: "Ben Hollis".into(), address: "ben@example.org".into() },
        protocol: Protocol::Pop3,
        incoming: login.clone(),
        outgoing: login,
        retention: Retention::Keep,
        extent: Extent::Whole,
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
    let start = Instant::now();
    let report = download(&host, job, &mut |_| {}).await?;
    let took = start.elapsed();
    let downloaded = report.downloaded as usize;
    ensure!(downloaded == messages, "{downloaded} of {messages} messages are stored");
    Ok(took.as_secs_f64())
}

/// Seconds from the connection to the goodbye of a client that keeps nothing.
async fn drain(dovecot: &Dovecot, messages: usize, bytes: usize) -> Result<f64> {
    let start = Instant::now();
    let mut drain = Drain::connect(dovecot.pop3s, dovecot.authority.root()).await?;
    drain.ask("USER ben", "+OK").await?;
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
