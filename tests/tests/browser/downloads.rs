//! Backups where the page can't have the person pick a place: downloads through the service worker.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use postern_tests::{browser::Browser, devtools, letters};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    backup::{WIPE, ended_with, open_storage_page},
    steps::{Servers, USER, is_gone, open_row, reader_shows},
};

/// How many letters of a megabyte there are.
const LETTERS: usize = 12;

/// No File System Access API; and no blob may be made of the file.
const NO_PICKER: &str = "
    delete window.showSaveFilePicker;
    window.blobs = 0;
    const make = URL.createObjectURL;
    URL.createObjectURL = (blob) => {
        window.blobs += 1;
        return make.call(URL, blob);
    };
";

/// The same, and what is done with each piece instead of `give()`, which gives it to the service worker.
fn giving(each: &str) -> String {
    "
    delete window.showSaveFilePicker;
    const post = MessagePort.prototype.postMessage;
    MessagePort.prototype.postMessage = function (content, transfer) {
        const give = () => post.call(this, content, transfer);
        if (!(content instanceof Uint8Array)) return give();
        window.given = (window.given ?? 0) + 1;
        EACH;
    };
    "
    .replace("EACH", each)
}

/// Pieces come slowly.
const SLOWLY: &str = "setTimeout(give, 300)";

/// Some pieces reach it and no more.
const STUCK: &str = "if (window.given < 4) give()";

/// And which does not answer whether it still has the download.
const SILENT: &str = "
    const say = ServiceWorker.prototype.postMessage;
    ServiceWorker.prototype.postMessage = function (content, transfer) {
        if (!content.stay) say.call(this, content, transfer);
    };
";

/// Opens the page, downloads all letters and opens the page for backups; from then on there is a service
/// worker.
async fn start(browser: &Browser, servers: &Servers) -> Result<()> {
    servers.add_account(browser, "pop3").await?;
    let all = "return document.querySelector('[data-test=row]')?.ariaSetSize === '12' \
               && Boolean(navigator.serviceWorker.controller)";
    browser.wait_until(all).await?;
    open_storage_page(browser).await
}

/// The names of what is in a folder.
fn names(folder: &Path) -> Result<Vec<String>> {
    fs::read_dir(folder)?.map(|file| Ok(file?.file_name().to_string_lossy().into())).collect()
}

