//! Sessions with the submission server.

use mail_parser::MessageParser;

use crate::demo::{Content, Demo, Options, limits, start, testing::Client};

async fn demo() -> Demo {
    start(Options { content: Content::Empty, ..Options::default() }).await.unwrap()
}

async fn greeted(demo: &Demo) -> Client {
    let mut client = Client::connect(demo, demo.submission).await;
    assert!(client.line().await.starts_with("220 "));
    let hello = client.ask("EHLO client.example.org", "250 ").await;
    assert!(hello.contains("250-AUTH PLAIN LOGIN\r\n"), "{hello}");
    client
}

async fn logged_in(demo: &Demo) -> Client {
    let mut client = greeted(demo).await;
    let answer = client.ask("AUTH PLAIN AHJvYmluAGdhcmRlbi1nYXRl", "").await;
    assert!(answer.starts_with("235"), "{answer}");
    client
}

async fn submit(client: &mut Client, recipients: &[&str], message: &str) {
    let mut pipelined = "MAIL FROM:<robin@demo.postern.example> SIZE=100\r\n".to_owned();
    for recipient in recipients {
        pipelined.push_str(&format!("RCPT TO:<{recipient}>\r\n"));
    }
    client.send(pipelined + "DATA\r\n").await;
    client.until("354").await;
    client.send(format!("{message}\r\n.\r\n")).await;
    assert!(client.line().await.starts_with("250"));
}

#[tokio::test]
async fn mail_is_refused_before_login() {
    let demo = demo().await;
    let mut client = greeted(&demo).await;
    assert!(client.ask("MAIL FROM:<a@example.org>", "").await.starts_with("530"));
    assert!(client.ask("AUTH PLAIN AHJvYmluAHdyb25n", "").await.starts_with("535"));
    assert!(client.ask("RCPT TO:<a@example.org>", "").await.starts_with("503"));
    assert!(client.ask("DATA", "").await.starts_with("503"));
}

#[tokio::test]
async fn login_by_prompts_works_too() {
    let demo = demo().await;
    let mut client = greeted(&demo).await;
    assert_eq!(client.ask("AUTH LOGIN", "").await, "334 VXNlcm5hbWU6\r\n");
    assert_eq!(client.ask("cm9iaW4=", "").await, "334 UGFzc3dvcmQ6\r\n");
    assert!(client.ask("Z2FyZGVuLWdhdGU=", "").await.starts_with("235"));
}

#[tokio::test]
async fn mail_to_oneself_arrives_under_a_trace_and_unstuffed() {
    let demo = demo().await;
    let mut client = logged_in(&demo).await;
    submit(&mut client, &["Robin@demo.postern.example"], "Subject: note\r\n\r\n..dot").await;
    let inbox = demo.store().messages("INBOX");
    assert_eq!(inbox.len(), 1);
    let text = String::from_utf8_lossy(&inbox[0].raw);
    assert!(text.starts_with("Return-Path: <robin@demo.postern.example>\r\n"), "{text}");
    assert!(text.contains("\r\nReceived: from client.example.org"), "{text}");
    assert!(text.contains("with ESMTPSA;"), "{text}");
    assert!(text.ends_with("Subject: note\r\n\r\n.dot\r\n"), "{text}");
}

#[tokio::test]
async fn a_stranger_answers_after_a_moment() {
    let demo = demo().await;
    let mut arrivals = demo.store().watch();
    let mut client = logged_in(&demo).await;
    let message =
        "From: robin@demo.postern.example\r\nSubject: Hello\r\nMessage-ID: <q@x>\r\n\r\nHi!";
    submit(&mut client, &["mina.holt@example.org"], message).await;
    assert!(demo.store().messages("INBOX").is_empty());
    arrivals.changed().await.unwrap();
    let inbox = demo.store().messages("INBOX");
    let answer = MessageParser::default().parse(&inbox[0].raw[..]).unwrap();
    assert_eq!(answer.subject(), Some("Re: Hello"));
    assert_eq!(answer.in_reply_to().as_text(), Some("q@x"));
}

#[tokio::test]
async fn too_many_recipients_and_too_large_messages_are_refused() {
    let demo = demo().await;
    let mut client = logged_in(&demo).await;
    let large = format!("MAIL FROM:<a@example.org> SIZE={}", limits::MESSAGE + 1);
    assert!(client.ask(&large, "").await.starts_with("552"));
    assert!(client.ask("MAIL FROM:<a@example.org>", "").await.starts_with("250"));
    assert!(client.ask("RCPT TO:<nobody>", "").await.starts_with("550"));
    for _ in 0..limits::RECIPIENTS {
        assert!(client.ask("RCPT TO:<b@example.org>", "").await.starts_with("250"));
    }
    assert!(client.ask("RCPT TO:<b@example.org>", "").await.starts_with("452"));
}

#[tokio::test]
async fn hostile_input_is_answered_or_ends_the_connection_but_never_the_server() {
    let demo = demo().await;
    let inputs: Vec<(&str, Vec<u8>)> = vec![
        ("a line that is too long", vec![b'x'; limits::LINE * 3]),
        ("binary", (0..=255).cycle().take(4000).collect()),
        ("paths without sense", b"MAIL FROM:<\r\nMAIL <>\r\nRCPT TO:\xff\xfe\r\n".to_vec()),
        ("a response that is no base64", b"AUTH PLAIN ***\r\n".to_vec()),
        ("an unknown mechanism", b"AUTH NTLM\r\n".to_vec()),
        ("no commands", b"\r\n \r\n\r\n".to_vec()),
    ];
    for (name, input) in inputs {
        let mut client = greeted(&demo).await;
        client.send(&input).await;
        client.send("\r\nQUIT\r\n").await;
        let rest = String::from_utf8_lossy(&client.rest().await).into_owned();
        assert!(rest.starts_with('5'), "{name}: {rest}");
    }
}
