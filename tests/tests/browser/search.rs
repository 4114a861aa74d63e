//! Searching, and doing something to what was found.

use anyhow::Result;
use fantoccini::key::Key;
use postern::demo::{self, Content, Options};
use postern_tests::{
    browser::{Browser, hook},
    site::{Reach, Site},
};
use serde_json::json;

/// Waits until the list shows exactly these subjects, in this order.
async fn list_shows(browser: &Browser, subjects: &[&str]) -> Result<()> {
    let script = format!(
        "const at = row => Number(row.getAttribute('aria-posinset'));
         const shown = [...document.querySelectorAll({})].filter(row => !row.hidden)
             .sort((one, other) => at(one) - at(other))
             .map(row => row.querySelector('.row-subject').innerText);
         return JSON.stringify(shown) === {}",
        json!(hook("row")),
        json!(json!(subjects).to_string())
    );
    browser.wait_until(&script).await
}

/// Presses a key where the keyboard is.
async fn press(browser: &Browser, key: char) -> Result<()> {
    Ok(browser.client().active_element().await?.send_keys(&key.to_string()).await?)
}

#[tokio::test]
async fn what_is_typed_is_found_acted_on_and_left_by_keyboard_alone() -> Result<()> {
    let demo = demo::start(Options { content: Content::Empty, ..Options::default() }).await?;
    // What is deleted and brought back has a new number, and stays the newest.
    let letters = [("Figs", "Wasps."), ("Beans", "Snails."), ("Peas", "No beans.")];
    for (subject, text) in letters {
        let letter = format!("From: ada@example.org\r\nSubject: {subject}\r\n\r\n{text}\r\n");
        demo.store().deliver(letter.into_bytes());
    }
    let site = Site::start(Reach { demo: Some(&demo), ..Reach::default() }).await?;
    Browser::run("search", async |browser| {
        browser.open(&site.url).await?;
        browser.click("try-demo").await?;
        list_shows(browser, &["Peas", "Beans", "Figs"]).await?;
        press(browser, '/').await?;
        let typing = format!("return document.activeElement.matches({})", json!(hook("search")));
        browser.wait_until(&typing).await?;
        for key in "beans".chars() {
            press(browser, key).await?;
        }
        list_shows(browser, &["Peas", "Beans"]).await?;
        browser.wait_for_text(&hook("search-note"), |note| note == "2 found").await?;
        press(browser, char::from(Key::Enter)).await?;
        browser.wait_until("return document.activeElement.matches('.rows')").await?;
        press(browser, '#').await?;
        list_shows(browser, &["Beans"]).await?;
        press(browser, 'z').await?;
        list_shows(browser, &["Peas", "Beans"]).await?;
        browser.click("search-everywhere").await?;
        browser.wait_for_text(&hook("search-note"), |note| note == "2 found").await?;
        browser.script("document.querySelector('.rows').focus()").await?;
        press(browser, char::from(Key::Escape)).await?;
        list_shows(browser, &["Peas", "Beans", "Figs"]).await?;
        let empty =
            format!("return document.querySelector({}).value === ''", json!(hook("search")));
        browser.wait_until(&empty).await
    })
    .await?;
    drop(demo);
    Ok(())
}
