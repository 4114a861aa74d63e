//! IMAP on every kind of mail server.

use std::ops::ControlFlow;

use anyhow::{Context, Result, ensure};
use postern_bridge::{
    AccountId, Address, BodyView, Delta, Flags, Intent, MailboxId, MessageId, OutgoingMessage,
    Protocol, Role, Row, Security, SendState,
};
use postern_mail::{
    Host, Secret, Store,
    imap::ImapClient,
    pieces::Pieces,
    record::{self, Message},
    store::{Durability, KeyRange},
};
use postern_tests::{dovecot::PASSWORD, letters, native::endpoint, pages::Page, wiretap::Wiretap};

use super::{Scene, Step, elsewhere::wait_for_rows};

pub(super) const STEPS: &[Step] = &[
    Step {
        behaviour: "folders come with their roles and names",
        check: |scene| Box::pin(folders(scene)),
    },
    Step {
        behaviour: "two thousand messages are listed newest first",
        check: |scene| Box::pin(many_messages(scene)),
    },
    Step {
        behaviour: "what another client marks, adds and expunges is noticed without asking",
        check: |scene| Box::pin(another_client(scene)),
    },
    Step {
        behaviour: "a message is read, and another client sees that it was",
        check: |scene| Box::pin(reading(scene)),
    },
    Step {
        behaviour: "a large message comes without its attachments, and they when they are asked for",
        check: |scene| Box::pin(attachments(scene)),
    },
    Step {
        behaviour: "the copy of a sent message is filed once",
        check: |scene| Box::pin(sending(scene)),
    },
    Step {
        behaviour: "a message with letters of any script in its header is filed as it is",
        check: |scene| Box::pin(eight_bit_header(scene)),
    },
    Step {
        behaviour: "a connection that is cut in the middle is made again, and nothing is missing",
        check: |scene| Box::pin(cut_in_the_middle(scene)),
    },
    Step {
        behaviour: "STARTTLS protects a connection that began in clear text",
        check: |scene| Box::pin(start_tls(scene)),
    },
    Step {
        behaviour: "a wrong password is a sentence",
        check: |scene| Box::pin(wrong_password(scene)),
    },
];

async fn folders(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.other_client().await?;
    other.ask(&format!("CREATE {}", scene.server.folder("Entw&APw-rfe"))).await?;
    let (mut page, _) = scene.page(Protocol::Imap).await?;
    page.say(Intent::Hello);
    let mailboxes = page.wait(|delta| match delta {
        Delta::Mailboxes { mailboxes, .. } if mailboxes.len() == 5 => Some(mailboxes),
        _ => None,
    });
    let mailboxes = mailboxes.await?;
    let roles: Vec<_> = mailboxes.iter().filter_map(|mailbox| mailbox.role).collect();
    ensure!(roles == [Role::Inbox, Role::Drafts, Role::Sent, Role::Trash], "{mailboxes:?}");
    let named = mailboxes.iter().any(|mailbox| mailbox.name == "Entwürfe");
    ensure!(named, "{mailboxes:?}");
    Ok(())
}

async fn many_messages(scene: &Scene<'_>) -> Result<()> {
    scene.other_client().await?.append("INBOX", letters::many(2_000)).await?;
    let (mut page, inbox) = scene.page(Protocol::Imap).await?;
    let newest = page.list(inbox.id, 2_000).await?;
    ensure!(newest[0].subject == "Letter 1999" && newest[0].correspondents == "Ada Marsh");
    let oldest = rows(&mut page, inbox.id, 1_990..2_000).await?;
    let subjects: Vec<_> = oldest.iter().map(|row| &*row.subject).collect();
    ensure!(subjects.first() == Some(&"Letter 9") && subjects.last() == Some(&"Letter 0"));
    Ok(())
}

/// Some rows of a list.
async fn rows(page: &mut Page, of: MailboxId, rows: std::ops::Range<u32>) -> Result<Vec<Row>> {
    let (first, count) = (rows.start, rows.len());
    page.say(Intent::ShowRows { mailbox: of, rows });
    page.wait(|delta| match delta {
        Delta::Rows { mailbox, start, rows, .. } => {
            (mailbox == of && start == first && rows.len() == count).then_some(rows)
        }
        _ => None,
    })
    .await
}

