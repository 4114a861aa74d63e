//! How the client comes to a connection, and makes do with what a server allows.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use postern::demo;
use postern_bridge::{
    AccountDraft, Change, Delta, Intent, MailboxId, Mark, Protocol, Role, SearchScope, SearchState,
    Security, Selection, Share,
};
use postern_tests::{
    dovecot::{Dovecot, Options, PASSWORD},
    letters,
    native::endpoint,
    other_client::OtherClient,
    pages::{PATIENCE, Page},
    servers::{Kind, Server},
    trace,
    wiretap::Wiretap,
};
use tokio::time::{sleep, timeout};

use super::{Servers, run};

async fn servers(options: Options) -> Result<Servers> {
    let demo = demo::Options { password: PASSWORD.into(), ..demo::Options::default() };
    Ok(Servers { dovecot: Dovecot::start_with(options)?, demo: demo::start(demo).await? })
}

/// The account over a way that is listened to.
async fn tapped(servers: &Servers, to: SocketAddr) -> Result<(Wiretap, AccountDraft)> {
    let wiretap = Wiretap::start(to).await?;
    let mut draft = servers.draft(Protocol::Imap);
    draft.incoming.endpoint = endpoint(wiretap.address, Security::Plain);
    Ok((wiretap, draft))
}

/// What was said on each connection, with what was compressed as it was meant.
fn said(wiretap: &Wiretap) -> Result<Vec<String>> {
    let conversations = wiretap.conversations();
    let text = |pieces: &Vec<_>| Ok(String::from_utf8_lossy(&trace::write(pieces, &[])?).into());
    conversations.iter().map(text).collect()
}

#[test]
fn a_password_is_proven_and_not_sent_where_the_server_knows_scram() -> Result<()> {
    run(async || {
        for mechanism in ["scram-sha-1", "scram-sha-256"] {
            let options = Options { mechanisms: mechanism, ..Options::default() };
            let servers = servers(options).await?;
            servers.dovecot.deliver_all("ben", letters::many(2))?;
            let (wiretap, mut draft) = tapped(&servers, servers.dovecot.imap).await?;
            let mut page = Page::open(servers.host()).await?;
            page.add(draft.clone()).await?;
            let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
            page.list(inbox.id, 2).await?;
            let said = said(&wiretap)?;
            let expected = format!("AUTHENTICATE {}", mechanism.to_uppercase());
            ensure!(said.iter().any(|said| said.contains(&expected)), "{said:?}");
            let other =
                |said: &String| said.contains("AUTHENTICATE PLAIN") || said.contains(" LOGIN ");
            ensure!(!said.iter().any(other), "{said:?}");

            draft.password = "wrong".into();
            let refused = Page::open(servers.host()).await?.add(draft).await.err();
            let refused = refused.context("a wrong password was accepted")?.to_string();
            ensure!(refused.contains("did not accept the user name or the password"), "{refused}");
        }
        Ok(())
    })
}

#[test]
fn a_server_that_is_far_away_is_asked_to_compress() -> Result<()> {
    run(async || {
        let servers = servers(Options::default()).await?;
        let cyrus = Server::start(Kind::Cyrus, &["ben"])?;
        let mut other = OtherClient::log_in(&cyrus, "ben").await?;
        other.append("INBOX", letters::many(100)).await?;
        let (wiretap, draft) = tapped(&servers, cyrus.addresses().imap).await?;
        wiretap.delay(Duration::from_millis(15));
        let mut page = Page::open(servers.host()).await?;
        page.add(draft).await?;
        let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        let rows = page.list(inbox.id, 100).await?;
        page.read(rows[0].id).await?;
        let said = said(&wiretap)?;
        ensure!(said.iter().any(|said| said.contains("Letter 42")), "{said:?}");
        ensure!(said.iter().any(|said| said.contains(" COMPRESS DEFLATE")), "{said:?}");
        let heard = wiretap.heard();
        let is_clear =
            heard.iter().any(|heard| heard.windows(9).any(|window| window == b"Letter 42"));
        ensure!(!is_clear, "it was asked to, and did not");
        Ok(())
    })
}

#[test]
fn a_search_that_the_server_is_slow_at_does_not_hold_up_the_next_one() -> Result<()> {
    run(async || {
        let servers = servers(Options::default()).await?;
        servers.dovecot.deliver_all("ben", letters::many(60))?;
        let (wiretap, draft) = tapped(&servers, servers.dovecot.imap).await?;
        let mut page = Page::open(servers.host()).await?;
        page.add(draft).await?;
        let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        page.list(inbox.id, 60).await?;
        let asked = "TEXT \"letter num\"";
        wiretap.swallow(asked);
        let (request, scope) = (page.request(), SearchScope::Mailbox);
        let query = "\"letter num\"".into();
        page.say(Intent::Search { request, mailbox: inbox.id, scope, query });
        let is_in = |heard: &Vec<u8>| String::from_utf8_lossy(heard).contains(asked);
        until(|| Ok(wiretap.heard().iter().any(is_in))).await?;
        // The person types on.
        finds(&mut page, inbox.id, 3).await
    })
}

