//! Mail that is read in a real browser, with somebody listening on both sides of the proxy.

use anyhow::{Result, ensure};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use postern::demo::Faults;
use postern_tests::{
    browser::{Browser, hook},
    dovecot::{Dovecot, PASSWORD},
    letters,
    site::{Reach, Site},
    wiretap::Wiretap,
};
use serde_json::json;

use crate::steps::{Form, USER, empty_demo, open_row, reader_shows};

/// What the letters say.
const CONTENT: &str = "letter number 1";

#[tokio::test]
async fn a_private_servers_mail_is_read_and_the_proxy_learns_nothing_of_it() -> Result<()> {
    let overheard = overhear("browser").await?;
    for secret in [PASSWORD, USER, CONTENT, &log_in()] {
        ensure!(!overheard.tunnels.contains(secret), "{secret} was sent to the proxy");
        ensure!(!overheard.servers.contains(secret), "{secret} was sent by the proxy");
    }
    // The proxy's own questions have the address, but nothing else.
    for secret in [PASSWORD, CONTENT, &log_in()] {
        ensure!(!overheard.all.contains(secret), "{secret} was told to the proxy");
    }
    Ok(())
}

/// The same search finds the mail where the proxy ends TLS: so it searches in the right place.
#[tokio::test]
async fn a_proxy_that_ends_tls_could_read_the_mail() -> Result<()> {
    let overheard = overhear("proxy").await?;
    for secret in [CONTENT, &log_in()] {
        ensure!(overheard.tunnels.contains(secret), "{secret} did not come by");
        ensure!(!overheard.servers.contains(secret), "{secret} was sent in clear text");
    }
    Ok(())
}

/// User name and password as they are sent to a server (RFC 4616).
fn log_in() -> String {
    BASE64_STANDARD.encode(format!("\0{USER}\0{PASSWORD}"))
}

/// All that went between the browser and the proxy, that part of it which went through tunnels, and
/// all that went between the proxy and the servers.
struct Overheard {
    all: String,
    tunnels: String,
    servers: String,
}

/// Adds an account of servers under private authorities, and reads a message.
async fn overhear(tls_end: &'static str) -> Result<Overheard> {
    let dovecot = Dovecot::start()?;
    dovecot.deliver_all(USER, letters::many(2))?;
    let demo = empty_demo(Faults::default()).await?;
    let incoming = Wiretap::start(dovecot.imaps).await?;
    let outgoing = Wiretap::start(demo.submission).await?;
    let reach = Reach {
        roots: vec![dovecot.authority.root(), demo.certificate.clone()],
        servers: vec![incoming.address, outgoing.address],
        ..Reach::default()
    };
    let site = Site::start(reach).await?;
    let proxy = Wiretap::start(site.url.parse::<url::Url>()?.socket_addrs(|| None)?[0]).await?;
    let form = Form::new("imap", incoming.address, outgoing.address);
    Browser::run(&format!("blind-{tls_end}"), async |browser| {
        browser.open(&format!("http://{}/", proxy.address)).await?;
        form.fill(browser).await?;
        browser.click(&format!("setup-tls-end-{tls_end}")).await?;
        browser.click("setup-add").await?;
        if tls_end == "browser" {
            trust_what_is_refused(browser).await?;
        }
        open_row(browser, "Letter 1").await?;
        reader_shows(browser, "Letter 1", CONTENT).await?;
        Ok(())
    })
    .await?;
    let is_tunnel = |bytes: &Vec<u8>| {
        let head = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).to_lowercase();
        head.contains("upgrade: websocket")
    };
    let text =
        |directions: Vec<Vec<u8>>| String::from_utf8_lossy(&directions.concat()).into_owned();
    let all = proxy.heard();
    let tunnels = all.iter().filter(|bytes| is_tunnel(bytes)).cloned().collect();
    Ok(Overheard {
        all: text(all),
        tunnels: text(tunnels),
        servers: text([incoming.heard(), outgoing.heard()].concat()),
    })
}

/// Trusts one certificate after the other, until the list shows.
async fn trust_what_is_refused(browser: &Browser) -> Result<()> {
    let mut trusted = Vec::new();
    loop {
        let refused = json!(format!("{} {}", hook("refused"), hook("fingerprint")));
        let state = format!(
            "const refused = document.querySelector({refused})?.innerText;\
             if (refused !== undefined && !{}.includes(refused)) return refused;\
             return document.querySelector({}) ? '' : null;",
            json!(trusted),
            json!(hook("row")),
        );
        browser.wait_until(&format!("return (() => {{ {state} }})() !== null")).await?;
        let fingerprint = browser.script(&state).await?.as_str().unwrap_or_default().to_owned();
        if fingerprint.is_empty() {
            return Ok(());
        }
        browser.click("trust-open").await?;
        browser.click("trust-compared").await?;
        browser.click("trust").await?;
        trusted.push(fingerprint);
    }
}
