//! A download over POP3 that is interrupted in the browser: the browser or its tab is killed,
//! another tab takes over, the database goes. No message is lost and none doubled.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, ensure};
use fantoccini::wd::WindowHandle;
use postern_tests::{
    browser::{Browser, hook},
    devtools, letters,
};
use serde_json::{Value, json};

use crate::{
    pop3::{INBOX, KEEP_STORAGE, wait_until_empty},
    steps::{Servers, USER},
};

/// How often the browser or its tab is killed in the middle of a download, unless
/// [`KILLS_VARIABLE`] says otherwise.
const KILLS: usize = 3;

/// The variable that says otherwise; 50 and more for the long run.
const KILLS_VARIABLE: &str = "POSTERN_KILLS";

/// How many messages a download has.
const MESSAGES: usize = 500;

/// How many lines each of them has beside its own: enough for some hundred to be stored together.
const LINES: usize = 100;

/// How many lines those have in the middle of whose download something is killed: enough that it takes a
/// while after the first of them are stored.
const KILLED_LINES: usize = 300;

/// The numbers of the letters whose records are stored.
const STORED: &str = "
    const done = arguments[arguments.length - 1];
    // What begins with this mark is compressed: a checksum, a length, and a block of LZ4's.
    const unpack = (stored) => {
        if (new TextDecoder('latin1').decode(stored.subarray(0, 4)) !== 'LZ4\\x01') return stored;
        const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
        const bytes = new Uint8Array(view.getUint32(8));
        let [at, end] = [12, 0];
        const length = (nibble) => {
            let [sum, more] = [nibble, nibble === 15 ? 255 : 0];
            while (more === 255) sum += more = stored[at++];
            return sum;
        };
        while (at < stored.length) {
            const token = stored[at++];
            const count = length(token >> 4);
            const literals = stored.subarray(at, at += count);
            bytes.set(literals, end);
            end += literals.length;
            if (at === stored.length) break;
            const from = end - view.getUint16(at, true);
            at += 2;
            const until = end + length(token & 15) + 4;
            for (let copied = from; end < until; copied++) bytes[end++] = bytes[copied];
        }
        return bytes;
    };
    const open = indexedDB.open('postern');
    open.onblocked = () => done('it is blocked');
    open.onerror = () => done(`${open.error}`);
    open.onsuccess = () => {
        const database = open.result;
        try {
            // Of the blocks those that hold messages: of each row the length of its key, the key,
            // the length of its value, and the value.
            const messages = IDBKeyRange.bound(new Uint8Array([1]), new Uint8Array([2]));
            const all = database.transaction('blocks').objectStore('blocks').getAll(messages);
            all.onerror = () => done(`${all.error}`);
            all.onsuccess = () => {
                const letters = [];
                for (const stored of all.result) {
                    const block = unpack(stored);
                    const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
                    for (let at = 0; at < block.byteLength;) {
                        at += 4 + view.getUint32(at);
                        const end = at + 4 + view.getUint32(at);
                        const value = new TextDecoder('latin1').decode(block.subarray(at + 4, end));
                        letters.push(Number(/Letter (\\d+)/.exec(value)?.[1] ?? -1));
                        at = end;
                    }
                }
                database.close();
                done(letters);
            };
        } catch (error) {
            done(`${error}; it has ${[...database.objectStoreNames]}`);
        }
    };
";

/// The numbers of the letters of which the text is stored, in whichever way, up to the last line; these
/// lines are the argument.
const WHOLE: &str = "
    const [ends, done] = arguments;
    const open = indexedDB.open('postern');
    open.onerror = () => done(`${open.error}`);
    open.onsuccess = () => {
        const database = open.result;
        const letters = new Set();
        const reading = database.transaction(['bodies', 'bundles']);
        for (const name of ['bodies', 'bundles']) {
            reading.objectStore(name).openCursor().onsuccess = (event) => {
                const cursor = event.target.result;
                if (!cursor) return;
                const text = new TextDecoder('latin1').decode(cursor.value);
                for (const { 1: number, index } of text.matchAll(/letter number (\\d+)\\./g)) {
                    if (text.includes(ends[number], index)) letters.add(Number(number));
                }
                cursor.continue();
            };
        }
        reading.onabort = () => done(`${reading.error}`);
        reading.oncomplete = () => { database.close(); done([...letters]); };
    };
";

