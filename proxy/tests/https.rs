//! HTTPS that the proxy ends itself: HTTP/1.1 and HTTP/2 over it, and tunnels over both.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::time::Duration;

use axum::body::Body;
use futures_util::{SinkExt, StreamExt};
use hyper::{Request, StatusCode, Version};
use postern_tunnel::{FromPage, FromProxy, Open, PATH, SUBPROTOCOL, TlsMode};
use support::{
    HOST, destination,
    http::{get, parse},
    https::{
        HTTP1, HTTP2, NAME, connect, connect_http2, fetch_token, https, start_https,
        tunnel_request, upgrade_http2,
    },
    page::{PLENTY, open},
    server::echo,
    soon, start,
    tls::Identity,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest, protocol::Role},
};

/// Opens a tunnel over a WebSocket, and sends something through it.
async fn echo_through<S>(mut socket: WebSocketStream<S>, port: u16, token: String)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let open = Open { token: Some(token), ..open(HOST, port, TlsMode::None, PLENTY) };
    let open = FromPage::Open(open);
    socket.send(Message::text(open.to_text())).await.unwrap();
    let Some(Ok(Message::Text(answer))) = soon(socket.next()).await else { panic!("no answer") };
    assert!(matches!(FromProxy::from_text(&answer).unwrap(), FromProxy::Opened(_)), "{answer}");
    let letter = vec![b'x'; 40_000];
    socket.send(Message::binary(letter.clone())).await.unwrap();
    let mut heard = Vec::new();
    while heard.len() < letter.len() {
        match soon(socket.next()).await {
            Some(Ok(Message::Binary(bytes))) => heard.extend(bytes),
            Some(Ok(_)) => {}
            other => panic!("after {} bytes: {other:?}", heard.len()),
        }
    }
    assert!(heard == letter);
    socket.close(None).await.unwrap();
}

#[tokio::test]
async fn an_answer_over_https_keeps_the_browser_there() {
    let (proxy, identity, _folder) = start_https(|_| {}, |builder| builder).await;
    let mut stream = connect(proxy.addr, &identity.certificate, &[HTTP1]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(HTTP1));
    let head = "GET /api/config HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    soon(stream.read_to_end(&mut bytes)).await.unwrap();
    let answer = parse(&bytes);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("strict-transport-security"), Some("max-age=60"));

    let plain = start(|_| {}, |builder| builder).await;
    let answer = get(plain.addr, "/api/config", &[]).await;
    assert_eq!(answer.header("strict-transport-security"), None);
}

#[tokio::test]
async fn http_without_tls_is_not_answered_where_tls_is_spoken() {
    let (proxy, ..) = start_https(|_| {}, |builder| builder).await;
    let mut stream = TcpStream::connect(proxy.addr).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut bytes = Vec::new();
    let _ = soon(stream.read_to_end(&mut bytes)).await;
    assert!(!bytes.starts_with(b"HTTP"), "{bytes:?}");
}

#[tokio::test]
async fn a_handshake_has_its_time_and_no_more() {
    let handshake = Duration::from_millis(300);
    let (proxy, ..) =
        start_https(|config| config.limits.handshake = handshake, |builder| builder).await;
    let mut stream = TcpStream::connect(proxy.addr).await.unwrap();
    // The head of a record of TLS that never comes.
    stream.write_all(&[22, 3, 1, 1, 0]).await.unwrap();
    let ended = soon(stream.read(&mut [0; 1])).await;
    assert!(!matches!(ended, Ok(1..)), "{ended:?}");
}

#[tokio::test]
async fn many_requests_share_one_connection_of_http_2() {
    let (proxy, identity, _folder) = start_https(|_| {}, |builder| builder).await;
    let requests = connect_http2(proxy.addr, &identity.certificate).await;
    let answers = (0..50).map(|_| {
        let mut requests = requests.clone();
        async move {
            let request = Request::get(format!("https://{NAME}/healthz"));
            requests.send_request(request.body(Body::empty()).unwrap()).await.unwrap()
        }
    });
    for answer in soon(futures_util::future::join_all(answers)).await {
        assert_eq!((answer.status(), answer.version()), (StatusCode::OK, Version::HTTP_2));
        let body = axum::body::to_bytes(Body::new(answer.into_body()), 10).await.unwrap();
        assert_eq!(&body[..], b"ok\n");
    }
}

#[tokio::test]
async fn a_file_comes_whole_over_http_2() {
    let page = tempfile::tempdir().unwrap();
    let file: Vec<u8> = (0..1_000_000_u32).map(|n| n as u8).collect();
    std::fs::write(page.path().join("index.html"), &file).unwrap();
    let folder = page.path().to_owned();
    let (proxy, identity, _folder) =
        start_https(|config| config.page = Some(folder), |builder| builder).await;
    let mut requests = connect_http2(proxy.addr, &identity.certificate).await;
    let request = Request::get(format!("https://{NAME}/index.html")).body(Body::empty()).unwrap();
    let answer = soon(requests.send_request(request)).await.unwrap();
    assert_eq!(answer.headers()["content-length"], "1000000");
    let body = axum::body::to_bytes(Body::new(answer.into_body()), 2_000_000);
    assert!(soon(body).await.unwrap() == file);
}

