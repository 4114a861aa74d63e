//! How soon what a server tells is shown, on every kind of mail server.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use postern_tests::{
    letters,
    pages::PATIENCE,
    servers::Kind,
    wiretap::{Side, Wiretap},
};

use super::{Scene, Step, elsewhere::wait_for_rows};

pub(super) const STEPS: &[Step] = &[Step {
    behaviour: "new mail is told by the server while it is waited for, and shown within a second",
    check: |scene| Box::pin(idle(scene)),
}];

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

/// How many messages come. The time that most of them keep counts: single ones are held up where
/// other work has the machine.
const TRIES: usize = 5;

async fn idle(scene: &Scene<'_>) -> Result<()> {
    const BEFORE: usize = 3;
    let kind = scene.server.kind();
    let mut other = scene.other_client().await?;
    other.append("INBOX", letters::many(BEFORE)).await?;
    let (wiretap, mut page, inbox) = scene.tapped_page().await?;
    page.list(inbox.id, BEFORE as u32).await?;
    wait_for_rows(&mut page, |rows| rows.iter().all(|row| !row.preview.is_empty())).await?;
    let (mut since_told, mut since_delivered) = (Vec::new(), Vec::new());
    for number in BEFORE..BEFORE + TRIES {
        until(&wiretap, idles).await.context("it is not waited for news")?;
        let start = Instant::now();
        other.append("INBOX", [letters::plain(number)]).await?;
        let notice = format!("* {} EXISTS", number + 1);
        let told = until(&wiretap, |call| {
            let at = call.iter().position(|(side, own)| *side == Side::Server && *own == notice);
            at.is_some_and(|at| idles(&call[..at]))
        });
        let newest = format!("Letter {number}");
        let shown = async {
            wait_for_rows(&mut page, |rows| rows[0].subject == newest)
                .await
                .map(|()| Instant::now())
        };
        let (told, shown) = tokio::join!(told, shown);
        let told = told.with_context(|| format!("{notice} while it was waited for"))?;
        let shown = shown.with_context(|| newest.clone())?;
        let (of_it, of_all) = (shown.saturating_duration_since(told), shown - start);
        println!("{kind:?}: shown after {} ms of {}", of_it.as_millis(), of_all.as_millis());
        since_told.push(of_it);
        since_delivered.push(of_all);
    }
    let most = |mut times: Vec<Duration>| {
        times.sort();
        times[TRIES / 2]
    };
    let (since_told, since_delivered) = (most(since_told), most(since_delivered));
    ensure!(since_told < SHOWN, "new mail was shown {since_told:?} after it was told");
    let bound = delivered(kind);
    ensure!(since_delivered < bound, "new mail was shown {since_delivered:?} after it came");
    Ok(())
}

/// Waits until it is so on one of the connections; when that was.
async fn until(wiretap: &Wiretap, is_it: impl Fn(&[(Side, String)]) -> bool) -> Result<Instant> {
    let start = Instant::now();
    while !wiretap.lines()?.iter().any(|call| is_it(call)) {
        ensure!(start.elapsed() < PATIENCE, "it does not come to be so");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(Instant::now())
}

/// Whether the last thing that the client has said is IDLE, and the server has agreed to it.
fn idles(call: &[(Side, String)]) -> bool {
    let Some(at) = call.iter().rposition(|(side, _)| *side == Side::Client) else { return false };
    call[at].1.ends_with(" IDLE") && call[at..].iter().any(|(_, own)| own.starts_with('+'))
}
