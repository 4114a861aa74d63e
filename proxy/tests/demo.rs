//! `postern --demo`: the way of somebody who wants to try it out.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

use postern_tunnel::{FromPage, FromProxy, TlsMode};
use support::{
    http::{draining, get},
    page::{Heard, PLENTY, Page, open},
    soon,
};
use tokio::time::sleep;

/// The program, until the test ends.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(settings: &[&str]) -> (Program, SocketAddr) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_postern"))
        .args(["--demo", "--listen", "127.0.0.1:0"])
        .args(settings)
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
    let (_program, proxy) = run(&[]);
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

#[cfg(unix)]
#[tokio::test]
async fn told_to_stop_twice_the_program_does_not_wait_for_tunnels() {
    let (mut program, proxy) = run(&["--limits-drain-seconds", "3600"]);
    let mut page = Page::connect(proxy).await;
    let config = get(proxy, "/api/config", &[]).await;
    let config: serde_json::Value = serde_json::from_slice(&config.body).unwrap();
    let host = config["demo"]["imap"]["host"].as_str().unwrap();
    page.say(&FromPage::Open(open(host, 993, TlsMode::Proxy, PLENTY))).await;
    assert!(matches!(page.hear().await, Heard::Control(FromProxy::Opened(_))));

    let terminate = |program: &Program| {
        let told = Command::new("kill").arg(program.0.id().to_string()).status().unwrap();
        assert!(told.success());
    };
    terminate(&program);
    draining(proxy).await;
    sleep(Duration::from_millis(100)).await;
    assert!(program.0.try_wait().unwrap().is_none(), "it waits for the tunnel");
    terminate(&program);
    soon(async {
        while program.0.try_wait().unwrap().is_none() {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}
