//! Searching on every kind of mail server.

use anyhow::{Context, Result, ensure};
use postern_bridge::{
    Change, Delta, Intent, MailboxId, MessageId, Protocol, Row, SearchScope, SearchState, Selection,
};
use postern_tests::{letters, pages::Page};

use super::{Scene, Step};

pub(super) const STEPS: &[Step] = &[
    Step {
        behaviour: "a search finds what is stored and what only the server knows",
        check: |scene| Box::pin(one_folder(scene)),
    },
    Step {
        behaviour: "a search of all folders finds, fetches, reads and deletes what was never opened",
        check: |scene| Box::pin(all_folders(scene)),
    },
    Step {
        behaviour: "a search of downloaded mail looks into its texts, also offline",
        check: |scene| Box::pin(downloaded(scene)),
    },
];

/// Searches to the end, which must be this state; what was found by then.
async fn search(
    page: &mut Page,
    mailbox: MailboxId,
    scope: SearchScope,
    query: &str,
    end: SearchState,
) -> Result<Vec<Row>> {
    let (state, rows) = page.search(mailbox, scope, query).await?;
    ensure!(state == end, "{query}: {state:?}");
    Ok(rows)
}

fn subjects(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| &*row.subject).collect()
}

async fn one_folder(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.other_client().await?;
    other.append("INBOX", letters::many(60)).await?;
    other.append("INBOX", [letters::with_attachments()]).await?;
    let (mut page, inbox) = scene.page(Protocol::Imap).await?;
    page.list(inbox.id, 61).await?;
    let expected: &[(&str, &[&str])] = &[
        ("subject:\"letter 7\"", &["Letter 7"]),
        // Only in a message's text, and that message was not fetched.
        ("\"letter number 3.\"", &["Letter 3"]),
        ("body:\"number 3.\" from:ada -subject:\"letter 4\"", &["Letter 3"]),
        ("subject:pläne", &["Pläne"]),
        ("has:attachment from:zoë", &["Pläne"]),
        ("\"letter number 3.\" OR from:zoe@", &["Pläne", "Letter 3"]),
        ("is:read", &[]),
        ("larger:100k", &["Pläne"]),
        ("no-such-words", &[]),
    ];
    for (query, found) in expected {
        let whole = SearchState::Whole;
        let rows = search(&mut page, inbox.id, SearchScope::Mailbox, query, whole).await?;
        ensure!(subjects(&rows) == *found, "{query}: {rows:?}");
    }
    page.say(Intent::Network { online: false });
    let query = "\"letter number 3.\"";
    let offline = SearchState::Offline;
    let rows = search(&mut page, inbox.id, SearchScope::Mailbox, query, offline).await?;
    ensure!(rows.is_empty(), "the text of that message is not stored: {rows:?}");
    let request = page.request();
    let (mailbox, query) = (inbox.id, String::new());
    page.say(Intent::Search { request, mailbox, scope: SearchScope::Mailbox, query });
    page.wait(|delta| match delta {
        Delta::Rows { total: 61, search: None, .. } => Some(()),
        _ => None,
    })
    .await
}

async fn all_folders(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.other_client().await?;
    other.append("INBOX", letters::many(2)).await?;
    let garden = scene.server.folder("Garden");
    other.ask(&format!("CREATE {garden}")).await?;
    other.append(&garden, letters::many(40)).await?;
    let (mut page, inbox) = scene.page(Protocol::Imap).await?;
    page.list(inbox.id, 2).await?;
    let (everywhere, whole) = (SearchScope::Account, SearchState::Whole);
    let query = "\"letter number 1.\" OR \"letter number 30.\"";
    let rows = search(&mut page, inbox.id, everywhere, query, whole.clone()).await?;
    let found = letter(&rows, "Letter 30")?;
    ensure!(rows.len() == 3 && found.mailbox != inbox.id, "{rows:?}");
    let view = page.read(found).await?;
    ensure!(view.text.starts_with("This is letter number 30."), "{:?}", view.text);

    let here = SearchScope::Mailbox;
    let named = search(&mut page, inbox.id, here, "in:garden 30", whole.clone()).await?;
    ensure!(subjects(&named) == ["Letter 30"], "{named:?}");
    let rows = search(&mut page, inbox.id, everywhere, query, whole).await?;
    let messages = Selection::Messages(vec![letter(&rows, "Letter 30")?]);
    let done = page.change(Change::Delete { messages }).await?;
    has_found(&mut page, 2).await.context("what is deleted is found no more")?;
    page.undo(done.change).await?;
    has_found(&mut page, 3).await.context("what is brought back is found again")
}

/// The message with a subject.
fn letter(rows: &[Row], subject: &str) -> Result<MessageId> {
    let row = rows.iter().find(|row| row.subject == subject);
    Ok(row.with_context(|| format!("{subject} was not found: {rows:?}"))?.id)
}

/// Waits until so much is found.
async fn has_found(page: &mut Page, count: u32) -> Result<()> {
    page.wait(|delta| match delta {
        Delta::Rows { total, search: Some(_), .. } => (total == count).then_some(()),
        _ => None,
    })
    .await
}

async fn downloaded(scene: &Scene<'_>) -> Result<()> {
    scene.other_client().await?.append("INBOX", letters::many(30)).await?;
    let (mut page, inbox) = scene.page(Protocol::Pop3).await?;
    page.list(inbox.id, 30).await?;
    for online in [true, false] {
        page.say(Intent::Network { online });
        let query = "body:\"letter number 3.\"";
        let whole = SearchState::Whole;
        let rows = search(&mut page, inbox.id, SearchScope::Account, query, whole).await?;
        ensure!(subjects(&rows) == ["Letter 3"], "{rows:?}");
    }
    Ok(())
}