/// Waits until something is so.
async fn until(mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    let waiting = async {
        while !is_so()? {
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    };
    timeout(PATIENCE, waiting).await?
}

#[test]
fn what_comes_into_another_folder_is_told_long_before_anybody_asks() -> Result<()> {
    run(async || {
        let servers = servers(Options::default()).await?;
        let dovecot = Server::start(Kind::Dovecot, &["ben"])?;
        let mut other = OtherClient::log_in(&dovecot, "ben").await?;
        other.ask("CREATE Lists").await?;
        let (wiretap, draft) = tapped(&servers, dovecot.addresses().imap).await?;
        let mut page = Page::open(servers.host()).await?;
        page.add(draft).await?;
        page.mailbox(|own| own.name == "Lists" && own.unread == 0).await?;
        until(|| {
            let said = said(&wiretap)?;
            Ok(said.iter().any(|said| said.contains(" NOTIFY SET ") && said.contains(" IDLE")))
        })
        .await?;
        let start = Instant::now();
        other.append("Lists", letters::many(2)).await?;
        page.wait(|delta| match delta {
            Delta::Mailboxes { mailboxes, .. } => {
                mailboxes.iter().any(|own| own.name == "Lists" && own.unread == 2).then_some(())
            }
            _ => None,
        })
        .await?;
        // Mailboxes are looked at every minute.
        ensure!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
        Ok(())
    })
}

#[test]
fn where_only_one_connection_is_allowed_it_does_for_everything() -> Result<()> {
    run(async || {
        let servers = servers(Options { connections: 1, ..Options::default() }).await?;
        servers.dovecot.deliver_all("ben", letters::many(2_000))?;
        let mut page = Page::open(servers.host()).await?;
        page.add(servers.draft(Protocol::Imap)).await?;
        let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        let rows = page.list(inbox.id, 2_000).await?;
        let oldest = page.read(rows[40].id).await?;
        ensure!(oldest.subject == "Letter 1959", "{}", oldest.subject);
        let (messages, mark) = (rows[1].id.into(), Mark::Flagged);
        page.change(Change::Mark { messages, mark, set: true }).await?;
        page.change(Change::Archive { messages: rows[2].id.into() }).await?;
        page.say(Intent::Hello);
        let told = |delta| matches!(delta, Delta::Pending { changes: 0, .. }).then_some(());
        page.wait(told).await.context("changes are left")?;
        finds(&mut page, inbox.id, 3).await.context("a search")?;
        // And news still come by themselves.
        servers.dovecot.deliver("ben", &letters::plain(2_000))?;
        page.say(Intent::OpenMailbox { mailbox: inbox.id });
        page.wait(|delta| match delta {
            Delta::Rows { rows, .. } => {
                rows.first().is_some_and(|row| row.subject == "Letter 2000").then_some(())
            }
            _ => None,
        })
        .await
        .context("new mail")?;
        let log = servers.dovecot.log();
        ensure!(log.contains("Maximum number of connections"), "nothing was refused:\n{log}");
        Ok(())
    })
}

/// Has the server look for a letter whose text is not stored.
async fn finds(page: &mut Page, inbox: MailboxId, letter: u32) -> Result<()> {
    let words = format!("\"letter number {letter}.\"");
    let (state, rows) = page.search(inbox, SearchScope::Mailbox, &words).await?;
    let subjects: Vec<_> = rows.iter().map(|row| &*row.subject).collect();
    ensure!(state == SearchState::Whole && subjects == [format!("Letter {letter}")], "{rows:?}");
    Ok(())
}

#[test]
fn where_two_connections_are_allowed_a_search_gives_way_to_reading() -> Result<()> {
    run(async || {
        let servers = servers(Options { connections: 2, ..Options::default() }).await?;
        servers.dovecot.deliver_all("ben", letters::many(60))?;
        let mut page = Page::open(servers.host()).await?;
        page.add(servers.draft(Protocol::Imap)).await?;
        let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        let rows = page.list(inbox.id, 60).await?;
        for (letter, row) in [(3, 40), (4, 41), (5, 42)] {
            finds(&mut page, inbox.id, letter).await?;
            page.read(rows[row].id).await?;
        }
        Ok(())
    })
}

#[test]
fn how_full_a_mailbox_is_on_the_server_is_told_and_what_does_not_fit_is_refused() -> Result<()> {
    run(async || {
        let options = Options { storage: Some(4096), ..Options::default() };
        let servers = servers(options).await?;
        servers.dovecot.deliver_all("ben", (0..3).map(letters::large))?;
        let mut page = Page::open(servers.host()).await?;
        let account = page.add(servers.draft(Protocol::Imap)).await?;
        let share = told_quota(&mut page, |share| share.used > 0).await?;
        ensure!(share.limit == 4096 * 1024 && share.percent() >= 75, "{share:?}");

        // One more does not fit: it stays where it is, and the person is told why.
        let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        let sent = page.mailbox(|mailbox| mailbox.role == Some(Role::Sent)).await?;
        let rows = page.list(inbox.id, 3).await?;
        let messages = Selection::Between(rows[0].id, rows[2].id);
        page.change(Change::Copy { messages, to: sent.id }).await?;
        let refused = page.wait(|delta| match delta {
            Delta::Refused(refused) => Some(refused),
            _ => None,
        });
        let refused = refused.await?;
        ensure!(refused.problem.sentence.contains("empty the trash"), "{refused:?}");

        servers.dovecot.deliver_all("ben", [letters::large(3)])?;
        page.say(Intent::Refresh { account });
        let share = told_quota(&mut page, |new| new.used > share.used).await?;
        ensure!(share.percent() >= 90, "{share:?}");
        Ok(())
    })
}

/// What the server tells of the room for the one account's mail, once it is as it should be.
async fn told_quota(page: &mut Page, is_it: impl Fn(Share) -> bool) -> Result<Share> {
    page.wait(|delta| match delta {
        Delta::Accounts(accounts) => accounts.first()?.quota.storage.filter(|share| is_it(*share)),
        _ => None,
    })
    .await
}
