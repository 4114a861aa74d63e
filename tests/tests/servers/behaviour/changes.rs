//! What a person does with messages over IMAP, on every kind of mail server.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use postern_bridge::{
    Address, Change, Delta, Intent, MailboxId, MailboxView, Mark, MessageId, OutgoingMessage,
    Protocol, Role, Security, Selection, SendState,
};
use postern_tests::{
    letters, native::endpoint, other_client::OtherClient, pages::Page, wiretap::Wiretap,
};

use super::{Scene, Step};

pub(super) const STEPS: &[Step] = &[
    Step {
        behaviour: "what is starred and tagged here is so on the server",
        check: |scene| Box::pin(marks(scene)),
    },
    Step {
        behaviour: "what came after a connection was made is opened, starred and moved over it",
        check: |scene| Box::pin(newcomers(scene)),
    },
    Step {
        behaviour: "messages are moved, copied and moved back",
        check: |scene| Box::pin(transfers(scene)),
    },
    Step {
        behaviour: "what is deleted is in the trash, and from there only what was meant goes for good",
        check: |scene| Box::pin(deletion(scene)),
    },
    Step {
        behaviour: "a draft is saved, replaced and sent, and there is one of each",
        check: |scene| Box::pin(drafts(scene)),
    },
    Step {
        behaviour: "a move that is cut off again and again neither loses nor doubles a message",
        check: |scene| Box::pin(cut_while_moving(scene)),
    },
];

async fn marks(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.other_client().await?;
    other.append("INBOX", letters::many(3)).await?;
    let (mut page, inbox) = scene.page(Protocol::Imap).await?;
    let rows = page.list(inbox.id, 3).await?;
    let tag = Mark::Keyword("$Later".into());
    for (row, mark, set) in [
        (0, &Mark::Flagged, true),
        (1, &tag, true),
        (2, &Mark::Flagged, true),
        (2, &Mark::Flagged, false),
    ] {
        let (messages, mark) = (rows[row].id.into(), mark.clone());
        page.change(Change::Mark { messages, mark, set }).await?;
    }
    told(&mut page).await?;
    other.ask("SELECT INBOX").await?;
    for (key, expected) in [("FLAGGED", "* SEARCH 3"), ("KEYWORD $Later", "* SEARCH 2")] {
        let found = other.ask(&format!("SEARCH {key}")).await?.concat();
        ensure!(found.trim() == expected, "{key}: {found}");
    }
    Ok(())
}

/// The server looks for UIDs among the messages that the connection has been told of.
async fn newcomers(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.other_client().await?;
    let (mut page, inbox) = scene.page(Protocol::Imap).await?;
    let trips = make_folder(&mut page, &inbox, "Trips").await?;
    other.append("INBOX", letters::many(1)).await?;
    let rows = page.list(inbox.id, 1).await?;
    // Now the connection that reads and changes has the inbox open.
    star(&mut page, rows[0].id).await?;

    other.append("INBOX", [letters::plain(1)]).await?;
    let rows = page.list(inbox.id, 2).await?;
    star(&mut page, rows[0].id).await?;
    other.ask("SELECT INBOX").await?;
    let starred = other.ask("SEARCH FLAGGED").await?.concat();
    ensure!(starred.trim() == "* SEARCH 1 2", "{starred}");

    let mut arrived = async |number, page: &mut Page| {
        other.append("INBOX", [letters::plain(number)]).await?;
        anyhow::Ok(page.list(inbox.id, number as u32 + 1).await?[0].id)
    };
    let newest = arrived(2, &mut page).await?;
    ensure!(page.read(newest).await?.subject == "Letter 2");
    let messages = arrived(3, &mut page).await?.into();
    page.change(Change::Move { messages, to: trips }).await?;
    told(&mut page).await?;
    ensure!(subjects(&mut other, &scene.server.folder("Trips")).await? == ["Letter 3"]);
    Ok(())
}

async fn star(page: &mut Page, message: MessageId) -> Result<()> {
    let (messages, mark) = (message.into(), Mark::Flagged);
    page.change(Change::Mark { messages, mark, set: true }).await?;
    told(page).await
}

async fn transfers(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.other_client().await?;
    other.append("INBOX", letters::many(4)).await?;
    let (mut page, inbox) = scene.page(Protocol::Imap).await?;
    let rows = page.list(inbox.id, 4).await?;
    let trips = make_folder(&mut page, &inbox, "Trips").await?;
    let messages = Selection::Between(rows[0].id, rows[1].id);
    let moved = page.change(Change::Move { messages, to: trips }).await?;
    page.change(Change::Copy { messages: rows[3].id.into(), to: trips }).await?;
    told(&mut page).await?;
    let folder = scene.server.folder("Trips");
    ensure!(subjects(&mut other, &folder).await? == ["Letter 0", "Letter 2", "Letter 3"]);
    ensure!(subjects(&mut other, "INBOX").await? == ["Letter 0", "Letter 1"]);

    page.undo(moved.change).await?;
    told(&mut page).await?;
    ensure!(subjects(&mut other, &folder).await? == ["Letter 0"]);
    ensure!(subjects(&mut other, "INBOX").await?.len() == 4);
    // And what is shown is what is there.
    page.list(trips, 1).await?;
    page.list(inbox.id, 4).await.map(drop)
}

