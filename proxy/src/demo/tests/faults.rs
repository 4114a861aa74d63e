//! The scripted faults.

use std::time::Duration;

use tokio::time::timeout;

use crate::demo::{
    Connections, Content, Demo, Direction, Fault, Faults, Options, Protocol, WrongAnswer, start,
    testing::Client,
};

async fn demo(imap: Fault) -> Demo {
    let faults = Faults { imap, ..Faults::default() };
    start(Options { content: Content::Generated(3), faults, ..Options::default() }).await.unwrap()
}

#[tokio::test]
async fn a_connection_is_dropped_after_the_last_byte_that_may_be_sent() {
    for limit in [0, 1, 10, 40] {
        let demo = demo(Fault { drop_after_sent: Some(limit), ..Fault::default() }).await;
        let mut client = Client::connect(&demo, demo.imap).await;
        assert_eq!(client.rest().await.len() as u64, limit);
    }
}

#[tokio::test]
async fn a_connection_is_dropped_after_the_last_byte_that_may_be_received() {
    let demo = demo(Fault { drop_after_received: Some(8), ..Fault::default() }).await;
    let mut client = Client::connect(&demo, demo.imap).await;
    client.line().await;
    client.send("a NOOP").await;
    client.send("\r\n").await;
    assert_eq!(client.rest().await, b"");
}

#[tokio::test]
async fn a_fault_may_strike_one_connection_alone() {
    let fault =
        Fault { connections: Connections::Only(2), drop_after_sent: Some(0), ..Fault::default() };
    let demo = demo(fault).await;
    for (number, survives) in [(1, true), (2, false), (3, true)] {
        let mut client = Client::connect(&demo, demo.imap).await;
        assert_eq!(!client.line().await.is_empty(), survives, "{number}");
    }
    assert_eq!(demo.connections(Protocol::Imap), 3);
}

#[tokio::test]
async fn a_server_may_hang_from_a_command_on_until_the_fault_is_gone_for_new_connections() {
    let demo = demo(Fault { hang_from: Some(2), ..Fault::default() }).await;
    let mut client = Client::connect(&demo, demo.imap).await;
    client.line().await;
    assert!(client.ask("a NOOP", "").await.starts_with("a OK"));
    client.send("b NOOP\r\n").await;
    assert!(timeout(Duration::from_millis(100), client.line()).await.is_err());
    demo.set_faults(Faults::default());
    let mut next = Client::connect(&demo, demo.imap).await;
    next.line().await;
    next.ask("a NOOP", "").await;
    assert!(next.ask("b NOOP", "").await.starts_with("b OK"));
}

#[tokio::test]
async fn an_answer_may_be_wrong() {
    let wrong = WrongAnswer { command: "NOOP".into(), answer: b"{tag} NO {tag}\r\n".into() };
    let greeting = WrongAnswer { command: String::new(), answer: b"* BYE closed\r\n".into() };
    let demo = demo(Fault { answers: vec![wrong, greeting], ..Fault::default() }).await;
    let mut client = Client::connect(&demo, demo.imap).await;
    assert_eq!(client.line().await, "* BYE closed\r\n");
    assert_eq!(client.ask("a7 noop", "").await, "a7 NO a7\r\n");
    assert!(client.ask("a8 CAPABILITY", "a8").await.ends_with("a8 OK done\r\n"));
}

#[tokio::test]
async fn faults_may_change_while_a_connection_is_open() {
    let demo = demo(Fault::default()).await;
    let mut client = Client::connect(&demo, demo.imap).await;
    client.line().await;
    let fault = Fault { drop_after_sent: Some(3), ..Fault::default() };
    demo.set_faults(Faults { imap: fault, ..Faults::default() });
    client.send("abc NOOP\r\n").await;
    assert_eq!(client.rest().await, b"abc");
}

#[tokio::test]
async fn a_server_may_refuse_to_talk_at_all() {
    let demo = demo(Fault { refuse: true, ..Fault::default() }).await;
    let stream = tokio::net::TcpStream::connect(demo.imap).await.unwrap();
    assert!(crate::demo::testing::encrypt(&demo, stream).await.is_err());
}

#[tokio::test]
async fn what_was_said_is_kept_only_when_asked_for() {
    for asked in [false, true] {
        let options = Options { content: Content::Empty, transcript: asked, ..Options::default() };
        let demo = start(options).await.unwrap();
        let mut client = Client::connect(&demo, demo.pop3).await;
        client.line().await;
        client.ask("CAPA", ".").await;
        let said = demo.transcript();
        let from_client = said.iter().find(|spoken| spoken.direction == Direction::FromClient);
        assert_eq!(from_client.map(|spoken| &spoken.bytes[..]), asked.then_some(&b"CAPA\r\n"[..]));
    }
}

#[tokio::test]
async fn dropping_the_demo_ends_its_connections_and_listeners() {
    let demo = demo(Fault::default()).await;
    let mut client = Client::connect(&demo, demo.imap).await;
    client.line().await;
    let address = demo.imap;
    drop(demo);
    assert_eq!(client.line().await, "");
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
