//! An account by address and password: its servers are looked up.

use anyhow::{Result, ensure};
use postern::{
    demo::{self, DOMAIN, Demo, Direction, Options},
    discovery::Srv,
};
use postern_tests::{
    browser::{Browser, hook},
    site::{Reach, Site},
};
use serde_json::json;

/// Types address and password, and goes on.
async fn sign_in(browser: &Browser, address: &str, password: &str) -> Result<()> {
    browser.fill("setup-address", address).await?;
    browser.fill("setup-password", password).await?;
    browser.click("setup-continue").await
}

#[tokio::test]
async fn address_and_password_are_enough_and_the_keyboard_alone_will_do() -> Result<()> {
    let demo = demo::start(Options::default()).await?;
    let site = Site::start(Reach { demo: Some(&demo), ..Reach::default() }).await?;
    Browser::run("discovery", async |browser| {
        browser.open(&site.url).await?;
        browser.fill("setup-address", &demo.address).await?;
        let password = browser.get("setup-password").await?;
        password.send_keys(&format!("{}\u{e007}", demo.password)).await?;
        let found = browser.wait_for_text(&hook("setup-found"), |text| !text.is_empty()).await?;
        for words in [DOMAIN, "IMAP · 993", "SMTP · 465", "Answers"] {
            ensure!(found.contains(words), "{found}");
        }
        // Both protocols are there, so the person is asked which.
        browser.click("setup-keeping-here").await?;
        let pop3 = |text: &str| text.contains("POP3 · 995");
        browser.wait_for_text(&hook("setup-found"), pop3).await?;
        browser.click("setup-devices-several").await?;
        let imap = |text: &str| text.contains("IMAP · 993");
        browser.wait_for_text(&hook("setup-found"), imap).await?;
        browser.get("setup-name").await?.send_keys("Robin\u{e007}").await?;
        browser.get("row").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_wrong_address_or_no_password_is_said_at_its_field() -> Result<()> {
    let demo = demo::start(Options::default()).await?;
    let site = Site::start(Reach { demo: Some(&demo), ..Reach::default() }).await?;
    Browser::run("discovery-fields", async |browser| {
        browser.open(&site.url).await?;
        sign_in(browser, "ben", "secret").await?;
        let invalid = |name: &str| {
            let field = json!(hook(name));
            format!(
                "const field = document.querySelector({field}); \
                 return field.ariaInvalid === 'true' && document.activeElement === field"
            )
        };
        browser.wait_until(&invalid("setup-address")).await?;
        browser.fill("setup-address", &demo.address).await?;
        browser.get("setup-password").await?.clear().await?;
        browser.click("setup-continue").await?;
        browser.wait_until(&invalid("setup-password")).await
    })
    .await
}

#[tokio::test]
async fn where_nothing_is_found_the_settings_are_entered_by_hand() -> Result<()> {
    let site = Site::start(Reach::default()).await?;
    Browser::run("discovery-nothing", async |browser| {
        browser.open(&site.url).await?;
        sign_in(browser, "ben@nothing.invalid", "secret").await?;
        let why = |text: &str| text.contains("Nothing was found for nothing.invalid");
        browser.wait_for_text(&hook("setup-why"), why).await?;
        for (field, value) in [
            ("setup-address", "ben@nothing.invalid"),
            ("setup-password", "secret"),
            ("setup-in-host", "imap.nothing.invalid"),
            ("setup-in-port", "993"),
            ("setup-out-host", "smtp.nothing.invalid"),
        ] {
            let is = browser.get(field).await?.prop("value").await?;
            ensure!(is.as_deref() == Some(value), "{field} is {is:?}");
        }
        browser.click("setup-look-up").await?;
        browser.get("setup-continue").await?;
        Ok(())
    })
    .await
}

/// A provider whose DNS entries name the demo server, as a stranger to `example.org`.
async fn foreign() -> Result<(Demo, Site)> {
    let options =
        Options { address: "ben@example.org".into(), transcript: true, ..Options::default() };
    let demo = demo::start(options).await?;
    let srv = |port| Srv { priority: 0, weight: 0, port, target: DOMAIN.into() };
    let reach = Reach {
        roots: vec![demo.certificate.clone()],
        named: vec![(DOMAIN, 993, demo.imap), (DOMAIN, 465, demo.submission)],
        services: vec![
            ("_imaps._tcp.example.org", srv(993)),
            ("_submissions._tcp.example.org", srv(465)),
        ],
        ..Reach::default()
    };
    let site = Site::start(reach).await?;
    Ok((demo, site))
}

/// Whether somebody has tried to log in.
fn tried_to_log_in(demo: &Demo) -> bool {
    demo.transcript().iter().filter(|spoken| spoken.direction == Direction::FromClient).any(
        |spoken| {
            let said = String::from_utf8_lossy(&spoken.bytes).to_ascii_uppercase();
            ["AUTH", "LOGIN", "PASS"].iter().any(|word| said.contains(word))
        },
    )
}

#[tokio::test]
async fn a_host_of_another_domain_gets_the_password_only_after_a_question() -> Result<()> {
    let (demo, site) = foreign().await?;
    Browser::run("discovery-stranger", async |browser| {
        browser.open(&site.url).await?;
        sign_in(browser, "ben@example.org", &demo.password).await?;
        browser.wait_for_text(&hook("setup-found"), |text| text.contains(DOMAIN)).await?;
        browser.click("setup-add").await?;
        let question = |text: &str| {
            [DOMAIN, "not part of example.org", "DNS"].iter().all(|word| text.contains(word))
        };
        browser.wait_for_text(&hook("setup-stranger"), question).await?;
        browser.click("setup-stranger-no").await?;
        let kept = |text: &str| text.contains("was not sent");
        browser.wait_for_text(&hook("setup-result"), kept).await?;
        ensure!(!tried_to_log_in(&demo), "somebody has tried to log in");

        // The demo's certificate is known to the proxy alone.
        browser.click("setup-by-hand").await?;
        browser.click("setup-tls-end-proxy").await?;
        browser.click("setup-test").await?;
        browser.wait_for_text(&hook("setup-stranger"), question).await?;
        ensure!(!tried_to_log_in(&demo), "somebody has tried to log in");
        browser.click("setup-stranger-yes").await?;
        let works = |text: &str| text.contains("log-in works");
        browser.wait_for_text(&hook("setup-result"), works).await?;
        ensure!(tried_to_log_in(&demo), "nobody has tried to log in");
        // It was asked and answered: not a second time.
        browser.click("setup-add").await?;
        browser.get("row").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_search_can_be_stopped_and_a_proxy_that_is_away_is_named() -> Result<()> {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = silent.local_addr()?;
    let named = vec![("autoconfig.example.org", 443, address)];
    let site = Site::start(Reach { named, ..Reach::default() }).await?;
    Browser::run("discovery-stop", async |browser| {
        browser.open(&site.url).await?;
        sign_in(browser, "ben@example.org", "secret").await?;
        let looking = |text: &str| text.contains("example.org");
        browser.wait_for_text(&hook("setup-looking"), looking).await?;
        browser.click("setup-cancel").await?;
        let address = browser.get("setup-address").await?.prop("value").await?;
        ensure!(address.as_deref() == Some("ben@example.org"), "{address:?}");
        site.stop().await?;
        browser.click("setup-continue").await?;
        let away = |text: &str| text.contains("no connection to the network or to this Postern");
        browser.wait_for_text(&hook("setup-trouble"), away).await?;
        browser.click("setup-by-hand").await?;
        browser.get("setup-in-host").await?;
        Ok(())
    })
    .await
}