async fn another_client(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.other_client().await?;
    other.append("INBOX", letters::many(3)).await?;
    let (mut page, inbox) = scene.page(Protocol::Imap).await?;
    page.list(inbox.id, 3).await?;
    wait_for_rows(&mut page, |rows| rows.iter().all(|row| !row.preview.is_empty())).await?;

    other.append("INBOX", [letters::plain(3)]).await?;
    wait_for_rows(&mut page, |rows| rows.len() == 4 && rows[0].subject == "Letter 3")
        .await
        .context("new mail")?;
    other.ask("SELECT INBOX").await?;
    other.ask(r"STORE 1 +FLAGS (\Flagged)").await?;
    wait_for_rows(&mut page, |rows| rows.last().is_some_and(|row| row.flags.flagged))
        .await
        .context("a flag")?;
    other.ask(r"STORE 2 +FLAGS (\Deleted)").await?;
    other.ask("EXPUNGE").await?;
    wait_for_rows(&mut page, |rows| {
        rows.iter().map(|row| &*row.subject).eq(["Letter 3", "Letter 2", "Letter 0"])
    })
    .await
    .context("an expunged message")
}

async fn reading(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.other_client().await?;
    other.append("INBOX", letters::many(30)).await?;
    let (mut page, inbox) = scene.page(Protocol::Imap).await?;
    let rows = page.list(inbox.id, 30).await?;
    let view = page.read(rows[28].id).await?;
    let BodyView::Text(text) = view.body else { panic!("a plain message is shown as text") };
    ensure!(text.starts_with("This is letter number 1."), "{text}");
    ensure!(text.contains("\n.a line that begins with a dot"), "{text}");

    for _ in 0..1200 {
        // Not every server looks for changes by others in between.
        other.ask("SELECT INBOX").await?;
        if other.ask("SEARCH SEEN").await?.concat().trim() == "* SEARCH 2" {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    anyhow::bail!("the server does not know that it was read")
}

async fn attachments(scene: &Scene<'_>) -> Result<()> {
    scene.other_client().await?.append("INBOX", [letters::with_attachments()]).await?;
    let (mut page, inbox) = scene.page(Protocol::Imap).await?;
    let rows = page.list(inbox.id, 1).await?;
    ensure!(rows[0].subject == "Pläne" && rows[0].correspondents == "Zoë Holt", "{rows:?}");
    ensure!(rows[0].has_attachments, "{rows:?}");
    let view = page.read(rows[0].id).await?;
    ensure!(view.text.trim() == "The plans, attached.", "{:?}", view.text);
    ensure!(view.attachments.len() == 2, "{:?}", view.attachments);
    let plans = view.attachments.iter().find(|attachment| attachment.name == "plans.bin");
    let section = plans.context("there is no plans.bin")?.section.clone();
    let content = page.attachment(view.id, &section).await?;
    ensure!(content.len() == 380 * 16 * 42 && content.starts_with(b"The beans are up"));
    Ok(())
}

async fn sending(scene: &Scene<'_>) -> Result<()> {
    scene.other_client().await?;
    let (mut page, _) = scene.page(Protocol::Imap).await?;
    page.say(Intent::Hello);
    let account = page.wait(|delta| match delta {
        Delta::Accounts(accounts) => accounts.first().map(|account| account.id),
        _ => None,
    });
    let account = account.await?;
    let request = page.request();
    let message = OutgoingMessage {
        account,
        to: vec![Address { name: "Ada".into(), address: scene.demo.address.clone() }],
        cc: Vec::new(),
        bcc: Vec::new(),
        subject: "Saatgut für März".into(),
        text: "Hello Ada,\n.\n..and a dot.\n".into(),
        in_reply_to: None,
        references: Vec::new(),
        attachments: Vec::new(),
    };
    page.say(Intent::Send { request, message, draft: None });
    page.wait(|delta| match delta {
        Delta::Outbox { state: SendState::Sent, .. } => Some(()),
        _ => None,
    })
    .await?;
    let sent = page.mailbox(|mailbox| mailbox.role == Some(Role::Sent)).await?;
    let rows = page.list(sent.id, 1).await?;
    ensure!(rows[0].subject == "Saatgut für März" && rows[0].correspondents == "Ada", "{rows:?}");
    let copy = page.read(rows[0].id).await?;
    ensure!(copy.text.trim_end() == "Hello Ada,\n.\n..and a dot.", "{:?}", copy.text);
    Ok(())
}

async fn eight_bit_header(scene: &Scene<'_>) -> Result<()> {
    let host = scene.host();
    let login = scene.draft(Protocol::Imap).incoming;
    let mut client = ImapClient::connect(&host, &login, &Secret::new(PASSWORD)).await?;
    let mailboxes = client.sync_mailboxes(&host, AccountId(1)).await?;
    let inbox = mailboxes.iter().find(|own| own.role == Some(Role::Inbox)).context("no inbox")?;
    let id = "greeting@example.org";
    let raw = format!("Subject: Grüße\r\nMessage-ID: <{id}>\r\n\r\nHello.\r\n").into_bytes();
    let here = MessageId { mailbox: MailboxId(1_000), uid: 1 };
    host.store().apply(record::put_body(here, &raw), Durability::Relaxed).await?;
    let content = Pieces::of_message(here, raw.len() as u64);
    client.append_once(&host, inbox, id, Flags::default(), &content).await?;
    let mut changed = |_| ControlFlow::Continue(());
    ensure!(client.sync_messages(&host, inbox.id, &mut changed).await?.is_continue());
    let range = KeyRange::prefix(record::mailbox_key(inbox.id));
    let messages: Vec<Message> = record::all(host.store(), &range).await?;
    let filed = messages.iter().find(|own| own.message_id == id).context("it is not there")?;
    ensure!(filed.subject == "Grüße", "{}", filed.subject);
    let there = client.fetch_raw(&host, filed.id).await?;
    ensure!(there == raw, "{}", there.escape_ascii());
    Ok(())
}

async fn cut_in_the_middle(scene: &Scene<'_>) -> Result<()> {
    scene.other_client().await?.append("INBOX", letters::many(1_000)).await?;
    let wiretap = Wiretap::start(scene.server.addresses().imaps).await?;
    let mut draft = scene.draft(Protocol::Imap);
    draft.incoming.endpoint = endpoint(wiretap.address, Security::Tls);
    let mut page = Page::open(scene.host()).await?;
    // Beyond what a log-in takes, and less than the list of messages, also where that is compressed.
    wiretap.cut_after(12_000);
    page.add(draft).await?;
    let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
    page.list(inbox.id, 1_000).await?;
    ensure!(wiretap.has_cut(), "nothing was cut");
    let mut subjects = Vec::new();
    for start in [0, 500] {
        let rows = rows(&mut page, inbox.id, start..start + 500).await?;
        subjects.extend(rows.into_iter().map(|row| row.subject));
    }
    let expected = (0..1_000).rev().map(|number| format!("Letter {number}"));
    ensure!(subjects.into_iter().eq(expected), "a message is missing or there twice");

    // And once more while it waits for news.
    wiretap.cut();
    scene.another().await?.append("INBOX", [letters::plain(1_000)]).await?;
    page.say(Intent::ShowRows { mailbox: inbox.id, rows: 0..50 });
    wait_for_rows(&mut page, |rows| rows.first().is_some_and(|row| row.subject == "Letter 1000"))
        .await
        .context("new mail after a cut")
}

async fn start_tls(scene: &Scene<'_>) -> Result<()> {
    scene.other_client().await?.append("INBOX", [letters::plain(7)]).await?;
    let mut draft = scene.draft(Protocol::Imap);
    draft.incoming.endpoint = endpoint(scene.server.addresses().imap, Security::StartTls);
    let (mut page, inbox) = scene.page_with(draft).await?;
    let rows = page.list(inbox.id, 1).await?;
    ensure!(rows[0].subject == "Letter 7", "{rows:?}");
    Ok(())
}

async fn wrong_password(scene: &Scene<'_>) -> Result<()> {
    let mut draft = scene.draft(Protocol::Imap);
    draft.password = "wrong".into();
    let added = Page::open(scene.host()).await?.add(draft).await;
    let refused = added.err().context("it was accepted")?.to_string();
    ensure!(refused.contains("did not accept the user name or the password"), "{refused}");
    Ok(())
}