/// Waits until what is in the folder is as it should be.
async fn wait_for(folder: &Path, accept: impl Fn(&[String]) -> bool) -> Result<Vec<String>> {
    for _ in 0..600 {
        let names = names(folder)?;
        if accept(&names) {
            return Ok(names);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("there is {:?}", names(folder)?)
}

/// Waits until some pieces were given to the service worker.
async fn is_under_way(browser: &Browser) -> Result<()> {
    browser.wait_until("return (window.given ?? 0) > 2").await
}

#[tokio::test]
async fn a_backup_without_a_place_to_pick_is_a_download_that_restores_everything() -> Result<()> {
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, (0..LETTERS).map(letters::large))?;
    let folder = TempDir::with_prefix("postern-downloads-")?;
    Browser::run("streamed", async |browser| {
        devtools::run_before_each_page(browser, NO_PICKER).await?;
        devtools::save_downloads(browser, folder.path(), false).await?;
        start(browser, &servers).await?;
        is_gone(browser, "backup-gathered").await?;
        browser.click("backup-save").await?;
        browser.click("transfer-saved").await?;
        ended_with(browser, "12 messages").await?;
        ensure!(browser.script("return window.blobs").await? == 0, "it was held as a blob");
        let is_whole = |names: &[String]| matches!(names, [name] if name.ends_with(".zip"));
        let name = wait_for(folder.path(), is_whole).await?.remove(0);
        ensure!(name.starts_with("Postern "), "it is called {name}");
        let frames = "return document.querySelectorAll('iframe[src^=\"/download\"]').length";
        ensure!(browser.script(frames).await? == 0, "its frame is left");

        browser.script(WIPE).await?;
        browser.wait_until("return window.wiped").await?;
        browser.script("location.hash = '#/'").await?;
        browser.client().refresh().await?;
        browser.get("lost").await?;
        let file = folder.path().join(name).display().to_string();
        browser.get("restore-file").await?.send_keys(&file).await?;
        browser.wait_until("return Boolean(document.querySelector('[data-test=folder]'))").await?;
        browser.click_on("[data-test=folder][data-role=inbox]").await?;
        open_row(browser, "Letter 7").await?;
        reader_shows(browser, "Letter 7", "letter number 7").await.map(drop)
    })
    .await
}

#[tokio::test]
async fn a_download_that_the_person_cancels_in_the_browser_stops_the_export() -> Result<()> {
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, (0..LETTERS).map(letters::large))?;
    let folder = TempDir::with_prefix("postern-downloads-")?;
    Browser::run("cancelled", async |browser| {
        devtools::run_before_each_page(browser, &giving(SLOWLY)).await?;
        devtools::save_downloads(browser, folder.path(), true).await?;
        start(browser, &servers).await?;
        browser.click("backup-save").await?;
        is_under_way(browser).await?;
        let name = wait_for(folder.path(), |names| names.len() == 1).await?.remove(0);
        let id = name.split('.').next().context("the download has no id")?;
        devtools::cancel_download(browser, id).await?;
        ended_with(browser, "There is no usable file").await?;
        wait_for(folder.path(), <[String]>::is_empty).await?;
        let last = browser.get("last-backup").await?.text().await?;
        ensure!(last == "Never", "half a file counts as a backup: {last}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_export_that_ends_early_leaves_no_download_that_looks_complete() -> Result<()> {
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, (0..LETTERS).map(letters::large))?;
    let folder = TempDir::with_prefix("postern-downloads-")?;
    Browser::run("ended-early", async |browser| {
        devtools::run_before_each_page(browser, &giving(SLOWLY)).await?;
        devtools::save_downloads(browser, folder.path(), false).await?;
        start(browser, &servers).await?;
        // The person stops it on the page.
        browser.click("backup-save").await?;
        is_under_way(browser).await?;
        browser.click("transfer-stop").await?;
        ended_with(browser, "There is no usable file").await?;
        let has_ended = |names: &[String]| names.is_empty();
        wait_for(folder.path(), has_ended).await?;

        // The page is loaded anew.
        browser.script("window.given = 0").await?;
        browser.click("backup-save").await?;
        is_under_way(browser).await?;
        browser.client().refresh().await?;
        browser.get("backup-save").await?;
        wait_for(folder.path(), has_ended).await.map(drop)
    })
    .await
}

/// Whether the service worker is silent or was ended by the browser, the export has failed.
#[tokio::test]
async fn a_service_worker_that_takes_no_more_ends_the_export_as_failed() -> Result<()> {
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, (0..LETTERS).map(letters::large))?;
    for (name, script) in [("silent", giving(STUCK) + SILENT), ("ended", giving(STUCK))] {
        let folder = TempDir::with_prefix("postern-downloads-")?;
        Browser::run(name, async |browser| {
            devtools::run_before_each_page(browser, &script).await?;
            devtools::save_downloads(browser, folder.path(), false).await?;
            start(browser, &servers).await?;
            browser.click("backup-save").await?;
            is_under_way(browser).await?;
            if name == "ended" {
                devtools::stop_service_workers(browser).await?;
            }
            ended_with(browser, "There is no usable file").await?;
            wait_for(folder.path(), <[String]>::is_empty).await?;
            let last = browser.get("last-backup").await?.text().await?;
            ensure!(last == "Never", "half a file counts as a backup: {last}");
            Ok(())
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn an_address_of_a_download_is_good_for_one_answer_and_never_asks_the_network() -> Result<()>
{
    let servers = Servers::start().await?;
    Browser::run("address", async |browser| {
        browser.open(&servers.site.url).await?;
        browser.wait_until("return Boolean(navigator.serviceWorker.controller)").await?;
        // Offers one, and fetches it twice: the first time it has what is sent.
        let script = "
            const done = arguments[arguments.length - 1];
            const { port1, port2 } = new MessageChannel();
            const get = () => fetch('/download/one/name');
            port1.onmessage = async ({ data }) => {
                if (data === 'pull') {
                    port1.postMessage(port1.sent ? 'end' : new TextEncoder().encode('content'));
                    port1.sent = true;
                }
                if (data !== 'ready') return;
                const first = await get();
                const second = await get();
                const header = (name) => first.headers.get(name);
                const text = await first.text();
                const other = await fetch('/download/other/name');
                done([
                    first.status, second.status, (await get()).status, other.status, text,
                    header('Content-Disposition'), header('Content-Type'),
                    header('X-Content-Type-Options'), header('Content-Security-Policy'),
                ]);
            };
            const offer = { download: 'one', name: 'Grüße \"it\\'s\".zip' };
            navigator.serviceWorker.controller.postMessage(offer, [port2]);
        ";
        let answers = browser.client().execute_async(script, Vec::new()).await?;
        let expected = json!([
            200,
            404,
            404,
            404,
            "content",
            "attachment; filename=\"Gr__e _it_s_.zip\"; \
             filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%22it%27s%22.zip",
            "application/octet-stream",
            "nosniff",
            "default-src 'none'; sandbox",
        ]);
        ensure!(answers == expected, "{answers}");
        Ok(())
    })
    .await
}
