//! Postern beside others at one mailbox: another program that empties it, an account over the other
//! protocol, and an IMAP account that POP3 mail is copied to.

use anyhow::{Result, ensure};
use postern_tests::{
    browser::{Browser, hook},
    dovecot::Elsewhere,
    letters,
};
use serde_json::{Value, json};

use crate::{
    backup::open_storage_page,
    pop3::{INBOX, wait_until_left},
    steps::{Form, Servers, USER, open_row, open_settings, pick, reader_shows, shows},
};

/// Waits until some toast says this.
async fn is_told(browser: &Browser, words: &str) -> Result<()> {
    browser.wait_until(&format!("return {}", telling(words))).await
}

/// Whether some toast says this, as a script.
fn telling(words: &str) -> String {
    format!(
        "[...document.querySelectorAll({})].some(toast => toast.innerText.includes({}))",
        json!(hook("toast")),
        json!(words)
    )
}

/// Downloads again and waits until that is over.
async fn check_again(browser: &Browser, servers: &Servers, letter: usize) -> Result<()> {
    servers.dovecot.deliver(USER, &letters::plain(letter))?;
    browser.click_on(INBOX).await?;
    browser.click("refresh").await?;
    open_row(browser, &format!("Letter {letter}")).await?;
    browser.wait_for_text(&hook("connection"), |text| text.contains("Up to date")).await?;
    Ok(())
}

#[tokio::test]
async fn what_another_program_removes_from_a_pop3_mailbox_is_told_once_and_stays_here() -> Result<()>
{
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, letters::many(5))?;
    Browser::run("elsewhere", async |browser| {
        servers.add_account(browser, "pop3").await?;
        open_row(browser, "Letter 4").await?;
        servers.dovecot.change(USER, Elsewhere::Expunged, |at| at < 2)?;
        browser.click("refresh").await?;
        is_told(browser, "2 messages are gone from localhost").await?;
        browser.click_on(".toast-close").await?;

        let told = format!("return {}", telling("gone from localhost"));
        check_again(browser, &servers, 5).await?;
        ensure!(browser.script(&told).await? == Value::Bool(false), "it is told again");
        browser.client().refresh().await?;
        check_again(browser, &servers, 6).await?;
        ensure!(browser.script(&told).await? == Value::Bool(false), "a reload tells it again");
        open_row(browser, "Letter 1").await?;
        reader_shows(browser, "Letter 1", "letter number 1").await?;
        open_settings(browser).await?;
        shows(browser, "removed-elsewhere", "2 messages were removed from the server").await?;
        shows(browser, "removed-elsewhere", "make this the secondary computer").await
    })
    .await
}

#[tokio::test]
async fn one_mailbox_over_both_protocols_is_told_when_the_second_is_added_and_when_it_shrinks()
-> Result<()> {
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, letters::many(3))?;
    Browser::run("both", async |browser| {
        servers.add_account(browser, "imap").await?;
        open_row(browser, "Letter 2").await?;
        browser.script("location.hash = '#/setup'").await?;
        servers.form("pop3").fill(browser).await?;
        shows(browser, "setup-shared-mailbox", "the same mailbox over IMAP").await?;
        shows(browser, "setup-shared-mailbox", "leave messages on the server here").await?;
        browser.click("setup-add").await?;
        let both = "return document.querySelectorAll('[data-test=folder][data-role=inbox]')\
                        .length === 2";
        browser.wait_until(both).await?;
        for (at, words) in [
            (1, "downloads from the same mailbox over POP3"),
            (2, "reads the same mailbox over IMAP"),
        ] {
            browser.script("location.hash = '#/accounts'").await?;
            let own = format!("[data-test=account]:nth-of-type({at}) [data-test=account-settings]");
            browser.click_on(&own).await?;
            shows(browser, "shared-mailbox", words).await?;
        }

        // What is deleted over IMAP is not put down to another program.
        for inbox in [1, 0] {
            let inbox = format!("document.querySelectorAll({})[{inbox}]", json!(INBOX));
            browser.script(&format!("{inbox}.click()")).await?;
            browser.wait_until(&format!("return {inbox}.hasAttribute('aria-current')")).await?;
            open_row(browser, "Letter 0").await?;
        }
        pick(browser, "Letter 0").await?;
        browser.click_on("[data-test=picked-bar] [data-test=do-delete]").await?;
        wait_until_left(&servers, 2).await?;
        browser.click("refresh").await?;
        is_told(browser, "deleted or moved in the account").await?;
        browser.script("location.hash = '#/accounts'").await?;
        let own = "[data-test=account]:nth-of-type(2) [data-test=account-settings]";
        browser.click_on(own).await?;
        shows(browser, "removed-elsewhere", "deleted or moved in the account").await
    })
    .await
}

#[tokio::test]
async fn pop3_mail_is_copied_to_an_imap_account_as_often_as_asked_and_never_twice() -> Result<()> {
    let servers = Servers::start().await?;
    for letter in letters::many(4) {
        servers.demo.store().deliver(letter);
    }
    servers.dovecot.deliver(USER, &letters::plain(9))?;
    Browser::run("copy", async |browser| {
        servers.add_account(browser, "imap").await?;
        open_row(browser, "Letter 9").await?;
        browser.script("location.hash = '#/setup'").await?;
        Form::new("pop3", servers.demo.pop3, servers.demo.submission).fill(browser).await?;
        browser.click("setup-add").await?;
        open_row(browser, "Letter 3").await?;

        open_storage_page(browser).await?;
        let done = "[data-test=copy-state][data-state=done]";
        let checked = |new: usize| {
            move |text: &str| {
                text.contains("Checked: the server has 4 messages of")
                    && text.contains(&format!("{new} of them new"))
            }
        };
        browser.click("copy-start").await?;
        browser.wait_for_text(done, checked(4)).await?;
        ensure!(servers.dovecot.count(USER)? == 5, "{} are there", servers.dovecot.count(USER)?);
        browser.click("copy-start").await?;
        browser.wait_for_text(done, checked(0)).await?;
        ensure!(servers.dovecot.count(USER)? == 5, "{} are there", servers.dovecot.count(USER)?);
        ensure!(servers.demo.store().messages("INBOX").len() == 4, "the copy took mail away");
        browser.click_on("[data-test=copy-state] button").await?;
        browser.wait_until(&format!("return !document.querySelector('{done}')")).await?;

        // They are in the other account as well, to be read.
        browser.click_on(INBOX).await?;
        open_row(browser, "Letter 1").await?;
        reader_shows(browser, "Letter 1", "letter number 1").await.map(drop)
    })
    .await
}
