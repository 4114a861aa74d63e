//! What a POP3 server says of itself and of its state, and how that is shown.

use anyhow::{Result, ensure};
use postern::demo::{Fault, Faults, Protocol, WrongAnswer};
use postern_tests::browser::Browser;

use crate::{
    pop3::INBOX,
    steps::{Form, demo_alone, open_row, open_settings, shows},
};

/// A server that says this instead of what is right.
fn saying(command: &str, answer: &str) -> Faults {
    let answer = WrongAnswer { command: command.into(), answer: answer.into() };
    Faults { pop3: Fault { answers: vec![answer], ..Fault::default() }, ..Faults::default() }
}

/// Waits until the account's connection is in this state and shows these words.
async fn connection_is(browser: &Browser, state: &str, words: &str) -> Result<()> {
    let css = format!("[data-test=connection][data-state={state}]");
    browser.wait_for_text(&css, |text| text.contains(words)).await.map(drop)
}

#[tokio::test]
async fn what_a_server_says_is_explained_and_it_is_left_alone_as_long_as_it_wants() -> Result<()> {
    let (demo, site) = demo_alone(Faults::default()).await?;
    Browser::run("pop3-server", async |browser| {
        browser.open(&site.url).await?;
        Form::new("pop3", demo.pop3, demo.submission).fill(browser).await?;
        browser.click("setup-add").await?;
        open_row(browser, "Letter 7").await?;
        connection_is(browser, "online", "Up to date").await?;

        demo.set_faults(saying("AUTH", "-ERR [SYS/TEMP] the disk is being changed\r\n"));
        browser.click("refresh").await?;
        connection_is(browser, "failed", "will probably pass").await?;
        connection_is(browser, "failed", "the disk is being changed").await?;

        let offers = "+OK\r\nTOP\r\nUIDL\r\nUSER\r\nSASL PLAIN\r\nRESP-CODES\r\nPIPELINING\r\n\
                      LOGIN-DELAY 900\r\nEXPIRE 30\r\nIMPLEMENTATION Shlemazle-v302\r\n.\r\n";
        demo.set_faults(saying("CAPA", offers));
        browser.click("refresh").await?;
        connection_is(browser, "online", "Up to date").await?;
        open_settings(browser).await?;
        for words in [
            "Shlemazle-v302",
            "for 30 days, then deletes it by itself",
            "one every 15 minutes; Postern keeps to that",
        ] {
            shows(browser, "pop3-server", words).await?;
        }
        browser.click_on(INBOX).await?;
        let log_ins = demo.connections(Protocol::Pop3);
        browser.click("refresh").await?;
        connection_is(browser, "waiting", "one log-in every 15 minutes").await?;
        let asked = demo.connections(Protocol::Pop3) - log_ins;
        ensure!(asked == 0, "it was asked {asked} times");
        Ok(())
    })
    .await
}
