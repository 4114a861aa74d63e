//! Asking for news now and then, at a server that does not tell.

use anyhow::{Context, Result, ensure};
use postern_bridge::{Delta, Intent};
use postern_tests::{
    courier::Courier,
    letters,
    servers::Server,
    wiretap::{Side, Wiretap},
};

use super::{Scene, on, watching};

#[test]
fn where_a_server_does_not_tell_it_is_asked_now_and_then() -> Result<()> {
    let users = ["ben"];
    on(Server::Courier(Courier::start_without(Some("IDLE"), &users)?), users[0], asked)
}

async fn asked(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.other_client().await?;
    let offered = other.ask("CAPABILITY").await?.concat();
    ensure!(!offered.contains("IDLE"), "{offered}");
    other.append("INBOX", letters::many(1)).await?;
    let (wiretap, mut page, inbox) = scene.tapped_page().await?;
    page.list(inbox.id, 1).await?;
    watching::silence(&wiretap).await;

    other.append("INBOX", [letters::plain(1)]).await?;
    page.say(Intent::ShowRows { mailbox: inbox.id, rows: 0..50 });
    let shown = page.wait(|delta| match delta {
        Delta::Rows { rows, .. } => {
            (rows.len() == 2 && rows[0].subject == "Letter 1").then_some(())
        }
        _ => None,
    });
    shown.await.context("new mail")?;
    ensure!(!wiretap.clients_said(" IDLE")?, "it was told to tell");
    let answered = answered(&wiretap, "* 2 EXISTS")?;
    ensure!(answered.ends_with(" NOOP"), "it was told with the answer to {answered}");
    Ok(())
}

/// What the client had said last when a server first said this line.
fn answered(wiretap: &Wiretap, line: &str) -> Result<String> {
    for call in wiretap.lines()? {
        let is_it = |(side, own): &(Side, String)| *side == Side::Server && own == line;
        if let Some(at) = call.iter().position(is_it) {
            let said = call[..at].iter().rfind(|(side, _)| *side == Side::Client);
            return said
                .map(|(_, own)| own.clone())
                .context("it was told before anything was said");
        }
    }
    anyhow::bail!("nobody said {line}")
}
