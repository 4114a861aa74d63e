//! An engine that measures, in a page that `cargo xtask bench` has built for that.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result, bail};
use serde_json::json;
use tokio::time::timeout;

use crate::{
    browser::Browser,
    devtools::run_before_each_page,
    report::argument,
    site::{Reach, Site},
};

/// Keeps the service worker away: a worker that comes from its cache does not see the `#…` of its
/// address.
const NO_SERVICE_WORKER: &str =
    "ServiceWorkerContainer.prototype.register = () => new Promise(() => {});";

/// Starts the engine's worker as one that measures, and tells what it says. Nobody asks meanwhile
/// whether it is done: that would take time from what is measured.
const MEASURE: &str = "
    const [asked, told] = arguments;
    const engine = document.querySelector('meta[name=postern-engine]').content;
    window.engine?.terminate();
    window.engine = new Worker(engine + '#' + asked, { type: 'module' });
    window.engine.onmessage = (event) => told(event.data);
    window.engine.onerror = () => told({ error: 'the engine does not start' });
";

/// Keeps what the browser says of tasks that take long on the page's main thread.
const WATCH: &str = "
    window.longest = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
            window.longest = Math.max(window.longest, entry.duration);
        }
    }).observe({ type: 'longtask' });
";

/// A page whose engine can be asked to measure, in a browser of its own.
pub struct Page {
    site: Site,
    browser: Browser,
}

impl Page {
    /// The page in the folder after `--page`, which reaches these servers; `None` without it.
    ///
    /// # Errors
    ///
    /// If the proxy or the browser does not start, or the page does not load.
    pub async fn open(servers: Vec<SocketAddr>) -> Result<Option<Self>> {
        let Some(page) = argument("--page") else { return Ok(None) };
        let site = Site::start(Reach { page: Some(page), servers, ..Reach::default() }).await?;
        let browser = Browser::start(1400, 900).await?;
        open(&browser, &site.url).await?;
        watch_tasks(&browser).await?;
        Ok(Some(Self { site, browser }))
    }

    /// As [`measure`].
    ///
    /// # Errors
    ///
    /// As [`measure`].
    pub async fn measure(&self, asked: &str, patience: Duration) -> Result<Measured> {
        measure(&self.browser, asked, patience).await
    }

    /// As [`forget_tasks`].
    ///
    /// # Errors
    ///
    /// As [`forget_tasks`].
    pub async fn forget_tasks(&self) -> Result<()> {
        forget_tasks(&self.browser).await
    }

    /// As [`longest_task`].
    ///
    /// # Errors
    ///
    /// As [`longest_task`].
    pub async fn longest_task(&self) -> Result<f64> {
        longest_task(&self.browser).await
    }

    /// Ends browser and proxy.
    ///
    /// # Errors
    ///
    /// If one of them does not end well.
    pub async fn close(self) -> Result<()> {
        self.browser.client().clone().close().await?;
        drop(self.browser);
        self.site.stop().await
    }
}

/// What an engine has measured.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// How long it took.
    pub took: Duration,
    /// Bytes that WebAssembly had of memory before, where that is measured.
    pub idle: f64,
    /// The same in the end: it never gives any back.
    pub memory: f64,
}

/// Opens a page whose engine can be asked to measure.
///
/// # Errors
///
/// If it does not load.
pub async fn open(browser: &Browser, url: &str) -> Result<()> {
    run_before_each_page(browser, NO_SERVICE_WORKER).await?;
    browser.open(url).await
}

/// Has a new engine measure what stands behind the `#` of its address.
///
/// # Errors
///
/// If it can't, or not within so long.
pub async fn measure(browser: &Browser, asked: &str, patience: Duration) -> Result<Measured> {
    let measuring = browser.client().execute_async(MEASURE, vec![json!(asked)]);
    let measured =
        timeout(patience, measuring).await.with_context(|| format!("{asked} takes too long"))??;
    let number = |field: &str| measured[field].as_f64();
    let (Some(millis), Some(memory)) = (number("millis"), number("memory")) else {
        bail!("{asked}: {measured}");
    };
    let took = Duration::from_secs_f64(millis / 1e3);
    Ok(Measured { took, idle: number("idle").unwrap_or_default(), memory })
}

/// Begins to keep how long tasks take on the page's main thread.
///
/// # Errors
///
/// If the browser fails.
pub async fn watch_tasks(browser: &Browser) -> Result<()> {
    browser.script(WATCH).await.map(drop)
}

/// Forgets the tasks so far: those of the page's start, say.
///
/// # Errors
///
/// If the browser fails.
pub async fn forget_tasks(browser: &Browser) -> Result<()> {
    browser.script("window.longest = 0").await.map(drop)
}

/// Milliseconds of the longest task since then; 0 if none took 50.
///
/// # Errors
///
/// If the browser fails, or its tasks are not watched.
pub async fn longest_task(browser: &Browser) -> Result<f64> {
    let task = browser.script("return window.longest").await?;
    task.as_f64().context("the longest task is a number")
}