#[tokio::test]
async fn a_tunnel_goes_over_https() {
    let server = echo().await;
    let (proxy, identity, _folder) =
        start_https(|_| {}, |builder| builder.allow(destination(server))).await;
    let token = fetch_token(&proxy, &identity).await;
    let stream = connect(proxy.addr, &identity.certificate, &[HTTP1]).await.unwrap();
    let port = proxy.addr.port();
    let mut request = format!("wss://{NAME}:{port}{PATH}").into_client_request().unwrap();
    let headers = request.headers_mut();
    headers.insert("origin", format!("https://{NAME}:{port}").parse().unwrap());
    headers.insert("sec-websocket-protocol", SUBPROTOCOL.parse().unwrap());
    let (socket, _) = soon(client_async(request, stream)).await.unwrap();
    echo_through(socket, server.port(), token).await;
}

#[tokio::test]
async fn several_tunnels_go_over_one_connection_of_http_2() {
    let server = echo().await;
    let (proxy, identity, _folder) =
        start_https(|_| {}, |builder| builder.allow(destination(server))).await;
    let token = fetch_token(&proxy, &identity).await;
    let requests = connect_http2(proxy.addr, &identity.certificate).await;
    let proxy = proxy.addr;
    let tunnels = (0..5).map(|_| {
        let (mut requests, token) = (requests.clone(), token.clone());
        async move {
            let stream = upgrade_http2(&mut requests, proxy).await;
            let socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
            echo_through(socket, server.port(), token).await;
        }
    });
    soon(futures_util::future::join_all(tunnels)).await;
}

#[tokio::test]
async fn a_page_of_another_origin_gets_no_tunnel_over_http_2() {
    let (proxy, identity, _folder) = start_https(|_| {}, |builder| builder).await;
    let mut requests = connect_http2(proxy.addr, &identity.certificate).await;
    let port = proxy.addr.port();
    for origin in ["https://evil.example", &format!("http://{NAME}:{port}")] {
        let answer = soon(requests.send_request(tunnel_request(proxy.addr, origin))).await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{origin}");
    }
}

#[tokio::test]
async fn requests_without_tls_are_led_to_it() {
    let (proxy, ..) = start_https(
        |config| {
            let https = config.https.as_mut().unwrap();
            https.redirect_listen = Some(([127, 0, 0, 1], 0).into());
        },
        |builder| builder,
    )
    .await;
    let (redirect, port) = (proxy.redirect.unwrap(), proxy.addr.port());
    for path in ["/", "/api/config?x=1", PATH] {
        let answer = get(redirect, path, &["Host: localhost:80"]).await;
        assert_eq!(answer.status, 308);
        let expected = format!("https://localhost:{port}{path}");
        assert_eq!(answer.header("location"), Some(expected.as_str()));
    }
    assert_eq!(get(redirect, "/healthz", &[]).await.text(), "ok\n");
    assert_eq!(get(redirect, "/", &["Host: a@b"]).await.status, 400);
}

#[tokio::test]
async fn a_redirect_leads_where_the_origins_say_the_page_is() {
    let (proxy, ..) = start_https(
        |config| {
            config.origins = vec!["https://mail.example.org".parse().unwrap()];
            config.open_relay = true;
            let https = config.https.as_mut().unwrap();
            https.redirect_listen = Some(([127, 0, 0, 1], 0).into());
        },
        |builder| builder,
    )
    .await;
    let answer = get(proxy.redirect.unwrap(), "/x", &["Host: mail.example.org"]).await;
    assert_eq!(answer.header("location"), Some("https://mail.example.org/x"));
}

#[tokio::test]
async fn a_certificate_that_can_not_be_used_is_an_error_that_names_the_setting() {
    let folder = tempfile::tempdir().unwrap();
    let other = Identity::of("other.example");
    let error = || {
        let https = Some(https(folder.path()));
        let config = postern::Config { https, ..postern::Config::default() };
        postern::Proxy::builder(config).check().unwrap_err().to_string()
    };
    let missing = error();
    assert!(
        missing.contains("https.certificate: ") && missing.contains("https.key: "),
        "{missing}"
    );
    support::https::install(&other, folder.path());
    std::fs::write(folder.path().join("key.pem"), "no key").unwrap();
    assert!(error().starts_with("https.key: "));
    std::fs::write(folder.path().join("key.pem"), Identity::of(NAME).key_pem()).unwrap();
    let mismatch = error();
    assert!(mismatch.starts_with("https.key: "), "{mismatch}");
    assert!(mismatch.contains("does not belong to the certificate"), "{mismatch}");
    std::fs::write(folder.path().join("certificate.pem"), "").unwrap();
    assert!(error().starts_with("https.certificate: "));
}

#[tokio::test]
async fn a_browser_that_offers_nothing_that_is_spoken_gets_no_tls() {
    let (proxy, identity, _folder) = start_https(|_| {}, |builder| builder).await;
    assert!(connect(proxy.addr, &identity.certificate, &[b"spdy/3"]).await.is_err());
    // None at all is HTTP/1.1.
    let stream = connect(proxy.addr, &identity.certificate, &[]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), None);
    let stream = connect(proxy.addr, &identity.certificate, &[HTTP2]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(HTTP2));
}
