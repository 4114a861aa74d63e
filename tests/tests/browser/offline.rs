//! Without a network.

use anyhow::Result;
use postern_tests::{
    browser::{Browser, hook},
    letters,
};

use crate::steps::{Servers, USER, open_row, reader_shows};

#[tokio::test]
async fn after_a_pop3_download_the_page_reloads_and_reads_with_every_server_stopped() -> Result<()>
{
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, letters::many(200))?;
    Browser::run("offline", async |browser| {
        servers.add_account(browser, "pop3").await?;
        open_row(browser, "Letter 199").await?;
        let all = "return document.querySelector('[data-test=row]')?.ariaSetSize === '200' \
                   && Boolean(navigator.serviceWorker.controller)";
        browser.wait_until(all).await?;
        let Servers { dovecot, demo, site } = servers;
        drop((dovecot, demo));
        site.stop().await?;

        browser.client().refresh().await?;
        open_row(browser, "Letter 198").await?;
        reader_shows(browser, "Letter 198", "letter number 198").await?;
        browser.wait_for_text(&hook("connection"), |text| text.contains("Can't connect")).await?;
        Ok(())
    })
    .await
}
