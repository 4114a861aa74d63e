//! What the client says to each kind of server, and what it hears, as `shared/imap` replays it.
//!
//! `POSTERN_TRACES=<folder> cargo xtask test traces::` writes all of it down anew; the folder is
//! `shared/imap/tests/traces`, by its whole path.

#[path = "../../../shared/imap/tests/conversation/mod.rs"]
mod conversation;

use std::{env, fs, path::PathBuf, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use conversation::{Conversation, Turn};
use postern::demo;
use postern_bridge::{
    AccountDraft, Change, Delta, Extent, Identity, Mark, Proof, Protocol, Retention, Role,
    Security, Selection, ServerLogin,
};
use postern_tests::{
    dovecot::{self, Dovecot, PASSWORD},
    letters,
    native::{NativeHost, endpoint},
    other_client::OtherClient,
    pages::{PATIENCE, Page},
    servers::{Kind, Server},
    trace,
    wiretap::{Side, Wiretap},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::run;

/// The environment variable that names the folder to write the traces to.
const FOLDER: &str = "POSTERN_TRACES";

#[test]
fn each_server_and_the_client_understand_each_other() -> Result<()> {
    run(async || {
        for kind in [Kind::Dovecot, Kind::Cyrus, Kind::Courier] {
            let server = start(kind)?;
            for (number, trace) in record(&server).await?.iter().enumerate() {
                let text = String::from_utf8_lossy(trace);
                let refused: Vec<_> = text
                    .lines()
                    .filter_map(|line| line.strip_prefix("S: "))
                    .filter(|line| !line.starts_with('*'))
                    .filter(|line| line.contains(" BAD ") || line.contains(" NO "))
                    .collect();
                ensure!(refused.is_empty(), "{kind:?}: {refused:?} in\n{text}");
                keep(kind, &number.to_string(), trace)?;
            }
            keep(kind, "conversation", &converse(&server).await?)?;
        }
        Ok(())
    })
}

/// One that knows the users of what follows. Dovecot tells of quotas only where there is one.
fn start(kind: Kind) -> Result<Server> {
    if kind != Kind::Dovecot {
        return Server::start(kind, &["ben", conversation::USER]);
    }
    let options = dovecot::Options { storage: Some(100_000), ..Default::default() };
    Ok(Server::Dovecot(Dovecot::start_with(options)?))
}

/// Writes a trace to where they are to go, if they are.
fn keep(kind: Kind, what: &str, trace: &[u8]) -> Result<()> {
    let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) else { return Ok(()) };
    let name = format!("{kind:?}-{what}.txt").to_lowercase();
    fs::write(folder.join(&name), trace).with_context(|| name)
}

/// Has the conversation, and writes it down.
async fn converse(server: &Server) -> Result<Vec<u8>> {
    let wiretap = Wiretap::start(server.addresses().imap).await?;
    let mut other = OtherClient::log_in(server, conversation::USER).await?;
    let mut stream = TcpStream::connect(wiretap.address).await?;
    let mut conversation = Conversation::new();
    println!("{:?}", server.kind());
    loop {
        match conversation.turn() {
            Turn::Say(bytes) => stream.write_all(&bytes).await?,
            Turn::Elsewhere(commands) => {
                for command in commands {
                    other.ask(command).await?;
                }
            }
            Turn::Listen => {
                let mut bytes = vec![0; 64 * 1024];
                let heard = tokio::time::timeout(PATIENCE, stream.read(&mut bytes));
                let count = heard.await.context("the server says no more")??;
                ensure!(count > 0, "the server hung up");
                conversation.hear(&bytes[..count]);
            }
            Turn::Over => break,
        }
    }
    let [pieces] = &*wiretap.conversations() else { bail!("one connection was made") };
    written(pieces)
}

/// Has a client do what it can, and writes down every connection that it made.
async fn record(server: &Server) -> Result<Vec<Vec<u8>>> {
    let options = demo::Options { password: PASSWORD.into(), ..demo::Options::default() };
    let demo = demo::start(options).await?;
    let wiretap = Wiretap::start(server.addresses().imap).await?;
    let mut other = OtherClient::log_in(server, "ben").await?;
    other.append("INBOX", letters::many(4)).await?;
    other.append("INBOX", [letters::with_attachments()]).await?;
    other.ask(&format!("CREATE {}", server.folder("Entw&APw-rfe"))).await?;

    let mut page = Page::open(NativeHost::trusting([demo.certificate.clone()])).await?;
    let incoming = endpoint(wiretap.address, Security::Plain);
    page.add(AccountDraft {
        identity: Identity { name: "Ben Hollis".into(), address: demo.address.clone() },
        protocol: Protocol::Imap,
        incoming: ServerLogin { endpoint: incoming, username: "ben".into() },
        outgoing: ServerLogin {
            endpoint: endpoint(demo.submission, Security::Tls),
            username: demo.address.clone(),
        },
        password: PASSWORD.into(),
        proof: Proof::Password,
        retention: Retention::Keep,
        extent: Extent::Whole,
    })
    .await?;
    let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
    let rows = page.list(inbox.id, 5).await?;
    for row in &rows {
        let view = page.read(row.id).await?;
        for attachment in view.attachments {
            page.attachment(view.id, &attachment.section).await?;
        }
    }
    let messages = Selection::Messages(vec![rows[1].id]);
    page.change(Change::Mark { messages, mark: Mark::Seen, set: false }).await?;
    other.ask("SELECT INBOX").await?;
    other.append("INBOX", [letters::plain(4)]).await?;
    page.wait(|delta| matches!(delta, Delta::Rows { total: 6, .. }).then_some(())).await?;
    other.ask(r"STORE 2 +FLAGS (\Deleted \Answered)").await?;
    other.ask("EXPUNGE").await?;
    page.wait(|delta| matches!(delta, Delta::Rows { total: 5, .. }).then_some(())).await?;
    page.list(inbox.id, 5).await?;
    // What follows is not waited for by anybody: it is written down as far as it has come.
    tokio::time::sleep(Duration::from_millis(200)).await;
    drop(page);

    wiretap.conversations().iter().map(|pieces| written(pieces)).collect()
}

/// A trace, without this machine's name.
fn written(pieces: &[(Side, Vec<u8>)]) -> Result<Vec<u8>> {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let names: Vec<_> = [(host.trim(), "mail.example.org")]
        .into_iter()
        .filter(|(name, _)| !name.is_empty() && *name != "localhost")
        .collect();
    trace::write(pieces, &names)
}
