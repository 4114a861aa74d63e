//! What others do to a person's mail over IMAP, and how soon it is shown, on every kind of mail server.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use postern_bridge::{Change, Delta, Intent, Mark, Protocol, Row, Security};
use postern_tests::{
    letters,
    native::endpoint,
    pages::Page,
    servers::Kind,
    wiretap::{Side, Wiretap},
};

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
    Step {
        behaviour: "new mail is told by the server, and shown within a second of that",
        check: |scene| Box::pin(idle(scene)),
    },
];

/// How soon after a server has told of new mail, which it does without being asked, that is shown.
/// Measured: some 10 ms.
const SHOWN: Duration = Duration::from_secs(1);

/// How soon after new mail was delivered it is shown. What a server waits before it tells is its own
/// matter.
fn delivered(kind: Kind) -> Duration {
    match kind {
        // Measured: 10 ms to half a second, in which it waits for more to come; some 20 ms.
        Kind::Dovecot | Kind::Cyrus => Duration::from_secs(5),
        // It looks about once a second. Measured: 0.8 to 1.1 s.
        Kind::Courier => Duration::from_secs(10),
    }
}

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

/// The best of some tries counts: single ones are held up where other work has the machine.
async fn idle(scene: &Scene<'_>) -> Result<()> {
    const BEFORE: usize = 3;
    let kind = scene.server.kind();
    let mut other = scene.other_client().await?;
    other.append("INBOX", letters::many(BEFORE)).await?;
    let wiretap = Wiretap::start(scene.server.addresses().imap).await?;
    let mut draft = scene.draft(Protocol::Imap);
    draft.incoming.endpoint = endpoint(wiretap.address, Security::Plain);
    let (mut page, inbox) = scene.page_with(draft).await?;
    page.list(inbox.id, BEFORE as u32).await?;
    wait_for_rows(&mut page, |rows| rows.iter().all(|row| !row.preview.is_empty())).await?;
    let (mut since_told, mut since_delivered) = (Duration::MAX, Duration::MAX);
    for number in BEFORE..BEFORE + 5 {
        let start = Instant::now();
        other.append("INBOX", [letters::plain(number)]).await?;
        let notice = format!("* {} EXISTS", number + 1);
        let told = async {
            while !has_said(&wiretap, &notice) {
                ensure!(start.elapsed() < Duration::from_secs(60), "nobody told: {notice}");
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            Ok(Instant::now())
        };
        let newest = format!("Letter {number}");
        let shown = async {
            wait_for_rows(&mut page, |rows| rows[0].subject == newest)
                .await
                .map(|()| Instant::now())
        };
        let (told, shown) = tokio::join!(told, shown);
        let (told, shown) = (told?, shown.with_context(|| newest.clone())?);
        since_told = since_told.min(shown.saturating_duration_since(told));
        since_delivered = since_delivered.min(shown - start);
        let (of_it, of_all) = (shown.saturating_duration_since(told), shown - start);
        println!("{kind:?}: shown after {} ms of {}", of_it.as_millis(), of_all.as_millis());
    }
    ensure!(since_told < SHOWN, "new mail was shown {since_told:?} after it was told");
    let bound = delivered(kind);
    ensure!(since_delivered < bound, "new mail was shown {since_delivered:?} after it came");
    Ok(())
}

/// Whether the server has said a line that begins so.
fn has_said(wiretap: &Wiretap, line: &str) -> bool {
    let said = |pieces: &Vec<(Side, Vec<u8>)>| {
        let server = pieces.iter().filter(|(side, _)| *side == Side::Server);
        let bytes: Vec<u8> = server.flat_map(|(_, bytes)| bytes).copied().collect();
        String::from_utf8_lossy(&bytes).lines().any(|own| own.starts_with(line))
    };
    wiretap.conversations().iter().any(said)
}

async fn wait_for_rows(page: &mut Page, are: impl Fn(&[Row]) -> bool) -> Result<()> {
    page.wait(|delta| match delta {
        Delta::Rows { rows, .. } if !rows.is_empty() && are(&rows) => Some(()),
        _ => None,
    })
    .await
}
