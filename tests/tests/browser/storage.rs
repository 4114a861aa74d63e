//! What is stored in the browser: no room for it, damaged, deleted under way, killed while it is written.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use postern_tests::{
    browser::{Browser, hook},
    devtools, letters,
};
use serde_json::Value;

use crate::{
    interrupted::{check, on_server, stored},
    steps::{Servers, USER, open_row, open_settings, reader_shows},
};

/// How many letters of a megabyte there are.
const LETTERS: usize = 36;

/// How many bytes there is room for: the page itself, and some of the letters.
const ROOM: u64 = 48 << 20;

const ALL_ARE_LISTED: &str =
    "return document.querySelector('[data-test=row]')?.ariaSetSize === '36'";

#[tokio::test]
async fn a_full_storage_pauses_downloads_and_no_message_is_lost_or_doubled() -> Result<()> {
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, (0..LETTERS).map(letters::large))?;
    Browser::run("full", async |browser| {
        devtools::permit_persistence(browser).await?;
        // From the beginning: a browser remembers for a while how much room a database has.
        let origin = servers.site.url.trim_end_matches('/');
        devtools::set_quota(browser, origin, Some(ROOM)).await?;
        browser.open(&servers.site.url).await?;
        browser.script("return navigator.storage.persist()").await?;
        servers.form("pop3").fill(browser).await?;
        browser.click("retention-delete").await?;
        browser.click("setup-add").await?;
        let notice = "[data-test=storage-notice][data-kind=paused]";
        browser.wait_for_text(notice, |text| text.contains("downloads are paused")).await?;
        let there = on_server(&servers)?;
        let here = stored(browser).await?;
        println!("{} of {LETTERS} are here", here.len());
        ensure!(here.len() < LETTERS, "there was room for all");
        ensure!(servers.dovecot.count(USER)? == LETTERS, "mail was deleted that is not all here");
        check(&here, &there, LETTERS)?;

        devtools::set_quota(browser, origin, None).await?;
        browser.click("refresh").await?;
        browser.wait_until(ALL_ARE_LISTED).await?;
        let gone = "return !document.querySelector('[data-test=storage-notice][data-kind=paused]')";
        browser.wait_until(gone).await?;
        for _ in 0..1200 {
            if servers.dovecot.count(USER)? == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        ensure!(servers.dovecot.count(USER)? == 0, "the policy goes on as well");
        check(&stored(browser).await?, &BTreeSet::new(), LETTERS)
    })
    .await
}

/// Makes what says which page leads unreadable: without it nothing can be written.
const SPOIL: &str = "
    const done = arguments[arguments.length - 1];
    const open = indexedDB.open('postern');
    open.onsuccess = () => {
        const database = open.result;
        const writing = database.transaction('lead', 'readwrite');
        writing.objectStore('lead').put(new Uint8Array([0xc1]), new Uint8Array());
        writing.oncomplete = () => { database.close(); done(true); };
        writing.onabort = () => done(false);
    };
";

#[tokio::test]
async fn a_damaged_database_is_told_at_start_and_removed_only_when_the_person_says_so() -> Result<()>
{
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, letters::many(3))?;
    Browser::run("damaged", async |browser| {
        servers.add_account(browser, "pop3").await?;
        open_row(browser, "Letter 2").await?;
        let spoilt = browser.client().execute_async(SPOIL, Vec::new()).await?;
        ensure!(spoilt == Value::Bool(true), "it could not be spoilt");
        browser.script("location.hash = '#/'").await?;
        browser.client().refresh().await?;
        let told = browser.wait_for_text(&hook("damaged"), |text| text.contains("damaged")).await?;
        ensure!(told.contains("can't be used"), "{told}");
        // A look alone removes nothing.
        browser.client().refresh().await?;
        browser.click("erase").await?;
        let details = |text: &str| text.contains("restore a backup");
        browser.wait_for_text(&hook("damaged"), details).await?;
        browser.click("erase-yes").await?;
        browser.wait_for_text(&hook("lost"), |text| text.contains(USER)).await?;

        // What the server still has comes back.
        servers.form("pop3").fill(browser).await?;
        browser.click("setup-add").await?;
        open_row(browser, "Letter 1").await?;
        reader_shows(browser, "Letter 1", "letter number 1").await.map(drop)
    })
    .await
}

/// Makes the accounts' records unreadable.
const SPOIL_ACCOUNTS: &str = "
    const done = arguments[arguments.length - 1];
    const open = indexedDB.open('postern');
    open.onsuccess = () => {
        const database = open.result;
        const writing = database.transaction('accounts', 'readwrite');
        const accounts = writing.objectStore('accounts');
        const keys = accounts.getAllKeys();
        keys.onsuccess = () => {
            keys.result.forEach((key) => accounts.put(new Uint8Array([0xc1]), key));
        };
        writing.oncomplete = () => { database.close(); done(keys.result.length); };
    };
