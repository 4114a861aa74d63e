//! Conversations, read and moved.

use anyhow::Result;
use fantoccini::key::Key;
use postern::demo::{self, Content, Options};
use postern_tests::{
    browser::{Browser, hook},
    letters,
    site::{Reach, Site},
};
use serde_json::json;

/// Waits until the list shows exactly these rows, as subjects with how many messages they stand for.
async fn list_shows(browser: &Browser, rows: &[(&str, &str)]) -> Result<()> {
    let script = format!(
        "const at = row => Number(row.getAttribute('aria-posinset'));
         const shown = [...document.querySelectorAll({})].filter(row => !row.hidden)
             .sort((one, other) => at(one) - at(other))
             .map(row => [row.querySelector('.row-subject').innerText,
                          row.querySelector('.row-count')?.innerText ?? '']);
         return JSON.stringify(shown) === {}",
        json!(hook("row")),
        json!(json!(rows).to_string())
    );
    browser.wait_until(&script).await
}

/// Waits until the reading pane shows a conversation of messages that are unfolded or not.
async fn letters_are(browser: &Browser, unfolded: &[bool]) -> Result<()> {
    let script = format!(
        "const letters = [...document.querySelectorAll({})];
         return JSON.stringify(letters.map(own => own.dataset.unfolded === 'true')) === {}",
        json!(hook("letter")),
        json!(json!(unfolded).to_string())
    );
    browser.wait_until(&script).await
}

/// Presses a key where the keyboard is.
async fn press(browser: &Browser, key: char) -> Result<()> {
    Ok(browser.client().active_element().await?.send_keys(&key.to_string()).await?)
}

#[tokio::test]
async fn a_conversation_is_opened_read_deleted_and_brought_back_by_keyboard_alone() -> Result<()> {
    let demo = demo::start(Options { content: Content::Empty, ..Options::default() }).await?;
    let mail: [(&str, &str, &[&str]); 4] = [
        ("pears-1", "Pears", &[]),
        ("figs-1", "Figs", &[]),
        ("figs-2", "Re: Figs", &["figs-1"]),
        ("figs-3", "Re: Figs", &["figs-1", "figs-2"]),
    ];
    for (id, subject, references) in mail {
        demo.store().deliver(letters::answer(id, subject, references, "Ada Marsh"));
    }
    let site = Site::start(Reach { demo: Some(&demo), ..Reach::default() }).await?;
    Browser::run("conversations", async |browser| {
        browser.open(&site.url).await?;
        browser.click("try-demo").await?;
        let single = [("Re: Figs", ""), ("Re: Figs", ""), ("Figs", ""), ("Pears", "")];
        list_shows(browser, &single).await?;
        // The first is read, so that it is folded in its conversation.
        browser.script("document.querySelector('.rows').focus()").await?;
        for key in [char::from(Key::Down), char::from(Key::Down), char::from(Key::Enter)] {
            press(browser, key).await?;
        }
        browser.wait_for_text(&hook("reader-subject"), |subject| subject == "Figs").await?;
        press(browser, char::from(Key::Escape)).await?;
        press(browser, 't').await?;
        let grouped = [("Figs", "3"), ("Pears", "")];
        list_shows(browser, &grouped).await?;
        press(browser, char::from(Key::Home)).await?;
        press(browser, char::from(Key::Enter)).await?;
        letters_are(browser, &[false, true, true]).await?;
        browser.wait_for_text(&hook("reader-body-text"), |text| text.contains("figs-2")).await?;
        let has_focus = |at: usize| {
            format!(
                "return document.activeElement === document.querySelectorAll({})[{at}]",
                json!(hook("letter-head"))
            )
        };
        press(browser, 'n').await?;
        browser.wait_until(&has_focus(2)).await?;
        press(browser, char::from(Key::Enter)).await?;
        letters_are(browser, &[false, true, false]).await?;
        for at in [1, 0] {
            press(browser, 'p').await?;
            browser.wait_until(&has_focus(at)).await?;
        }
        press(browser, char::from(Key::Enter)).await?;
        letters_are(browser, &[true, true, false]).await?;
        browser.wait_for_text(&hook("reader-body-text"), |text| text.contains("figs-1")).await?;
        press(browser, '#').await?;
        list_shows(browser, &grouped[1..]).await?;
        press(browser, 'z').await?;
        list_shows(browser, &grouped).await?;
        press(browser, 't').await?;
        list_shows(browser, &single).await
    })
    .await?;
    drop(demo);
    Ok(())
}

#[tokio::test]
async fn cursor_and_picks_stay_on_their_conversation_when_an_answer_comes() -> Result<()> {
    let demo = demo::start(Options { content: Content::Empty, ..Options::default() }).await?;
    demo.store().deliver(letters::answer("pears-1", "Pears", &[], "Ada Marsh"));
    demo.store().deliver(letters::answer("figs-1", "Figs", &[], "Zoe Holt"));
    let site = Site::start(Reach { demo: Some(&demo), ..Reach::default() }).await?;
    Browser::run("conversations-follow", async |browser| {
        browser.open(&site.url).await?;
        browser.click("try-demo").await?;
        list_shows(browser, &[("Figs", ""), ("Pears", "")]).await?;
        browser.script("document.querySelector('.rows').focus()").await?;
        press(browser, 't').await?;
        browser
            .wait_until(
                "return document.querySelector('[data-test=conversations]').ariaPressed === 'true'",
            )
            .await?;
        press(browser, char::from(Key::End)).await?;
        press(browser, 'x').await?;
        demo.store().deliver(letters::answer("pears-2", "Re: Pears", &["pears-1"], "Tom Berger"));
        list_shows(browser, &[("Pears", "2"), ("Figs", "")]).await?;
        let at_pears = "return ['is-cursor', 'is-picked'].every(own =>
             document.querySelector('.row.' + own + ' .row-subject')?.innerText === 'Pears')";
        browser.wait_until(at_pears).await?;
        press(browser, '#').await?;
        list_shows(browser, &[("Figs", "")]).await
    })
    .await?;
    drop(demo);
    Ok(())
}
