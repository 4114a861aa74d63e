//! A real Chromium, driven over WebDriver.

mod driver;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use fantoccini::{
    Client, ClientBuilder, Locator, elements::Element, wd::WebDriverCompatibleCommand,
};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::timeout;
use url::Url;

use self::driver::Driver;
use crate::program;

/// How long a test waits for something that must appear; far longer than it takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long the driver may take to start, to tell what a page shows, or to end: a browser that does
/// not answer any more must not hold a test up.
const DRIVER_PATIENCE: Duration = Duration::from_secs(60);

/// Bytes that must be free on the disk of a profile: with less than about four gigabytes, Chromium keeps
/// no page for use without a network, and says so nowhere.
const ROOM: u64 = 5 << 30;

/// The hooks for tests that the app's elements carry: `[data-test="…"]`.
pub fn hook(name: &str) -> String {
    format!("[data-test=\"{name}\"]")
}

/// A Chromium with a profile of its own; ended when dropped.
pub struct Browser {
    driver: Driver,
    profile: TempDir,
    client: Client,
}

impl Browser {
    /// Starts one, with a window of this many CSS pixels.
    ///
    /// # Errors
    ///
    /// If Chromium or its driver is not installed or does not come up, or the disk is nearly full.
    pub async fn start(width: u32, height: u32) -> Result<Self> {
        Self::start_with(TempDir::with_prefix("postern-chromium-")?, width, height).await
    }

    /// Starts one with the profile of another one that was killed.
    ///
    /// # Errors
    ///
    /// If Chromium or its driver is not installed or does not come up, or the disk is nearly full.
    pub async fn start_with(profile: TempDir, width: u32, height: u32) -> Result<Self> {
        check_room(profile.path())?;
        let driver = Driver::start()?;
        let options = json!({
            "args": [
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--lang=en-US",
                format!("--user-data-dir={}", profile.path().display()),
                format!("--window-size={width},{height}"),
            ],
        });
        let capabilities = json!({
            "goog:chromeOptions": options,
            "goog:loggingPrefs": { "browser": "ALL" },
            "timeouts": { "script": PATIENCE.as_millis() as u64 },
        });
        let Value::Object(capabilities) = capabilities else { unreachable!("an object literal") };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", driver.port))
            .await
            .context("Chromium does not come up")?;
        Ok(Self { driver, profile, client })
    }

