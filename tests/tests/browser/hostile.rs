//! HTML that wants to run something, or to tell its sender that it was opened.
//!
//! Two layers keep it from that, and each must do so alone: the sanitiser, and the frame with its
//! sandbox and its policy.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use postern::demo::{self, Demo, Options};
use postern_tests::{
    browser::{Browser, hook},
    site::{Reach, Site},
};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::steps::open_row;

const SUBJECT: &str = "A hostile letter";

/// How long after everything is there hostile HTML gets to do something after all.
const GRACE: Duration = Duration::from_secs(1);

/// Mallory's web server, which hears of everything that her letter runs or loads.
struct Trap {
    address: String,
    /// The first line of what came on each connection.
    heard: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Trap {
    async fn set() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (hears, page) = (heard.clone(), hostile_html(&address));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, hears.clone(), page.clone()));
            }
        });
        Ok(Self { address, heard, task })
    }

    fn html(&self) -> String {
        hostile_html(&self.address)
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("nobody panics with it").clone()
    }

    fn ensure_silence(&self) -> Result<()> {
        let heard = self.heard();
        ensure!(heard.is_empty(), "something ran or was loaded: {heard:?}");
        Ok(())
    }
}

impl Drop for Trap {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers with the hostile page, and with nothing to all that the page asks for.
async fn answer(mut stream: TcpStream, heard: Arc<Mutex<Vec<String>>>, page: String) {
    let mut line = String::new();
    let _ = BufReader::new(&mut stream).read_line(&mut line).await;
    heard.lock().expect("nobody panics with it").push(line.trim().to_owned());
    let page = if line.starts_with("GET / ") { page } else { String::new() };
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nAccess-Control-Allow-Origin: *\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{page}",
        page.len()
    );
    let _ = stream.write_all(answer.as_bytes()).await;
}

fn hostile_html(trap: &str) -> String {
    let url = format!("http://{trap}");
    format!(
        "<p id=harmless>Read me</p>\
         <script>new Image().src = '{url}/script'; fetch('{url}/fetch')</script>\
         <script src='{url}/script-file'></script>\
         <img src='{url}/image'><img srcset='{url}/image-set 1x'>\
         <img src='data:,' onerror=\"new Image().src = '{url}/onerror'\">\
         <svg onload=\"new Image().src = '{url}/svg'\"><image href='{url}/svg-image'/></svg>\
         <iframe src='{url}/frame'></iframe>\
         <iframe srcdoc=\"<script>new Image().src = '{url}/frame-script'</script>\"></iframe>\
         <style>@import url({url}/import); p {{ background: url({url}/background) }}\
         @font-face {{ font-family: spy; src: url({url}/font) }} p {{ font-family: spy }}</style>\
         <link rel=stylesheet href='{url}/sheet'><link rel=prefetch href='{url}/prefetch'>\
         <video src='{url}/video' poster='{url}/poster' autoplay></video>\
         <object data='{url}/object'></object><embed src='{url}/embed'>\
         <form id=f action='{url}/form'><input autofocus \
         onfocus=\"new Image().src = '{url}/focus'\"></form>\
         <meta http-equiv=refresh content='0; url={url}/refresh'>\
         <a href=\"javascript:new Image().src = '{url}/link'\">click</a>"
    )
}

/// The demo, with a hostile letter in its inbox.
async fn start(html: &str) -> Result<(Demo, Site)> {
    let demo = demo::start(Options::default()).await?;
    let letter = format!(
        "From: Mallory <mallory@example.net>\r\n\
         Subject: {SUBJECT}\r\n\
         Message-ID: <hostile@example.net>\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: text/html; charset=utf-8\r\n\
         \r\n\
         {html}\r\n"
    );
    demo.store().deliver(letter.into_bytes());
    let site = Site::start(Reach { demo: Some(&demo), ..Reach::default() }).await?;
    Ok((demo, site))
}

/// Opens the letter, and waits until its frame shows it.
async fn read(browser: &Browser, site: &Site) -> Result<()> {
    browser.open(&site.url).await?;
    browser.click("try-demo").await?;
    open_row(browser, SUBJECT).await?;
    in_frame(browser, "return document.querySelector('p')?.innerText === 'Read me'").await
}

/// Waits until a script in the letter's frame returns true.
async fn in_frame(browser: &Browser, script: &str) -> Result<()> {
    browser.get("reader-frame").await?.enter_frame().await?;
    browser.wait_until(script).await?;
    Ok(browser.client().clone().enter_parent_frame().await?)
}

#[tokio::test]
async fn hostile_html_runs_nothing_and_loads_nothing() -> Result<()> {
    let trap = Trap::set().await?;
    let (_demo, site) = start(&trap.html()).await?;
    Browser::run("hostile", async |browser| {
        read(browser, &site).await?;
        let frame = browser.get("reader-frame").await?;
        let document = frame.attr("srcdoc").await?.unwrap_or_default();
        let body = document.split_once("<body>").context("a body")?.1;
        for never in
            ["<script", "onerror", "<svg", "javascript:", "<iframe", "<meta", &trap.address]
        {
            ensure!(!body.contains(never), "{never} in {body}");
        }
        tokio::time::sleep(GRACE).await;
        trap.ensure_silence()
    })
    .await
}

#[tokio::test]
async fn the_frame_alone_keeps_hostile_html_from_running_and_loading() -> Result<()> {
    let trap = Trap::set().await?;
    let (_demo, site) = start("<p>Read me</p>").await?;
    Browser::run("hostile-frame", async |browser| {
        read(browser, &site).await?;
        let frame = browser.get("reader-frame").await?;
        let sandbox = frame.attr("sandbox").await?.context("a sandbox")?;
        ensure!(!sandbox.contains("allow-scripts"), "{sandbox}");
        ensure!(!sandbox.contains("allow-same-origin"), "{sandbox}");
        // As if the sanitiser had let everything through.
        let replace = format!(
            "const frame = document.querySelector({}); \
             const [head, body] = frame.srcdoc.split('<body>'); \
             frame.addEventListener('load', () => {{ window.shown = true; }}); \
             frame.srcdoc = head + '<body>' + {} + '</body></html>'; \
             return Boolean(body);",
            json!(hook("reader-frame")),
            json!(trap.html())
        );
        ensure!(browser.script(&replace).await? == json!(true), "the frame's document has a body");
        browser.wait_until("return window.shown === true").await?;
        in_frame(browser, "return Boolean(document.querySelector('#harmless ~ script'))").await?;
        tokio::time::sleep(GRACE).await;
        trap.ensure_silence()
    })
    .await
}

#[tokio::test]
async fn hostile_html_is_heard_of_where_nothing_stops_it() -> Result<()> {
    let trap = Trap::set().await?;
    Browser::run("hostile-free", async |browser| {
        browser.open(&format!("http://{}/", trap.address)).await?;
        for path in ["/script", "/fetch", "/image", "/onerror", "/svg", "/frame", "/import"] {
            let request = format!("GET {path} ");
            let mut heard = false;
            for _ in 0..200 {
                heard = trap.heard().iter().any(|line| line.starts_with(&request));
                if heard {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            ensure!(heard, "{path} is not among {:?}", trap.heard());
        }
        Ok(())
    })
    .await
}
