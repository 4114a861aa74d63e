//! Sessions with the POP3 server.

use crate::demo::{Content, Demo, Options, limits, start, testing::Client};

async fn demo(messages: usize) -> Demo {
    start(Options { content: Content::Generated(messages), ..Options::default() }).await.unwrap()
}

async fn logged_in(demo: &Demo) -> Client {
    let mut client = Client::connect(demo, demo.pop3).await;
    assert!(client.line().await.starts_with("+OK"));
    assert_eq!(client.ask("USER robin", "").await, "+OK\r\n");
    let answer = client.ask(&format!("PASS {}", demo.password), "").await;
    assert!(answer.starts_with("+OK"), "{answer}");
    client
}

#[tokio::test]
async fn capabilities_are_told_before_and_after_login() {
    let demo = demo(1).await;
    let mut client = Client::connect(&demo, demo.pop3).await;
    client.line().await;
    let before = client.ask("CAPA", ".").await;
    for capability in ["TOP", "UIDL", "USER", "SASL PLAIN", "PIPELINING", "RESP-CODES"] {
        assert!(before.contains(&format!("\r\n{capability}\r\n")), "{capability}: {before}");
    }
    assert!(client.ask("AUTH PLAIN AHJvYmluAGdhcmRlbi1nYXRl", "").await.starts_with("+OK"));
    assert!(!client.ask("CAPA", ".").await.contains("SASL"));
}

#[tokio::test]
async fn a_wrong_password_is_refused_until_it_is_too_much() {
    let demo = demo(1).await;
    let mut client = Client::connect(&demo, demo.pop3).await;
    client.line().await;
    for _ in 0..limits::LOGIN_ATTEMPTS {
        client.ask("USER robin", "").await;
        assert!(client.ask("PASS wrong", "").await.starts_with("-ERR [AUTH]"));
    }
    assert_eq!(client.line().await, "");
}

#[tokio::test]
async fn messages_are_listed_and_read_dot_stuffed() {
    let demo = demo(0).await;
    demo.store().deliver("Subject: dots\r\n\r\n.one\r\n..\r\nlast");
    demo.store().deliver("Subject: two\r\n\r\n");
    let mut client = logged_in(&demo).await;
    assert_eq!(client.ask("STAT", "").await, "+OK 2 47\r\n");
    assert_eq!(client.ask("LIST", ".").await, "+OK\r\n1 31\r\n2 16\r\n.\r\n");
    assert_eq!(client.ask("LIST 2", "").await, "+OK 2 16\r\n");
    let whole = "Subject: dots\r\n\r\n..one\r\n...\r\nlast\r\n.\r\n";
    client.ask("RETR 1", "").await;
    let mut read = String::new();
    while !read.ends_with("\r\n.\r\n") {
        read.push_str(&client.line().await);
    }
    assert_eq!(read, whole);
    client.send("TOP 1 1\r\nNOOP\r\n").await;
    let mut top = String::new();
    while !top.ends_with("\r\n.\r\n") {
        top.push_str(&client.line().await);
    }
    assert_eq!(top, "+OK\r\nSubject: dots\r\n\r\n..one\r\n.\r\n");
}

#[tokio::test]
async fn unique_ids_stay_the_same_in_the_next_session() {
    let demo = demo(3).await;
    let first = logged_in(&demo).await.ask("UIDL", ".").await;
    let mut client = Client::connect(&demo, demo.pop3).await;
    client.line().await;
    drop(client);
    assert_eq!(first.lines().count(), 5);
    let again = loop {
        let mut client = Client::connect(&demo, demo.pop3).await;
        client.line().await;
        client.ask("USER robin", "").await;
        if client.ask("PASS garden-gate", "").await.starts_with("+OK") {
            break client.ask("UIDL", ".").await;
        }
    };
    assert_eq!(again, first);
}

#[tokio::test]
async fn deletion_takes_effect_at_quit_alone() {
    let demo = demo(3).await;
    let mut client = logged_in(&demo).await;
    assert!(client.ask("DELE 1", "").await.starts_with("+OK"));
    assert!(client.ask("RETR 1", "").await.starts_with("-ERR"));
    assert!(client.ask("RSET", "").await.starts_with("+OK"));
    assert!(client.ask("DELE 2", "").await.starts_with("+OK"));
    assert_eq!(demo.store().messages("INBOX").len(), 3);
    assert!(client.ask("QUIT", "").await.starts_with("+OK"));
    let left: Vec<u32> = demo.store().messages("INBOX").iter().map(|m| m.uid).collect();
    assert_eq!(left, [1, 3]);
}

#[tokio::test]
async fn a_connection_that_ends_without_quit_deletes_nothing() {
    let demo = demo(2).await;
    let mut client = logged_in(&demo).await;
    client.ask("DELE 1", "").await;
    demo.disconnect();
    assert_eq!(client.line().await, "");
    assert_eq!(demo.store().messages("INBOX").len(), 2);
}

#[tokio::test]
async fn only_one_session_at_a_time_has_the_mailbox() {
    let demo = demo(1).await;
    let mut first = logged_in(&demo).await;
    let mut second = Client::connect(&demo, demo.pop3).await;
    second.line().await;
    second.ask("USER robin", "").await;
    assert!(second.ask("PASS garden-gate", "").await.starts_with("-ERR [IN-USE]"));
    first.ask("QUIT", "").await;
    assert_eq!(first.line().await, "");
    second.ask("USER robin", "").await;
    assert!(second.ask("PASS garden-gate", "").await.starts_with("+OK"));
}

#[tokio::test]
async fn hostile_input_is_answered_or_ends_the_connection_but_never_the_server() {
    let demo = demo(1).await;
    let inputs: Vec<(&str, Vec<u8>)> = vec![
        ("a line that is too long", vec![b'x'; limits::LINE * 3]),
        ("binary", (0..=255).cycle().take(4000).collect()),
        (
            "numbers beyond all numbers",
            b"RETR 99999999999999999999\r\nDELE 0\r\nLIST -1\r\n".to_vec(),
        ),
        ("TOP without a count", b"TOP 1\r\n".to_vec()),
        ("no commands", b"\r\n \r\n\r\n".to_vec()),
    ];
    for (name, input) in inputs {
        let mut client = Client::connect(&demo, demo.pop3).await;
        client.send("USER robin\r\nPASS garden-gate\r\n").await;
        client.send(&input).await;
        client.send("\r\nQUIT\r\n").await;
        let rest = String::from_utf8_lossy(&client.rest().await).into_owned();
        assert!(rest.contains("-ERR"), "{name}: {rest}");
    }
}
