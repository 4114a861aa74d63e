//! TLS that ends in a real Chromium, beside TLS that ends in the proxy: 200 MB from one server.
//!
//! Server, proxy and browser share the machine's cores, so what the page's own process needs of a
//! processor is measured as well: that is what one core of a person's machine can carry.
//!
//! `cargo xtask bench tls` builds the page that it needs, a release whose engine can be asked to
//! download, and names its folder after `--page`.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use postern::{Config, Destination, Proxy};
use postern_tests::{
    browser::Browser,
    certificate::Authority,
    measuring::{self, Measured},
    report::{Comparison, Unit, argument, bounded, deliver, median, rate, scaled, within},
};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpListener, task::JoinSet};
use tokio_rustls::TlsAcceptor;

/// The server's name.
const HOST: &str = "localhost";

/// How often each way is measured; odd, so that a median is a measured value.
const RUNS: usize = 5;

/// MB/s that TLS in the browser must reach.
const GOAL: f64 = 60.0;

/// How long it may take all in all; a third of it is enough on a machine that does nothing else.
const PATIENCE: Duration = Duration::from_secs(180);

/// How much more of WebAssembly's memory ten times the bytes may use: the widest window, with what
/// is made of it.
const GROWTH: f64 = 8e6;

/// Milliseconds that the page may be kept from answering, at most.
const LONGEST_TASK: f64 = 50.0;

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    deliver(within(PATIENCE, measure()).await?)
}

/// What one download has shown.
struct Download {
    /// MB/s, by the clock on the wall.
    rate: f64,
    /// MB that a second of a processor carries through the page's process.
    per_core: f64,
    /// Bytes that WebAssembly has of memory.
    memory: f64,
}

async fn measure() -> Result<Vec<Value>> {
    let bytes = scaled(200_000_000);
    let setting = Setting::start(bytes).await?;
    let mut longest = 0.0;
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    let (mut our_core, mut peer_core) = (Vec::new(), Vec::new());
    let mut memory = [Vec::new(), Vec::new()];
    Browser::run("bench-tls", async |browser| {
        measuring::open(browser, &setting.url).await?;
        measuring::watch_tasks(browser).await?;
        // The first turn warms up; a tenth of the bytes tells whether memory grows with them.
        setting.download(browser, End::Browser, bytes).await?;
        // By now the page has started, which is measured elsewhere.
        measuring::forget_tasks(browser).await?;
        for _ in 0..RUNS {
            let few = setting.download(browser, End::Browser, bytes / 10).await?;
            let all = setting.download(browser, End::Browser, bytes).await?;
            memory[0].push(few.memory);
            memory[1].push(all.memory);
            ours.push(all.rate);
            our_core.push(all.per_core);
            let beside = setting.download(browser, End::Proxy, bytes).await?;
            peer.push(beside.rate);
            peer_core.push(beside.per_core);
        }
        longest = measuring::longest_task(browser).await?;
        Ok(())
    })
    .await?;
    let [few, all] = memory.map(median);
    ensure!(all <= few + GROWTH, "memory grows with what is downloaded: from {few} to {all} bytes");
    let beside =
        |name, goal| Comparison { name, unit: Unit::Rate, peer_name: "TLS in the proxy", goal };
    Ok(vec![
        at_least("tls/200 MB, TLS in the browser", GOAL, ours.clone()),
        at_least("tls/on one core of the page's", GOAL, our_core.clone()),
        beside("tls/in the browser, beside in the proxy", 0.2).figure(ours, peer),
        beside("tls/on one core, beside in the proxy", 0.2).figure(our_core, peer_core),
        bounded("tls/longest task on the main thread", LONGEST_TASK, vec![longest]),
    ])
}

/// A figure without a peer: MB/s that must be at least `bound`.
fn at_least(name: &str, bound: f64, measured: Vec<f64>) -> Value {
    let runs = measured.len();
    let ours = median(measured);
    json!({
        "name": name,
        "unit": Unit::Rate.name(),
        "ours": ours,
        "peer": null,
        "peer_name": null,
        "ratio": null,
        "goal": bound,
        "met": ours >= bound,
        "runs": runs,
    })
}

/// Where TLS ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Browser,
    Proxy,
}

/// A server, and the proxy with the page before it.
struct Setting {
    url: String,
    server: SocketAddr,
    /// The server's certificate, for the browser to trust.
    fingerprint: String,
    _tasks: JoinSet<()>,
}

impl Setting {
    async fn start(bytes: usize) -> Result<Self> {
        let mut tasks = JoinSet::new();
        let authority = Authority::new();
        let identity = authority.issue(&[HOST]);
        let certificate = CertificateDer::from_pem_slice(identity.certificate.as_bytes())?;
        let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes())?;
        let digest = postern_certificate::fingerprint(&certificate);
        let fingerprint = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let provider = rustls::crypto::ring::default_provider();
        let tls = ServerConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let server = listener.local_addr()?;
        tasks.spawn(serve(listener, Arc::new(tls).into(), bytes));

        let page = argument("--page").context("run `cargo xtask bench tls`")?;
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let config = Config { listen, page: Some(page), ..Config::default() };
        let (host, port) = (HOST.into(), server.port());
        let known = Destination { host, port, address: server, implicit_tls: true };
        let builder = Proxy::builder(config).trust(vec![authority.root()]).allow(known);
        let proxy = builder.bind().await?;
        let url = format!("http://{}/", proxy.local_addr());
        tasks.spawn(proxy.serve(std::future::pending()));
        Ok(Self { url, server, fingerprint, _tasks: tasks })
    }

    /// Has the engine download so many bytes.
    async fn download(&self, browser: &Browser, end: End, bytes: usize) -> Result<Download> {
        let way = match end {
            End::Browser => &*self.fingerprint,
            End::Proxy => "proxy",
        };
        let asked = format!("measure={HOST},{},{way},{bytes}", self.server.port());
        let before = browser.processor()?;
        let measured = measuring::measure(browser, &asked, PATIENCE).await;
        let Measured { took, memory, .. } = measured
            .with_context(|| format!("{bytes} bytes do not arrive, TLS ending in {end:?}"))?;
        let processor = browser.processor()?.saturating_sub(before);
        Ok(Download { rate: rate(bytes, took), per_core: rate(bytes, processor), memory })
    }
}

/// Sends so many bytes over TLS on every connection.
async fn serve(listener: TcpListener, tls: TlsAcceptor, bytes: usize) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let tls = tls.clone();
        connections.spawn(async move {
            let Ok(mut stream) = tls.accept(stream).await else { return };
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
