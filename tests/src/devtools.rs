//! What a browser does beyond WebDriver: Chromium's own debugging protocol.

use anyhow::Result;
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