";

#[tokio::test]
async fn an_account_whose_record_is_damaged_keeps_its_mail_and_leads_to_its_settings() -> Result<()>
{
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, letters::many(3))?;
    Browser::run("settings-lost", async |browser| {
        servers.add_account(browser, "pop3").await?;
        open_row(browser, "Letter 2").await?;
        let spoilt = browser.client().execute_async(SPOIL_ACCOUNTS, Vec::new()).await?;
        ensure!(spoilt == 1, "{spoilt} records were spoilt");
        let at_settings = "return location.hash.startsWith('#/account/')";
        for way in ["connection-look", "toast-action"] {
            browser.script("location.hash = '#/'").await?;
            browser.client().refresh().await?;
            browser.wait_for_text(&hook(way), |text| text == "Open settings").await?;
            browser.click(way).await?;
            browser.wait_until(at_settings).await?;
        }
        browser.click_on("[data-test=folder][data-role=inbox]").await?;
        open_row(browser, "Letter 1").await?;
        reader_shows(browser, "Letter 1", "letter number 1").await.map(drop)
    })
    .await
}

/// A database as a later version would leave it.
const LATER: &str = "
    const done = arguments[arguments.length - 1];
    const open = indexedDB.open('postern', 99);
    open.onsuccess = () => { open.result.close(); done(true); };
    open.onerror = () => done(false);
";

#[tokio::test]
async fn a_database_of_a_later_version_is_told_and_never_offered_for_removal() -> Result<()> {
    let servers = Servers::start().await?;
    Browser::run("later", async |browser| {
        browser.open(&servers.site.url).await?;
        browser.get("setup-by-hand").await?;
        let upgraded = browser.client().execute_async(LATER, Vec::new()).await?;
        ensure!(upgraded == Value::Bool(true), "the database was not upgraded");
        browser.client().refresh().await?;
        browser.wait_for_text(&hook("damaged"), |text| text.contains("newer version")).await?;
        let offered = "return Boolean(document.querySelector('[data-test=erase]'))";
        ensure!(browser.script(offered).await? == Value::Bool(false), "it can be removed");
        Ok(())
    })
    .await
}

const DELETE: &str = "
    const done = arguments[arguments.length - 1];
    const request = indexedDB.deleteDatabase('postern');
    request.onsuccess = () => done(true);
    request.onerror = () => done(false);
";

