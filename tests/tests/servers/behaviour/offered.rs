//! What only some kinds of mail servers offer: that it is made use of there, and missed elsewhere
//! by nobody.

use std::ops::ControlFlow;

use anyhow::{Context, Result, ensure};
use postern_bridge::{AccountId, Delta, Intent, Protocol, Role, Row, Security, Share};
use postern_mail::{
    Host, Secret,
    imap::ImapClient,
    record::{self, Body, Message},
    store::KeyRange,
};
use postern_tests::{
    cyrus::Cyrus,
    dovecot::PASSWORD,
    letters,
    native::endpoint,
    pages::Page,
    servers::{Kind, Server},
    wiretap::{Side, Wiretap},
};

use super::{
    Scene, Step, on,
    threads::{self, counts},
};

/// What a server must limit.
pub(super) const ROOM: &str = "how much room the server gives, and how much of it is used, is told";

pub(super) const STEPS: &[Step] = &[
    Step {
        behaviour: "what belongs to what is shown is told by the server before all of it is here",
        check: |scene| Box::pin(told_together(scene)),
    },
    Step {
        behaviour: "where the server names conversations its names count, else what is followed",
        check: |scene| Box::pin(names_of_conversations(scene)),
    },
    Step {
        behaviour: "how a large message begins is told by the server, or shows when it is opened",
        check: |scene| Box::pin(previews(scene)),
    },
    Step { behaviour: ROOM, check: |scene| Box::pin(room(scene)) },
];

/// The newest of a hundred messages follows the oldest, which is held back.
async fn told_together(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.other_client().await?;
    let garden = scene.server.folder("Garden");
    other.ask(&format!("CREATE {garden}")).await?;
    other.append(&garden, [letters::answer("figs-1", "Figs", &[], "Ada Marsh")]).await?;
    other.append(&garden, letters::many(98)).await?;
    let newest = letters::answer("figs-2", "Re: Figs", &["figs-1"], "Tom Berger");
    other.append(&garden, [newest]).await?;
    let (wiretap, mut page, _) = scene.tapped_page().await?;
    let garden = page.mailbox(|own| own.name == "Garden").await?.id;
    let is_asked = scene.server.kind() != Kind::Cyrus;
    if is_asked {
        // The first window is let pass.
        wiretap.hold("BODYSTRUCTURE ENVELOPE", 1);
    }
    page.say(Intent::GroupConversations { mailbox: garden, on: true, at: None });
    page.mailbox(|own| own.id == garden && own.conversations).await?;
    page.say(Intent::OpenMailbox { mailbox: garden });
    if is_asked {
        wiretap.held().await?;
        page.say(Intent::ShowRows { mailbox: garden, rows: 0..50 });
        threads::rows(&mut page, |total, rows| total == 50 && counts(rows, "Re: Figs", 2))
            .await
            .context("what is not here yet is not counted")?;
        wiretap.release();
    }
    let whole = |total, rows: &[Row]| total == 99 && counts(rows, "Figs", 2);
    threads::rows(&mut page, whole).await.context("the whole folder")?;
    // The one kind names each message's conversation with it.
    ensure!(wiretap.clients_said("UID THREAD REFERENCES")? == is_asked);
    ensure!(wiretap.clients_said(" THREADID")? != is_asked);
    Ok(())
}

/// Cyrus begins another conversation with another subject.
async fn names_of_conversations(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.other_client().await?;
    let letters = [
        letters::answer("figs-1", "Figs", &[], "Ada Marsh"),
        letters::answer("figs-2", "Re: Figs", &["figs-1"], "Tom Berger"),
        letters::answer("figs-3", "Plums", &["figs-1"], "Zoe Holt"),
    ];
    other.append("INBOX", letters).await?;
    let (mut page, inbox) = scene.page(Protocol::Imap).await?;
    page.list(inbox.id, 3).await?;
    let range = KeyRange::prefix(record::mailbox_key(inbox.id));
    let messages: Vec<Message> = record::all(page.host.store(), &range).await?;
    let links = messages.into_iter().map(|own| own.links.context("no links"));
    let links = links.collect::<Result<Vec<_>>>()?;
    if scene.server.kind() == Kind::Cyrus {
        other.ask("SELECT INBOX").await?;
        let told = other.ask("FETCH 1:* (THREADID EMAILID)").await?;
        for (line, own) in told.iter().zip(&links) {
            let named = |item: &str, name: &str| line.contains(&format!("{item} ({name})"));
            let is_it = named("THREADID", &own.thread) && named("EMAILID", &own.message);
            ensure!(is_it && !own.thread.is_empty(), "{line} is stored as {own:?}");
        }
        ensure!(told.len() == 3 && links[0].thread != links[2].thread, "{told:?}");
        let apart = |total, rows: &[Row]| total == 2 && counts(rows, "Figs", 2);
        threads::grouped(&mut page, inbox.id, apart).await?;
    } else {
        ensure!(links.iter().all(|own| own.thread.is_empty()), "{links:?}");
        let together = |total, rows: &[Row]| total == 1 && counts(rows, "Figs", 3);
        threads::grouped(&mut page, inbox.id, together).await?;
    }
    Ok(())
}

