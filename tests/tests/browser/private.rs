//! A private proxy: it is used by those who know its access key.

use anyhow::Result;
use postern::demo::{self, Demo, Options};
use postern_tests::{
    browser::{Browser, hook},
    site::{Reach, Site},
};
use serde_json::json;

const KEY: &str = "willow-hinge-copper-lantern";

async fn start() -> Result<(Demo, Site)> {
    let demo = demo::start(Options::default()).await?;
    let reach = Reach { demo: Some(&demo), access_key: Some(KEY), ..Reach::default() };
    let site = Site::start(reach).await?;
    Ok((demo, site))
}

async fn enter(browser: &Browser, key: &str) -> Result<()> {
    browser.fill("access-key", key).await?;
    browser.click("access-enter").await
}

/// Waits until there is nothing of this name.
async fn gone(browser: &Browser, name: &str) -> Result<()> {
    browser.wait_until(&format!("return !document.querySelector({})", json!(hook(name)))).await
}

#[tokio::test]
async fn the_key_is_asked_for_once_and_can_be_forgotten() -> Result<()> {
    let (_demo, site) = start().await?;
    Browser::run("private", async |browser| {
        browser.open(&site.url).await?;
        browser.get("access").await?;
        gone(browser, "setup-add").await?;

        enter(browser, "not-the-key-of-this-proxy").await?;
        let problem = ".access .field-problem";
        browser.wait_for_text(problem, |text| text.contains("not the access key")).await?;

        enter(browser, KEY).await?;
        browser.click("try-demo").await?;
        browser.get("row").await?;

        // After a reload the key is still known: what needs the proxy works.
        browser.open(&site.url).await?;
        browser.get("row").await?;
        browser.click("accounts-open").await?;
        let connection = format!("{}[data-state=online]", hook("connection"));
        browser.find(&connection).await?;
        gone(browser, "access-banner").await?;

        browser.click("access-forget").await?;
        browser.get("access-banner").await?;
        enter(browser, KEY).await?;
        gone(browser, "access-banner").await?;
        browser.get("access-kept").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_stored_can_be_read_while_the_key_is_missing() -> Result<()> {
    let (_demo, site) = start().await?;
    Browser::run("private-stored", async |browser| {
        browser.open(&site.url).await?;
        enter(browser, KEY).await?;
        browser.click("try-demo").await?;
        browser.get("row").await?;
        browser.click("accounts-open").await?;
        browser.click("access-forget").await?;
        browser.open(&site.url).await?;
        browser.get("row").await?;
        browser.get("access-banner").await?;
        Ok(())
    })
    .await
}
