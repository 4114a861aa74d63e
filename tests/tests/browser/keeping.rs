//! How safe stored mail is in the browser, and how much room there is: what the person is told, and
//! the button by which the browser is asked to keep it.

use anyhow::{Result, ensure};
use postern_tests::{
    browser::{Browser, hook},
    devtools, letters,
};
use serde_json::Value;

use crate::{
    backup::open_storage_page,
    patched,
    pop3::{INBOX, wait_until_left},
    steps::{Servers, USER, is_gone, keep_first, open_row, open_settings, shows},
};

/// The notice above the mail, of one kind.
fn notice(kind: &str) -> String {
    format!("[data-test=storage-notice][data-kind={kind}]")
}

/// Counts how often the page asks the browser to keep what is stored.
const COUNT: &str = "
    const persist = StorageManager.prototype.persist;
    window.asked = 0;
    StorageManager.prototype.persist = function () {
        window.asked += 1;
        return persist.call(this);
    };
";

#[tokio::test]
async fn the_browser_is_asked_to_keep_mail_wherever_the_page_offers_it_and_its_no_is_told()
-> Result<()> {
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, letters::many(3))?;
    Browser::run("keep", async |browser| {
        devtools::run_before_each_page(browser, COUNT).await?;
        browser.open(&servers.site.url).await?;
        servers.form("pop3").fill(browser).await?;
        browser.click("setup-add").await?;
        open_row(browser, "Letter 2").await?;

        // Nobody has permitted it: this browser says no.
        let not_kept = notice("not-kept");
        let warns = |text: &str| {
            text.contains("when the disk runs full") && text.contains("without a visit")
        };
        browser.wait_for_text(&not_kept, warns).await?;
        browser.click("storage-keep").await?;
        let refused = |text: &str| warns(text) && text.contains("did not promise it");
        browser.wait_for_text(&not_kept, refused).await?;
        browser.click("storage-not-now").await?;
        is_gone(browser, "storage-notice").await?;
        browser.client().refresh().await?;
        open_storage_page(browser).await?;
        let not_kept = hook("storage-not-kept");
        browser.wait_for_text(&not_kept, warns).await?;
        browser.click("storage-keep").await?;
        browser.wait_for_text(&not_kept, |text| text.contains("did not promise it")).await?;
        browser.click_on(INBOX).await?;
        open_row(browser, "Letter 1").await?;
        let told = "return Boolean(document.querySelector('[data-test=storage-notice]'))";
        ensure!(browser.script(told).await? == Value::Bool(false), "“not now” was not heard");
        open_settings(browser).await?;
        browser.click("retention-delete").await?;
        shows(browser, "keep-first", "did not promise it").await?;
        browser.client().refresh().await?;
        browser.click("retention-delete").await?;
        shows(browser, "keep-first", "Nothing should be deleted on the server").await?;
        let asked = "return window.asked";
        ensure!(browser.script(asked).await? == 0, "the browser is asked by itself");

        // Now it says yes, and only then is anything deleted elsewhere.
        keep_first(browser).await?;
        ensure!(browser.script(asked).await? == 1, "the browser was not asked");
        open_storage_page(browser).await?;
        shows(browser, "storage-kept", "keeps what is stored until you remove it").await?;
        is_gone(browser, "storage-not-kept").await?;
        ensure!(servers.dovecot.count(USER)? == 3, "mail was deleted without a policy");
        open_settings(browser).await?;
        browser.click("retention-delete").await?;
        browser.click("account-save").await?;
        shows(browser, "account-result", "Saved").await?;
        browser.click_on(INBOX).await?;
        browser.click("refresh").await?;
        wait_until_left(&servers, 0).await
    })
    .await
}

/// What the worker's browser says of the room: what the page has told last.
const ROOM: &str = "
    let told;
    new BroadcastChannel('room').onmessage = ({ data }) => { told = data; };
    const { estimate } = StorageManager.prototype;
    StorageManager.prototype.estimate = async function () {
        return told ?? estimate.call(this);
    };
