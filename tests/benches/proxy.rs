//! The proxy's tunnel, beside a WebSocket relay of a few lines, over clear text to one TCP server.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use postern::{Config, Destination, Proxy};
use postern_tests::{
    relay::Relay,
    report::{Comparison, RUNS, Unit, deliver, in_time, scaled},
    token,
};
use postern_tunnel::{FromPage, FromProxy, Open, PATH, SUBPROTOCOL, TlsMode, credit::Window};
use serde_json::Value;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest},
};

/// The server's name for the proxy.
const HOST: &str = "mail.example.org";

/// Stream bytes that a client lets be on their way to it, as the page's engine does.
const WINDOW: u32 = 1024 * 1024;

/// How many connections share the work in one of the figures.
const MANY: usize = 50;

/// How many connections are opened one after the other for one median of the time that takes.
const OPENED: usize = 200;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    deliver(in_time(measure()).await?)
}

async fn measure() -> Result<Vec<Value>> {
    let bytes = scaled(256_000_000);
    let one = bulk("proxy/bulk, 1 connection", 1, bytes).await?;
    let many = bulk("proxy/bulk, 50 connections", MANY, bytes).await?;
    Ok(vec![one, many, open_to_first_byte().await?])
}

async fn bulk(name: &str, connections: usize, bytes: usize) -> Result<Value> {
    let each = bytes / connections;
    let setting = Setting::start(each).await?;
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    for run in 0..=RUNS {
        let our_rate = Unit::Rate.of(bytes, setting.fetch(Way::Tunnel, connections).await?);
        let peer_rate = Unit::Rate.of(bytes, setting.fetch(Way::Relay, connections).await?);
        // The first turn warms up.
        if run > 0 {
            ours.push(our_rate);
            peer.push(peer_rate);
        }
    }
    let comparison =
        Comparison { name, unit: Unit::Rate, peer_name: "plain WebSocket relay", goal: 1.0 };
    Ok(comparison.figure(ours, peer))
}

async fn open_to_first_byte() -> Result<Value> {
    let setting = Setting::start(100).await?;
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    for _ in 0..scaled(OPENED) {
        for (way, values) in [(Way::Tunnel, &mut ours), (Way::Relay, &mut peer)] {
            let first_byte = setting.client(way).fetch().await?;
            values.push(Unit::Milliseconds.of(0, first_byte));
        }
    }
    let comparison = Comparison {
        name: "proxy/open to first byte",
        unit: Unit::Milliseconds,
        peer_name: "plain WebSocket relay",
        goal: 1.0,
    };
    Ok(comparison.figure(ours, peer))
}

/// How a client reaches the server.
#[derive(Clone, Copy)]
enum Way {
    Tunnel,
    Relay,
}

/// A server, and both ways to it.
struct Setting {
    server: SocketAddr,
    /// How many bytes the server sends on each connection.
    bytes: usize,
    proxy: SocketAddr,
    /// The page's token.
    token: String,
    relay: Relay,
    _tasks: JoinSet<()>,
}

impl Setting {
    async fn start(bytes: usize) -> Result<Self> {
        let mut tasks = JoinSet::new();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let server = listener.local_addr()?;
        tasks.spawn(serve(listener, bytes));
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        // One address stands for many people.
        let limits = postern::limits::Limits {
            connections_per_client: 4 * MANY,
            connections_per_client_per_minute: u32::MAX,
            connections_per_minute: u32::MAX,
            bytes_per_client_per_hour: u64::MAX,
            ..Default::default()
        };
        let config = Config { listen, limits, ..Config::default() };
        let (host, port) = (HOST.into(), server.port());
        let known = Destination { host, port, address: server, implicit_tls: false };
        let proxy = Proxy::builder(config).allow(known).bind().await?;
        let address = proxy.local_addr();
        tasks.spawn(proxy.serve(std::future::pending()));
        let token = token::fetch(address).await?;
        let relay = Relay::start(server).await?;
        Ok(Self { server, bytes, proxy: address, token, relay, _tasks: tasks })
    }