/// Of a message that is too large to be fetched before it is opened. Cyrus 3.6 can be asked, and
/// knows only what something else has noted.
async fn previews(scene: &Scene<'_>) -> Result<()> {
    scene.other_client().await?.append("INBOX", [letters::long(3, 5_000)]).await?;
    let (wiretap, mut page, inbox) = scene.tapped_page().await?;
    let listed = page.list(inbox.id, 1).await?.swap_remove(0);
    let begins = |row: &Row| row.preview.starts_with("This is letter number 3.");
    let kind = scene.server.kind();
    if kind != Kind::Dovecot {
        ensure!(listed.preview.is_empty(), "{listed:?}");
        page.read(listed.id).await?;
    }
    page.say(Intent::ShowRows { mailbox: inbox.id, rows: 0..1 });
    let shown = page.wait(|delta| match delta {
        Delta::Rows { rows, .. } => rows.first().filter(|row| begins(row)).map(drop),
        _ => None,
    });
    shown.await.context("how it begins")?;
    let stored: Option<Message> =
        record::get(page.host.store(), &record::message_key(listed.id)).await?;
    let stored = stored.context("it is not stored")?;
    ensure!((stored.body == Body::Absent) == (kind == Kind::Dovecot), "{:?}", stored.body);
    ensure!(wiretap.clients_said("PREVIEW)")? == (kind != Kind::Courier));
    Ok(())
}

async fn room(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.other_client().await?;
    other.append("INBOX", [letters::large(0)]).await?;
    let (mut page, inbox) = scene.page(Protocol::Imap).await?;
    let before = share(&mut page, |own| own.used > 1_000_000).await?;
    ensure!(before.limit == 1_000_000 * 1024, "{before:?}");
    other.append("INBOX", [letters::large(1)]).await?;
    page.say(Intent::Refresh { account: inbox.account });
    share(&mut page, |own| own.used > before.used + 1_000_000).await.map(drop)
}

/// What the server tells of the room for the one account's mail, once it is as it should be.
async fn share(page: &mut Page, is_it: impl Fn(Share) -> bool) -> Result<Share> {
    page.say(Intent::Hello);
    page.wait(|delta| match delta {
        Delta::Accounts(accounts) => accounts.first()?.quota.storage.filter(|share| is_it(*share)),
        _ => None,
    })
    .await
}

/// With CONDSTORE the server tells which flags have changed, and not what was expunged.
#[test]
fn a_server_with_mod_sequences_alone_tells_which_flags_have_changed() -> Result<()> {
    let users = ["ben"];
    let cyrus = Cyrus::start_with("suppress_capabilities: QRESYNC\n", &users)?;
    on(Server::Cyrus(cyrus), users[0], mod_sequences)
}

async fn mod_sequences(scene: &Scene<'_>) -> Result<()> {
    let mut other = scene.other_client().await?;
    let offered = other.ask("CAPABILITY").await?.concat();
    ensure!(offered.contains(" CONDSTORE ") && !offered.contains("QRESYNC"), "{offered}");
    other.append("INBOX", letters::many(60)).await?;
    let host = scene.host();
    let wiretap = Wiretap::start(scene.server.addresses().imap).await?;
    let mut login = scene.draft(Protocol::Imap).incoming;
    login.endpoint = endpoint(wiretap.address, Security::Plain);
    let connect = async || ImapClient::connect(&host, &login, &Secret::new(PASSWORD)).await;
    let mut client = connect().await?;
    let mailboxes = client.sync_mailboxes(&host, AccountId(1)).await?;
    let inbox = mailboxes.iter().find(|own| own.role == Some(Role::Inbox)).context("no inbox")?;
    let mut changed = |_| ControlFlow::Continue(());
    ensure!(client.sync_messages(&host, inbox.id, &mut changed).await?.is_continue());
    let mod_seq = record::mailbox(host.store(), inbox.id).await?.synced.mod_seq;
    ensure!(mod_seq > 0, "it has no mod-sequences");

    other.ask("SELECT INBOX").await?;
    other.ask(r"STORE 7,9 +FLAGS (\Flagged)").await?;
    other.ask(r"STORE 1:5,8 +FLAGS (\Deleted)").await?;
    other.ask("EXPUNGE").await?;
    other.append("INBOX", [letters::plain(60)]).await?;
    let mut client = connect().await?;
    ensure!(client.sync_messages(&host, inbox.id, &mut changed).await?.is_continue());
    let range = KeyRange::prefix(record::mailbox_key(inbox.id));
    let messages: Vec<Message> = record::all(host.store(), &range).await?;
    let stored: Vec<_> = messages.iter().map(|own| (&*own.subject, own.flags.flagged)).collect();
    let left = (0..61).filter(|number| !matches!(number, 0..5 | 7));
    let letters: Vec<_> =
        left.map(|number| (format!("Letter {number}"), matches!(number, 6 | 8))).collect();
    let expected: Vec<_> = letters.iter().map(|(subject, is)| (&**subject, *is)).collect();
    ensure!(stored == expected, "{stored:?}");

    let asked = format!("(UID FLAGS) (CHANGEDSINCE {mod_seq})");
    ensure!(wiretap.clients_said(&asked)?, "it was not asked for {asked}");
    ensure!(!wiretap.clients_said("QRESYNC")?, "it was asked for what it does not offer");
    // Two messages have changed and are there still: it told of no others.
    let told = wiretap.lines()?.pop().context("it was not called again")?;
    let asked = told.iter().position(|(_, line)| line.contains("CHANGEDSINCE"));
    let after = &told[asked.context("that was another connection")?..];
    let fetches = after.iter().filter(|(side, own)| {
        *side == Side::Server && own.contains(" FETCH (") && !own.contains("PREVIEW")
    });
    ensure!(fetches.count() == 2, "{after:?}");
    Ok(())
}
