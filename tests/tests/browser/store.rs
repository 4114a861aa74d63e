//! The store in IndexedDB passes the same suite as the one in memory.

use anyhow::{Result, ensure};
use postern_tests::{
    browser::Browser,
    site::{Reach, Site},
};

/// Starts the engine's worker as the suite, and keeps what it says.
const START: &str = "
    window.outcomes = [];
    const engine = document.querySelector('meta[name=postern-engine]').content;
    window.suite = new Worker(engine + '#conformance', { type: 'module' });
    window.suite.onmessage = (event) => window.outcomes.push(event.data);
";

#[tokio::test]
async fn the_store_in_indexed_db_conforms() -> Result<()> {
    let site = Site::start(Reach::default()).await?;
    Browser::run("conformance", async |browser| {
        browser.open(&site.url).await?;
        browser.script(START).await?;
        browser.wait_until("return window.outcomes.some(outcome => outcome.name === null)").await?;
        let outcomes = browser.script("return window.outcomes").await?;
        let outcomes: Vec<_> = outcomes.as_array().into_iter().flatten().collect();
        let failed: Vec<_> = outcomes.iter().filter(|case| !case["error"].is_null()).collect();
        ensure!(failed.is_empty(), "{failed:#?}");
        ensure!(outcomes.len() > 20, "only {} cases ran", outcomes.len());
        Ok(())
    })
    .await
}