";

/// Says how many megabytes are in use, of a hundred.
async fn fill(browser: &Browser, used: u32) -> Result<()> {
    let tell = format!(
        "const room = new BroadcastChannel('room'); \
         room.postMessage({{ usage: {used} * 1e6, quota: 100e6 }}); \
         room.close()"
    );
    browser.script(&tell).await.map(drop)
}

#[tokio::test]
async fn little_room_is_told_above_the_mail_and_among_what_is_stored_until_there_is_more()
-> Result<()> {
    let page = patched::page(ROOM)?;
    let servers = Servers::with_page(page.path()).await?;
    servers.dovecot.deliver_all(USER, letters::many(3))?;
    Browser::run("little-room", async |browser| {
        browser.open(&servers.site.url).await?;
        servers.form("pop3").fill(browser).await?;
        browser.click("setup-add").await?;
        open_row(browser, "Letter 2").await?;
        let nearly_full = notice("nearly-full");
        let gone = format!("return !document.querySelector('{nearly_full}')");
        let is_high = "return Boolean(document.querySelector('.meter.is-high'))";
        let in_use = async |percent: u32| -> Result<()> {
            fill(browser, percent).await?;
            open_storage_page(browser).await?;
            let words = format!("{percent} MB of 100 MB in use ({percent} %)");
            shows(browser, "storage-in-use", &words).await?;
            ensure!(browser.script(is_high).await? == Value::Bool(percent >= 80), "at {percent}");
            browser.click_on(INBOX).await
        };
        // What Chromium itself says of the room is nothing to go by.
        open_storage_page(browser).await?;
        shows(browser, "storage-in-use", "B in use. This browser does not tell").await?;
        browser.click_on(INBOX).await?;
        in_use(79).await?;
        open_row(browser, "Letter 1").await?;
        browser.wait_until(&gone).await?;
        in_use(80).await?;
        let told = browser.wait_for_text(&nearly_full, |text| text.contains("80 %")).await?;
        ensure!(told.contains("When it is full, downloads pause"), "{told}");
        // Mail still comes.
        servers.dovecot.deliver(USER, &letters::plain(3))?;
        browser.click("refresh").await?;
        open_row(browser, "Letter 3").await?;
        browser.click_on(&format!("{nearly_full} [data-test=storage-not-now]")).await?;
        browser.wait_until(&gone).await?;

        // Told again when there was room in between, and not before.
        in_use(85).await?;
        open_row(browser, "Letter 0").await?;
        browser.wait_until(&gone).await?;
        in_use(40).await?;
        in_use(90).await?;
        browser.wait_for_text(&nearly_full, |text| text.contains("90 %")).await.map(drop)
    })
    .await
}

/// Room for some mail, but not for the page itself.
const LITTLE: u64 = 4 << 20;

#[tokio::test]
async fn that_the_page_is_not_kept_for_use_without_a_network_is_told_until_it_is() -> Result<()> {
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, letters::many(3))?;
    Browser::run("unkept", async |browser| {
        let origin = servers.site.url.trim_end_matches('/');
        devtools::set_quota(browser, origin, Some(LITTLE)).await?;
        servers.add_account(browser, "pop3").await?;
        open_row(browser, "Letter 2").await?;
        open_storage_page(browser).await?;
        shows(browser, "page-not-kept", "Without a network this page does not open").await?;

        // It is kept once another page has been opened, without that this one loads anew.
        devtools::set_quota(browser, origin, None).await?;
        let here = browser.client().window().await?;
        let there = browser.client().new_window(true).await?.handle;
        browser.client().switch_to_window(there).await?;
        browser.open(&servers.site.url).await?;
        browser.client().switch_to_window(here).await?;
        is_gone(browser, "page-not-kept").await
    })
    .await
}
