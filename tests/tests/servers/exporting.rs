//! Mail of an IMAP server that nobody has opened, written to a file.

use anyhow::{Context, Result, ensure};
use postern_bridge::{ExportFormat, ExportScope, Protocol, Role};
use postern_mail::{
    Host, Store,
    record::part_key,
    store::{KeyRange, Table},
};
use postern_tests::{letters, pages::Page};

use super::{Servers, run};

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
