//! The demo account: a newcomer's first minutes.

use anyhow::{Result, ensure};
use postern::demo::{self, Demo, Options};
use postern_tests::{
    browser::{Browser, hook},
    site::{Reach, Site},
};
use serde_json::json;

use crate::steps::{open_folder, open_row, reader_shows};

async fn start() -> Result<(Demo, Site)> {
    let demo = demo::start(Options::default()).await?;
    let site = Site::start(Reach { demo: Some(&demo), ..Reach::default() }).await?;
    Ok((demo, site))
}

#[tokio::test]
async fn one_click_shows_the_inbox_and_an_answer_arrives() -> Result<()> {
    let (demo, site) = start().await?;
    Browser::run("demo", async |browser| {
        browser.open(&site.url).await?;
        browser.click("try-demo").await?;
        browser.get("row").await?;
        browser.click("compose-open").await?;
        browser.fill("compose-to", &format!("Robin <{}>", demo.address)).await?;
        browser.fill("compose-subject", "Grüße from the test").await?;
        browser.fill("compose-text", "A line.\n.\nAnother one.").await?;
        browser.click("compose-send").await?;
        open_row(browser, "Grüße from the test").await?;
        let text = reader_shows(browser, "Grüße from the test", "Another one.").await?;
        ensure!(text.contains("A line.\n.\nAnother one."), "{text}");
        open_folder(browser, "sent").await?;
        open_row(browser, "Grüße from the test").await
    })
    .await
}

#[tokio::test]
async fn a_letter_to_a_stranger_is_answered() -> Result<()> {
    let (_demo, site) = start().await?;
    Browser::run("stranger", async |browser| {
        browser.open(&site.url).await?;
        browser.click("try-demo").await?;
        browser.get("row").await?;
        browser.click("compose-open").await?;
        browser.fill("compose-to", "somebody@example.org").await?;
        browser.fill("compose-subject", "Tomato seedlings").await?;
        browser.fill("compose-text", "Would you like some?").await?;
        browser.click("compose-send").await?;
        open_row(browser, "Re: Tomato seedlings").await
    })
    .await
}

#[tokio::test]
async fn an_attachment_is_downloaded_as_it_is() -> Result<()> {
    let (demo, site) = start().await?;
    let letter = "From: Ada <ada@example.net>\r\n\
        Subject: With a file\r\n\
        MIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\
        \r\n\
        --b\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n\
        --b\r\nContent-Type: application/octet-stream; name=\"plan.bin\"\r\n\
        Content-Transfer-Encoding: base64\r\n\
        Content-Disposition: attachment; filename=\"plan.bin\"\r\n\r\nAAECAwT/\r\n--b--\r\n";
    demo.store().deliver(letter.as_bytes().to_vec());
    Browser::run("attachment", async |browser| {
        browser.open(&site.url).await?;
        browser.click("try-demo").await?;
        open_row(browser, "With a file").await?;
        browser.wait_for_text(&hook("attachment"), |text| text.contains("plan.bin")).await?;
        // The file goes to the person's disk; here the page's own call is looked at.
        let watch = "window.saved = []; const make = URL.createObjectURL; \
            URL.createObjectURL = blob => { blob.arrayBuffer().then(bytes => \
            window.saved.push(blob.type, ...new Uint8Array(bytes))); return make(blob); }";
        browser.script(watch).await?;
        browser.click("attachment-download").await?;
        let expected = json!(["application/octet-stream", 0, 1, 2, 3, 4, 255]).to_string();
        browser.wait_until(&format!("return JSON.stringify(window.saved) === '{expected}'")).await
    })
    .await
}
