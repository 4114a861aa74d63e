//! Postern beside others at one mailbox: another program that empties it, an account over the other
//! protocol, and an IMAP account that POP3 mail is copied to.

use anyhow::{Context, Result, ensure};
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

/// Two users of the Dovecot besides [`USER`].
const ANN: &str = "ann@demo.postern.example";
const CLEO: &str = "cleo@demo.postern.example";

/// Adds one more account on the Dovecot, of another user; there are so many then.
async fn add_another(
    browser: &Browser,
    servers: &Servers,
    (protocol, address): (&'static str, &'static str),
    count: usize,
) -> Result<()> {
    browser.script("location.hash = '#/setup'").await?;
    Form { address, ..servers.form(protocol) }.fill(browser).await?;
    // All of them send as the one that the other server knows.
    browser.fill("setup-out-username", USER).await?;
    browser.click("setup-add").await?;
    let all = format!("return document.querySelectorAll({}).length === {count}", json!(INBOX));
    browser.wait_until(&all).await
}

/// Chooses an account by its address.
async fn choose_account(browser: &Browser, name: &str, address: &str) -> Result<()> {
    let find = format!(
        "[...document.querySelector({})?.options ?? []].find(own => own.text === {})?.value",
        json!(hook(name)),
        json!(address)
    );
    browser.wait_until(&format!("return Boolean({find})")).await?;
    let value = browser.script(&format!("return {find}")).await?;
    browser.choose(name, value.as_str().context("no account")?).await
}

#[tokio::test]
async fn pop3_mail_is_copied_from_the_account_that_was_chosen_to_the_one_that_was_chosen()
-> Result<()> {
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(CLEO, (7..9).map(letters::plain))?;
    for letter in letters::many(4) {
        servers.demo.store().deliver(letter);
    }
    Browser::run("choice", async |browser| {
        servers.add_account(browser, "imap").await?;
        browser.get("folder").await?;
        add_another(browser, &servers, ("imap", ANN), 2).await?;
        browser.script("location.hash = '#/setup'").await?;
        Form::new("pop3", servers.demo.pop3, servers.demo.submission).fill(browser).await?;
        browser.click("setup-add").await?;
        open_row(browser, "Letter 3").await?;
        add_another(browser, &servers, ("pop3", CLEO), 4).await?;
        open_row(browser, "Letter 8").await?;

        open_storage_page(browser).await?;
        choose_account(browser, "copy-from", CLEO).await?;
        choose_account(browser, "copy-to", ANN).await?;
        browser.click("copy-start").await?;
        let checked = |text: &str| {
            text.contains(&format!("Checked: the server has 2 messages of {CLEO}, 2 of them new."))
        };
        browser.wait_for_text("[data-test=copy-state][data-state=done]", checked).await?;
        ensure!(servers.dovecot.count(ANN)? == 2, "{} are there", servers.dovecot.count(ANN)?);
        ensure!(servers.dovecot.count(USER)? == 0, "they are elsewhere as well");
        Ok(())
    })
    .await
}
