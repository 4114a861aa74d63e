//! What is in the log, and what is never there.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
};

use postern_tunnel::{FromPage, FromProxy, TlsMode};
use support::{
    http::get,
    page::{Heard, PLENTY, Page, open},
    provider::found,
};

/// The program, until the test ends.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program with the demo server, and its log in a file.
fn run(log: &std::path::Path, format: &str) -> (Program, SocketAddr) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_postern"))
        .args(["--demo", "--listen", "127.0.0.1:0", "--log-level", "trace"])
        .args(["--limits-drain-seconds", "0"])
        .args(["--log-format", format])
        .stdout(Stdio::piped())
        .stderr(fs::File::create(log).unwrap())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().rsplit("http://").next().unwrap().trim_end_matches('/');
    (Program(child), address.parse().unwrap())
}

/// Says something to the server, and hears until it has said this.
async fn ask(page: &mut Page, line: &str, answer: &str) {
    page.send(format!("{line}\r\n").as_bytes()).await;
    let mut heard = Vec::new();
    while !String::from_utf8_lossy(&heard).contains(answer) {
        match page.hear().await {
            Heard::Bytes(bytes) => heard.extend(bytes),
            Heard::Control(FromProxy::Credit(_)) => {}
            other => panic!("{line}: {other:?} after {}", String::from_utf8_lossy(&heard)),
        }
    }
}

async fn tunnel(proxy: SocketAddr, host: &str, port: u16) -> Page {
    let mut page = Page::connect(proxy).await;
    page.say(&FromPage::Open(open(host, port, TlsMode::Proxy, PLENTY))).await;
    let opened = page.hear().await;
    assert!(matches!(opened, Heard::Control(FromProxy::Opened(_))), "{opened:?}");
    page
}

#[tokio::test]
async fn no_secret_and_nothing_about_a_person_is_in_the_log_of_a_whole_session() {
    for format in ["text", "json"] {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let (mut program, proxy) = run(&log, format);
        let config = get(proxy, "/api/config?address=ada@example.org", &[]).await;
        let config: serde_json::Value = serde_json::from_slice(&config.body).unwrap();
        let demo = &config["demo"];
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let (user, password) = (text(&demo["address"]), text(&demo["password"]));
        let host = text(&demo["imap"]["host"]);
        assert_eq!(found(proxy, &user).await.len(), 3);
        // A server's refusal must not be quoted either.
        let wrong = "n0t-the-passw0rd";

        let mut page = tunnel(proxy, &host, 993).await;
        ask(&mut page, &format!("a LOGIN \"{user}\" \"{wrong}\""), "a NO").await;
        ask(&mut page, &format!("b LOGIN \"{user}\" \"{password}\""), "b OK").await;
        ask(&mut page, "c SELECT INBOX", "c OK").await;
        ask(&mut page, "d FETCH 1 (ENVELOPE)", "d OK").await;
        let mut page = tunnel(proxy, &host, 465).await;
        ask(&mut page, "EHLO page.example", "250 ").await;
        // The program ends with both tunnels open.
        let told = Command::new("kill").arg(program.0.id().to_string()).status().unwrap();
        assert!(told.success());
        assert!(program.0.wait().unwrap().success());

        let log = fs::read_to_string(log).unwrap();
        assert!(log.lines().count() > 4 && log.contains(&host), "{log}");
        let page_in_words = ["LOGIN", "ENVELOPE", "EHLO", "page.example"];
        for secret in [&user, &password, "ada@example.org", wrong].iter().chain(&page_in_words) {
            assert!(!log.contains(secret), "{secret} is in the {format} log: {log}");
        }
        if format == "json" {
            for line in log.lines() {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                assert!(line["level"].is_string() && line["timestamp"].is_string(), "{line}");
            }
        }
    }
}
