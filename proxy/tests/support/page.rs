//! A page, as far as the tunnel is concerned.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use postern_tunnel::{
    FromPage, FromProxy, Open, Opened, PATH, Refused, SUBPROTOCOL, TOKEN_PATH, TlsMode, Token,
};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

use super::{HOST, http::request, soon};

/// What a page grants when a test does not care.
pub(crate) const PLENTY: u32 = 1 << 20;

/// A page with its WebSocket, and its token if it has fetched one.
pub(crate) struct Page(pub(crate) WebSocketStream<TcpStream>, Option<String>);

/// What a page hears.
#[derive(Debug, PartialEq)]
pub(crate) enum Heard {
    Control(FromProxy),
    Bytes(Vec<u8>),
    Closed,
}

impl Page {
    /// Fetches a token and opens a WebSocket, as the proxy's own page does.
    pub(crate) async fn connect(proxy: SocketAddr) -> Self {
        let token = fetch_token(proxy, &[]).await;
        Self { 1: Some(token), ..Self::connect_without_token(proxy).await }
    }

    /// Opens a WebSocket as the proxy's own page does, without a token.
    pub(crate) async fn connect_without_token(proxy: SocketAddr) -> Self {
        let headers =
            [("origin", format!("http://{proxy}")), ("sec-websocket-protocol", SUBPROTOCOL.into())];
        Self::connect_with(proxy, &headers).await.unwrap()
    }

    /// Opens a WebSocket with these headers, without a token.
    pub(crate) async fn connect_with(
        proxy: SocketAddr,
        headers: &[(&'static str, String)],
    ) -> Result<Self, Error> {
        let mut request = format!("ws://{proxy}{PATH}").into_client_request()?;
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(proxy).await?;
        let (socket, _) = soon(client_async(request, stream)).await?;
        Ok(Self(socket, None))
    }

    /// Opens a tunnel to [`HOST`].
    pub(crate) async fn open(
        proxy: SocketAddr,
        port: u16,
        tls: TlsMode,
        credit: u32,
    ) -> (Self, Opened) {
        let mut page = Self::connect(proxy).await;
        page.say(&FromPage::Open(open(HOST, port, tls, credit))).await;
        match page.hear().await {
            Heard::Control(FromProxy::Opened(opened)) => (page, opened),
            other => panic!("{other:?}"),
        }
    }

    /// Asks for a tunnel and returns why there is none.
    pub(crate) async fn refused(proxy: SocketAddr, open: Open) -> Refused {
        let mut page = Self::connect(proxy).await;
        page.say(&FromPage::Open(open)).await;
        page.hear_refused().await
    }

    /// Says something; shows the token if the message can hold one and does not yet.
    pub(crate) async fn say(&mut self, message: &FromPage) {
        self.say_text(&self.with_token(message).to_text()).await;
    }

    /// The message with the page's token, if it can hold one and does not yet.
    pub(crate) fn with_token(&self, message: &FromPage) -> FromPage {
        match message.clone() {
            FromPage::Open(open) => {
                let token = open.token.or_else(|| self.1.clone());
                FromPage::Open(Open { token, ..open })
            }
            message => message,
        }
    }

    pub(crate) async fn say_text(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.0.send(Message::binary(bytes.to_vec())).await.unwrap();
    }

    /// The next thing that is not about the WebSocket itself.
    pub(crate) async fn hear(&mut self) -> Heard {
        loop {
            return match soon(self.0.next()).await {
                Some(Ok(Message::Text(text))) => {
                    Heard::Control(FromProxy::from_text(&text).unwrap())
                }
                Some(Ok(Message::Binary(bytes))) => Heard::Bytes(bytes.to_vec()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => Heard::Closed,
                Some(Ok(_)) => continue,
            };
        }
    }

    /// Hears out what comes until the tunnel is refused.
    pub(crate) async fn hear_refused(&mut self) -> Refused {
        loop {
            match self.hear().await {
                Heard::Control(FromProxy::Refused(refused)) => return refused,
                Heard::Closed => panic!("closed without a reason"),
                Heard::Control(_) | Heard::Bytes(_) => {}
            }
        }
    }

    /// The next `count` stream bytes, whatever messages come between.
    pub(crate) async fn hear_bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < count {
            match self.hear().await {
                Heard::Bytes(more) => bytes.extend(more),
                Heard::Control(FromProxy::Credit(_)) => {}
                other => panic!("after {} bytes: {other:?}", bytes.len()),
            }
        }
        bytes
    }
}

/// A first message.
pub(crate) fn open(host: &str, port: u16, tls: TlsMode, credit: u32) -> Open {
    Open { host: host.into(), port, tls, credit, token: None }
}

/// Fetches a token as the proxy's own page does, with further headers.
pub(crate) async fn fetch_token(proxy: SocketAddr, headers: &[&str]) -> String {
    let origin = format!("Origin: http://{proxy}");
    let headers = [&[origin.as_str()], headers].concat();
    let response = request(proxy, "POST", TOKEN_PATH, &headers).await;
    assert_eq!(response.status, 200, "{}", response.text());
    serde_json::from_slice::<Token>(&response.body).unwrap().token
}
