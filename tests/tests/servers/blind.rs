//! What the proxy could read: every byte that crosses it is searched, on both its sides.

use std::io::{Read, Write};

use anyhow::{Context, Result, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use postern::{Config, Destination, Proxy};
use postern_tests::{
    dovecot::{Dovecot, PASSWORD},
    token,
    wiretap::Wiretap,
};
use postern_tunnel::{FromPage, FromProxy, Open, PATH, SUBPROTOCOL, TlsMode};
use rustls::{ClientConfig, ClientConnection, RootCertStore, crypto::ring};
use tokio::{net::TcpStream, task::JoinSet};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest},
};

const USER: &str = "ben@demo.postern.example";
const CONTENT: &str = "what nobody else may read";

/// What must not be found.
fn secrets() -> [&'static str; 3] {
    [PASSWORD, USER, CONTENT]
}

#[tokio::test]
async fn nothing_of_mail_or_password_can_be_read_where_tls_ends_in_the_page() -> Result<()> {
    let overheard = overhear(TlsMode::EndToEnd).await?;
    for secret in secrets() {
        ensure!(!overheard.page.contains(secret), "{secret} was sent to the proxy");
        ensure!(!overheard.server.contains(secret), "{secret} was sent by the proxy");
    }
    Ok(())
}

/// The same search finds everything where the proxy ends TLS: so it searches in the right place.
#[tokio::test]
async fn everything_can_be_read_by_a_proxy_that_ends_tls() -> Result<()> {
    let overheard = overhear(TlsMode::Proxy).await?;
    for secret in secrets() {
        ensure!(overheard.page.contains(secret), "{secret} did not come by");
        ensure!(!overheard.server.contains(secret), "{secret} was sent in clear text");
    }
    Ok(())
}

/// All that was said between the page and the proxy, and between the proxy and the server.
struct Overheard {
    page: String,
    server: String,
}

/// Has a page log in through the proxy and read a message.
async fn overhear(mode: TlsMode) -> Result<Overheard> {
    let dovecot = Dovecot::start()?;
    let message = format!("Subject: A secret\r\n\r\n{CONTENT}\r\n");
    dovecot.deliver(USER, message.as_bytes())?;
    let to_server = Wiretap::start(dovecot.imaps).await?;

    let (host, port) = ("localhost".to_owned(), to_server.address.port());
    let known = Destination { host, port, address: to_server.address, implicit_tls: true };
    let config = Config { listen: ([127, 0, 0, 1], 0).into(), ..Config::default() };
    let builder = Proxy::builder(config).trust(vec![dovecot.authority.root()]);
    let proxy = builder.allow(known).bind().await?;
    let to_proxy = Wiretap::start(proxy.local_addr()).await?;
    let mut tasks = JoinSet::new();
    tasks.spawn(proxy.serve(std::future::pending()));

    let tls = (mode == TlsMode::EndToEnd).then(|| tls(&dovecot)).transpose()?;
    let mut page = Page::open(&to_proxy, port, mode, tls).await?;
    page.wait_for("* OK").await?;
    page.ask("a", &format!("LOGIN {USER} {PASSWORD}")).await?;
    page.ask("b", "SELECT INBOX").await?;
    let fetched = page.ask("c", "FETCH 1 BODY[]").await?;
    ensure!(fetched.contains(CONTENT), "{fetched}");
    page.ask("d", "LOGOUT").await?;

    let text = |wiretap: &Wiretap| String::from_utf8_lossy(&wiretap.heard().concat()).into_owned();
    Ok(Overheard { page: text(&to_proxy), server: text(&to_server) })
}

fn tls(dovecot: &Dovecot) -> Result<ClientConnection> {
    let mut roots = RootCertStore::empty();
    roots.add(dovecot.authority.root())?;
    let config = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(ClientConnection::new(config.into(), "localhost".try_into()?)?)
}

/// A page that speaks IMAP through a tunnel, with TLS of its own or without.
struct Page {
    socket: WebSocketStream<TcpStream>,
    tls: Option<ClientConnection>,
    heard: Vec<u8>,
}

impl Page {
    async fn open(
        proxy: &Wiretap,
        port: u16,
        mode: TlsMode,
        tls: Option<ClientConnection>,
    ) -> Result<Self> {
        let mut request = format!("ws://{}{PATH}", proxy.address).into_client_request()?;
        let origin = format!("http://{}", proxy.address);
        request.headers_mut().insert("origin", origin.parse()?);
        request.headers_mut().insert("sec-websocket-protocol", SUBPROTOCOL.parse()?);
        let stream = TcpStream::connect(proxy.address).await?;
        let (mut socket, _) = client_async(request, stream).await?;
        let token = token::fetch(proxy.address).await?;
        let host = "localhost".into();
        let open = Open { host, port, tls: mode, credit: 1024 * 1024, token: Some(token) };
        socket.send(Message::text(FromPage::Open(open).to_text())).await?;
        let mut page = Self { socket, tls, heard: Vec::new() };
        page.send(b"").await?;
        Ok(page)
    }

    /// Sends a command and waits for its answer.
    async fn ask(&mut self, tag: &str, command: &str) -> Result<String> {
        self.send(format!("{tag} {command}\r\n").as_bytes()).await?;
        self.wait_for(&format!("{tag} OK")).await
    }

    /// Everything up to these words, which it must come to.
    async fn wait_for(&mut self, words: &str) -> Result<String> {
        loop {
            let heard = String::from_utf8_lossy(&self.heard).into_owned();
            if heard.contains(words) {
                self.heard.clear();
                return Ok(heard);
            }
            let message = self.socket.next().await;
            match message.with_context(|| format!("no {words} in {heard}"))?? {
                Message::Binary(bytes) => self.take(&bytes).await?,
                Message::Text(text) => {
                    if let FromProxy::Refused(refused) = FromProxy::from_text(&text)? {
                        bail!("{}", refused.message);
                    }
                }
                _ => {}
            }
        }
    }

    async fn take(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(tls) = &mut self.tls else {
            self.heard.extend(bytes);
            return Ok(());
        };
        let mut rest = bytes;
        while !rest.is_empty() {
            tls.read_tls(&mut rest)?;
            let clear = tls.process_new_packets()?.plaintext_bytes_to_read();
            let heard = self.heard.len();
            self.heard.resize(heard + clear, 0);
            tls.reader().read_exact(&mut self.heard[heard..])?;
        }
        self.send(b"").await
    }

    /// Sends words, and whatever TLS has to say.
    async fn send(&mut self, words: &[u8]) -> Result<()> {
        let bytes = match &mut self.tls {
            Some(tls) => {
                tls.writer().write_all(words)?;
                let mut bytes = Vec::new();
                while tls.wants_write() {
                    tls.write_tls(&mut bytes)?;
                }
                bytes
            }
            None => words.to_vec(),
        };
        if !bytes.is_empty() {
            self.socket.send(Message::binary(bytes)).await?;
        }
        Ok(())
    }
}
