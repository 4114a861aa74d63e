//! A backup that is restored while mail is on its way, and stopped in the middle: the account goes on,
//! nothing is lost, doubled or sent twice.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use postern::demo::{self, Demo, Fault, Faults};
use postern_bridge::{
    AccountChange, AccountDraft, AccountId, Address, Delta, ExportFormat, ExportScope, Extent,
    Identity, ImportTarget, Imported, Intent, OutgoingMessage, Proof, Protocol, Retention, Role,
    Security, SendState, ServerLogin,
};
use postern_tests::{
    dovecot::PASSWORD,
    letters,
    native::{NativeHost, endpoint},
    pages::Page,
};

use super::{Servers, run};

/// The pieces of the file up to which the manifest has been read, so that the account does nothing.
const MANIFEST: usize = 4;

/// Restores a file, of which only so many pieces are given before it is stopped.
pub(crate) async fn restore(
    page: &mut Page,
    file: &[u8],
    pieces: usize,
) -> Result<Option<Imported>> {
    let request = page.request();
    let (name, size) = ("backup.zip".into(), file.len() as u64);
    page.say(Intent::Import { request, name, size, target: ImportTarget::Restore, more: false });
    for _ in 0..pieces {
        let step = page.wait(|delta| match delta {
            Delta::ImportWants { offset, length, .. } => Some(Ok((offset, length))),
            Delta::Imported { result, .. } => Some(Err(result)),
            _ => None,
        });
        let (offset, length) = match step.await? {
            Ok(wanted) => wanted,
            Err(Ok(imported)) => return Ok(Some(imported)),
            Err(Err(problem)) => bail!(problem.sentence),
        };
        let rest = &file[usize::try_from(offset)?..];
        let bytes = rest[..rest.len().min(length as usize)].to_vec();
        page.say(Intent::ImportData { request, offset, bytes: Some(bytes.into()) });
    }
    page.wait(|delta| matches!(delta, Delta::ImportWants { .. }).then_some(())).await?;
    page.say(Intent::StopTransfer { request });
    Ok(None)
}

fn letter(account: AccountId, to: &str) -> OutgoingMessage {
    OutgoingMessage {
        account,
        to: vec![Address { name: String::new(), address: to.into() }],
        cc: Vec::new(),
        bcc: Vec::new(),
        subject: "On its way".into(),
        text: "Hello.\n".into(),
        in_reply_to: None,
        references: Vec::new(),
        attachments: Vec::new(),
    }
}

