//! Backups: saved, and brought back into a browser that has lost everything.

use anyhow::{Result, ensure};
use postern_tests::{
    browser::{Browser, hook},
    devtools, letters,
};

use crate::{
    clock,
    steps::{Servers, USER, is_gone, open_row, reader_shows, shows},
};

/// The place that the person picks is in the browser's own file system, where the test finds it.
pub(crate) const PICK: &str = "
    window.showSaveFilePicker = async (options) => {
        window.suggested = options.suggestedName;
        const folder = await navigator.storage.getDirectory();
        return folder.getFileHandle('picked', { create: true });
    };
";

/// Without the File System Access API and a service worker the page puts a download together; the test
/// keeps its content.
const DOWNLOAD: &str = "
    delete window.showSaveFilePicker;
    Object.defineProperty(navigator, 'serviceWorker', { value: undefined });
    const make = URL.createObjectURL;
    URL.createObjectURL = (blob) => {
        window.downloaded = blob;
        return make.call(URL, blob);
    };
";

/// Gives the picked file to a field.
pub(crate) fn give_picked(field: &str) -> String {
    give(field, "(await folder.getFileHandle('picked')).getFile()", "backup.zip")
}

fn give(field: &str, file: &str, name: &str) -> String {
    let field = hook(field);
    format!(
        "(async () => {{
            const folder = await navigator.storage.getDirectory();
            const file = await ({file});
            const list = new DataTransfer();
            list.items.add(new File([file], '{name}'));
            const field = document.querySelector('{field}');
            field.files = list.files;
            field.dispatchEvent(new Event('change', {{ bubbles: true }}));
        }})()"
    )
}

/// As if the person had cleared the browser's data, or the browser had needed the space.
pub(crate) const WIPE: &str = "
    window.wiped = false;
    const gone = (name) => new Promise((done) => {
        const request = indexedDB.deleteDatabase(name);
        request.onsuccess = done;
    });
    Promise.all([gone('postern'), gone('postern-vault')]).then(() => { window.wiped = true; });
";

pub(crate) async fn open_storage_page(browser: &Browser) -> Result<()> {
    browser.script("location.hash = '#/storage'").await?;
    browser.get("storage-page").await.map(drop)
}

pub(crate) async fn ended_with(browser: &Browser, words: &str) -> Result<String> {
    browser.wait_for_text(&hook("transfer-ended"), |text| text.contains(words)).await
}

#[tokio::test]
async fn what_a_browser_has_lost_comes_back_from_a_backup_and_is_not_downloaded_again() -> Result<()>
{
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, letters::many(30))?;
    Browser::run("restore", async |browser| {
        devtools::run_before_each_page(browser, PICK).await?;
        servers.add_account(browser, "pop3").await?;
        let all = "return document.querySelector('[data-test=row]')?.ariaSetSize === '30'";
        browser.wait_until(all).await?;
        open_row(browser, "Letter 27").await?;
        reader_shows(browser, "Letter 27", "letter number 27").await?;
        let unread = "return document.querySelector('[data-test=folder][data-role=inbox] .count')\
                      ?.innerText === '29'";
        browser.wait_until(unread).await?;

        open_storage_page(browser).await?;
        let stored = |text: &str| text.contains("30 messages, ") && text.contains(" kB");
        browser.wait_for_text(&hook("room-account"), stored).await?;
        is_gone(browser, "backup-gathered").await?;
        browser.click("backup-save").await?;
        ended_with(browser, "30 messages").await?;
        let never = |text: &str| !text.contains("Never");
        browser.wait_for_text(&hook("last-backup"), never).await?;
        browser.script(WIPE).await?;
        browser.wait_until("return window.wiped").await?;
        browser.script("location.hash = '#/'").await?;
        browser.client().refresh().await?;
        let lost = browser.wait_for_text(&hook("lost"), |text| text.contains(USER)).await?;
        ensure!(lost.contains("no longer in this browser"), "{lost}");

        browser.script(&give_picked("restore-file")).await?;
        browser.wait_until("return Boolean(document.querySelector('[data-test=folder]'))").await?;
        browser.click_on("[data-test=folder][data-role=inbox]").await?;
        browser.wait_until(all).await?;
        browser.wait_until(unread).await?;
        open_row(browser, "Letter 28").await?;
        reader_shows(browser, "Letter 28", "letter number 28").await?;

        // With the password the server is asked again: it has nothing new.
        browser.script("location.hash = '#/accounts'").await?;
        browser.click("account-settings").await?;
        browser.fill("account-password", postern_tests::dovecot::PASSWORD).await?;
        browser.click("account-save").await?;
        browser.wait_for_text(&hook("account-result"), |text| text.contains("Saved")).await?;
        browser.wait_for_text(&hook("connection"), |text| text.contains("Up to date")).await?;
        browser.click_on("[data-test=folder][data-role=inbox]").await?;
        browser.wait_until(all).await
    })
    .await
}