async fn deletion(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.other_client().await?;
    other.append("INBOX", letters::many(3)).await?;
    let (mut page, inbox) = scene.page(Protocol::Imap).await?;
    let rows = page.list(inbox.id, 3).await?;
    let messages = Selection::Between(rows[0].id, rows[1].id);
    page.change(Change::Delete { messages }).await?;
    told(&mut page).await?;
    let folder = scene.server.folder("Trash");
    ensure!(subjects(&mut other, &folder).await? == ["Letter 1", "Letter 2"]);

    // Another client is about to delete one of them, and may think better of it.
    let found = other.ask("SEARCH SUBJECT \"Letter 2\"").await?.concat();
    let number = found.trim().trim_start_matches("* SEARCH ");
    other.ask(&format!(r"STORE {number} +FLAGS (\Deleted)")).await?;
    let trash = page.mailbox(|mailbox| mailbox.role == Some(Role::Trash)).await?;
    let rows = page.list(trash.id, 2).await?;
    let meant = rows.iter().find(|row| row.subject == "Letter 1").context("it is not there")?;
    page.change(Change::DeleteForGood { messages: meant.id.into() }).await?;
    told(&mut page).await?;
    ensure!(subjects(&mut other, &folder).await? == ["Letter 2"]);
    ensure!(subjects(&mut other, "INBOX").await? == ["Letter 0"]);
    Ok(())
}

async fn drafts(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.other_client().await?;
    let (mut page, inbox) = scene.page(Protocol::Imap).await?;
    let first = page.save_draft(letter(scene, &inbox, "One"), None).await?;
    told(&mut page).await?;
    let second = page.save_draft(letter(scene, &inbox, "One and two"), Some(first)).await?;
    told(&mut page).await?;
    let folder = scene.server.folder("Drafts");
    ensure!(subjects(&mut other, &folder).await? == ["Saatgut"]);

    send(&mut page, letter(scene, &inbox, "One and two"), Some(second)).await?;
    told(&mut page).await?;
    ensure!(subjects(&mut other, &folder).await?.is_empty());
    let sent = page.mailbox(|mailbox| mailbox.role == Some(Role::Sent)).await?;
    page.list(sent.id, 1).await?;
    ensure!(subjects(&mut other, &scene.server.folder("Sent")).await? == ["Saatgut"]);
    Ok(())
}

async fn cut_while_moving(scene: &Scene<'_>) -> Result<()> {
    const COUNT: usize = 300;
    let mut other = scene.other_client().await?;
    other.append("INBOX", letters::many(COUNT)).await?;
    let wiretap = Wiretap::start(scene.server.addresses().imaps).await?;
    let mut draft = scene.draft(Protocol::Imap);
    draft.incoming.endpoint = endpoint(wiretap.address, Security::Tls);
    let (mut page, inbox) = scene.page_with(draft).await?;
    page.list(inbox.id, COUNT as u32).await?;
    let trips = make_folder(&mut page, &inbox, "Trips").await?;
    told(&mut page).await?;
    let all = Selection::AllBut { mailbox: inbox.id, except: Vec::new() };
    page.change(Change::Move { messages: all, to: trips }).await?;
    for pause in [1, 3, 9] {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        wiretap.cut();
    }
    told(&mut page).await?;
    let mut expected: Vec<_> = (0..COUNT).map(|number| format!("Letter {number}")).collect();
    expected.sort();
    let moved = subjects(&mut other, &scene.server.folder("Trips")).await?;
    ensure!(moved == expected, "{} messages were moved", moved.len());
    ensure!(subjects(&mut other, "INBOX").await?.is_empty());
    page.list(trips, COUNT as u32).await?;
    page.list(inbox.id, 0).await.map(drop)
}

/// Waits until the server has been told everything.
pub(super) async fn told(page: &mut Page) -> Result<()> {
    page.say(Intent::Hello);
    page.wait(|delta| match delta {
        Delta::Refused(refused) => Some(Err(anyhow::anyhow!("{refused:?}"))),
        Delta::Pending { changes: 0, .. } => Some(Ok(())),
        _ => None,
    })
    .await
    .context("changes are left")?
}

pub(super) async fn make_folder(
    page: &mut Page,
    inbox: &MailboxView,
    name: &str,
) -> Result<MailboxId> {
    let (account, name) = (inbox.account, name.into());
    let made = page.change(Change::CreateMailbox { account, parent: None, name }).await?;
    made.mailbox.context("no folder was made")
}

pub(super) fn letter(scene: &Scene<'_>, inbox: &MailboxView, text: &str) -> OutgoingMessage {
    OutgoingMessage {
        account: inbox.account,
        to: vec![Address { name: "Ada".into(), address: scene.demo.address.clone() }],
        cc: Vec::new(),
        bcc: Vec::new(),
        subject: "Saatgut".into(),
        text: text.into(),
        in_reply_to: None,
        references: Vec::new(),
        attachments: Vec::new(),
    }
}

pub(super) async fn send(
    page: &mut Page,
    message: OutgoingMessage,
    draft: Option<MessageId>,
) -> Result<()> {
    let request = page.request();
    page.say(Intent::Send { request, message, draft });
    let sent = |delta| matches!(delta, Delta::Outbox { state: SendState::Sent, .. }).then_some(());
    page.wait(sent).await
}

/// The subjects of what is in a folder on the server, sorted.
pub(super) async fn subjects(other: &mut OtherClient, folder: &str) -> Result<Vec<String>> {
    let selected = other.ask(&format!("SELECT \"{folder}\"")).await?.concat();
    if selected.contains("* 0 EXISTS") {
        return Ok(Vec::new());
    }
    let headers = other.ask("FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])").await?;
    let subject = |line: &String| Some(line.strip_prefix("Subject: ")?.trim_end().to_owned());
    let mut subjects: Vec<_> = headers.iter().filter_map(subject).collect();
    subjects.sort();
    Ok(subjects)
}
