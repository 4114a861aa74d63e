//! Accounts on a real Dovecot.

use anyhow::{Result, ensure};
use postern_tests::{
    browser::{Browser, hook},
    dovecot::{Dovecot, Options, PASSWORD},
    letters,
};

use crate::steps::{Servers, USER, open_row, open_settings, reader_shows};

#[tokio::test]
async fn an_imap_account_is_added_and_a_message_read() -> Result<()> {
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, letters::many(40))?;
    Browser::run("imap", async |browser| {
        servers.add_account(browser, "imap").await?;
        open_row(browser, "Letter 39").await?;
        let text = reader_shows(browser, "Letter 39", "letter number 39").await?;
        ensure!(text.contains("\n.a line that begins with a dot"), "{text}");
        servers.dovecot.wait_for_flags(USER, "S").await
    })
    .await
}

#[tokio::test]
async fn the_settings_of_an_account_are_tested_before_it_is_added() -> Result<()> {
    let servers = Servers::start().await?;
    Browser::run("test", async |browser| {
        browser.open(&servers.site.url).await?;
        servers.form("pop3").fill(browser).await?;
        browser.click("setup-test").await?;
        let result = |text: &str| text.contains("POP3 log-in works; no messages");
        browser.wait_for_text("[data-test=\"setup-result\"]", result).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_reload_shows_the_same_account_again() -> Result<()> {
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, letters::many(3))?;
    Browser::run("reload", async |browser| {
        servers.add_account(browser, "imap").await?;
        open_row(browser, "Letter 2").await?;
        browser.client().refresh().await?;
        open_row(browser, "Letter 1").await?;
        reader_shows(browser, "Letter 1", "letter number 1").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_list_of_thousands_keeps_the_page_small_and_reaches_its_end() -> Result<()> {
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, letters::many(3000))?;
    Browser::run("thousands", async |browser| {
        servers.add_account(browser, "imap").await?;
        let sized = "return document.querySelector('[data-test=row]')?.ariaSetSize === '3000'";
        browser.wait_until(sized).await?;
        let end = "const row = document.querySelector('[data-test=row]'); \
                   let list = row.parentElement; \
                   while (list.scrollHeight <= list.clientHeight) list = list.parentElement; \
                   list.scrollTop = list.scrollHeight; \
                   return [...document.querySelectorAll('[data-test=row]')]\
                       .some(row => row.innerText.includes('Letter 0'))";
        browser.wait_until(end).await?;
        let rows = "return document.querySelectorAll('[data-test=row]').length < 100";
        browser.wait_until(rows).await
    })
    .await
}

#[tokio::test]
async fn a_second_tab_shows_what_the_first_one_fetches_and_takes_over() -> Result<()> {
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, letters::many(3))?;
    Browser::run("tabs", async |browser| {
        servers.add_account(browser, "imap").await?;
        open_row(browser, "Letter 2").await?;
        let first = browser.client().window().await?;
        let second = browser.client().new_window(true).await?.handle;
        browser.client().switch_to_window(second.clone()).await?;
        browser.open(&servers.site.url).await?;
        open_row(browser, "Letter 1").await?;
        reader_shows(browser, "Letter 1", "letter number 1").await?;
        browser.client().switch_to_window(first).await?;
        browser.client().close_window().await?;
        browser.client().switch_to_window(second).await?;
        open_row(browser, "Letter 0").await?;
        reader_shows(browser, "Letter 0", "letter number 0").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_mailbox_that_is_nearly_full_shows_in_the_folder_list_and_in_the_settings() -> Result<()>
{
    let options = Options { storage: Some(4608), ..Options::default() };
    let servers = Servers::start_with(options).await?;
    servers.dovecot.deliver_all(USER, (0..4).map(letters::large))?;
    Browser::run("quota", async |browser| {
        servers.add_account(browser, "imap").await?;
        let nearly = |text: &str| text.contains("% full");
        browser.wait_for_text(&hook("nearly-full"), nearly).await?;
        open_settings(browser).await?;
        let used =
            |text: &str| text.contains("of 4.7 MB on the server") && text.contains("nearly full");
        browser.wait_for_text(&hook("quota"), used).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_access_token_is_tried_in_place_of_a_password_and_one_that_has_expired_is_told()
-> Result<()> {
    let Some(dovecot) = Dovecot::taking_tokens("oauthbearer")? else {
        eprintln!("this Dovecot takes no tokens that nobody has issued");
        return Ok(());
    };
    let servers = Servers::around(dovecot).await?;
    Browser::run("token", async |browser| {
        let mut form = servers.form("imap");
        form.password = "expired".into();
        browser.open(&servers.site.url).await?;
        form.fill(browser).await?;
        browser.click("setup-token").await?;
        browser.click("setup-test").await?;
        let told = |text: &str| text.contains("has probably expired");
        browser.wait_for_text(&hook("setup-result"), told).await?;
        // Mail comes in with it; the one that sends takes none.
        browser.fill("setup-password", PASSWORD).await?;
        browser.click("setup-test").await?;
        let told =
            |text: &str| text.contains("does not offer a way to log in with an access token");
        browser.wait_for_text(&hook("setup-result"), told).await.map(drop)
    })
    .await
}
