//! What is wrong is said in a sentence that a person understands.

use std::net::SocketAddr;

use anyhow::Result;
use postern_tests::{
    browser::{Browser, hook},
    certificate::Authority,
    devtools,
    site::{Reach, Site},
};
use tokio::net::TcpListener;

use crate::steps::{Form, Servers};

/// Tests the settings of a form and waits for a sentence with these words.
async fn test_says(browser: &Browser, url: &str, form: &Form, words: &str) -> Result<()> {
    browser.open(url).await?;
    form.fill(browser).await?;
    browser.click("setup-test").await?;
    browser.wait_for_text(&hook("setup-result"), |text| text.contains(words)).await?;
    Ok(())
}

/// What a browser says that does not know an instruction of the program.
const TOO_OLD: &str = "
    WebAssembly.instantiate = WebAssembly.instantiateStreaming = async () => {
        throw new WebAssembly.CompileError('invalid opcode');
    };
";

/// What says so, once it is shown: it is in the page from the beginning, with all its words.
const BOOT_FAILED: &str = "#boot-failed:not([hidden])";

#[tokio::test]
async fn a_browser_that_can_not_run_the_program() -> Result<()> {
    let servers = Servers::start().await?;
    Browser::run("too-old", async |browser| {
        devtools::run_before_each_page(browser, TOO_OLD).await?;
        browser.open(&servers.site.url).await?;
        browser.wait_for_text(BOOT_FAILED, |text| text.contains("too old")).await.map(drop)
    })
    .await
}

#[tokio::test]
async fn a_program_that_can_not_be_loaded() -> Result<()> {
    let servers = Servers::start().await?;
    for part in ["*/assets/postern-app-*.js", "*/assets/postern-app-*.wasm"] {
        Browser::run("not-loaded", async |browser| {
            devtools::block(browser, part).await?;
            browser.open(&servers.site.url).await?;
            let told = |text: &str| text.contains("Reload the page");
            browser.wait_for_text(BOOT_FAILED, told).await.map(drop)
        })
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_wrong_password() -> Result<()> {
    let servers = Servers::start().await?;
    let mut form = servers.form("imap");
    form.password = "wrong".into();
    let words = "localhost did not accept the user name or the password";
    Browser::run("password", async |browser| {
        test_says(browser, &servers.site.url, &form, words).await
    })
    .await
}

#[tokio::test]
async fn a_wrong_host() -> Result<()> {
    let servers = Servers::start().await?;
    let mut form = servers.form("imap");
    form.incoming = ("mail.invalid".into(), 993);
    let words = "There is no server named mail.invalid";
    Browser::run("host", async |browser| test_says(browser, &servers.site.url, &form, words).await)
        .await
}

#[tokio::test]
async fn a_server_that_hangs() -> Result<()> {
    let hanging = TcpListener::bind("127.0.0.1:0").await?;
    let address = hanging.local_addr()?;
    // It accepts, and never says a word.
    let accepting = tokio::spawn(async move {
        let mut connections = Vec::new();
        while let Ok((connection, _)) = hanging.accept().await {
            connections.push(connection);
        }
    });
    let servers = vec![address];
    let site = Site::start(Reach { servers, ..Reach::default() }).await?;
    let form = Form::new("pop3", address, address);
    let result = Browser::run("hangs", async |browser| {
        test_says(browser, &site.url, &form, "localhost does not answer").await
    });
    let result = result.await;
    accepting.abort();
    result
}

#[tokio::test]
async fn a_bad_certificate() -> Result<()> {
    let servers = Servers::start().await?;
    // A proxy that trusts another authority than the one that signed Dovecot's certificate.
    let imaps: SocketAddr = servers.dovecot.imaps;
    let reach =
        Reach { roots: vec![Authority::new().root()], servers: vec![imaps], ..Reach::default() };
    let site = Site::start(reach).await?;
    Browser::run("certificate", async |browser| {
        browser.open(&site.url).await?;
        servers.form("imap").fill(browser).await?;
        browser.click("setup-test").await?;
        let words = "localhost could not prove who it is";
        browser.wait_for_text(&hook("refused"), |text| text.contains(words)).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_port_where_nobody_listens() -> Result<()> {
    let address = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let site = Site::start(Reach { servers: vec![address], ..Reach::default() }).await?;
    let words = "localhost does not accept connections on this port";
    Browser::run("port", async |browser| {
        test_says(browser, &site.url, &Form::new("imap", address, address), words).await
    })
    .await
}
