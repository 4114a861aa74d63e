//! `postern --demo`: the way of somebody who wants to try it out.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use postern_tunnel::{FromPage, FromProxy, TlsMode};
use support::{
    http::get,
    page::{Heard, PLENTY, Page, open},
};

/// The program, until the test ends.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run() -> (Program, SocketAddr) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_postern"))
        .args(["--demo", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().rsplit("http://").next().unwrap().trim_end_matches('/');
    (Program(child), address.parse().unwrap())
}

#[tokio::test]
async fn the_page_reaches_the_demo_server_as_it_is_told_to() {
    let (_program, proxy) = run();
    let config = get(proxy, "/api/config", &[]).await;
    let config: serde_json::Value = serde_json::from_slice(&config.body).unwrap();
    for (protocol, greeting) in [("imap", "* OK"), ("pop3", "+OK"), ("submission", "220 ")] {
        let server = &config["demo"][protocol];
        let host = server["host"].as_str().unwrap();
        let port = server["port"].as_u64().unwrap() as u16;
        let mut page = Page::connect(proxy).await;
        page.say(&FromPage::Open(open(host, port, TlsMode::Proxy, PLENTY))).await;
        let Heard::Control(FromProxy::Opened(opened)) = page.hear().await else {
            panic!("{protocol} does not open")
        };
        assert!(opened.tls.is_some());
        assert_eq!(page.hear_bytes(4).await[..greeting.len()], *greeting.as_bytes());
    }
}
