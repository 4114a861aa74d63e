//! The policies of a POP3 account: what each choice says that it does, and what keeps it from it.

use anyhow::{Result, ensure};
use postern_tests::{browser::Browser, devtools, dovecot::PASSWORD, letters};

use crate::{
    backup::{self, ended_with, open_storage_page},
    clock,
    pop3::{INBOX, wait_until_left},
    steps::{
        Servers, USER, is_gone, keep_first, open_row, open_settings, pick, reader_shows, shows,
    },
};

/// The policies that delete: what each means, and what it would do to five letters that are here,
/// two of them out of the inbox.
const DELETING: [(&str, &str, &str); 3] = [
    (
        "retention-delete",
        "as soon as it is stored here. From then on this browser holds the only copy",
        "5 messages that are stored here will be deleted from the server.",
    ),
    (
        "retention-days",
        "14 days after it was stored here. From then on this browser holds the only copy",
        "nothing would be deleted from the server now. 5 will follow when their time has come.",
    ),
    (
        "retention-here",
        "What you delete here will be deleted from the server as well",
        "2 messages that are deleted here or moved out of the inbox will be deleted",
    ),
];

async fn save(browser: &Browser) -> Result<()> {
    browser.click("account-save").await?;
    shows(browser, "account-result", "Saved").await
}

#[tokio::test]
async fn each_policy_says_what_it_would_delete_and_what_keeps_it_from_that() -> Result<()> {
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, letters::many(5))?;
    servers.dovecot.deliver(USER, &letters::large(5))?;
    Browser::run("policies", async |browser| {
        browser.open(&servers.site.url).await?;
        servers.form("pop3").fill(browser).await?;
        for (choice, meaning, _) in DELETING {
            browser.click(choice).await?;
            shows(browser, "retention-meaning", meaning).await?;
            shows(browser, "keep-first", "Nothing should be deleted on the server").await?;
        }
        browser.click("retention-secondary").await?;
        shows(browser, "retention-meaning", "Nothing is ever deleted from the server").await?;
        is_gone(browser, "keep-first").await?;
        browser.click("retention-keep").await?;
        is_gone(browser, "retention-meaning").await?;
        browser.click("extent-headers").await?;
        shows(browser, "extent-meaning", "downloaded when you ask for it").await?;
        browser.click("extent-whole").await?;
        is_gone(browser, "extent-meaning").await?;
        browser.click("extent-up-to").await?;
        shows(browser, "extent-meaning", "downloaded when you ask for it").await?;
        browser.fill("extent-megabytes", "1").await?;
        browser.click("setup-add").await?;
        open_row(browser, "Letter 5").await?;
        shows(browser, "header-only", "Only the header").await?;
        open_row(browser, "Letter 4").await?;
        reader_shows(browser, "Letter 4", "letter number 4").await?;
        pick(browser, "Letter 0").await?;
        browser.click_on("[data-test=picked-bar] [data-test=do-delete]").await?;
        pick(browser, "Letter 1").await?;
        browser.click_on("[data-test=picked-bar] [data-test=do-archive]").await?;
        let rest = "return [...document.querySelectorAll('[data-test=row]')]\
                        .filter(row => !row.hidden).length === 4";
        browser.wait_until(rest).await?;

        // Of an account that is there, each says how many messages it is about.
        open_settings(browser).await?;
        for (choice, meaning, preview) in DELETING {
            browser.click(choice).await?;
            shows(browser, "retention-meaning", meaning).await?;
            shows(browser, "retention-preview", preview).await?;
            shows(browser, "retention-hold", "this browser may clear its storage").await?;
        }
        browser.click("retention-days").await?;
        browser.fill("retention-after", "1").await?;
        browser.click("public-computer").await?;
        shows(browser, "retention-meaning", "1 day after it was stored here").await?;
        shows(browser, "retention-hold", "others use this computer as well").await?;
        browser.click("public-computer").await?;
        shows(browser, "retention-hold", "this browser may clear its storage").await?;
        for choice in ["retention-secondary", "retention-keep"] {
            browser.click(choice).await?;
            is_gone(browser, "retention-preview").await?;
            is_gone(browser, "retention-hold").await?;
            save(browser).await?;
        }

        // What is in the way is gone once the browser has promised to keep the mail.
        browser.click("retention-here").await?;
        shows(browser, "retention-hold", "this browser may clear its storage").await?;
        keep_first(browser).await?;
        is_gone(browser, "retention-hold").await?;
        ensure!(servers.dovecot.count(USER)? == 6, "mail was deleted that was to be kept");
        save(browser).await?;
        browser.click_on(INBOX).await?;
        browser.click("refresh").await?;
        wait_until_left(&servers, 4).await?;
        open_settings(browser).await?;
        let preview = "nothing would be deleted from the server now";
        shows(browser, "retention-preview", preview).await
    })
    .await
}

