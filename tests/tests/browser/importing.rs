//! Mail that is read from files: several at once.

use std::{fs, path::Path};

use anyhow::{Result, ensure};
use postern_archive::zip::Writer;
use postern_tests::{browser::Browser, letters};
use tempfile::TempDir;

use crate::{
    backup::{ended_with, open_storage_page},
    pop3::INBOX,
    steps::{Servers, USER, open_row, reader_shows, shows},
};

/// Writes files, one after the other, and returns what the person picks them by.
fn write(folder: &Path, files: &[(&str, Vec<u8>)]) -> Result<String> {
    let mut paths = Vec::new();
    for (name, content) in files {
        let path = folder.join(name);
        fs::write(&path, content)?;
        paths.push(path.display().to_string());
    }
    Ok(paths.join("\n"))
}

/// A zip archive with one file that is no mail.
fn foreign_zip() -> Result<Vec<u8>> {
    let mut writer = Writer::new();
    writer.start("photo.jpg", 0, b"")?;
    writer.write(b"no mail at all")?;
    writer.end()?;
    writer.finish()?;
    Ok(writer.take_output())
}

#[tokio::test]
async fn files_that_are_picked_together_are_read_one_after_the_other_and_the_refused_are_named()
-> Result<()> {
    let servers = Servers::start().await?;
    servers.dovecot.deliver(USER, &letters::plain(0))?;
    let folder = TempDir::with_prefix("postern-files-")?;
    Browser::run("files", async |browser| {
        servers.add_account(browser, "pop3").await?;
        open_row(browser, "Letter 0").await?;
        open_storage_page(browser).await?;
        let picked = write(
            folder.path(),
            &[
                ("one.eml", letters::plain(1)),
                ("photos.zip", foreign_zip()?),
                ("broken.zip", b"PK\x03\x04 and then nothing".repeat(9)),
                ("two.eml", letters::plain(2)),
            ],
        )?;
        browser.get("import-file").await?.send_keys(&picked).await?;
        ended_with(browser, "2 messages added").await?;
        shows(browser, "transfer-ended", "photos.zip: ").await?;
        shows(browser, "transfer-ended", "broken.zip: ").await?;
        browser.click_on(INBOX).await?;
        for letter in 1..=2 {
            let subject = format!("Letter {letter}");
            open_row(browser, &subject).await?;
            reader_shows(browser, &subject, &format!("letter number {letter}.")).await?;
        }

        // The same files again change nothing.
        open_storage_page(browser).await?;
        browser.get("import-file").await?.send_keys(&picked).await?;
        ended_with(browser, "0 messages added, 2 here already").await?;
        browser.click_on(INBOX).await?;
        let rows = "return document.querySelector('[data-test=row]')?.ariaSetSize === '3'";
        browser.wait_until(rows).await?;
        ensure!(servers.dovecot.count(USER)? == 1, "the server's mail is another");
        Ok(())
    })
    .await
}