#[tokio::test]
async fn a_folder_is_saved_as_mbox_and_imported_without_doubling_what_is_there() -> Result<()> {
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, letters::many(5))?;
    Browser::run("mbox", async |browser| {
        devtools::run_before_each_page(browser, DOWNLOAD).await?;
        servers.add_account(browser, "pop3").await?;
        open_row(browser, "Letter 4").await?;
        browser.click_on("[data-test=folder][data-role=inbox] + [data-test=folder-more]").await?;
        let save = "[...document.querySelectorAll('[data-test=menu-entry]')]\
                    .find(entry => entry.innerText.includes('Save to a file'))";
        browser.wait_until(&format!("return Boolean({save})")).await?;
        browser.script(&format!("{save}.click()")).await?;
        browser.click("dialog-yes").await?;
        ended_with(browser, "5 messages").await?;
        let is_mbox = "window.begin ??= (window.downloaded.slice(0, 5).text()\
                       .then(text => { window.text = text; }), true); \
                       return window.text === 'From '";
        browser.wait_until(is_mbox).await?;

        let into_same = give("import-file", "window.downloaded", "inbox.mbox");
        browser.script(&into_same).await?;
        let text = ended_with(browser, "added").await?;
        ensure!(text.contains("0 messages added, 5 here already"), "{text}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_download_counts_as_a_backup_once_the_person_has_seen_it() -> Result<()> {
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, letters::many(3))?;
    Browser::run("download", async |browser| {
        devtools::run_before_each_page(browser, DOWNLOAD).await?;
        servers.add_account(browser, "pop3").await?;
        open_row(browser, "Letter 2").await?;
        open_storage_page(browser).await?;
        let is_never = |text: &str| text == "Never";
        shows(browser, "backup-gathered", "the whole backup together in memory first").await?;
        browser.click("backup-save").await?;
        browser.get("transfer-saved").await?;
        browser.wait_for_text(&hook("last-backup"), is_never).await?;
        browser.click("transfer-lost").await?;
        ended_with(browser, "There is no usable file").await?;
        browser.wait_for_text(&hook("last-backup"), is_never).await?;

        browser.click("backup-save").await?;
        browser.click("transfer-saved").await?;
        ended_with(browser, "3 messages").await?;
        browser.wait_for_text(&hook("last-backup"), |text| text != "Never").await.map(drop)
    })
    .await
}

/// The place that the person picks takes bytes slowly, and says whether it was given up.
const SLOW: &str = "
    window.showSaveFilePicker = async () => {
        const folder = await navigator.storage.getDirectory();
        const handle = await folder.getFileHandle('slow', { create: true });
        const stream = await handle.createWritable();
        const write = stream.write.bind(stream);
        const close = stream.close.bind(stream);
        const abort = stream.abort.bind(stream);
        let last = Promise.resolve();
        stream.write = (bytes) => {
            const pause = () => new Promise((done) => setTimeout(done, 300));
            last = last.then(pause).then(() => write(bytes));
            return last;
        };
        stream.close = () => last.then(close);
        stream.abort = () => { window.givenUp = true; return abort(); };
        return { createWritable: async () => stream };
    };
";

#[tokio::test]
async fn an_export_shows_how_far_it_is_and_can_be_stopped_without_leaving_half_a_file() -> Result<()>
{
    let servers = Servers::start().await?;
    // Enough that the engine has to wait for the disk.
    servers.dovecot.deliver_all(USER, (0..12).map(letters::large))?;
    Browser::run("stop", async |browser| {
        devtools::run_before_each_page(browser, SLOW).await?;
        servers.add_account(browser, "pop3").await?;
        let all = "return document.querySelector('[data-test=row]')?.ariaSetSize === '12'";
        browser.wait_until(all).await?;
        open_storage_page(browser).await?;
        browser.click("backup-save").await?;
        browser.wait_for_text(&hook("transfer"), |text| text.contains('%')).await?;
        browser.click("transfer-stop").await?;
        ended_with(browser, "There is no usable file").await?;
        browser.wait_until("return window.givenUp === true").await?;
        let last = browser.get("last-backup").await?.text().await?;
        ensure!(last == "Never", "half a file counts as a backup: {last}");
        let size = "const done = arguments[arguments.length - 1]; \
                    navigator.storage.getDirectory() \
                        .then((folder) => folder.getFileHandle('slow')) \
                        .then((handle) => handle.getFile()) \
                        .then((file) => done(file.size))";
        let size = browser.client().execute_async(size, Vec::new()).await?;
        ensure!(size == 0, "{size} bytes are left");

        // And it can be begun again.
        browser.click("backup-save").await?;
        ended_with(browser, "12 messages").await.map(drop)
    })
    .await
}

#[tokio::test]
async fn an_old_backup_is_told_as_the_person_has_chosen_until_there_is_a_new_one() -> Result<()> {
    let page = clock::page()?;
    let servers = Servers::with_page(page.path()).await?;
    servers.dovecot.deliver_all(USER, letters::many(3))?;
    Browser::run("reminder", async |browser| {
        devtools::permit_persistence(browser).await?;
        devtools::run_before_each_page(browser, PICK).await?;
        clock::install(browser).await?;
        servers.add_account(browser, "pop3").await?;
        open_row(browser, "Letter 2").await?;
        open_storage_page(browser).await?;
        browser.get("storage-kept").await?;
        let chosen = |at: u8| {
            format!(
                "return document.querySelector('{}')?.value === '{at}'",
                hook("backup-reminder")
            )
        };
        browser.wait_until(&chosen(2)).await?;
        browser.choose("backup-reminder", "1").await?;

        // A week is not over after six days; it is after eight.
        let due = "[data-test=storage-notice][data-kind=backup-due]";
        let is_due = format!("return Boolean(document.querySelector('{due}'))");
        clock::set_ahead(browser, 6).await?;
        browser.client().refresh().await?;
        browser.wait_until(&chosen(1)).await?;
        browser.click_on("[data-test=folder][data-role=inbox]").await?;
        open_row(browser, "Letter 1").await?;
        ensure!(browser.script(&is_due).await? == serde_json::Value::Bool(false), "it is early");
        clock::set_ahead(browser, 8).await?;
        browser.client().refresh().await?;
        let told = browser.wait_for_text(due, |text| text.contains("time for a backup")).await?;
        ensure!(told.contains(USER), "{told}");
        browser.click("backup-go").await?;
        browser.wait_until(&chosen(1)).await?;
        let never = |text: &str| text == "Never";
        browser.wait_for_text(&hook("last-backup"), never).await?;
        browser.click("backup-save").await?;
        ended_with(browser, "3 messages").await?;
        browser.click_on("[data-test=folder][data-role=inbox]").await?;
        browser.wait_until(&format!("return !document.querySelector('{due}')")).await?;
        browser.client().refresh().await?;
        open_storage_page(browser).await?;
        browser.wait_until(&chosen(1)).await?;
        browser.click_on("[data-test=folder][data-role=inbox]").await?;
        open_row(browser, "Letter 2").await?;
        ensure!(
            browser.script(&is_due).await? == serde_json::Value::Bool(false),
            "it is told again"
        );

        // Put off, it is told after the next reload.
        clock::set_ahead(browser, 16).await?;
        browser.client().refresh().await?;
        browser.wait_for_text(due, |text| text.contains("time for a backup")).await?;
        browser.click("storage-not-now").await?;
        browser.wait_until(&format!("return !document.querySelector('{due}')")).await?;
        browser.client().refresh().await?;
        browser.wait_for_text(due, |text| text.contains("time for a backup")).await?;
        open_storage_page(browser).await?;
        browser.choose("backup-reminder", "0").await?;
        browser.click_on("[data-test=folder][data-role=inbox]").await?;
        browser.wait_until(&format!("return !document.querySelector('{due}')")).await
    })
    .await
}