#[tokio::test]
async fn what_a_backup_has_brought_back_is_read_back_before_a_policy_deletes_it() -> Result<()> {
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, letters::many(3))?;
    Browser::run("unverified", async |browser| {
        devtools::permit_persistence(browser).await?;
        devtools::run_before_each_page(browser, backup::PICK).await?;
        browser.open(&servers.site.url).await?;
        servers.form("pop3").fill(browser).await?;
        browser.click("setup-add").await?;
        open_row(browser, "Letter 2").await?;
        open_storage_page(browser).await?;
        browser.click("backup-save").await?;
        ended_with(browser, "3 messages").await?;
        browser.script(backup::WIPE).await?;
        browser.wait_until("return window.wiped").await?;
        browser.script("location.hash = '#/'").await?;
        browser.client().refresh().await?;
        browser.get("lost").await?;
        browser.script(&backup::give_picked("restore-file")).await?;
        browser.find(INBOX).await?;
        open_storage_page(browser).await?;
        browser.get("storage-kept").await?;

        // Without its password the account has not asked the server yet.
        browser.script("location.hash = '#/accounts'").await?;
        browser.click("account-settings").await?;
        browser.click("retention-delete").await?;
        let preview = "3 messages that are stored here will be deleted from the server";
        shows(browser, "retention-preview", preview).await?;
        shows(browser, "retention-hold", "have not been read back and compared yet").await?;
        browser.fill("account-password", PASSWORD).await?;
        save(browser).await?;
        wait_until_left(&servers, 0).await?;
        browser.click_on(INBOX).await?;
        open_row(browser, "Letter 1").await?;
        reader_shows(browser, "Letter 1", "letter number 1").await.map(drop)
    })
    .await
}

/// A letter that was sent so many days from now.
async fn letter_from(browser: &Browser, days: u32) -> Result<Vec<u8>> {
    let date = format!("return new Date(performance.timeOrigin + {days} * 864e5).toUTCString()");
    let date = browser.script(&date).await?;
    let date = date.as_str().unwrap_or_default();
    Ok(format!("Date: {date}\r\nFrom: ada@example.org\r\nSubject: Later\r\n\r\nLater.\r\n").into())
}

#[tokio::test]
async fn a_clock_that_leaps_deletes_nothing_until_new_mail_bears_it_out() -> Result<()> {
    let page = clock::page()?;
    let servers = Servers::with_page(page.path()).await?;
    servers.dovecot.deliver_all(USER, letters::many(3))?;
    Browser::run("leap", async |browser| {
        devtools::permit_persistence(browser).await?;
        clock::install(browser).await?;
        browser.open(&servers.site.url).await?;
        servers.form("pop3").fill(browser).await?;
        browser.click("retention-days").await?;
        browser.click("setup-add").await?;
        open_row(browser, "Letter 2").await?;
        clock::set_ahead(browser, 366).await?;
        browser.click("refresh").await?;
        open_settings(browser).await?;
        shows(browser, "deletion-hold", "the clock of this device has leapt ahead").await?;
        shows(browser, "retention-hold", "the clock of this device has leapt ahead").await?;
        let none = "nothing would be deleted from the server now. 3 will follow";
        shows(browser, "retention-preview", none).await?;
        ensure!(servers.dovecot.count(USER)? == 3, "mail was deleted a year too early");

        // It is set right, and then weeks pass indeed.
        clock::set_ahead(browser, 0).await?;
        browser.click_on(INBOX).await?;
        browser.click("refresh").await?;
        open_settings(browser).await?;
        is_gone(browser, "deletion-hold").await?;
        servers.dovecot.deliver(USER, &letter_from(browser, 15).await?)?;
        clock::set_ahead(browser, 15).await?;
        browser.click_on(INBOX).await?;
        browser.click("refresh").await?;
        open_row(browser, "Later").await?;
        wait_until_left(&servers, 1).await
    })
    .await
}