/// Of so many letters the numbers of those that are stored as a whole.
async fn whole(browser: &Browser, delivered: usize) -> Result<BTreeSet<u64>> {
    let end = |number| -> Result<String> {
        let letter = String::from_utf8(letters::long(number, KILLED_LINES))?;
        Ok(letter.lines().last().context("a letter has lines")?.to_owned())
    };
    let ends: Vec<String> = (0..delivered).map(end).collect::<Result<_>>()?;
    let letters = browser.client().execute_async(WHOLE, vec![json!(ends)]).await?;
    let numbers = letters.as_array().with_context(|| format!("it can't be read: {letters}"))?;
    numbers.iter().map(|letter| letter.as_u64().context("no number")).collect()
}

/// What has left the server must be here as a whole.
fn check_whole(whole: &BTreeSet<u64>, there: &BTreeSet<u64>, delivered: usize) -> Result<()> {
    let mut gone = (0..delivered as u64).filter(|number| !there.contains(number));
    let half = gone.find(|number| !whole.contains(number));
    ensure!(half.is_none(), "letter {half:?} has left the server and is not here as a whole");
    Ok(())
}

/// Waits until more letters are here than `before`; false if none comes, since the server has no more.
async fn comes_more(browser: &Browser, servers: &Servers, before: usize) -> Result<bool> {
    for _ in 0..2400 {
        if stored(browser).await?.len() > before {
            return Ok(true);
        }
        if servers.dovecot.count(USER)? == 0 {
            return Ok(false);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    anyhow::bail!("nothing comes any more")
}

/// The numbers of the letters that are stored in the open page's database, each as often as it is.
pub(crate) async fn stored(browser: &Browser) -> Result<Vec<u64>> {
    let letters = browser.client().execute_async(STORED, Vec::new()).await?;
    let letters =
        letters.as_array().with_context(|| format!("the database can't be read: {letters}"))?;
    letters.iter().map(|letter| letter.as_u64().context("a message is no letter")).collect()
}

/// The numbers of the letters that the server has.
pub(crate) fn on_server(servers: &Servers) -> Result<BTreeSet<u64>> {
    let number = |raw: &Vec<u8>| {
        let (_, rest) = std::str::from_utf8(raw).ok()?.split_once("Subject: Letter ")?;
        rest.lines().next()?.parse().ok()
    };
    let letters = servers.dovecot.messages(USER)?;
    letters.iter().map(|raw| number(raw).context("a message is no letter")).collect()
}

/// What must hold at any moment: each message is here, or was on the server just before that was looked
/// at, and none is here twice.
pub(crate) fn check(here: &[u64], there: &BTreeSet<u64>, delivered: usize) -> Result<()> {
    let own: BTreeSet<u64> = here.iter().copied().collect();
    ensure!(own.len() == here.len(), "{} messages are doubled", here.len() - own.len());
    let lost: Vec<u64> =
        (0..delivered as u64).filter(|n| !own.contains(n) && !there.contains(n)).collect();
    ensure!(lost.is_empty(), "{lost:?} of {delivered} are in neither place");
    Ok(())
}

/// Ends the tab's process alone and goes on in another tab: one that has crashed can't be loaded
/// again over WebDriver.
async fn crash_tab(browser: &Browser, next: WindowHandle) -> Result<()> {
    devtools::crash(browser).await?;
    Ok(browser.client().switch_to_window(next).await?)
}

/// Adds an account of which what is downloaded is deleted on the server, in a browser that keeps what is
/// stored.
async fn download_and_delete(browser: &Browser, servers: &Servers) -> Result<()> {
    devtools::permit_persistence(browser).await?;
    browser.open(&servers.site.url).await?;
    ensure!(browser.script(KEEP_STORAGE).await? == Value::Bool(true), "it is not kept");
    servers.form("pop3").fill(browser).await?;
    browser.click("retention-delete").await?;
    browser.click("setup-add").await
}

#[tokio::test]
async fn a_browser_or_tab_that_is_killed_while_it_downloads_and_deletes_loses_and_doubles_nothing()
-> Result<()> {
    let kills = std::env::var(KILLS_VARIABLE).ok().and_then(|kills| kills.parse().ok());
    let kills = kills.unwrap_or(KILLS);
    let servers = Servers::start().await?;
    let mut delivered = MESSAGES;
    let letter = |number| letters::long(number, KILLED_LINES);
    servers.dovecot.deliver_all(USER, (0..delivered).map(letter))?;
    let mut browser = Browser::start(1400, 900).await?;
    download_and_delete(&browser, &servers).await?;
    browser.find(INBOX).await?;
    let (mut before, mut under_way) = (0, 0);
    let mut random = SystemTime::now().duration_since(UNIX_EPOCH)?.subsec_nanos();
    // Moments are by chance: it goes on until as many were in the middle as are asked for.
    for kill in 0..20 * kills {
        if under_way == kills {
            break;
        }
        // Numerical Recipes' generator is good enough for moments.
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let moment = Duration::from_millis(u64::from(random >> 24));
        let tab_alone = kill % 2 == 0;
        // Made before, as it takes a while.
        let next = browser.client().new_window(true).await?.handle;
        let has_begun = comes_more(&browser, &servers, before).await?;
        println!("kill {kill} {moment:?} later, the tab alone: {tab_alone}");
        tokio::time::sleep(moment).await;
        if tab_alone {
            crash_tab(&browser, next).await?;
        } else {
            browser = Browser::start_with(browser.kill()?, 1400, 900).await?;
        }
        let left = servers.dovecot.count(USER)?;
        under_way += usize::from(has_begun && left > 0);
        if left == 0 {
            let more = (delivered..delivered + MESSAGES).map(letter);
            servers.dovecot.deliver_all(USER, more)?;
            delivered += MESSAGES;
        }
        devtools::permit_persistence(&browser).await?;
        browser.open(&servers.site.url).await?;
        browser.script(KEEP_STORAGE).await?;
        let there = on_server(&servers)?;
        let here = stored(&browser).await?;
        println!("{} of {delivered} are here", here.len());
        check(&here, &there, delivered)?;
        check_whole(&whole(&browser, delivered).await?, &there, delivered)?;
        before = here.len();
    }
    ensure!(under_way == kills, "{under_way} kills came in the middle of a download");
    for _ in 0..2400 {
        if servers.dovecot.count(USER)? == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    ensure!(servers.dovecot.count(USER)? == 0, "{} are left", servers.dovecot.count(USER)?);
    check(&stored(&browser).await?, &BTreeSet::new(), delivered)?;
    check_whole(&whole(&browser, delivered).await?, &BTreeSet::new(), delivered)?;
    browser.client().clone().close().await?;
    Ok(())
}

#[tokio::test]
async fn a_second_tab_takes_over_a_download_that_deletes_and_loses_and_doubles_nothing()
-> Result<()> {
    let servers = Servers::start().await?;
    let letter = |number| letters::long(number, LINES);
    servers.dovecot.deliver_all(USER, (0..MESSAGES).map(letter))?;
    Browser::run("takeover", async |browser| {
        download_and_delete(browser, &servers).await?;
        browser.find(INBOX).await?;
        let first = browser.client().window().await?;
        let second = browser.client().new_window(true).await?.handle;
        browser.client().switch_to_window(second.clone()).await?;
        browser.open(&servers.site.url).await?;
        browser.find(INBOX).await?;
        browser.client().switch_to_window(first).await?;
        browser.client().close_window().await?;
        browser.client().switch_to_window(second).await?;
        wait_until_empty(&servers).await?;
        check(&stored(browser).await?, &BTreeSet::new(), MESSAGES)
    })
    .await
}

#[tokio::test]
async fn a_database_that_is_cleared_while_it_downloads_and_deletes_costs_nothing_on_the_server()
-> Result<()> {
    let servers = Servers::start().await?;
    // Large ones, so that there is time to clear it meanwhile.
    let letter = |number| letters::long(number, 16 * LINES);
    servers.dovecot.deliver_all(USER, (0..MESSAGES).map(letter))?;
    Browser::run("cleared", async |browser| {
        download_and_delete(browser, &servers).await?;
        let listed = "Number(document.querySelector('[data-test=row]')?.ariaSetSize ?? 0)";
        browser.wait_until(&format!("return {listed} > 0")).await?;
        let origin = servers.site.url.trim_end_matches('/');
        devtools::clear_storage(browser, origin, "indexeddb").await?;
        let gone = |text: &str| text.contains("was deleted");
        browser.wait_for_text(&hook("storage-gone"), gone).await?;
        let here = browser.script(&format!("return {listed}")).await?;
        println!("{here} of {MESSAGES} were here");
        ensure!(here.as_u64() < Some(MESSAGES as u64), "the download was over");
        // Whatever still went on has had its time.
        browser.click("refresh").await?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let there = on_server(&servers)?.len();
        ensure!(there == MESSAGES, "{} messages are nowhere", MESSAGES - there);

        browser.script("location.hash = '#/'").await?;
        browser.client().refresh().await?;
        browser.wait_for_text(&hook("lost"), |text| text.contains(USER)).await?;
        servers.form("pop3").fill(browser).await?;
        browser.click("retention-delete").await?;
        browser.click("setup-add").await?;
        wait_until_empty(&servers).await?;
        check(&stored(browser).await?, &BTreeSet::new(), MESSAGES)
    })
    .await
}
