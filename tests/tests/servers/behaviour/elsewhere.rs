//! What others do to a person's mail over IMAP, on every kind of mail server.

use anyhow::{Context, Result, ensure};
use postern_bridge::{Change, Delta, Intent, Mark, Protocol, Row};
use postern_tests::{letters, pages::Page};

use super::{Scene, Step};

pub(super) const STEPS: &[Step] = &[
    Step {
        behaviour: "what one browser changes and expunges, another one sees",
        check: |scene| Box::pin(two_browsers(scene)),
    },
    Step {
        behaviour: "what others did while the network was away is caught up with",
        check: |scene| Box::pin(resync(scene)),
    },
];

async fn two_browsers(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.other_client().await?;
    other.append("INBOX", letters::many(3)).await?;
    let (mut one, inbox) = scene.page(Protocol::Imap).await?;
    let rows = one.list(inbox.id, 3).await?;
    let (mut two, seen) = scene.page(Protocol::Imap).await?;
    two.list(seen.id, 3).await?;
    let (messages, mark) = (rows[0].id.into(), Mark::Flagged);
    one.change(Change::Mark { messages, mark, set: true }).await?;
    wait_for_rows(&mut two, |rows| rows[0].flags.flagged).await.context("a star")?;
    one.change(Change::DeleteForGood { messages: rows[1].id.into() }).await?;
    wait_for_rows(&mut two, |rows| {
        rows.iter().map(|row| &*row.subject).eq(["Letter 2", "Letter 0"])
    })
    .await
    .context("an expunged message")
}

async fn resync(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.other_client().await?;
    other.append("INBOX", letters::many(200)).await?;
    let (mut page, inbox) = scene.page(Protocol::Imap).await?;
    let rows = page.list(inbox.id, 200).await?;
    page.say(Intent::Network { online: false });
    let (messages, mark) = (rows[1].id.into(), Mark::Flagged);
    page.change(Change::Mark { messages, mark, set: true }).await?;
    other.ask("SELECT INBOX").await?;
    other.ask(r"STORE 200 +FLAGS (\Flagged \Seen)").await?;
    other.ask(r"STORE 1:50,198 +FLAGS (\Deleted)").await?;
    other.ask("EXPUNGE").await?;
    other.append("INBOX", [letters::plain(200)]).await?;
    page.say(Intent::Network { online: true });
    let expected = [
        ("Letter 200", false, false),
        ("Letter 199", true, true),
        ("Letter 198", true, false),
        ("Letter 196", false, false),
    ];
    let rows = page.list(inbox.id, 150).await?;
    let shown: Vec<_> =
        rows[..4].iter().map(|row| (&*row.subject, row.flags.flagged, row.flags.seen)).collect();
    ensure!(shown == expected, "{shown:?}");
    Ok(())
}

pub(super) async fn wait_for_rows(page: &mut Page, are: impl Fn(&[Row]) -> bool) -> Result<()> {
    page.wait(|delta| match delta {
        Delta::Rows { rows, .. } if !rows.is_empty() && are(&rows) => Some(()),
        _ => None,
    })
    .await
}
