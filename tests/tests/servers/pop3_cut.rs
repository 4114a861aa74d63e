//! Download and deletion, cut off all over the conversation and resumed, against real servers.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use postern::demo::{self, Demo};
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
    letters,
    native::{NativeHost, endpoint},
};

use super::run;

/// After how many bytes more the next conversation is cut, unless [`EVERY`] says otherwise; 1 is for
/// the long run.
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

    /// Downloads, over a connection that breaks after so many bytes of the server.
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

    /// Is cut off, resumed until it is done, and must have everything then. `on_server` is what the
    /// server has at the moment, where that can be looked at: right after the cut, each of `all` must
    /// be there or verified here.
    async fn cut_and_resume(
        &self,
        cut: usize,
        expected: usize,
        all: &[Vec<u8>],
        on_server: impl Fn() -> Result<Vec<Vec<u8>>>,
    ) -> Result<bool> {
        let whole = self.download(Some(cut)).await.is_ok();
        let here = self.stored().await?;
        // First what is here, which changes no more: the server may still be at the last command.
        let verified = self.verified().await?;
        let there = on_server()?;
        let lost = all.iter().filter(|raw| !verified.contains(*raw) && !there.contains(raw));
        ensure!(lost.count() == 0, "cut at {cut}: a message is in neither place");
        // A server may not have noticed yet that the earlier connection is gone.
        let mut resumed = self.download(None).await;
        for _ in 0..100 {
            if resumed.is_ok() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            resumed = self.download(None).await;
        }
        let resumed = resumed.with_context(|| format!("after a cut at {cut}"))?;
        let stored = self.stored().await?;
        ensure!(stored == expected, "cut at {cut}: {stored} of {expected} are here");
        ensure!(here + resumed.downloaded as usize == expected, "cut at {cut}: {resumed:?}");
        let left = self.download(None).await?.on_server;
        ensure!(left == 0, "cut at {cut}: {left} are still on the server");
        Ok(whole)
    }
}

#[test]
fn a_cut_anywhere_loses_and_doubles_nothing_on_dovecot() -> Result<()> {
    run(async || {
        let dovecot = Dovecot::start()?;
        let login = ServerLogin {
            endpoint: endpoint(dovecot.pop3s, Security::Tls),
            username: "ben".into(),
        };
        for cut in (0..).step_by(stride()) {
            let all: Vec<Vec<u8>> = letters::many(MESSAGES).collect();
            dovecot.deliver_all("ben", &all)?;
            let host = NativeHost::trusting([dovecot.authority.root()]);
            let client = Client::new(host, login.clone()).await?;
            let on_server = || dovecot.messages("ben");
            if client.cut_and_resume(cut, MESSAGES, &all, on_server).await? {
                ensure!(cut > 0, "nothing was cut");
                return Ok(());
            }
        }
        Ok(())
    })
}

#[test]
fn a_cut_anywhere_loses_and_doubles_nothing_on_the_demo_server() -> Result<()> {
    run(async || {
        // Its conversation is longer, and it starts anew for each cut.
        for cut in (0..).step_by(stride() * 41) {
            let options = demo::Options { password: PASSWORD.into(), ..demo::Options::default() };
            let demo: Demo = demo::start(options).await?;
            let login = ServerLogin {
                endpoint: endpoint(demo.pop3, Security::Tls),
                username: demo.address.clone(),
            };
            let host = NativeHost::trusting([demo.certificate.clone()]);
            let whole = Client::new(host.clone(), login.clone()).await?;
            let kept = Account { retention: Retention::Keep, ..whole.account.clone() };
            let whole = Client { account: kept, ..whole };
            whole.download(None).await?;
            let expected = whole.stored().await?;
            let host = NativeHost::trusting([demo.certificate.clone()]);
            let client = Client::new(host, login).await?;
            let on_server = || {
                let messages = demo.store().messages("INBOX");
                Ok(messages.iter().map(|message| message.raw.to_vec()).collect())
            };
            let all: Vec<Vec<u8>> = on_server()?;
            if client.cut_and_resume(cut, expected, &all, on_server).await? {
                ensure!(cut > 0, "nothing was cut");
                return Ok(());
            }
        }
        Ok(())
    })
}
