//! Mail as the page shows it: what Wasm could do otherwise than a native test.

use anyhow::Result;
use postern::demo::{self, Content, Options};
use postern_tests::{
    browser::Browser,
    site::{Reach, Site},
};

use crate::steps::{open_row, reader_shows};

#[tokio::test]
async fn character_references_and_charsets_are_decoded() -> Result<()> {
    let demo = demo::start(Options { content: Content::Empty, ..Options::default() }).await?;
    let site = Site::start(Reach { demo: Some(&demo), ..Reach::default() }).await?;
    let html = "Subject: References\r\nMIME-Version: 1.0\r\n\
        Content-Type: text/html; charset=us-ascii\r\n\r\n\
        <p>caf&eacute;&nbsp;&middot;&nbsp;it&#146;s &hellip; &copy;</p>\r\n";
    demo.store().deliver(html.as_bytes().to_vec());
    let cyrillic = b"Subject: =?koi8-r?B?8NLJ18XU?=\r\nMIME-Version: 1.0\r\n\
        Content-Type: text/plain; charset=koi8-r\r\n\
        Content-Transfer-Encoding: 8bit\r\n\r\n\xf0\xd2\xc9\xd7\xc5\xd4, \xcd\xc9\xd2\r\n";
    demo.store().deliver(cyrillic.to_vec());
    Browser::run("characters", async |browser| {
        browser.open(&site.url).await?;
        browser.click("try-demo").await?;
        open_row(browser, "Привет").await?;
        reader_shows(browser, "Привет", "Привет, мир").await?;
        open_row(browser, "References").await?;
        browser.wait_for_text("[data-test=reader-subject]", |text| text == "References").await?;
        browser.get("reader-frame").await?.enter_frame().await?;
        let expected = "café\u{a0}·\u{a0}it’s … ©";
        browser.wait_for_text("p", |text| text == expected).await?;
        Ok(())
    })
    .await
}
