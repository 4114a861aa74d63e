//! What a person waits for, in a real browser through the real proxy, with 10,000 messages.
//!
//! Every run has a browser of its own, with an empty profile.

mod page;

use std::time::Duration;

use anyhow::{Context, Result};
use postern::demo::{self, Content, Demo, Options};
use postern_tests::{
    browser::Browser,
    devtools::run_before_each_page,
    report::{bounded, deliver, in_time, is_quick, scaled},
    site::{Reach, Site},
};
use serde_json::{Value, json};

/// How many browsers are started; odd, so that a median is a measured value.
const BROWSERS: usize = 3;

/// How often the page is loaded again in each.
const RELOADS: usize = 3;

/// Which rows are opened in each: of those whose messages the app fetches before anybody asks.
const OPENED: std::ops::Range<usize> = 1..8;

/// How often the end of the list is jumped to in each.
const JUMPS: usize = 5;

/// How often something is searched for in each; what a first search reads, the next ones know.
const SEARCHES: usize = 5;

/// What measures, in the page.
const WATCH: &str = include_str!("watch.js");

/// Milliseconds that were measured.
#[derive(Default)]
struct Measured {
    try_demo: Vec<f64>,
    reload: Vec<f64>,
    open: Vec<f64>,
    jump: Vec<f64>,
    first_search: Vec<f64>,
    search: Vec<f64>,
}

#[tokio::main]
async fn main() -> Result<()> {
    if !is_quick() {
        page::ensure_release()?;
    }
    deliver(in_time(measure()).await?)
}

async fn measure() -> Result<Vec<Value>> {
    let messages = scaled(10_000);
    let content = Content::Generated(messages);
    let demo: Demo = demo::start(Options { content, ..Options::default() }).await?;
    let site = Site::start(Reach { demo: Some(&demo), ..Reach::default() }).await?;
    let mut measured = Measured::default();
    for _ in 0..BROWSERS {
        let run = async |browser: &Browser| measured.in_browser(browser, &site.url, messages).await;
        Browser::run("bench", run).await?;
    }
    Ok(vec![
        bounded("app/log-in click to list", 300.0, measured.try_demo),
        bounded("app/reload to list", 150.0, measured.reload),
        bounded("app/open a stored message", 50.0, measured.open),
        bounded("app/jump to the end of the list", 50.0, measured.jump),
        bounded("app/first search in subjects", 150.0, measured.first_search),
        bounded("app/search in subjects", 50.0, measured.search),
    ])
}

impl Measured {
    async fn in_browser(&mut self, browser: &Browser, url: &str, messages: usize) -> Result<()> {
        run_before_each_page(browser, WATCH).await?;
        browser.open(url).await?;
        browser.get("try-demo").await?;
        self.try_demo.push(number(browser, "bench.tryDemo()").await?);
        browser.wait_until(&format!("return bench.stored({messages})")).await?;
        for index in OPENED {
            browser.wait_until(&format!("return bench.hasPreview({index})")).await?;
        }
        for _ in 0..RELOADS {
            browser.client().refresh().await?;
            self.reload.push(number(browser, "bench.list()").await?);
            // What begins with the page is over before the next one.
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        for index in OPENED {
            self.open.push(number(browser, &format!("bench.open({index})")).await?);
        }
        for _ in 0..JUMPS {
            self.jump.push(number(browser, &format!("bench.jumpTo({})", messages - 1)).await?);
            number(browser, "bench.jumpTo(0)").await?;
        }
        for search in 0..SEARCHES {
            let words = json!(format!("subject:\"{}\"", search + 1 + messages / 2));
            let took = number(browser, &format!("bench.search({words})")).await?;
            let kind = if search == 0 { &mut self.first_search } else { &mut self.search };
            kind.push(took);
            number(browser, "bench.endSearch()").await?;
        }
        Ok(())
    }
}

/// The milliseconds that a measurement in the page promises.
async fn number(browser: &Browser, measurement: &str) -> Result<f64> {
    let script = format!("{measurement}.then(arguments[0], error => arguments[0](String(error)))");
    let value = browser.client().execute_async(&script, Vec::new()).await?;
    value.as_f64().with_context(|| format!("{measurement}: {}", json!(value)))
}