#[tokio::test]
async fn a_database_that_is_deleted_under_way_is_told_and_nothing_is_deleted_on_the_server()
-> Result<()> {
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, letters::many(5))?;
    Browser::run("deleted", async |browser| {
        devtools::permit_persistence(browser).await?;
        browser.open(&servers.site.url).await?;
        browser.script("return navigator.storage.persist()").await?;
        servers.form("pop3").fill(browser).await?;
        browser.click("setup-add").await?;
        open_row(browser, "Letter 4").await?;
        let deleted = browser.client().execute_async(DELETE, Vec::new()).await?;
        ensure!(deleted == Value::Bool(true), "the database was not deleted");
        browser.wait_for_text(&hook("storage-gone"), |text| text.contains("was deleted")).await?;
        browser.click("refresh").await?;
        browser.script("location.hash = '#/'").await?;
        browser.client().refresh().await?;
        browser.wait_for_text(&hook("lost"), |text| text.contains(USER)).await?;
        ensure!(servers.dovecot.count(USER)? == 5, "mail was deleted that is nowhere else");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_browser_that_has_cleared_all_but_its_cookies_is_noticed_and_told_what_can_be_done()
-> Result<()> {
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, letters::many(3))?;
    Browser::run("evicted", async |browser| {
        servers.add_account(browser, "pop3").await?;
        open_row(browser, "Letter 2").await?;
        let port = servers.site.url.trim_end_matches('/').rsplit(':').next().context("no port")?;
        let cookie = format!("postern-accounts-{port}=pop3-1");
        let only = |text: &str| format!("return document.cookie === '{text}'");
        browser.wait_until(&only(&cookie)).await?;
        clear_all_but_cookies(browser, &servers).await?;
        let lost = browser.wait_for_text(&hook("lost"), |text| text.contains("POP3")).await?;
        ensure!(lost.contains("no longer in this browser"), "{lost}");
        ensure!(lost.contains("restore it first"), "what can be done is not told: {lost}");
        // A look alone forgets nothing.
        browser.client().refresh().await?;
        browser.click("lost-forget").await?;
        browser.wait_until(&only("")).await?;
        browser.client().refresh().await?;
        browser.get("setup-by-hand").await?;
        let told = "return Boolean(document.querySelector('[data-test=lost]'))";
        ensure!(browser.script(told).await? == Value::Bool(false), "it is told again");

        // On a public computer nothing is left behind.
        servers.form("pop3").fill(browser).await?;
        browser.click("setup-add").await?;
        open_row(browser, "Letter 2").await?;
        browser.wait_until(&only(&cookie)).await?;
        let remembered = "return localStorage.getItem('postern.accounts')";
        let before = browser.script(remembered).await?;
        ensure!(before.as_str().is_some_and(|text| text.contains(USER)), "{before}");
        open_settings(browser).await?;
        browser.click("public-computer").await?;
        browser.wait_until(&only("")).await?;
        ensure!(browser.script(remembered).await? == Value::Null, "the address is left behind");
        browser.client().refresh().await?;
        browser.get("account-form").await?;
        ensure!(browser.script(remembered).await? == Value::Null, "it is remembered anew");
        Ok(())
    })
    .await
}

async fn clear_all_but_cookies(browser: &Browser, servers: &Servers) -> Result<()> {
    browser.open("about:blank").await?;
    let origin = servers.site.url.trim_end_matches('/');
    let kinds = "indexeddb,local_storage,cache_storage,service_workers,file_systems";
    devtools::clear_storage(browser, origin, kinds).await?;
    browser.open(&servers.site.url).await
}

/// What LevelDB's log holds of a record whose writer was killed: a header that promises more bytes than
/// follow (a checksum, the length, and that it is the first of several).
fn half_record() -> Vec<u8> {
    let mut record = vec![1, 2, 3, 4];
    record.extend(6_000_u16.to_le_bytes());
    record.push(2);
    record.resize(100, b'x');
    record
}

/// The log that the killed browser wrote to last.
fn newest_log(profile: &Path) -> Result<PathBuf> {
    let mut logs = Vec::new();
    for site in fs::read_dir(profile.join("Default/IndexedDB"))? {
        for file in fs::read_dir(site?.path())? {
            let path = file?.path();
            if path.extension().is_some_and(|extension| extension == "log") {
                logs.push(path);
            }
        }
    }
    logs.into_iter().max().context("this browser keeps no log")
}

#[tokio::test]
async fn a_browser_that_was_killed_in_the_middle_of_a_write_keeps_what_is_stored() -> Result<()> {
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, letters::many(5))?;
    let mut browser = Browser::start(1400, 900).await?;
    servers.add_account(&browser, "pop3").await?;
    open_row(&browser, "Letter 4").await?;
    reader_shows(&browser, "Letter 4", "letter number 4").await?;
    // What does harm is what comes behind the half record, and shows at the start after that.
    for letter in [3, 2] {
        let profile = browser.kill()?;
        let mut log = File::options().append(true).open(newest_log(profile.path())?)?;
        log.write_all(&half_record())?;
        drop(log);
        browser = Browser::start_with(profile, 1400, 900).await?;
        browser.open(&servers.site.url).await?;
        let subject = format!("Letter {letter}");
        open_row(&browser, &subject).await?;
        reader_shows(&browser, &subject, &format!("letter number {letter}")).await?;
    }
    let here = stored(&browser).await?;
    ensure!(here.len() == 5, "{} of 5 are here", here.len());
    browser.client().clone().close().await?;
    Ok(())
}

/// The files in which the browser keeps large values.
fn files_of_values(profile: &Path) -> Result<Vec<PathBuf>> {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for site in fs::read_dir(profile.join("Default/IndexedDB"))? {
        let path = site?.path();
        folders.extend(Some(path).filter(|path| path.extension().is_some_and(|own| own == "blob")));
    }
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => folders.push(entry.path()),
                false => files.push(entry.path()),
            }
        }
    }
    Ok(files)
}

#[tokio::test]
async fn mail_in_a_file_that_the_browser_has_lost_comes_again() -> Result<()> {
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, (0..3).map(letters::large))?;
    let mut browser = Browser::start(1400, 900).await?;
    servers.add_account(&browser, "pop3").await?;
    open_row(&browser, "Letter 2").await?;
    reader_shows(&browser, "Letter 2", "letter number 2").await?;
    let profile = browser.kill()?;
    let files = files_of_values(profile.path())?;
    ensure!(!files.is_empty(), "nothing is in a file");
    for file in files {
        fs::remove_file(file)?;
    }
    browser = Browser::start_with(profile, 1400, 900).await?;
    browser.open(&servers.site.url).await?;
    for letter in 0..3 {
        let subject = format!("Letter {letter}");
        open_row(&browser, &subject).await?;
        reader_shows(&browser, &subject, &format!("letter number {letter}")).await?;
    }
    let here = stored(&browser).await?;
    ensure!(here.len() == 3, "{} of 3 are here", here.len());
    browser.client().clone().close().await?;
    Ok(())
}