/// Waits until the submission server has heard this.
async fn heard(demo: &Demo, command: &str) -> Result<()> {
    for _ in 0..600 {
        let said: Vec<u8> = demo.transcript().into_iter().flat_map(|own| own.bytes).collect();
        if said.windows(command.len()).any(|own| own == command.as_bytes()) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!("the server has not heard {command}")
}

/// The state in which a message is left that was on its way when a restore began that was stopped.
/// `hangs_from` is the command that the submission server does not answer, and what it begins with.
async fn interrupted(hangs_from: (usize, &str), pieces: usize) -> Result<(SendState, usize)> {
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all("ben", letters::many(20))?;
    let options = demo::Options {
        password: PASSWORD.into(),
        content: demo::Content::Empty,
        transcript: true,
        ..demo::Options::default()
    };
    let demo = demo::start(options).await?;
    let roots = [servers.dovecot.authority.root(), demo.certificate.clone()];
    let mut page = Page::open(NativeHost::trusting(roots)).await?;
    let outgoing = ServerLogin {
        endpoint: endpoint(demo.submission, Security::Tls),
        username: demo.address.clone(),
    };
    let draft = AccountDraft { outgoing, ..servers.draft(Protocol::Pop3) };
    let account = page.add(draft).await?;
    let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
    page.list(inbox.id, 20).await?;
    let file = page.export(ExportScope::Everything, ExportFormat::Zip).await?;

    let submission = Fault { hang_from: Some(hangs_from.0), ..Fault::default() };
    demo.set_faults(Faults { submission, ..Faults::default() });
    let request = page.request();
    let message = letter(account, &demo.address);
    page.say(Intent::Send { request, message, draft: None });
    heard(&demo, hangs_from.1).await?;
    let stopped = restore(&mut page, &file, pieces).await?;
    assert_eq!(stopped, None, "it was stopped too late");
    demo.set_faults(Faults::default());
    let state = page.wait(|delta| match delta {
        Delta::Outbox { state: SendState::Queued | SendState::Sending, .. } => None,
        Delta::Outbox { state, .. } => Some(state),
        _ => None,
    });
    let state = state.await?;

    let imported = restore(&mut page, &file, usize::MAX).await?.context("it was not stopped")?;
    assert_eq!((imported.messages, imported.skipped), (0, 0), "all of it is here");
    page.say(Intent::Refresh { account });
    page.wait_until_online(account).await?;
    let rows = page.list(inbox.id, 20).await?;
    let mut subjects: Vec<String> = rows.into_iter().map(|row| row.subject).collect();
    subjects.sort_unstable();
    subjects.dedup();
    assert_eq!(subjects.len(), 20);
    Ok((state, demo.store().messages("INBOX").len()))
}

#[test]
fn a_message_that_was_on_its_way_when_a_restore_was_stopped_is_sent_once() -> Result<()> {
    run(async || {
        for pieces in [MANIFEST, MANIFEST + 3, MANIFEST + 12] {
            let came = interrupted((4, "RCPT"), pieces).await?;
            assert_eq!(came, (SendState::Sent, 1), "{pieces}");
        }
        Ok(())
    })
}

#[test]
fn a_message_that_was_being_handed_over_when_a_restore_was_stopped_is_not_sent_on_a_guess()
-> Result<()> {
    run(async || {
        // The server hears its last line, and says nothing of it.
        let (state, delivered) = interrupted((6, "\r\n.\r\n"), MANIFEST + 3).await?;
        assert_eq!((state, delivered), (SendState::Uncertain, 0));
        Ok(())
    })
}

/// How many messages the POP3 server was asked for.
fn retrieved(demo: &Demo) -> usize {
    let is_own = |own: &demo::Spoken| {
        own.protocol == demo::Protocol::Pop3 && own.direction == demo::Direction::FromClient
    };
    let said = demo.transcript().into_iter().filter(is_own).flat_map(|own| own.bytes);
    String::from_utf8_lossy(&said.collect::<Vec<u8>>()).matches("RETR ").count()
}

#[test]
fn after_a_backup_was_restored_in_another_browser_only_new_mail_is_downloaded() -> Result<()> {
    run(async || {
        let options = demo::Options {
            password: PASSWORD.into(),
            content: demo::Content::Empty,
            transcript: true,
            ..demo::Options::default()
        };
        let demo = demo::start(options).await?;
        for letter in letters::many(5) {
            demo.store().deliver(letter);
        }
        let login = |address| ServerLogin {
            endpoint: endpoint(address, Security::Tls),
            username: demo.address.clone(),
        };
        let draft = AccountDraft {
            identity: Identity { name: String::new(), address: demo.address.clone() },
            protocol: Protocol::Pop3,
            incoming: login(demo.pop3),
            outgoing: login(demo.submission),
            password: PASSWORD.into(),
            proof: Proof::Password,
            retention: Retention::Keep,
            extent: Extent::Whole,
        };
        let browser = || NativeHost::trusting([demo.certificate.clone()]);
        let mut page = Page::open(browser()).await?;
        page.add(draft.clone()).await?;
        let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        page.list(inbox.id, 5).await?;
        let file = page.export(ExportScope::Everything, ExportFormat::Zip).await?;
        drop(page);
        let before = retrieved(&demo);
        assert_eq!(before, 5);

        let mut page = Page::open(browser()).await?;
        let imported = restore(&mut page, &file, usize::MAX).await?.context("it was stopped")?;
        assert_eq!((imported.messages, imported.skipped), (5, 0));
        // One that comes later shows that all of the list was gone through.
        demo.store().deliver(letters::plain(5));
        let request = page.request();
        let change = AccountChange {
            name: draft.identity.name,
            incoming: draft.incoming,
            outgoing: draft.outgoing,
            password: Some(draft.password),
            proof: draft.proof,
            retention: draft.retention,
            extent: draft.extent,
        };
        page.say(Intent::ChangeAccount { request, account: imported.added[0], change });
        let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        let rows = page.list(inbox.id, 6).await?;
        assert_eq!(rows[0].subject, "Letter 5");
        assert_eq!(retrieved(&demo), before + 1);
        Ok(())
    })
}
