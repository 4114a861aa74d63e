//! What a person changes on the page: messages, folders, drafts; over IMAP, and the same over POP3.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use fantoccini::key::Key;
use postern::demo::{self, Content, Demo, Options};
use postern_tests::{
    browser::{Browser, hook},
    site::{Reach, Site},
};
use serde_json::json;
use tokio::time::sleep;

use crate::steps::{open_folder, open_row, pick};

/// A demo server with these letters and a site before it.
async fn start(subjects: &[&str]) -> Result<(Demo, Site)> {
    let demo = demo::start(Options { content: Content::Empty, ..Options::default() }).await?;
    for subject in subjects {
        let letter = format!("From: ada@example.org\r\nSubject: {subject}\r\n\r\nA text.\r\n");
        demo.store().deliver(letter.into_bytes());
    }
    let site = Site::start(Reach { demo: Some(&demo), ..Reach::default() }).await?;
    Ok((demo, site))
}

/// The buttons that add the demo account, over each protocol.
const ACCOUNTS: [&str; 2] = ["try-demo", "try-demo-pop3"];

/// Does something in a browser with a new account that has these letters; once for each of [`ACCOUNTS`].
async fn with_each_account(
    name: &str,
    subjects: &[&str],
    check: impl AsyncFn(&Browser) -> Result<()>,
) -> Result<()> {
    for account in ACCOUNTS {
        let (_demo, site) = start(subjects).await?;
        Browser::run(&format!("{name}-{account}"), async |browser| {
            browser.open(&site.url).await?;
            browser.click(account).await?;
            list_shows(browser, subjects).await?;
            check(browser).await
        })
        .await
        .context(account)?;
    }
    Ok(())
}

/// Waits until the list shows exactly these subjects, in any order.
async fn list_shows(browser: &Browser, subjects: &[&str]) -> Result<()> {
    let mut subjects = subjects.to_vec();
    subjects.sort_unstable();
    let script = format!(
        "const shown = [...document.querySelectorAll({})].filter(row => !row.hidden)
             .map(row => row.querySelector('.row-subject').innerText).sort();
         return JSON.stringify(shown) === {}",
        json!(hook("row")),
        json!(json!(subjects).to_string())
    );
    browser.wait_until(&script).await
}

/// Presses a key where the keyboard is.
async fn press(browser: &Browser, key: &str) -> Result<()> {
    Ok(browser.client().active_element().await?.send_keys(key).await?)
}

#[tokio::test]
async fn picked_messages_are_moved_by_typing_a_folders_name_and_come_back() -> Result<()> {
    with_each_account("move", &["One", "Two", "Three"], async |browser| {
        pick(browser, "One").await?;
        pick(browser, "Three").await?;
        browser.click("do-move").await?;
        browser.fill("find-folder", "arch").await?;
        press(browser, &char::from(Key::Enter).to_string()).await?;
        list_shows(browser, &["Two"]).await?;
        browser.click("toast-action").await?;
        list_shows(browser, &["One", "Two", "Three"]).await?;
        pick(browser, "One").await?;
        browser.click("do-archive").await?;
        open_folder(browser, "archive").await?;
        list_shows(browser, &["One"]).await
    })
    .await
}

#[tokio::test]
async fn the_keyboard_alone_stars_deletes_and_takes_back() -> Result<()> {
    with_each_account("keyboard", &["One", "Two"], async |browser| {
        open_row(browser, "One").await?;
        press(browser, "s").await?;
        browser.find("[data-mark=star]").await?;
        press(browser, "#").await?;
        list_shows(browser, &["Two"]).await?;
        press(browser, "z").await?;
        list_shows(browser, &["One", "Two"]).await
    })
    .await
}

fn folder(name: &str) -> String {
    format!("[data-test=folder][data-name={name}]")
}

