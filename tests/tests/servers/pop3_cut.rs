//! Download and deletion, interrupted everywhere and resumed, against real servers: the connection is
//! cut, the storage is full or fails, the process ends.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use postern::demo::{self, Content, Demo};
use postern_bridge::{
    AccountId, Extent, Identity, Protocol, Retention, Role, Security, ServerLogin,
};
use postern_mail::{
    Host, Secret, Store,
    pop3::{DownloadReport, Job, LedgerRow, Safety, create_local_mailboxes, download},
    record::{self, Account, Mailbox, Message, body},
    store::{Durability, KeyRange},
};
use postern_tests::{
    dovecot::{Dovecot, PASSWORD},
    interruptible::Fault,
    letters,
    native::{NativeHost, endpoint},
};

use super::run;

/// After how many bytes more, both ways together, the next conversation is cut, unless [`EVERY`] says
/// otherwise; 1 is for the long run.
const STRIDE: usize = 509;

/// The variable that says otherwise.
const EVERY: &str = "POSTERN_CUT_EVERY";

const MESSAGES: usize = 20;

fn stride() -> usize {
    let every = std::env::var(EVERY).ok().and_then(|every| every.parse().ok());
    every.filter(|every| *every > 0).unwrap_or(STRIDE)
}

/// An account in a browser of its own.
struct Client {
    host: NativeHost,
    account: Account,
    inbox: postern_bridge::MailboxId,
}

impl Client {
    async fn new(host: NativeHost, incoming: ServerLogin) -> Result<Self> {
        let store = host.store();
        store.take_lead().await?;
        let account = Account {
            id: AccountId(1),
            identity: Identity::default(),
            protocol: Protocol::Pop3,
            outgoing: incoming.clone(),
            incoming,
            retention: Retention::DeleteAfterDownload,
            extent: Extent::Whole,
            proof: Default::default(),
            sealed_password: Vec::new(),
        };
        let writes = create_local_mailboxes(&host, account.id).await?;
        store.apply(writes, Durability::Relaxed).await?;
        let mailboxes: Vec<Mailbox> = record::all(store, &KeyRange::all()).await?;
        let inbox = mailboxes.iter().find(|mailbox| mailbox.role == Some(Role::Inbox));
        let inbox = inbox.context("there is no inbox")?.id;
        Ok(Self { account, inbox, host })
    }

    /// Downloads, over a connection that breaks after so many bytes.
    async fn download(&self, cut: Option<usize>) -> Result<DownloadReport> {
        let host = match cut {
            Some(cut) => self.host.clone().breaking_after(cut),
            None => self.host.clone(),
        };
        let password = Secret::new(PASSWORD);
        let safety = Safety { persistent: true, public_computer: false };
        let Self { account, inbox, .. } = self;
        let job = Job { account, password: &password, inbox: *inbox, safety };
        Ok(download(&host, job, &mut |_| {}).await?)
    }

    /// How many messages are stored; each must be there once and whole.
    async fn stored(&self) -> Result<usize> {
        let store = self.host.store();
        let messages: Vec<Message> = record::all(store, &KeyRange::all()).await?;
        let mut different = BTreeSet::new();
        for message in &messages {
            let raw = body(store, message.id).await?;
            ensure!(raw.len() as u64 == message.size, "{} is mutilated", message.subject);
            different.insert(raw);
        }
        ensure!(different.len() == messages.len(), "some of {} are doubled", messages.len());
        Ok(messages.len())
    }

    /// The messages that are stored, read back and verified.
    async fn verified(&self) -> Result<BTreeSet<Vec<u8>>> {
        let store = self.host.store();
        let rows: Vec<LedgerRow> = record::all(store, &KeyRange::all()).await?;
        let mut verified = BTreeSet::new();
        for row in rows.iter().filter(|row| row.verified.is_some()) {
            verified.insert(body(store, row.message).await?);
        }
        Ok(verified)
    }

    /// Downloads, to which this happens; whether the download came to its end before. What it can do
    /// without may fail as well.
    async fn download_with(&self, fault: Fault) -> bool {
        let inner = self.host.inner();
        inner.interrupt(fault);
        let ended = inner.until_end(self.download(None)).await;
        let whole = matches!(ended, Some(Ok(_))) && !inner.has_struck();
        inner.interrupt(Fault::None);
        whole
    }

    /// The same account after a restart.
    async fn restarted(&self) -> Result<Self> {
        let host = self.host.restarted();
        host.store().take_lead().await?;
        Ok(Self { host, account: self.account.clone(), inbox: self.inbox })
    }

    /// After an interruption each of `all` must be verified here or `on_server`, which is what the
    /// server has at the moment. Then the download is resumed until it is done, and must have
    /// everything. `what` has happened.
    async fn resume(
        &self,
        what: &str,
        all: &[Vec<u8>],
        on_server: impl Fn() -> Result<Vec<Vec<u8>>>,
    ) -> Result<()> {
        let here = self.stored().await?;
        // First what is here, which changes no more: the server may still be at the last command.
        let verified = self.verified().await?;
        let there = on_server()?;
        let lost = all.iter().filter(|raw| !verified.contains(*raw) && !there.contains(raw));
        ensure!(lost.count() == 0, "{what}: a message is in neither place");
        // A server may not have noticed yet that the earlier connection is gone.
        let mut resumed = self.download(None).await;
        for _ in 0..100 {
            if resumed.is_ok() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            resumed = self.download(None).await;
        }
        let resumed = resumed.with_context(|| format!("after {what}"))?;
        let (stored, expected) = (self.stored().await?, all.len());
        ensure!(stored == expected, "{what}: {stored} of {expected} are here");
        ensure!(here + resumed.downloaded as usize == expected, "{what}: {resumed:?}");
        let left = self.download(None).await?.on_server;
        ensure!(left == 0, "{what}: {left} are still on the server");
        Ok(())
    }
}