    /// Ends it on the spot, with all of its processes, in the middle of whatever they do; what it has
    /// stored is left.
    ///
    /// # Errors
    ///
    /// If the profile can't be freed for another one.
    pub fn kill(self) -> Result<TempDir> {
        program::kill(self.driver.id());
        drop(self.driver);
        // What says that it is in use.
        for lock in ["SingletonLock", "SingletonCookie", "SingletonSocket"] {
            match std::fs::remove_file(self.profile.path().join(lock)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error.into());
                }
                _ => {}
            }
        }
        Ok(self.profile)
    }

    /// Runs a test in a fresh browser; if it fails, the error says what the page showed, and a
    /// picture of it is left in the build's temporary folder.
    ///
    /// # Errors
    ///
    /// The test's.
    pub async fn run(name: &str, test: impl AsyncFnOnce(&Self) -> Result<()>) -> Result<()> {
        let browser = Self::start(1400, 900).await?;
        let result = test(&browser).await;
        let result = match result {
            Ok(()) => Ok(()),
            Err(error) => {
                let found = timeout(DRIVER_PATIENCE, browser.autopsy(name)).await;
                let silent = |_| "the browser does not answer any more".into();
                Err(error.context(found.unwrap_or_else(silent)))
            }
        };
        let closed = timeout(DRIVER_PATIENCE, browser.client.clone().close()).await;
        drop(browser.driver);
        // The test's own error tells more than one of a browser that it broke.
        result?;
        Ok(closed.context("the browser does not end")??)
    }

    /// Processor time so far of the processes that draw pages and run their workers.
    ///
    /// # Errors
    ///
    /// If the browser has ended.
    pub fn processor(&self) -> Result<Duration> {
        program::processor_of(self.driver.id(), "--type=renderer")
    }

    async fn autopsy(&self, name: &str) -> String {
        let picture = pictures().join(format!("{name}.png"));
        if let Ok(png) = self.client.screenshot().await {
            let _ = std::fs::write(&picture, png);
        }
        let text = self.script("return document.body.innerText").await.unwrap_or_default();
        let log = self.console().await.unwrap_or_default();
        format!(
            "the page showed:\n{}\n\nits console:\n{log}\n\na picture: {}",
            text.as_str().unwrap_or_default(),
            picture.display()
        )
    }

    /// What the page's console said.
    async fn console(&self) -> Result<String> {
        let log = self.client.issue_cmd(BrowserLog).await?;
        let entries = log.as_array().cloned().unwrap_or_default();
        let lines: Vec<_> = entries
            .iter()
            .filter_map(|entry| entry["message"].as_str().map(str::to_owned))
            .collect();
        Ok(lines.join("\n"))
    }

    /// The WebDriver client, for what is not offered here.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Goes to an address.
    ///
    /// # Errors
    ///
    /// If the page does not load.
    pub async fn open(&self, url: &str) -> Result<()> {
        Ok(self.client.goto(url).await?)
    }

    /// Waits for an element that matches a selector.
    ///
    /// # Errors
    ///
    /// If none comes.
    pub async fn find(&self, css: &str) -> Result<Element> {
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(css)).await;
        found.with_context(|| format!("nothing matches {css}"))
    }

    /// Waits for the element with a hook.
    ///
    /// # Errors
    ///
    /// If it does not come.
    pub async fn get(&self, name: &str) -> Result<Element> {
        self.find(&hook(name)).await
    }

    /// Clicks the element with a hook.
    ///
    /// # Errors
    ///
    /// If it does not come or can't be clicked.
    pub async fn click(&self, name: &str) -> Result<()> {
        self.click_on(&hook(name)).await
    }

    /// Clicks the element that matches a selector; drawn again in the meantime, it is sought again.
    ///
    /// # Errors
    ///
    /// If it does not come or can't be clicked.
    pub async fn click_on(&self, css: &str) -> Result<()> {
        let mut last = None;
        for _ in 0..50 {
            match self.find(css).await?.click().await {
                Ok(()) => return Ok(()),
                Err(error) => last = Some(error),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("{css} can't be clicked: {last:?}")
    }

    /// Replaces what stands in a field.
    ///
    /// # Errors
    ///
    /// If the field does not come or can't be typed into.
    pub async fn fill(&self, name: &str, text: &str) -> Result<()> {
        let field = self.get(name).await?;
        field.clear().await?;
        Ok(field.send_keys(text).await?)
    }

    /// Chooses a value of a select element.
    ///
    /// # Errors
    ///
    /// If the element does not come or has no such value.
    pub async fn choose(&self, name: &str, value: &str) -> Result<()> {
        Ok(self.get(name).await?.select_by_value(value).await?)
    }

    /// Waits until the element that matches a selector shows a text that `accept` likes.
    ///
    /// # Errors
    ///
    /// If it does not come to.
    pub async fn wait_for_text(&self, css: &str, accept: impl Fn(&str) -> bool) -> Result<String> {
        let mut text = String::new();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < deadline {
            let script = "return document.querySelector(arguments[0])?.innerText ?? ''";
            let shown = self.client.execute(script, vec![json!(css)]).await?;
            text = shown.as_str().unwrap_or_default().to_owned();
            if accept(&text) {
                return Ok(text);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("{css} shows {text:?}")
    }

    /// Waits until a script returns true.
    ///
    /// # Errors
    ///
    /// If it does not come to.
    pub async fn wait_until(&self, script: &str) -> Result<()> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < deadline {
            if self.script(script).await? == json!(true) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("never true: {script}")
    }

    /// Runs a script in the page.
    ///
    /// # Errors
    ///
    /// If it throws.
    pub async fn script(&self, script: &str) -> Result<Value> {
        Ok(self.client.execute(script, Vec::new()).await?)
    }

    /// Takes a picture of the page, as PNG.
    ///
    /// # Errors
    ///
    /// If the browser can't.
    pub async fn picture(&self) -> Result<Vec<u8>> {
        Ok(self.client.screenshot().await?)
    }
}

/// Where pictures of failed tests are left.
fn pictures() -> PathBuf {
    let binary = std::env::current_exe().unwrap_or_default();
    // …/target/debug/deps/browser-0123 → …/target
    let target = binary.ancestors().nth(3).map(PathBuf::from).unwrap_or_else(std::env::temp_dir);
    let pictures = target.join("browser");
    let _ = std::fs::create_dir_all(&pictures);
    pictures
}

/// Fetches and empties the browser's log; an extension of chromedriver.
#[derive(Debug)]
struct BrowserLog;

impl WebDriverCompatibleCommand for BrowserLog {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _url: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}

/// Checks that the disk of this folder has room for a browser.
fn check_room(folder: &Path) -> Result<()> {
    let disk = rustix::fs::statvfs(folder)?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    ensure!(
        free >= ROOM,
        "Chromium needs {} MiB of free disk at {} (TMPDIR says where), and there are {} MiB",
        ROOM >> 20,
        folder.display(),
        free >> 20
    );
    Ok(())
}
