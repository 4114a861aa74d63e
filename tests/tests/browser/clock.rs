//! A clock that the test sets, in the page and in its worker.

use anyhow::Result;
use postern_tests::{browser::Browser, devtools};
use tempfile::TempDir;

use crate::patched;

/// What the worker does before it begins: it asks the page how far its clock is ahead.
const WORKER: &str = "
const clock = new BroadcastChannel('clock');
await new Promise((told) => {
    const now = Date.now;
    let ahead = 0;
    Date.now = () => now() + ahead;
    clock.onmessage = ({ data }) => { ahead = data; told(); };
    clock.postMessage('how far');
});
";

/// What each page does before anything else.
const EACH_PAGE: &str = "
    const clock = new BroadcastChannel('clock');
    const now = Date.now;
    const ahead = () => Number(sessionStorage.getItem('ahead') ?? 0);
    Date.now = () => now() + ahead();
    clock.onmessage = () => clock.postMessage(ahead());
    window.setClockAhead = (milliseconds) => {
        sessionStorage.setItem('ahead', milliseconds);
        clock.postMessage(milliseconds);
    };
";

/// A copy of the page whose clock can be set.
pub(crate) fn page() -> Result<TempDir> {
    patched::page(WORKER)
}

/// Has pages of the copy keep to the clock that is set.
pub(crate) async fn install(browser: &Browser) -> Result<()> {
    devtools::run_before_each_page(browser, EACH_PAGE).await
}

/// Sets the clock ahead of this machine's by so many days.
pub(crate) async fn set_ahead(browser: &Browser, days: u32) -> Result<()> {
    let milliseconds = u64::from(days) * 24 * 60 * 60 * 1000;
    browser.script(&format!("setClockAhead({milliseconds})")).await.map(drop)
}
