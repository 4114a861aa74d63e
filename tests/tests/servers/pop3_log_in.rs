//! The ways to log in over POP3, and mailboxes that are in use.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use postern_bridge::{Security, ServerLogin};
use postern_mail::{MailError, Secret, error::Closed, pop3};
use postern_tests::{
    dovecot::{Dovecot, Options, PASSWORD},
    native::{NativeHost, endpoint},
    servers::{Kind, Server},
    wiretap::{Side, Wiretap},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use super::run;

const USER: &str = "ben";

/// What a Dovecot offers, and how the client logs in over clear text: it shows the password only where
/// there is no other way.
const WAYS: [(&str, &str); 8] = [
    ("plain", "AUTH PLAIN"),
    ("login", "AUTH LOGIN"),
    ("plain login", "AUTH PLAIN"),
    ("scram-sha-1", "AUTH SCRAM-SHA-1"),
    ("scram-sha-256", "AUTH SCRAM-SHA-256"),
    ("plain login scram-sha-1 scram-sha-256", "AUTH SCRAM-SHA-256"),
    ("plain apop", "APOP ben"),
    ("plain apop scram-sha-1", "AUTH SCRAM-SHA-1"),
];

#[test]
fn every_way_lets_the_right_password_in_and_no_other() -> Result<()> {
    run(async || {
        for (mechanisms, expected) in WAYS {
            let dovecot = Dovecot::start_with(Options { mechanisms, ..Options::default() })?;
            let host = NativeHost::trusting([dovecot.authority.root()]);
            let log_in = async || logs_in(&host, dovecot.pop3, expected).await;
            log_in().await.with_context(|| format!("{mechanisms}\n{}", dovecot.log()))?;
        }
        Ok(())
    })
}

#[test]
fn user_and_pass_are_what_is_left_where_a_server_knows_nothing_else() -> Result<()> {
    run(async || {
        let courier = Server::start(Kind::Courier, &[USER])?;
        let host = NativeHost::trusting([courier.authority().root()]);
        let log_in = logs_in(&host, courier.addresses().pop3, "USER ben");
        log_in.await.with_context(|| courier.log())
    })
}

/// Logs in with the right password and with a wrong one, in a way that begins with these words.
async fn logs_in(host: &NativeHost, server: SocketAddr, expected: &str) -> Result<()> {
    let wiretap = Wiretap::start(server).await?;
    let login = login(wiretap.address);
    let tested = pop3::test(host, &login, &Secret::new(PASSWORD)).await?;
    ensure!(tested.found.contains("works"), "{}", tested.found);
    let refused = pop3::test(host, &login, &Secret::new("wrong")).await.err();
    ensure!(matches!(refused, Some(MailError::Login(_))), "{refused:?}");
    for conversation in wiretap.conversations() {
        let own = conversation.into_iter().filter(|(side, _)| *side == Side::Client);
        let said: Vec<u8> = own.flat_map(|(_, bytes)| bytes).collect();
        let said = String::from_utf8_lossy(&said);
        let ways = ["AUTH ", "APOP ", "USER "];
        let first = said.lines().find(|line| ways.iter().any(|way| line.starts_with(way)));
        ensure!(first.is_some_and(|line| line.starts_with(expected)), "{said}");
    }
    Ok(())
}

fn login(address: SocketAddr) -> ServerLogin {
    ServerLogin { endpoint: endpoint(address, Security::Plain), username: USER.into() }
}

#[test]
fn a_mailbox_that_another_program_has_open_is_told_as_in_use() -> Result<()> {
    run(async || {
        let options = Options { locks_pop3: true, ..Options::default() };
        let dovecot = Dovecot::start_with(options)?;
        let host = NativeHost::trusting([dovecot.authority.root()]);
        let login = login(dovecot.pop3);
        let other = hold(dovecot.pop3).await?;
        let error = pop3::test(&host, &login, &Secret::new(PASSWORD)).await.err();
        let error = error.context("two sessions have the mailbox")?;
        ensure!(matches!(error, MailError::Closed(Closed::InUse(_))), "{error:?}");
        let sentence = error.problem("mail.example.org").sentence;
        ensure!(sentence.contains("Close it there"), "{sentence}");
        drop(other);
        pop3::test(&host, &login, &Secret::new(PASSWORD)).await?;
        Ok(())
    })
}

/// Another program's session, which has the mailbox until it is dropped.
async fn hold(server: SocketAddr) -> Result<BufReader<TcpStream>> {
    let mut stream = BufReader::new(TcpStream::connect(server).await?);
    let mut line = String::new();
    for command in ["", "USER ben\r\n", &format!("PASS {PASSWORD}\r\n"), "STAT\r\n"] {
        stream.write_all(command.as_bytes()).await?;
        line.clear();
        stream.read_line(&mut line).await?;
        ensure!(line.starts_with("+OK"), "{command}: {line}");
    }
    Ok(stream)
}
