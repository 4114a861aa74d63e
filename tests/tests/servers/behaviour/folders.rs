//! Folders over IMAP, made, renamed and subscribed to, on every kind of mail server.

use anyhow::{Context, Result, ensure};
use postern_bridge::{Change, Intent, MailboxView, Protocol, Role};
use postern_tests::letters;

use super::{
    Scene, Step,
    changes::{letter, send, subjects, told},
};

pub(super) const STEPS: &[Step] = &[
    Step {
        behaviour: "folders that are missing are made where the server has a person's folders",
        check: |scene| Box::pin(missing_folders(scene)),
    },
    Step {
        behaviour: "a folder that another client renames is shown under its new name",
        check: |scene| Box::pin(renamed_elsewhere(scene)),
    },
    Step {
        behaviour: "which folders are subscribed to is known, and changed here and elsewhere",
        check: |scene| Box::pin(subscriptions(scene)),
    },
];

async fn missing_folders(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.another().await?;
    other.append("INBOX", letters::many(4)).await?;
    let (mut page, inbox) = scene.page(Protocol::Imap).await?;
    let rows = page.list(inbox.id, 4).await?;
    page.change(Change::Archive { messages: rows[0].id.into() }).await?;
    page.change(Change::Junk { messages: rows[1].id.into() }).await?;
    page.change(Change::Delete { messages: rows[2].id.into() }).await?;
    page.save_draft(letter(scene, &inbox, "One"), None).await?;
    told(&mut page).await?;
    send(&mut page, letter(scene, &inbox, "Two"), None).await?;
    let sent = page.mailbox(|mailbox| mailbox.role == Some(Role::Sent)).await?;
    page.list(sent.id, 1).await?;
    for name in ["Archive", "Junk", "Trash", "Drafts", "Sent"] {
        let there = subjects(&mut other, &scene.server.folder(name)).await.context(name)?;
        ensure!(there.len() == 1, "{name}: {there:?}");
    }
    // Each of them is there once, and found again by another browser.
    let (mut again, _) = scene.page(Protocol::Imap).await?;
    for role in [Role::Archive, Role::Junk, Role::Trash, Role::Drafts, Role::Sent] {
        let mailbox = again.mailbox(|mailbox| mailbox.role == Some(role)).await?;
        again.list(mailbox.id, 1).await.with_context(|| format!("{role:?}"))?;
    }
    Ok(())
}

/// Where the server tells one folder from another whatever they are called, nothing comes again.
async fn renamed_elsewhere(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.another().await?;
    let (before, after) = (scene.server.folder("Trips"), scene.server.folder("Journeys"));
    other.ask(&format!("CREATE \"{before}\"")).await?;
    other.append(&before, letters::many(3)).await?;
    let (mut page, _) = scene.page(Protocol::Imap).await?;
    let named = |name: &'static str| move |own: &MailboxView| own.name == name;
    let trips = page.mailbox(named("Trips")).await?;
    let rows = page.list(trips.id, 3).await?;
    page.say(Intent::Network { online: false });
    other.ask(&format!("RENAME \"{before}\" \"{after}\"")).await?;
    page.say(Intent::Network { online: true });
    let journeys = page.mailbox(named("Journeys")).await?;
    let again = page.list(journeys.id, 3).await?;
    ensure!(again[0].subject == "Letter 2");
    let offered = other.ask("CAPABILITY").await?.concat();
    if offered.contains("OBJECTID") {
        ensure!(again[0].id == rows[0].id, "they came again");
    }
    Ok(())
}

async fn subscriptions(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.other_client().await?;
    let folder = scene.server.folder("Garden");
    other.ask(&format!("CREATE {folder}")).await?;
    other.ask(&format!("UNSUBSCRIBE {folder}")).await?;
    other.ask("SUBSCRIBE INBOX").await?;
    let (mut page, inbox) = scene.page(Protocol::Imap).await?;
    let garden = page.mailbox(|own| own.name == "Garden" && !own.subscribed).await?.id;
    for subscribed in [true, false] {
        page.change(Change::Subscribe { mailbox: garden, subscribed }).await?;
        told(&mut page).await?;
        let listed = other.ask("LSUB \"\" \"*\"").await?.concat();
        ensure!(listed.contains("Garden") == subscribed, "{subscribed}: {listed}");
    }
    for (command, subscribed) in [("SUBSCRIBE", true), ("UNSUBSCRIBE", false)] {
        other.ask(&format!("{command} {folder}")).await?;
        page.say(Intent::Refresh { account: inbox.account });
        page.mailbox(|own| own.id == garden && own.subscribed == subscribed)
            .await
            .with_context(|| format!("{command} by another client"))?;
    }
    Ok(())
}
