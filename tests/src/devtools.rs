//! What a browser does beyond WebDriver: Chromium's own debugging protocol.

use std::path::Path;

use anyhow::{Result, bail};
use fantoccini::wd::WebDriverCompatibleCommand;
use http::Method;
use serde_json::{Value, json};
use url::Url;

use crate::browser::Browser;

/// A command of the debugging protocol, through chromedriver's extension for it.
#[derive(Debug)]
struct Command {
    name: &'static str,
    parameters: Value,
}

impl WebDriverCompatibleCommand for Command {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _url: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "cmd": self.name, "params": self.parameters }).to_string()))
    }
}

/// Lets pages keep what they store, as if the person had said so: headless, nobody is asked.
///
/// # Errors
///
/// If the browser refuses.
pub async fn permit_persistence(browser: &Browser) -> Result<()> {
    let parameters = json!({ "permissions": ["durableStorage"] });
    let name = "Browser.grantPermissions";
    browser.client().issue_cmd(Command { name, parameters }).await?;
    Ok(())
}

/// Sets how many bytes an origin may store; `None` is what the browser thinks right.
///
/// # Errors
///
/// If the browser refuses.
pub async fn set_quota(browser: &Browser, origin: &str, bytes: Option<u64>) -> Result<()> {
    let mut parameters = json!({ "origin": origin });
    if let Some(bytes) = bytes {
        parameters["quotaSize"] = bytes.into();
    }
    let name = "Storage.overrideQuotaForOrigin";
    browser.client().issue_cmd(Command { name, parameters }).await?;
    Ok(())
}

/// Has a script run in each page from now on, before anything of the page's own.
///
/// # Errors
///
/// If the browser refuses.
pub async fn run_before_each_page(browser: &Browser, script: &str) -> Result<()> {
    let name = "Page.addScriptToEvaluateOnNewDocument";
    browser.client().issue_cmd(Command { name, parameters: json!({ "source": script }) }).await?;
    Ok(())
}

/// Has each request fail whose address fits a pattern, in which `*` stands for anything.
///
/// # Errors
///
/// If the browser refuses.
pub async fn block(browser: &Browser, pattern: &str) -> Result<()> {
    browser.client().issue_cmd(Command { name: "Network.enable", parameters: json!({}) }).await?;
    let name = "Network.setBlockedURLs";
    browser.client().issue_cmd(Command { name, parameters: json!({ "urls": [pattern] }) }).await?;
    Ok(())
}

/// Ends all service workers, as the browser does with those that are idle.
///
/// # Errors
///
/// If the browser refuses.
pub async fn stop_service_workers(browser: &Browser) -> Result<()> {
    for name in ["ServiceWorker.enable", "ServiceWorker.stopAllWorkers"] {
        browser.client().issue_cmd(Command { name, parameters: json!({}) }).await?;
    }
    Ok(())
}

/// Has downloads saved in a folder, without asking: under their names, or under the ids by which
/// [`cancel_download`] knows them.
///
/// # Errors
///
/// If the browser refuses.
pub async fn save_downloads(browser: &Browser, folder: &Path, by_id: bool) -> Result<()> {
    let behavior = if by_id { "allowAndName" } else { "allow" };
    let parameters = json!({ "behavior": behavior, "downloadPath": folder });
    let name = "Browser.setDownloadBehavior";
    browser.client().issue_cmd(Command { name, parameters }).await?;
    Ok(())
}

/// Cancels a download, as the person can in the browser's list of them.
///
/// # Errors
///
/// If there is no such download.
pub async fn cancel_download(browser: &Browser, id: &str) -> Result<()> {
    let name = "Browser.cancelDownload";
    browser.client().issue_cmd(Command { name, parameters: json!({ "guid": id }) }).await?;
    Ok(())
}

/// Ends the process that draws the tab, in the middle of whatever it and its workers do; other tabs
/// go on, and the browser with them. The tab answers no more.
///
/// # Errors
///
/// If the tab outlives that.
pub async fn crash(browser: &Browser) -> Result<()> {
    let crash = Command { name: "Page.crash", parameters: json!({}) };
    match browser.client().issue_cmd(crash).await {
        Err(error) if format!("{error:?}").contains("tab crashed") => Ok(()),
        answer => bail!("the tab has not crashed: {answer:?}"),
    }
}

/// Removes what an origin stores, of the kinds that the protocol names (`indexeddb`, `local_storage`…),
/// as the browser does when it needs the space.
///
/// # Errors
///
/// If the browser refuses.
pub async fn clear_storage(browser: &Browser, origin: &str, kinds: &str) -> Result<()> {
    let parameters = json!({ "origin": origin, "storageTypes": kinds });
    let name = "Storage.clearDataForOrigin";
    browser.client().issue_cmd(Command { name, parameters }).await?;
    Ok(())
}