/// Chooses an entry of a folder's menu.
async fn choose(browser: &Browser, name: &str, entry: &str) -> Result<()> {
    let script = format!(
        "[...document.querySelectorAll('.folders-item')].find(item => item.innerText.includes({}))
             .querySelector({}).click()",
        json!(name),
        json!(hook("folder-more"))
    );
    browser.script(&script).await?;
    let find = format!(
        "[...document.querySelectorAll({})].find(entry => entry.innerText.includes({}))",
        json!(hook("menu-entry")),
        json!(entry)
    );
    browser.wait_until(&format!("return Boolean({find})")).await?;
    browser.script(&format!("{find}.click()")).await.map(drop)
}

/// Renames or deletes a folder: again while it is refused, as the server is still to be told of what
/// is in it.
async fn rename_or_delete(browser: &Browser, name: &str, new: Option<&str>) -> Result<()> {
    let gone = format!("return !document.querySelector({})", json!(folder(name)));
    for _ in 0..10 {
        choose(browser, name, if new.is_some() { "Rename" } else { "Delete folder" }).await?;
        if let Some(new) = new {
            browser.fill("folder-name", new).await?;
        }
        browser.click("dialog-yes").await?;
        for _ in 0..100 {
            if browser.script(&gone).await? == json!(true) {
                return Ok(());
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
    bail!("{name} stays as it is")
}

#[tokio::test]
async fn folders_are_made_in_one_another_filled_renamed_and_deleted_after_a_question() -> Result<()>
{
    with_each_account("folders", &["One"], async |browser| {
        browser.click("folder-new").await?;
        browser.fill("folder-name", "Garden").await?;
        browser.click("dialog-yes").await?;
        browser.find(&folder("Garden")).await?;
        choose(browser, "Garden", "New folder").await?;
        browser.fill("folder-name", "Beds").await?;
        browser.click("dialog-yes").await?;
        browser.find(&folder("Beds")).await?;
        // What was made has been opened.
        open_folder(browser, "inbox").await?;
        list_shows(browser, &["One"]).await?;
        pick(browser, "One").await?;
        browser.click("do-move").await?;
        browser.fill("find-folder", "beds").await?;
        press(browser, &char::from(Key::Enter).to_string()).await?;
        list_shows(browser, &[]).await?;
        rename_or_delete(browser, "Garden", Some("Orchard")).await?;
        browser.find(&folder("Orchard")).await?;
        // What is nested in it goes with it.
        browser.click_on(&folder("Beds")).await?;
        list_shows(browser, &["One"]).await?;
        for name in ["Beds", "Orchard"] {
            rename_or_delete(browser, name, None).await?;
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_tag_is_given_and_taken_again() -> Result<()> {
    with_each_account("tags", &["One", "Two"], async |browser| {
        let is_tagged = "document.querySelector('.row-tag')?.innerText === 'Garden'";
        open_row(browser, "One").await?;
        press(browser, "l").await?;
        browser.fill("tag-new", "Garden").await?;
        press(browser, &char::from(Key::Enter).to_string()).await?;
        browser.wait_until(&format!("return {is_tagged}")).await?;
        let uncheck =
            "[...document.querySelectorAll('[data-test=tag]:checked')].map(tag => tag.click())";
        browser.script(uncheck).await?;
        browser.wait_until(&format!("return !({is_tagged})")).await?;
        browser.click("dialog-yes").await
    })
    .await
}

#[tokio::test]
async fn a_message_that_is_closed_unfinished_is_written_on_from_the_drafts() -> Result<()> {
    with_each_account("drafts", &["One"], async |browser| {
        browser.click("compose-open").await?;
        browser.fill("compose-to", "ada@example.org").await?;
        browser.fill("compose-subject", "Half a thought").await?;
        browser.fill("compose-text", "It begins here").await?;
        browser.click("compose-close").await?;
        open_folder(browser, "drafts").await?;
        open_row(browser, "Half a thought").await?;
        browser.click("reader-write-on").await?;
        let text = format!(
            "return document.querySelector({})?.value.trim() === 'It begins here'",
            json!(hook("compose-text"))
        );
        browser.wait_until(&text).await?;
        browser.click("compose-send").await?;
        list_shows(browser, &[]).await
    })
    .await
}