/// What happens to a download.
#[derive(Clone, Copy)]
enum Interruption {
    /// The connection is cut after so many bytes.
    Cut(usize),
    /// The store fails, or the process ends.
    Fault(Fault),
}

impl Interruption {
    /// Whether the page starts anew before it goes on. After a write that failed it may or may not:
    /// what it still has in memory must not mislead it.
    fn restarts(self) -> &'static [bool] {
        match self {
            Self::Cut(_) | Self::Fault(Fault::End(_)) => &[true],
            Self::Fault(_) => &[true, false],
        }
    }
}

/// Downloads and deletes, interrupted, and resumes, perhaps after a restart; whether it came to its end
/// at once.
async fn interrupted(
    host: NativeHost,
    login: ServerLogin,
    interruption: Interruption,
    restarts: bool,
    all: &[Vec<u8>],
    on_server: impl Fn() -> Result<Vec<Vec<u8>>>,
) -> Result<bool> {
    let client = Client::new(host, login).await?;
    let (whole, what) = match interruption {
        Interruption::Cut(cut) => {
            (client.download(Some(cut)).await.is_ok(), format!("cut at {cut}"))
        }
        Interruption::Fault(fault) => (client.download_with(fault).await, format!("{fault:?}")),
    };
    let client = if restarts { client.restarted().await? } else { client };
    client.resume(&what, all, on_server).await?;
    Ok(whole)
}

/// Interrupts downloads from Dovecot, each at a later point, until one comes to its end.
async fn interrupt_on_dovecot(
    points: impl Iterator<Item = usize>,
    interruption: impl Fn(usize) -> Interruption,
) -> Result<()> {
    let dovecot = Dovecot::start()?;
    let login =
        ServerLogin { endpoint: endpoint(dovecot.pop3s, Security::Tls), username: "ben".into() };
    let all: Vec<Vec<u8>> = letters::many(MESSAGES).collect();
    for point in points {
        let interruption = interruption(point);
        let mut whole = false;
        for restarts in interruption.restarts() {
            dovecot.deliver_all("ben", &all)?;
            let host = NativeHost::trusting([dovecot.authority.root()]);
            let (login, on_server) = (login.clone(), || dovecot.messages("ben"));
            whole |= interrupted(host, login, interruption, *restarts, &all, on_server).await?;
        }
        if whole {
            ensure!(point > 0, "nothing was interrupted");
            return Ok(());
        }
    }
    Ok(())
}

/// The same with the demo server, which starts anew for each.
async fn interrupt_on_demo(
    points: impl Iterator<Item = usize>,
    interruption: impl Fn(usize) -> Interruption,
) -> Result<()> {
    for point in points {
        let interruption = interruption(point);
        let mut whole = false;
        for restarts in interruption.restarts() {
            let content = Content::Generated(MESSAGES);
            let options =
                demo::Options { content, password: PASSWORD.into(), ..demo::Options::default() };
            let demo: Demo = demo::start(options).await?;
            let login = ServerLogin {
                endpoint: endpoint(demo.pop3, Security::Tls),
                username: demo.address.clone(),
            };
            let host = NativeHost::trusting([demo.certificate.clone()]);
            let on_server = || {
                let messages = demo.store().messages("INBOX");
                Ok(messages.iter().map(|message| message.raw.to_vec()).collect())
            };
            let all: Vec<Vec<u8>> = on_server()?;
            whole |= interrupted(host, login, interruption, *restarts, &all, on_server).await?;
        }
        if whole {
            ensure!(point > 0, "nothing was interrupted");
            return Ok(());
        }
    }
    Ok(())
}

#[test]
fn a_cut_anywhere_loses_and_doubles_nothing_on_dovecot() -> Result<()> {
    run(async || interrupt_on_dovecot((0..).step_by(stride()), Interruption::Cut).await)
}

#[test]
fn a_cut_anywhere_loses_and_doubles_nothing_on_the_demo_server() -> Result<()> {
    run(async || interrupt_on_demo((0..).step_by(stride()), Interruption::Cut).await)
}

/// How a write may fail.
const FAILURES: [fn(usize) -> Fault; 4] =
    [Fault::Full, Fault::FullOnce, Fault::Aborted, Fault::Doubtful];

#[test]
fn a_storage_that_fails_at_any_write_loses_and_doubles_nothing_on_dovecot() -> Result<()> {
    run(async || {
        for fault in FAILURES {
            interrupt_on_dovecot(0.., |write| Interruption::Fault(fault(write))).await?;
        }
        Ok(())
    })
}

#[test]
fn a_storage_that_fails_at_any_write_loses_and_doubles_nothing_on_the_demo_server() -> Result<()> {
    run(async || {
        for fault in FAILURES {
            interrupt_on_demo(0.., |write| Interruption::Fault(fault(write))).await?;
        }
        Ok(())
    })
}

#[test]
fn an_end_at_any_moment_loses_and_doubles_nothing_on_dovecot() -> Result<()> {
    let end = |moment| Interruption::Fault(Fault::End(moment));
    run(async || interrupt_on_dovecot(0.., end).await)
}

#[test]
fn an_end_at_any_moment_loses_and_doubles_nothing_on_the_demo_server() -> Result<()> {
    let end = |moment| Interruption::Fault(Fault::End(moment));
    run(async || interrupt_on_demo(0.., end).await)
}
