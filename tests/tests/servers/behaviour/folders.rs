//! Folders that are made, renamed, nested, deleted and subscribed to, on every kind of mail server.

use anyhow::{Context, Result, ensure};
use postern_bridge::{
    Change, Intent, MailboxId, MailboxView, MessageId, Protocol, Role, Selection,
};
use postern_tests::{letters, other_client::OtherClient, pages::Page, servers::Kind};

use super::{
    Scene, Step,
    changes::{letter, make_folder, send, subjects, told},
};

pub(super) const STEPS: &[Step] = &[
    Step {
        behaviour: "folders that are missing are made where the server has a person's folders",
        check: |scene| Box::pin(missing_folders(scene)),
    },
    Step {
        behaviour: "folders are made, nested, renamed with what is in them, taken out and deleted",
        check: |scene| Box::pin(changed_here(scene)),
    },
    Step {
        behaviour: "folders that were made, nested and renamed offline are so on the server",
        check: |scene| Box::pin(changed_offline(scene)),
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

async fn changed_here(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.other_client().await?;
    other.append("INBOX", letters::many(4)).await?;
    let (mut page, inbox) = scene.page(Protocol::Imap).await?;
    let rows = page.list(inbox.id, 4).await?;
    let trips = make_folder(&mut page, &inbox, "Trips").await?;
    let japan = make_nested(&mut page, &inbox, trips, "Japan").await?;
    moved(&mut page, rows[0].id, trips).await?;
    moved(&mut page, rows[1].id, japan).await?;
    told(&mut page).await?;
    has_folders(scene, &mut other, &[("Trips", 1), ("Trips/Japan", 1)]).await?;
    // Now each was open on a connection.
    page.list(trips, 1).await?;
    page.list(japan, 1).await?;

    renamed(&mut page, trips, None, "Journeys").await?;
    has_folders(scene, &mut other, &[("Journeys", 1), ("Journeys/Japan", 1)]).await?;
    let nested = page.list(japan, 1).await?;
    ensure!(page.read(nested[0].id).await?.subject == "Letter 2");
    moved(&mut page, rows[2].id, japan).await?;
    told(&mut page).await?;
    let there = subjects(&mut other, &scene.server.folder("Journeys/Japan")).await?;
    ensure!(there == ["Letter 1", "Letter 2"], "{there:?}");
    page.list(japan, 2).await?;

    let refused = page.change(Change::DeleteMailbox { mailbox: trips }).await;
    let refused = refused.err().context("what is in it was deleted with it")?.to_string();
    ensure!(refused.contains("There are folders in this folder"), "{refused}");
    renamed(&mut page, japan, None, "Größe & Gewicht").await?;
    page.change(Change::DeleteMailbox { mailbox: trips }).await?;
    told(&mut page).await?;
    has_folders(scene, &mut other, &[("Gr&APYA3w-e &- Gewicht", 2)]).await?;
    page.list(japan, 2).await?;

    let (mut again, _) = scene.page(Protocol::Imap).await?;
    let own = again.mailbox(named("Größe & Gewicht")).await?;
    ensure!((own.depth, own.subscribed) == (depth(scene, "Größe & Gewicht"), true), "{own:?}");
    again.list(own.id, 2).await?;
    page.change(Change::DeleteMailbox { mailbox: japan }).await?;
    told(&mut page).await?;
    has_folders(scene, &mut other, &[]).await
}

async fn changed_offline(scene: &Scene<'_>) -> Result<()> {
    // Nothing shows where the server has a person's folders.
    let mut other = scene.another().await?;
    other.append("INBOX", letters::many(2)).await?;
    let (mut page, inbox) = scene.page(Protocol::Imap).await?;
    let rows = page.list(inbox.id, 2).await?;
    page.say(Intent::Network { online: false });
    let trips = make_folder(&mut page, &inbox, "Trips").await?;
    let japan = make_nested(&mut page, &inbox, trips, "Japan").await?;
    let gone = make_nested(&mut page, &inbox, trips, "Peru").await?;
    moved(&mut page, rows[0].id, japan).await?;
    let (parent, name) = (None, "Journeys".into());
    page.change(Change::MoveMailbox { mailbox: trips, parent, name }).await?;
    page.change(Change::DeleteMailbox { mailbox: gone }).await?;
    page.say(Intent::Network { online: true });
    told(&mut page).await?;
    has_folders(scene, &mut other, &[("Journeys", 0), ("Journeys/Japan", 1)]).await?;
    let there = subjects(&mut other, &scene.server.folder("Journeys/Japan")).await?;
    ensure!(there == ["Letter 1"], "{there:?}");
    page.list(japan, 1).await?;
    let (mut again, _) = scene.page(Protocol::Imap).await?;
    let own = again.mailbox(named("Japan")).await?;
    ensure!((own.depth, own.subscribed) == (depth(scene, "Journeys/Japan"), true), "{own:?}");
    ensure!(own.parent.is_some(), "{own:?}");
    again.list(own.id, 1).await.map(drop)
}

/// Where the server tells one folder from another whatever they are called, nothing comes again.
async fn renamed_elsewhere(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.another().await?;
    let (before, after) = (scene.server.folder("Trips"), scene.server.folder("Journeys"));
    other.ask(&format!("CREATE \"{before}\"")).await?;
    other.append(&before, letters::many(3)).await?;
    let (mut page, _) = scene.page(Protocol::Imap).await?;
    let trips = page.mailbox(named("Trips")).await?;
    let rows = page.list(trips.id, 3).await?;
    page.say(Intent::Network { online: false });
    other.ask(&format!("RENAME \"{before}\" \"{after}\"")).await?;
    page.say(Intent::Network { online: true });
    let journeys = page.mailbox(named("Journeys")).await?;
    let again = page.list(journeys.id, 3).await?;
    // Courier orders messages of one second by microseconds, 9 behind 10.
    let mut there: Vec<&str> = again.iter().map(|row| &*row.subject).collect();
    there.sort_unstable();
    ensure!(there == ["Letter 0", "Letter 1", "Letter 2"], "{there:?}");
    let offered = other.ask("CAPABILITY").await?.concat();
    let is_known = scene.server.kind() == Kind::Cyrus;
    ensure!(offered.contains("OBJECTID") == is_known, "{offered}");
    ensure!((again[0].id == rows[0].id) == is_known, "they came again: {}", !is_known);
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

/// How deep the server nests a folder, from its name for people.
fn depth(scene: &Scene<'_>, name: &str) -> u8 {
    scene.server.folder(name).bytes().map(|byte| u8::from(matches!(byte, b'.' | b'/'))).sum()
}

fn named(name: &'static str) -> impl Fn(&MailboxView) -> bool {
    move |own| own.name == name
}

async fn make_nested(
    page: &mut Page,
    inbox: &MailboxView,
    parent: MailboxId,
    name: &str,
) -> Result<MailboxId> {
    let (account, parent, name) = (inbox.account, Some(parent), name.into());
    let made = page.change(Change::CreateMailbox { account, parent, name }).await?;
    made.mailbox.context("no folder was made")
}

async fn moved(page: &mut Page, message: MessageId, to: MailboxId) -> Result<()> {
    let messages = Selection::Messages(vec![message]);
    page.change(Change::Move { messages, to }).await.map(drop)
}

async fn renamed(
    page: &mut Page,
    mailbox: MailboxId,
    parent: Option<MailboxId>,
    name: &str,
) -> Result<()> {
    page.change(Change::MoveMailbox { mailbox, parent, name: name.into() }).await?;
    told(page).await
}

/// Makes sure that the server has these folders, with so many messages each and subscribed to, and
/// no others but the usual ones.
async fn has_folders(
    scene: &Scene<'_>,
    other: &mut OtherClient,
    expected: &[(&str, usize)],
) -> Result<()> {
    let names = || expected.iter().map(|(name, _)| scene.server.folder(name));
    for command in ["LIST", "LSUB"] {
        let mut listed = listed(scene, other, command).await?;
        listed.sort();
        let mut names: Vec<_> = names().collect();
        names.sort();
        ensure!(listed == names, "{command}: {listed:?}, not {names:?}");
    }
    for (name, (_, count)) in names().zip(expected) {
        let told = other.ask(&format!("STATUS \"{name}\" (MESSAGES)")).await?.concat();
        ensure!(told.contains(&format!("(MESSAGES {count})")), "{told}");
    }
    Ok(())
}

/// The names of all folders but the usual ones.
async fn listed(scene: &Scene<'_>, other: &mut OtherClient, command: &str) -> Result<Vec<String>> {
    let usual = ["Drafts", "Sent", "Trash"].map(|name| scene.server.folder(name));
    let lines = other.ask(&format!("{command} \"\" \"*\"")).await?;
    let name = |line: &String| {
        let (_, name) = line.trim_end().split_once(") \"")?.1.split_once("\" ")?;
        Some(name.trim_matches('"').to_owned())
    };
    let names = lines.iter().filter_map(name);
    Ok(names.filter(|name| name != "INBOX" && !usual.contains(name)).collect())
}
