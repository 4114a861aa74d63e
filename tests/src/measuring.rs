//! An engine that measures, in a page that `cargo xtask bench` has built for that.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::{Value, json};

use crate::{browser::Browser, devtools::run_before_each_page};

/// Keeps the service worker away: a worker that comes from its cache does not see the `#…` of its
/// address.
const NO_SERVICE_WORKER: &str =
    "ServiceWorkerContainer.prototype.register = () => new Promise(() => {});";

/// Starts the engine's worker as one that measures, and keeps what it says.
const START: &str = "
    const engine = document.querySelector('meta[name=postern-engine]').content;
    window.measured = null;
    window.engine?.terminate();
    window.engine = new Worker(engine + '#' + ASKED, { type: 'module' });
    window.engine.onmessage = (event) => { window.measured = event.data; };
    window.engine.onerror = () => { window.measured = { error: 'the engine does not start' }; };
";

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
    browser.script(&START.replace("ASKED", &json!(asked).to_string())).await?;
    let start = Instant::now();
    let measured = loop {
        match browser.script("return window.measured").await? {
            Value::Null if start.elapsed() > patience => bail!("{asked} takes too long"),
            Value::Null => tokio::time::sleep(Duration::from_millis(20)).await,
            measured => break measured,
        }
    };
    let number = |field: &str| measured[field].as_f64();
    let (Some(millis), Some(memory)) = (number("millis"), number("memory")) else {
        bail!("{asked}: {measured}");
    };
    let took = Duration::from_secs_f64(millis / 1e3);
    Ok(Measured { took, idle: number("idle").unwrap_or_default(), memory })
}