    fn client(&self, way: Way) -> Client {
        let (relay, target) = match way {
            Way::Tunnel => (self.proxy, Some((self.server, self.token.clone()))),
            Way::Relay => (self.relay.address, None),
        };
        Client { relay, target, bytes: self.bytes }
    }

    /// How long it takes until so many clients, all at once, have everything.
    async fn fetch(&self, way: Way, connections: usize) -> Result<Duration> {
        let start = Instant::now();
        let mut clients = JoinSet::new();
        for _ in 0..connections {
            clients.spawn(self.client(way).fetch());
        }
        while let Some(client) = clients.join_next().await {
            client??;
        }
        Ok(start.elapsed())
    }
}

/// Sends so many bytes on every connection.
async fn serve(listener: TcpListener, bytes: usize) {
    let mut connections = JoinSet::new();
    while let Ok((mut stream, _)) = listener.accept().await {
        connections.spawn(async move {
            let chunk = vec![b'x'; 64 * 1024];
            let mut left = bytes;
            while left > 0 {
                let length = left.min(chunk.len());
                if stream.write_all(&chunk[..length]).await.is_err() {
                    return;
                }
                left -= length;
            }
            // The client counts what it gets.
            let _ = stream.shutdown().await;
        });
    }
}

/// A client that throws away what it gets.
struct Client {
    relay: SocketAddr,
    /// The server to ask the proxy for, and the token to show; a plain relay knows only one server.
    target: Option<(SocketAddr, String)>,
    bytes: usize,
}

impl Client {
    /// Fetches everything; returns how long after the start of the connection the first byte came.
    async fn fetch(self) -> Result<Duration> {
        let start = Instant::now();
        let mut socket = self.connect().await?;
        let mut window = Window::new(WINDOW);
        let (mut received, mut first_byte) = (0, None);
        while received < self.bytes {
            match socket.next().await.context("the connection ended")?? {
                Message::Binary(bytes) => {
                    first_byte.get_or_insert_with(|| start.elapsed());
                    received += bytes.len();
                    if self.target.is_some() {
                        window.arrived(bytes.len())?;
                        if let Some(credit) = window.consumed(bytes.len()) {
                            say(&mut socket, &FromPage::Credit(credit)).await?;
                        }
                    }
                }
                Message::Text(text) => {
                    if let FromProxy::Refused(refused) = FromProxy::from_text(&text)? {
                        bail!("{}", refused.message);
                    }
                }
                Message::Close(_) => bail!("closed after {received} bytes"),
                _ => {}
            }
        }
        ensure!(received == self.bytes, "{received} bytes instead of {}", self.bytes);
        // How a connection ends that has brought everything is not measured.
        let _ = socket.close(None).await;
        first_byte.context("there is no byte")
    }

    async fn connect(&self) -> Result<WebSocketStream<TcpStream>> {
        let mut request = format!("ws://{}{PATH}", self.relay).into_client_request()?;
        let stream = TcpStream::connect(self.relay).await?;
        stream.set_nodelay(true)?;
        let Some((target, token)) = self.target.clone() else {
            return Ok(client_async(request, stream).await?.0);
        };
        let origin = format!("http://{}", self.relay);
        request.headers_mut().insert("origin", origin.parse()?);
        request.headers_mut().insert("sec-websocket-protocol", SUBPROTOCOL.parse()?);
        let (mut socket, _) = client_async(request, stream).await?;
        let open = Open {
            host: HOST.into(),
            port: target.port(),
            tls: TlsMode::None,
            credit: WINDOW,
            token: Some(token),
        };
        say(&mut socket, &FromPage::Open(open)).await?;
        Ok(socket)
    }
}

async fn say(socket: &mut WebSocketStream<TcpStream>, message: &FromPage) -> Result<()> {
    Ok(socket.send(Message::text(message.to_text())).await?)
}
