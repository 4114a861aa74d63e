//! POP3 in the browser: what is deleted on the server, and what is downloaded.

use std::time::Duration;

use anyhow::{Result, ensure};
use postern::demo::{Fault, Faults, WrongAnswer};
use postern_tests::{
    browser::{Browser, hook},
    devtools, letters,
};
use serde_json::Value;

use crate::steps::{Form, Servers, USER, demo_alone, open_row, open_settings, reader_shows};

/// Has the browser keep what is stored; whether it promises that.
pub(crate) const KEEP_STORAGE: &str = "return navigator.storage.persist()";

pub(crate) const INBOX: &str = "[data-test=\"folder\"][data-role=\"inbox\"]";

#[tokio::test]
async fn a_change_of_the_policy_shows_what_it_would_delete_and_waits_for_safe_storage() -> Result<()>
{
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, letters::many(12))?;
    Browser::run("policy", async |browser| {
        servers.add_account(browser, "pop3").await?;
        open_row(browser, "Letter 11").await?;
        open_settings(browser).await?;
        browser.click("retention-delete").await?;
        let preview = hook("retention-preview");
        browser.wait_for_text(&preview, |text| text.contains("12 messages")).await?;
        let hold = |text: &str| text.contains("Nothing is deleted from the server for now");
        browser.wait_for_text(&hook("retention-hold"), hold).await?;
        browser.click("account-save").await?;
        let saved = |text: &str| text.contains("Saved");
        browser.wait_for_text(&hook("account-result"), saved).await?;
        browser.click_on(INBOX).await?;
        browser.click("refresh").await?;
        open_settings(browser).await?;
        browser.wait_for_text(&hook("deletion-hold"), hold).await?;
        ensure!(servers.dovecot.count(USER)? == 12, "mail was deleted");

        devtools::permit_persistence(browser).await?;
        ensure!(browser.script(KEEP_STORAGE).await? == Value::Bool(true), "it is not kept");
        browser.client().refresh().await?;
        wait_until_empty(&servers).await
    })
    .await
}

#[tokio::test]
async fn a_new_account_downloads_headers_alone_if_that_is_chosen_when_it_is_set_up() -> Result<()> {
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, letters::many(3))?;
    Browser::run("headers", async |browser| {
        browser.open(&servers.site.url).await?;
        servers.form("pop3").fill(browser).await?;
        browser.click("extent-headers").await?;
        browser.click("setup-add").await?;
        open_row(browser, "Letter 2").await?;
        browser.get("header-only").await?;
        browser.click("download-whole").await?;
        reader_shows(browser, "Letter 2", "This is letter number 2.").await.map(drop)
    })
    .await
}

/// Waits until so many messages are left on the server.
pub(crate) async fn wait_until_left(servers: &Servers, messages: usize) -> Result<()> {
    for _ in 0..1200 {
        if servers.dovecot.count(USER)? == messages {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("{} messages are still there", servers.dovecot.count(USER)?)
}

pub(crate) async fn wait_until_empty(servers: &Servers) -> Result<()> {
    wait_until_left(servers, 0).await
}

#[tokio::test]
async fn while_the_box_for_a_public_computer_is_checked_nothing_is_deleted_on_the_server()
-> Result<()> {
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, letters::many(5))?;
    Browser::run("public", async |browser| {
        devtools::permit_persistence(browser).await?;
        browser.open(&servers.site.url).await?;
        browser.script(KEEP_STORAGE).await?;
        servers.form("pop3").fill(browser).await?;
        browser.click("retention-delete").await?;
        browser.click("public-computer").await?;
        browser.get("public-computer-means").await?;
        browser.click("setup-add").await?;
        open_row(browser, "Letter 4").await?;
        open_settings(browser).await?;
        let hold = |text: &str| text.contains("others use this computer as well");
        browser.wait_for_text(&hook("deletion-hold"), hold).await?;
        ensure!(servers.dovecot.count(USER)? == 5, "mail was deleted");
        let is_checked = "return document.querySelector('[data-test=public-computer]').checked";
        ensure!(browser.script(is_checked).await? == Value::Bool(true), "it is not shown");

        browser.click("public-computer").await?;
        browser
            .wait_until("return !document.querySelector('[data-test=public-computer-means]')")
            .await?;
        browser.click_on(INBOX).await?;
        browser.click("refresh").await?;
        wait_until_empty(&servers).await
    })
    .await
}

#[tokio::test]
async fn what_stands_for_a_message_that_was_not_handed_out_becomes_it_when_it_is_asked_for()
-> Result<()> {
    let refusal = |command: &str| WrongAnswer {
        command: command.into(),
        answer: b"-ERR there is a virus in it\r\n".into(),
    };
    let pop3 = Fault { answers: ["RETR", "TOP"].map(refusal).into(), ..Fault::default() };
    let (demo, site) = demo_alone(Faults { pop3, ..Faults::default() }).await?;
    Browser::run("withheld", async |browser| {
        browser.open(&site.url).await?;
        Form::new("pop3", demo.pop3, demo.submission).fill(browser).await?;
        browser.click("setup-add").await?;
        open_row(browser, "This message was not downloaded").await?;
        let why = |text: &str| text.contains("was not downloaded");
        browser.wait_for_text(&hook("header-only"), why).await?;
        demo.set_faults(Faults::default());
        browser.click("download-whole").await?;
        reader_shows(browser, "Letter 7", "letter number 7").await?;
        // It takes the place of what stood for it.
        let rows = "return [...document.querySelectorAll('[data-test=row]')]
                        .filter(row => !row.hidden).length === 1";
        browser.wait_until(rows).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn of_a_message_whose_header_was_downloaded_the_rest_comes_when_it_is_asked_for() -> Result<()>
{
    let servers = Servers::start().await?;
    Browser::run("header", async |browser| {
        servers.add_account(browser, "pop3").await?;
        browser.find(INBOX).await?;
        open_settings(browser).await?;
        browser.click("extent-headers").await?;
        servers.dovecot.deliver(USER, &letters::plain(7))?;
        browser.click("account-save").await?;
        browser.wait_for_text(&hook("account-result"), |text| text.contains("Saved")).await?;
        browser.click_on(INBOX).await?;
        open_row(browser, "Letter 7").await?;
        let alone = |text: &str| text.contains("Only the header");
        browser.wait_for_text(&hook("header-only"), alone).await?;
        browser.click("download-whole").await?;
        reader_shows(browser, "Letter 7", "letter number 7").await?;
        Ok(())
    })
    .await
}
