//! Mail of an IMAP server that nobody has opened, written to a file or missing there.

use anyhow::{Context, Result, bail, ensure};
use postern_bridge::{
    AccountId, Delta, ExportFormat, ExportScope, Intent, Protocol, Role, Security, ServerLogin,
};
use postern_mail::{
    Host, Store,
    record::part_key,
    store::{KeyRange, Table},
};
use postern_tests::{letters, native::endpoint, pages::Page};

use super::{Servers, restoring::restore, run};

#[test]
fn large_messages_are_fetched_in_pieces_and_nothing_of_them_stays_behind() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        // Two of them are larger than a piece.
        let letters = [letters::plain(0), letters::large(1), letters::long(2, 30_000)];
        servers.dovecot.deliver_all("ben", letters.iter())?;
        let host = servers.host();
        let mut page = Page::open(host.clone()).await?;
        page.add(servers.draft(Protocol::Imap)).await?;
        let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        let rows = page.list(inbox.id, 3).await?;
        let file = page.export(ExportScope::Mailbox(inbox.id), ExportFormat::Mbox).await?;
        for letter in &letters {
            // An mbox has other line ends; of each letter there is the end, which no other one has.
            let lines: Vec<u8> = letter.iter().copied().filter(|byte| *byte != b'\r').collect();
            let text = lines.windows(7).position(|own| own == b"\n\nThis ").context("no text")?;
            let text = &lines[text..];
            ensure!(file.windows(text.len()).any(|own| own == text), "{} are missing", text.len());
        }
        for row in rows {
            let range = KeyRange::prefix(part_key(row.id, ""));
            ensure!(host.store().keys(Table::Bodies, &range).await?.is_empty(), "a piece is left");
        }
        Ok(())
    })
}

#[test]
fn a_backup_of_all_accounts_counts_for_those_that_are_whole_in_it() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        servers.dovecot.deliver_all("ben", letters::many(3))?;
        let mut page = Page::open(servers.host()).await?;
        let whole = page.add(servers.draft(Protocol::Pop3)).await?;
        let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        page.list(inbox.id, 3).await?;
        let mut draft = servers.draft(Protocol::Imap);
        draft.incoming = ServerLogin {
            endpoint: endpoint(servers.demo.imap, Security::Tls),
            username: servers.demo.address.clone(),
        };
        let partly = page.add(draft).await?;
        // Nobody opens it.
        let unopened = page.mailbox(|mailbox| {
            mailbox.account == partly && mailbox.role != Some(Role::Inbox) && mailbox.total > 0
        });
        unopened.await?;
        page.export(ExportScope::Everything, ExportFormat::Zip).await?;
        let saved = saved(&mut page).await?;
        ensure!(saved == [whole], "{saved:?}");
        Ok(())
    })
}

/// The accounts of which there is a backup.
async fn saved(page: &mut Page) -> Result<Vec<AccountId>> {
    page.say(Intent::Hello);
    let backups = page.wait(|delta| match delta {
        Delta::Backups(view) => Some(view.accounts),
        _ => None,
    });
    let saved = backups.await?.into_iter().filter(|own| own.saved.is_some());
    Ok(saved.map(|own| own.account).collect())
}

#[test]
fn a_backup_of_one_account_has_its_mail_alone_and_counts_for_it_alone() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        servers.dovecot.deliver_all("ben", letters::many(3))?;
        servers.dovecot.deliver_all("cleo", (3..5).map(letters::plain))?;
        let mut page = Page::open(servers.host()).await?;
        let first = page.add(servers.draft(Protocol::Pop3)).await?;
        page.wait_until_online(first).await?;
        let mut draft = servers.draft(Protocol::Pop3);
        draft.identity.address = "cleo@example.org".into();
        draft.incoming.username = "cleo".into();
        let second = page.add(draft).await?;
        page.wait_until_online(second).await?;
        let zip = page.export(ExportScope::Account(second), ExportFormat::Zip).await?;
        ensure!(saved(&mut page).await? == [second]);

        let mbox = page.export(ExportScope::Everything, ExportFormat::Mbox).await?;
        let mbox = String::from_utf8_lossy(&mbox);
        for number in 0..5 {
            let text = format!("This is letter number {number}.");
            ensure!(mbox.matches(&text).count() == 1, "{text}");
        }
        ensure!(saved(&mut page).await? == [second], "not everything comes back from an mbox");

        let mut fresh = Page::open(servers.host()).await?;
        let Some(imported) = restore(&mut fresh, &zip, usize::MAX).await? else { bail!("no end") };
        ensure!((imported.added.len(), imported.messages) == (1, 2), "{imported:?}");
        let inbox = fresh.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        let rows = fresh.rows_now(inbox.id, 2).await?;
        let subjects: Vec<_> = rows.into_iter().map(|row| row.subject).collect();
        ensure!(subjects == ["Letter 4", "Letter 3"], "{subjects:?}");
        Ok(())
    })
}
