//! POP3 on every kind of mail server.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use postern_bridge::{
    AccountChange, AccountDraft, AccountId, AccountView, Change, Delta, Extent, Intent,
    MailboxView, MessageId, MessageView, Protocol, Retention, Role, Row, Security, Selection,
};
use postern_tests::{letters, native::endpoint, other_client::OtherClient, pages::Page};

use super::{Scene, Step, role};

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
        behaviour: "headers come alone over POP3, and the rest when it is wanted",
        check: |scene| Box::pin(headers(scene)),
    },
    Step {
        behaviour: "what is deleted here leaves a POP3 server, where that was chosen",
        check: |scene| Box::pin(following(scene)),
    },
    Step {
        behaviour: "what is moved out of the inbox leaves a POP3 server, where that was chosen",
        check: |scene| Box::pin(moving(scene)),
    },
    Step {
        behaviour: "mail leaves a POP3 server when its days are over, and not earlier",
        check: |scene| Box::pin(by_age(scene)),
    },
    Step {
        behaviour: "of what is larger than was chosen the header comes, and the rest when it is wanted",
        check: |scene| Box::pin(by_size(scene)),
    },
    Step {
        behaviour: "a secondary computer leaves all mail on a POP3 server, and tells of none that is gone",
        check: |scene| Box::pin(secondary(scene)),
    },
    Step {
        behaviour: "what another program removes from a POP3 server stays here and is told once",
        check: |scene| Box::pin(removed_elsewhere(scene)),
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

/// What a scene is after the inbox was downloaded.
struct Downloaded {
    other: OtherClient,
    page: Page,
    inbox: MailboxView,
    rows: Vec<Row>,
}

/// Downloads so many letters under a policy.
async fn downloaded(scene: &Scene<'_>, count: u32, retention: Retention) -> Result<Downloaded> {
    let mut other = scene.other_client().await?;
    other.append("INBOX", letters::many(count as usize)).await?;
    let draft = AccountDraft { retention, ..scene.draft(Protocol::Pop3) };
    let (mut page, inbox) = scene.page_with(draft).await?;
    let rows = page.list(inbox.id, count).await?;
    Ok(Downloaded { other, page, inbox, rows })
}

async fn deleting(scene: &Scene<'_>) -> Result<()> {
    let Downloaded { mut other, mut page, rows, .. } =
        downloaded(scene, 300, Retention::DeleteAfterDownload).await?;
    until_left(&mut other, 0).await?;
    ensure!(page.read(rows[0].id).await?.subject.starts_with("Letter "));
    Ok(())
}

async fn headers(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.other_client().await?;
    let (mut page, inbox) = scene.page(Protocol::Pop3).await?;
    // The download that the account began with knows the earlier settings.
    page.list(inbox.id, 0).await?;
    let view = view(&mut page).await?;
    let request = page.request();
    let change = AccountChange {
        name: view.identity.name,
        incoming: view.incoming,
        outgoing: view.outgoing,
        password: None,
        proof: view.proof,
        retention: Retention::DeleteAfterDownload,
        extent: Extent::Headers,
    };
    page.say(Intent::ChangeAccount { request, account: view.id, change });
    page.wait(|delta| match delta {
        Delta::AccountChanged { result, .. } => Some(result.is_ok()),
        _ => None,
    })
    .await?;
    other.append("INBOX", [letters::plain(7)]).await?;
    page.say(Intent::Refresh { account: view.id });
    let rows = page.list(inbox.id, 1).await?;
    ensure!(rows[0].subject == "Letter 7", "{rows:?}");
    let header = page.read(rows[0].id).await?;
    ensure!(header.withheld.is_some() && header.text.trim().is_empty(), "{header:?}");
    ensure!(count(&mut other).await? == 1, "what is not here was deleted");
    let whole = whole(&mut page, header.id).await?;
    ensure!(whole.text.contains("letter number 7"), "{whole:?}");
    until_left(&mut other, 0).await
}

/// Has the rest of a message downloaded.
async fn whole(page: &mut Page, message: MessageId) -> Result<Box<MessageView>> {
    page.say(Intent::DownloadWhole { message });
    page.wait(|delta| match delta {
        Delta::Message(view) if view.withheld.is_none() => Some(view),
        _ => None,
    })
    .await
}

async fn following(scene: &Scene<'_>) -> Result<()> {
    let Downloaded { mut other, mut page, rows, .. } =
        downloaded(scene, 3, Retention::DeleteWhenDeletedHere).await?;
    ensure!(count(&mut other).await? == 3);
    page.change(Change::Delete { messages: Selection::Messages(vec![rows[0].id]) }).await?;
    let account = account(&mut page).await?;
    page.say(Intent::Refresh { account });
    until_left(&mut other, 2).await
}

async fn moving(scene: &Scene<'_>) -> Result<()> {
    let Downloaded { mut other, mut page, rows, .. } =
        downloaded(scene, 3, Retention::DeleteWhenDeletedHere).await?;
    let archive = role(&mut page, Role::Archive).await?;
    let messages = Selection::Messages(vec![rows[1].id]);
    page.change(Change::Move { messages, to: archive.id }).await?;
    let account = account(&mut page).await?;
    page.say(Intent::Refresh { account });
    until_left(&mut other, 2).await?;
    let moved = page.list(archive.id, 1).await?;
    ensure!(page.read(moved[0].id).await?.subject == rows[1].subject, "{moved:?}");
    Ok(())
}

async fn by_age(scene: &Scene<'_>) -> Result<()> {
    const HOUR: Duration = Duration::from_secs(3600);
    let Downloaded { mut other, mut page, inbox, .. } =
        downloaded(scene, 3, Retention::DeleteAfterDays(2)).await?;
    page.host.advance(47 * HOUR);
    // The download that brings the second has ended the one that brought the first.
    for number in [3, 4] {
        arrives(&mut page, &mut other, &inbox, number).await?;
    }
    ensure!(count(&mut other).await? == 5, "some left too early");
    page.host.advance(HOUR);
    let account = account(&mut page).await?;
    page.say(Intent::Refresh { account });
    until_left(&mut other, 2).await?;
    for row in page.list(inbox.id, 5).await? {
        ensure!(page.read(row.id).await?.subject == row.subject);
    }
    Ok(())
}

async fn by_size(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.other_client().await?;
    other.append("INBOX", [letters::plain(0), letters::long(1, 100)]).await?;
    let mut draft = scene.draft(Protocol::Pop3);
    draft.retention = Retention::DeleteAfterDownload;
    draft.extent = Extent::UpTo { kibibytes: 4 };
    let (mut page, inbox) = scene.page_with(draft).await?;
    page.list(inbox.id, 2).await?;
    until_left(&mut other, 1).await?;
    let rows = page.list(inbox.id, 2).await?;
    let small = rows.iter().find(|row| row.subject == "Letter 0").context("the small one")?;
    ensure!(page.read(small.id).await?.withheld.is_none(), "the small one is not whole");
    let large = rows.iter().find(|row| row.subject == "Letter 1").context("the large one")?;
    let header = page.read(large.id).await?;
    ensure!(header.withheld.is_some() && header.text.trim().is_empty(), "{header:?}");
    let whole = whole(&mut page, header.id).await?;
    ensure!(whole.text.contains("letter number 1"), "{whole:?}");
    until_left(&mut other, 0).await
}

async fn secondary(scene: &Scene<'_>) -> Result<()> {
    let Downloaded { mut other, mut page, inbox, rows } =
        downloaded(scene, 3, Retention::Secondary).await?;
    page.change(Change::DeleteForGood { messages: Selection::Messages(vec![rows[0].id]) }).await?;
    remove_first(&mut other).await?;
    for number in [3, 4] {
        arrives(&mut page, &mut other, &inbox, number).await?;
    }
    ensure!(count(&mut other).await? == 4, "what was deleted here has left the server");
    ensure!(page.problems.is_empty(), "{:?}", page.problems);
    ensure!(view(&mut page).await?.pop3.is_some_and(|server| server.removed_elsewhere == 0));
    Ok(())
}

async fn removed_elsewhere(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.other_client().await?;
    other.append("INBOX", letters::many(3)).await?;
    let (mut page, inbox) = scene.page(Protocol::Pop3).await?;
    let rows = page.list(inbox.id, 3).await?;
    ensure!(count(&mut other).await? == 3);
    remove_first(&mut other).await?;
    let account = account(&mut page).await?;
    page.say(Intent::Refresh { account });
    let told = page.wait(|delta| match delta {
        Delta::Problem(problem) => Some(problem.sentence),
        _ => None,
    });
    let sentence = told.await?;
    ensure!(sentence.contains("1 message is gone"), "{sentence}");
    ensure!(view(&mut page).await?.pop3.is_some_and(|server| server.removed_elsewhere == 1));
    for row in &rows {
        ensure!(page.read(row.id).await?.subject == row.subject);
    }
    // Neither the next downloads tell it again nor those after a restart.
    let told = page.problems.len();
    for number in [3, 4] {
        arrives(&mut page, &mut other, &inbox, number).await?;
    }
    ensure!(page.problems.len() == told, "{:?}", page.problems);
    let host = page.host.restarted();
    drop(page);
    let mut page = Page::open(host).await?;
    for number in [5, 6] {
        arrives(&mut page, &mut other, &inbox, number).await?;
    }
    ensure!(page.problems.is_empty(), "{:?}", page.problems);
    ensure!(view(&mut page).await?.pop3.is_some_and(|server| server.removed_elsewhere == 1));
    Ok(())
}

/// One more message comes, the letter of this number, and is downloaded.
async fn arrives(
    page: &mut Page,
    other: &mut OtherClient,
    inbox: &MailboxView,
    number: usize,
) -> Result<()> {
    other.append("INBOX", [letters::plain(number)]).await?;
    page.say(Intent::Refresh { account: inbox.account });
    page.say(Intent::OpenMailbox { mailbox: inbox.id });
    let subject = format!("Letter {number}");
    page.wait(|delta| match delta {
        Delta::Rows { mailbox, rows, .. } if mailbox == inbox.id => {
            rows.iter().any(|row| row.subject == subject).then_some(())
        }
        _ => None,
    })
    .await
}

/// Waits until so many messages are on the server.
async fn until_left(other: &mut OtherClient, left: usize) -> Result<()> {
    for _ in 0..1200 {
        if count(other).await? == left {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("{} messages are on the server", count(other).await?)
}

/// Removes the oldest message from the inbox on the server.
async fn remove_first(other: &mut OtherClient) -> Result<()> {
    other.ask("SELECT INBOX").await?;
    other.ask("STORE 1 +FLAGS.SILENT (\\Deleted)").await?;
    other.ask("EXPUNGE").await.map(drop)
}

/// How many messages are in the inbox on the server.
async fn count(other: &mut OtherClient) -> Result<usize> {
    let selected = other.ask("SELECT INBOX").await?;
    let exists = selected.iter().find_map(|line| line.trim().strip_suffix(" EXISTS"));
    Ok(exists.unwrap_or_default().trim_start_matches("* ").parse()?)
}

async fn account(page: &mut Page) -> Result<AccountId> {
    Ok(view(page).await?.id)
}

async fn view(page: &mut Page) -> Result<AccountView> {
    page.say(Intent::Hello);
    page.wait(|delta| match delta {
        Delta::Accounts(accounts) => accounts.first().cloned(),
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
