//! When TLS ends in the page: what reaches the server, and when.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::net::SocketAddr;

use postern_tunnel::{FromPage, Refusal, TlsMode};
use support::{
    HOST, Running, destination,
    page::{PLENTY, Page},
    server::listen,
    soon, start,
    tls::client_hello,
};
use tokio::{io::AsyncReadExt, sync::mpsc};

/// A server that tells what it got, connection by connection, and a proxy that leads there.
async fn server(implicit_tls: bool) -> (SocketAddr, Running, mpsc::UnboundedReceiver<Vec<u8>>) {
    let (told, got) = mpsc::unbounded_channel();
    let server = listen(move |mut stream| {
        let told = told.clone();
        async move {
            let mut bytes = Vec::new();
            // A reset is an end as well.
            let _ = stream.read_to_end(&mut bytes).await;
            told.send(bytes).unwrap();
        }
    })
    .await;
    let mut destination = destination(server);
    destination.implicit_tls = implicit_tls;
    let proxy = start(|_| {}, |builder| builder.allow(destination)).await;
    (server, proxy, got)
}

#[tokio::test]
async fn nothing_reaches_the_server_of_what_the_gate_refuses() {
    let (server, proxy, mut got) = server(true).await;
    let hello = client_hello(HOST);
    let mut cut = hello.clone();
    cut[5] = 2; // A ServerHello, it says.
    for (first, reason) in [
        (b"A1 LOGIN user password\r\n".to_vec(), "The page must begin with TLS."),
        (
            client_hello("evil.example.org"),
            "The page's TLS is for evil.example.org, but it asked for mail.example.org.",
        ),
        (
            client_hello("9.9.9.9"),
            "The page's TLS does not name mail.example.org, the server that it asked for.",
        ),
        (cut, "The page's first TLS message can't be read."),
        (vec![22, 3, 1, 0, 4, 1, 0xff, 0, 0], "The page's first TLS message is too long."),
    ] {
        let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::EndToEnd, PLENTY).await;
        page.send(&first).await;
        let refused = page.hear_refused().await;
        assert_eq!((refused.code, refused.message.as_str()), (Refusal::BadRequest, reason));
        assert_eq!(soon(got.recv()).await.unwrap(), b"", "{reason}");
    }
}

#[tokio::test]
async fn nothing_reaches_the_server_of_a_page_that_goes_before_the_gate_has_opened() {
    let (server, proxy, mut got) = server(true).await;
    let hello = client_hello(HOST);
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::EndToEnd, PLENTY).await;
    page.send(&hello[..hello.len() - 1]).await;
    drop(page);
    assert_eq!(soon(got.recv()).await.unwrap(), b"");
}

#[tokio::test]
async fn what_has_passed_reaches_the_server_as_it_was_sent() {
    let (server, proxy, mut got) = server(true).await;
    let hello = client_hello(HOST);
    let after = b"whatever comes next";
    for split in [1, 5, 6, 9, hello.len() / 2, hello.len() - 1] {
        let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::EndToEnd, PLENTY).await;
        page.send(&hello[..split]).await;
        page.send(&[&hello[split..], after].concat()).await;
        page.say(&FromPage::Finish).await;
        assert_eq!(soon(got.recv()).await.unwrap(), [&hello[..], after].concat(), "{split}");
    }
}

#[tokio::test]
async fn where_tls_starts_later_the_page_is_relayed_and_inserts_it_itself() {
    let (server, proxy, mut got) = server(false).await;
    let said = [b"A1 STARTTLS\r\n", &client_hello("any.example.org")[..]].concat();
    let (mut page, _) = Page::open(proxy.addr, server.port(), TlsMode::EndToEnd, PLENTY).await;
    page.send(&said).await;
    page.say(&FromPage::Finish).await;
    assert_eq!(soon(got.recv()).await.unwrap(), said);
}
