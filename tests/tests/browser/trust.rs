//! TLS in the browser with servers for which no public authority vouches.

use anyhow::{Result, ensure};
use postern_bridge::Fingerprint;
use postern_tests::{
    browser::{Browser, hook},
    letters,
};

use crate::steps::{Form, Servers, USER, open_row, reader_shows};

/// Waits for the refusal of the server on this port; returns the fingerprint that it shows.
async fn refused(browser: &Browser, port: u16) -> Result<Fingerprint> {
    let server = format!("localhost:{port}");
    browser.wait_for_text(&hook("refused"), |text| text.contains(&server)).await?;
    let shown = format!("{} {}", hook("refused-now"), hook("fingerprint"));
    Ok(browser.wait_for_text(&shown, |text| !text.is_empty()).await?.parse()?)
}

async fn verdict(browser: &Browser, state: &str) -> Result<()> {
    let verdict = format!("{}[data-state={state}]", hook("trust-verdict"));
    browser.find(&verdict).await.map(drop)
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_shown_confirmed_and_then_mail_arrives()
-> Result<()> {
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, letters::many(3))?;
    Browser::run("trust", async |browser| {
        browser.open(&servers.site.url).await?;
        let form = Form { tls_end: "browser", ..servers.form("imap") };
        form.fill(browser).await?;
        browser.click("setup-add").await?;

        let dovecot = servers.dovecot.fingerprint;
        ensure!(refused(browser, servers.dovecot.imaps.port()).await? == dovecot);
        browser.wait_for_text(&hook("refused"), |text| text.contains("CN=Postern's tests")).await?;
        // Trusting takes more than a click: the fingerprint that the operator has told.
        browser.click("trust-open").await?;
        browser.click("trust").await?;
        verdict(browser, "wrong").await?;
        browser.fill("trust-typed", &"00:".repeat(32)).await?;
        verdict(browser, "other").await?;
        browser.click("trust").await?;
        let log = servers.dovecot.log();
        ensure!(!log.contains(USER), "somebody has logged in:\n{log}");
        browser.fill("trust-typed", &dovecot.to_string().to_lowercase()).await?;
        verdict(browser, "same").await?;
        browser.click("trust").await?;

        // The other server has a certificate of its own.
        let demo = servers.demo.fingerprint.into();
        ensure!(refused(browser, servers.demo.submission.port()).await? == demo);
        browser.click("trust-open").await?;
        browser.click("trust-compared").await?;
        browser.click("trust").await?;
        open_row(browser, "Letter 2").await?;
        reader_shows(browser, "Letter 2", "letter number 2").await?;

        browser.click("accounts-open").await?;
        browser.click("account-settings").await?;
        for (server, fingerprint) in [("server-incoming", dovecot), ("server-outgoing", demo)] {
            let shows = |text: &str| {
                text.contains("TLSv1.3")
                    && text.contains("TLS13_CHACHA20_POLY1305_SHA256")
                    && text.contains("Trusted by you")
                    && text.contains(&fingerprint.to_string())
            };
            browser.wait_for_text(&hook(server), shows).await?;
        }
        let readers = |text: &str| text.contains("The proxy carries ciphertext");
        browser.wait_for_text(&hook("readers"), readers).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn where_tls_ends_can_be_changed_and_a_certificate_trusted_no_more() -> Result<()> {
    let servers = Servers::start().await?;
    servers.dovecot.deliver_all(USER, letters::many(1))?;
    Browser::run("tls-end", async |browser| {
        servers.add_account(browser, "imap").await?;
        open_row(browser, "Letter 0").await?;
        browser.click("accounts-open").await?;
        browser.click("account-settings").await?;
        let readers = |words: &'static str| move |text: &str| text.contains(words);
        browser.wait_for_text(&hook("readers"), readers("proxy decrypts your mail")).await?;

        // What the proxy trusts for its operator's sake, the browser has to be told.
        browser.click("account-tls-end-browser").await?;
        browser.click("account-save").await?;
        for port in [servers.dovecot.imaps.port(), servers.demo.submission.port()] {
            let fingerprint = refused(browser, port).await?;
            browser.click("trust-open").await?;
            browser.fill("trust-typed", &fingerprint.to_string()).await?;
            browser.click("trust").await?;
        }
        browser.wait_for_text(&hook("readers"), readers("carries ciphertext")).await?;

        browser.click("stop-trusting").await?;
        refused(browser, servers.dovecot.imaps.port()).await?;
        browser.wait_for_text(&hook("connection"), readers("Can't connect")).await?;
        Ok(())
    })
    .await
}
