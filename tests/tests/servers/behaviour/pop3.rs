//! POP3 on every kind of mail server.

use anyhow::{Context, Result, ensure};
use postern_bridge::{AccountId, Delta, Intent, Protocol, Retention, Security};
use postern_tests::{letters, native::endpoint, pages::Page};

use super::{Scene, Step};

pub(super) const STEPS: &[Step] = &[
    Step {
        behaviour: "mail is downloaded once over POP3, and stays on the server",
        check: |scene| Box::pin(keeping(scene)),
    },
    Step {
        behaviour: "with the policy to delete, mail leaves the server over POP3 and stays here",
        check: |scene| Box::pin(deleting(scene)),
    },
    Step {
        behaviour: "STLS protects a connection that began in clear text",
        check: |scene| Box::pin(stls(scene)),
    },
    Step {
        behaviour: "a wrong password is a sentence over POP3",
        check: |scene| Box::pin(wrong_password(scene)),
    },
];

async fn keeping(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.other_client().await?;
    other.append("INBOX", letters::many(300)).await?;
    let (mut page, inbox) = scene.page(Protocol::Pop3).await?;
    let rows = page.list(inbox.id, 300).await?;
    let view = page.read(rows[17].id).await?;
    ensure!(view.text.contains("\n.a line that begins with a dot"), "{:?}", view.text);

    other.append("INBOX", [letters::plain(300)]).await?;
    let account = account(&mut page).await?;
    page.say(Intent::Refresh { account });
    let rows = page.list(inbox.id, 301).await?;
    ensure!(rows[0].subject == "Letter 300", "{:?}", rows[0]);
    ensure!(count(&mut other).await? == 301);
    Ok(())
}

async fn deleting(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.other_client().await?;
    other.append("INBOX", letters::many(300)).await?;
    let mut draft = scene.draft(Protocol::Pop3);
    draft.retention = Retention::DeleteAfterDownload;
    let (mut page, inbox) = scene.page_with(draft).await?;
    let rows = page.list(inbox.id, 300).await?;
    for _ in 0..600 {
        if count(&mut other).await? == 0 {
            ensure!(page.read(rows[0].id).await?.subject.starts_with("Letter "));
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    anyhow::bail!("{} messages are still on the server", count(&mut other).await?)
}

/// How many messages are in the inbox on the server.
async fn count(other: &mut postern_tests::other_client::OtherClient) -> Result<usize> {
    let selected = other.ask("SELECT INBOX").await?;
    let exists = selected.iter().find_map(|line| line.trim().strip_suffix(" EXISTS"));
    Ok(exists.unwrap_or_default().trim_start_matches("* ").parse()?)
}

async fn account(page: &mut Page) -> Result<AccountId> {
    page.say(Intent::Hello);
    page.wait(|delta| match delta {
        Delta::Accounts(accounts) => accounts.first().map(|account| account.id),
        _ => None,
    })
    .await
}

async fn stls(scene: &Scene<'_>) -> Result<()> {
    scene.other_client().await?.append("INBOX", [letters::plain(7)]).await?;
    let mut draft = scene.draft(Protocol::Pop3);
    draft.incoming.endpoint = endpoint(scene.server.addresses().pop3, Security::StartTls);
    let (mut page, inbox) = scene.page_with(draft).await?;
    let rows = page.list(inbox.id, 1).await?;
    ensure!(rows[0].subject == "Letter 7", "{rows:?}");
    Ok(())
}

async fn wrong_password(scene: &Scene<'_>) -> Result<()> {
    let mut draft = scene.draft(Protocol::Pop3);
    draft.password = "wrong".into();
    let added = Page::open(scene.host()).await?.add(draft).await;
    let refused = added.err().context("it was accepted")?.to_string();
    ensure!(refused.contains("did not accept the user name or the password"), "{refused}");
    Ok(())
}
