//! What a person changes over IMAP, on every kind of mail server.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use postern_bridge::{
    Address, Change, Delta, Intent, MailboxId, MailboxView, Mark, MessageId, OutgoingMessage,
    Protocol, Role, Row, Security, Selection, SendState,
};
use postern_tests::{
    letters,
    native::endpoint,
    other_client::OtherClient,
    pages::Page,
    servers::Kind,
    wiretap::{Side, Wiretap},
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
        behaviour: "folders that are missing are made where the server has a person's folders",
        check: |scene| Box::pin(missing_folders(scene)),
    },
    Step {
        behaviour: "a folder that another client renames is shown under its new name",
        check: |scene| Box::pin(renamed_elsewhere(scene)),
    },
    Step {
        behaviour: "what one browser changes and expunges, another one sees",
        check: |scene| Box::pin(two_browsers(scene)),
    },
    Step {
        behaviour: "what others did while the network was away is caught up with",
        check: |scene| Box::pin(resync(scene)),
    },
    Step {
        behaviour: "a move that is cut off again and again neither loses nor doubles a message",
        check: |scene| Box::pin(cut_while_moving(scene)),
    },
    Step {
        behaviour: "new mail is told by the server, and shown within a second of that",
        check: |scene| Box::pin(idle(scene)),
    },
    Step {
        behaviour: "which folders are subscribed to is known, and changed here and elsewhere",
        check: |scene| Box::pin(subscriptions(scene)),
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

/// Waits until the server has been told everything.
async fn told(page: &mut Page) -> Result<()> {
    page.say(Intent::Hello);
    page.wait(|delta| match delta {
        Delta::Refused(refused) => Some(Err(anyhow::anyhow!("{refused:?}"))),
        Delta::Pending { changes: 0, .. } => Some(Ok(())),
        _ => None,
    })
    .await
    .context("changes are left")?
}

async fn make_folder(page: &mut Page, inbox: &MailboxView, name: &str) -> Result<MailboxId> {
    let (account, name) = (inbox.account, name.into());
    let made = page.change(Change::CreateMailbox { account, parent: None, name }).await?;
    made.mailbox.context("no folder was made")
}

fn letter(scene: &Scene<'_>, inbox: &MailboxView, text: &str) -> OutgoingMessage {
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

async fn send(page: &mut Page, message: OutgoingMessage, draft: Option<MessageId>) -> Result<()> {
    let request = page.request();
    page.say(Intent::Send { request, message, draft });
    let sent = |delta| matches!(delta, Delta::Outbox { state: SendState::Sent, .. }).then_some(());
    page.wait(sent).await
}

/// The subjects of what is in a folder on the server, sorted.
async fn subjects(other: &mut OtherClient, folder: &str) -> Result<Vec<String>> {
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

async fn wait_for_rows(page: &mut Page, are: impl Fn(&[Row]) -> bool) -> Result<()> {
    page.wait(|delta| match delta {
        Delta::Rows { rows, .. } if !rows.is_empty() && are(&rows) => Some(()),
        _ => None,
    })
    .await
}
