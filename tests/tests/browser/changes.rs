//! What a person changes on the page: messages, folders, drafts.

use anyhow::Result;
use fantoccini::key::Key;
use postern::demo::{self, Content, Demo, Options};
use postern_tests::{
    browser::{Browser, hook},
    site::{Reach, Site},
};
use serde_json::json;

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
    let (demo, site) = start(&["One", "Two", "Three"]).await?;
    Browser::run("move", async |browser| {
        browser.open(&site.url).await?;
        browser.click("try-demo").await?;
        list_shows(browser, &["One", "Two", "Three"]).await?;
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
    .await?;
    drop(demo);
    Ok(())
}

#[tokio::test]
async fn the_keyboard_alone_stars_deletes_and_takes_back() -> Result<()> {
    let (demo, site) = start(&["One", "Two"]).await?;
    Browser::run("keyboard", async |browser| {
        browser.open(&site.url).await?;
        browser.click("try-demo").await?;
        list_shows(browser, &["One", "Two"]).await?;
        open_row(browser, "One").await?;
        press(browser, "s").await?;
        browser.find("[data-mark=star]").await?;
        press(browser, "#").await?;
        list_shows(browser, &["Two"]).await?;
        press(browser, "z").await?;
        list_shows(browser, &["One", "Two"]).await
    })
    .await?;
    drop(demo);
    Ok(())
}

#[tokio::test]
async fn a_folder_is_made_renamed_and_deleted_after_a_question() -> Result<()> {
    let (demo, site) = start(&["One"]).await?;
    let menu = async |browser: &Browser, folder: &str, entry: &str| -> Result<()> {
        let script = format!(
            "[...document.querySelectorAll('.folders-item')].find(item => item.innerText.includes({}))
                 .querySelector({}).click()",
            json!(folder),
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
    };
    Browser::run("folders", async |browser| {
        browser.open(&site.url).await?;
        browser.click("try-demo").await?;
        list_shows(browser, &["One"]).await?;
        browser.click("folder-new").await?;
        browser.fill("folder-name", "Garden").await?;
        browser.click("dialog-yes").await?;
        browser.find("[data-test=folder][data-name=Garden]").await?;
        menu(browser, "Garden", "Rename").await?;
        browser.fill("folder-name", "Orchard").await?;
        browser.click("dialog-yes").await?;
        browser.find("[data-test=folder][data-name=Orchard]").await?;
        menu(browser, "Orchard", "Delete folder").await?;
        browser.click("dialog-yes").await?;
        let gone = "return !document.querySelector('[data-test=folder][data-name=Orchard]')";
        browser.wait_until(gone).await
    })
    .await?;
    drop(demo);
    Ok(())
}

#[tokio::test]
async fn a_message_that_is_closed_unfinished_is_written_on_from_the_drafts() -> Result<()> {
    let (demo, site) = start(&["One"]).await?;
    Browser::run("drafts", async |browser| {
        browser.open(&site.url).await?;
        browser.click("try-demo").await?;
        list_shows(browser, &["One"]).await?;
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
    .await?;
    drop(demo);
    Ok(())
}
