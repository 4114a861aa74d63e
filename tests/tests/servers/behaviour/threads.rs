//! Conversations on every kind of mail server.

use anyhow::{Context, Result, ensure};
use postern_bridge::{
    Change, ConversationView, Delta, Intent, MailboxId, Mark, MessageId, Protocol, Role, Row,
    Selection,
};
use postern_tests::{letters, pages::Page};

use super::{Scene, Step};

pub(super) const STEPS: &[Step] = &[
    Step {
        behaviour: "conversations are listed with what was sent, opened, followed and moved as one",
        check: |scene| Box::pin(conversations(scene)),
    },
    Step {
        behaviour: "downloaded mail is listed as conversations",
        check: |scene| Box::pin(downloaded(scene)),
    },
];

/// Two letters of one conversation, and one of another.
fn inbox() -> [Vec<u8>; 3] {
    [
        letters::answer("figs-1", "Figs", &[], "Ada Marsh"),
        letters::answer("pears-1", "Pears", &[], "Zoe Holt"),
        letters::answer("figs-2", "Re: Figs", &["figs-1"], "Tom Berger"),
    ]
}

/// Shows conversations, and waits until the list has rows that `fit`.
pub(super) async fn grouped(
    page: &mut Page,
    mailbox: MailboxId,
    fit: impl Fn(u32, &[Row]) -> bool,
) -> Result<Vec<Row>> {
    page.say(Intent::GroupConversations { mailbox, on: true, at: None });
    rows(page, fit).await
}

pub(super) async fn rows(page: &mut Page, fit: impl Fn(u32, &[Row]) -> bool) -> Result<Vec<Row>> {
    page.wait(|delta| match delta {
        Delta::Rows { total, rows, conversations: true, .. } => fit(total, &rows).then_some(rows),
        _ => None,
    })
    .await
}

/// The row of a conversation by its subject.
fn of<'r>(rows: &'r [Row], subject: &str) -> Option<&'r Row> {
    rows.iter().find(|row| row.subject == subject)
}

pub(super) fn counts(rows: &[Row], subject: &str, messages: u32) -> bool {
    of(rows, subject).is_some_and(|row| row.messages == messages)
}

async fn opened(page: &mut Page, message: MessageId, messages: usize) -> Result<ConversationView> {
    page.say(Intent::OpenConversation { message });
    page.wait(|delta| match delta {
        Delta::Conversation(view) => (view.messages.len() == messages).then_some(*view),
        _ => None,
    })
    .await
}

async fn conversations(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.other_client().await?;
    other.append("INBOX", inbox()).await?;
    let own = letters::answer("figs-3", "Re: Figs", &["figs-1", "figs-2"], "Ben Hollis");
    other.append(&scene.server.folder("Sent"), [own]).await?;
    let (mut page, inbox) = scene.page(Protocol::Imap).await?;
    page.list(inbox.id, 3).await?;
    let listed = grouped(&mut page, inbox.id, |total, rows| total == 2 && counts(rows, "Figs", 3))
        .await
        .context("what was sent belongs to it")?;
    let figs = of(&listed, "Figs").context("no row")?.clone();
    ensure!(figs.correspondents == "Ada Marsh, Tom Berger, Ben Hollis", "{figs:?}");
    ensure!((figs.unread, figs.flags.seen) == (2, false), "{figs:?}");

    let view = opened(&mut page, figs.id, 3).await?;
    let subjects: Vec<_> = view.messages.iter().map(|row| &*row.subject).collect();
    ensure!(subjects == ["Figs", "Re: Figs", "Re: Figs"], "{view:?}");
    ensure!(view.messages[2].id.mailbox != inbox.id, "the last was sent: {view:?}");
    let read = page.read(view.messages[2].id).await?;
    ensure!(read.text.contains("figs-3"), "{:?}", read.text);

    let answer = letters::answer("figs-4", "Re: Figs", &["figs-2"], "Ada Marsh");
    other.append("INBOX", [answer]).await?;
    page.say(Intent::Refresh { account: inbox.account });
    let listed = rows(&mut page, |total, rows| total == 2 && counts(rows, "Figs", 4))
        .await
        .context("another message comes into it")?;
    let figs = of(&listed, "Figs").context("no row")?.id;
    ensure!(listed[0].id == figs, "it is the newest now: {listed:?}");

    let messages = || Selection::Conversations(vec![figs]);
    let read = Change::Mark { messages: messages(), mark: Mark::Seen, set: true };
    let done = page.change(read).await?;
    ensure!(done.messages == 3, "{done:?}");
    rows(&mut page, |_, rows| of(rows, "Figs").is_some_and(|row| row.flags.seen)).await?;
    let done = page.change(Change::Delete { messages: messages() }).await?;
    ensure!(done.messages == 3, "{done:?}");
    rows(&mut page, |total, rows| total == 1 && of(rows, "Pears").is_some()).await?;
    page.undo(done.change).await?;
    rows(&mut page, |total, rows| total == 2 && counts(rows, "Figs", 4)).await?;
    let all = Selection::ConversationsBut { mailbox: inbox.id, except: vec![listed[1].id] };
    let done = page.change(Change::Archive { messages: all }).await?;
    ensure!(done.messages == 3, "{done:?}");
    rows(&mut page, |total, _| total == 1).await?;

    let remembered = page.mailbox(|own| own.role == Some(Role::Inbox)).await?;
    ensure!(remembered.conversations, "that conversations are shown is forgotten");
    page.say(Intent::GroupConversations { mailbox: inbox.id, on: false, at: None });
    page.wait(|delta| match delta {
        Delta::Rows { total: 1, conversations: false, .. } => Some(()),
        _ => None,
    })
    .await
}

async fn downloaded(scene: &Scene<'_>) -> Result<()> {
    scene.other_client().await?.append("INBOX", inbox()).await?;
    let (mut page, inbox) = scene.page(Protocol::Pop3).await?;
    page.list(inbox.id, 3).await?;
    let listed =
        grouped(&mut page, inbox.id, |total, rows| total == 2 && counts(rows, "Figs", 2)).await?;
    let figs = of(&listed, "Figs").context("no row")?.id;
    let view = opened(&mut page, figs, 2).await?;
    ensure!(view.messages[0].subject == "Figs", "{view:?}");
    let delete = || Change::Delete { messages: Selection::Conversations(vec![figs]) };
    let done = page.change(delete()).await?;
    ensure!(done.messages == 2, "{done:?}");
    rows(&mut page, |total, _| total == 1).await?;
    // The page may ask twice before it shows that the row is gone: that means the trash no less.
    let again = page.change(delete()).await;
    let trash = page.mailbox(|own| own.role == Some(Role::Trash)).await?;
    page.list(trash.id, 2).await.with_context(|| format!("{again:?}")).map(drop)
}
