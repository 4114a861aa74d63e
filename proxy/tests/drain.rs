//! The proxy stops while it is busy.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::{net::SocketAddr, time::Duration};

use postern::limits::WINDOW;
use postern_tunnel::{FromPage, FromProxy, Refusal, TlsMode};
use support::{
    HOST, destination,
    http::draining,
    page::{Heard, Page, open},
    server::{echo, listen},
    soon, start,
};
use tokio::{
    net::TcpStream,
    sync::{mpsc, watch},
    task::JoinHandle,
};

/// Tunnels that are busy.
const BUSY: usize = 50;

/// Bytes in a message, and how many may be on their way.
const PIECE: usize = 5_000;
const ON_THE_WAY: usize = 4 * PIECE;

/// How a busy tunnel has ended.
#[derive(Debug, Eq, PartialEq)]
enum Ended {
    /// All that was sent has come back, and both sides have finished.
    Complete,
    /// The proxy has ended it, for this reason.
    Refused(Refusal),
}

/// Fifty pages that send without a break, and hear what comes back.
struct Load {
    finish: watch::Sender<bool>,
    pages: Vec<JoinHandle<Ended>>,
}

impl Load {
    /// Opens tunnels, and returns when each of them carries bytes.
    async fn start(proxy: SocketAddr, host: &str, port: u16) -> Self {
        let (finish, told) = watch::channel(false);
        let (report, mut carrying) = mpsc::unbounded_channel();
        let mut pages = Vec::new();
        for number in 0..BUSY {
            let mut page = Page::connect(proxy).await;
            page.say(&FromPage::Open(open(host, port, TlsMode::None, u32::MAX))).await;
            assert!(matches!(page.hear().await, Heard::Control(FromProxy::Opened(_))));
            pages.push(tokio::spawn(work(page, number, told.clone(), report.clone())));
        }
        for _ in 0..BUSY {
            soon(carrying.recv()).await.unwrap();
        }
        Self { finish, pages }
    }

    /// Tells the pages to come to an end.
    fn finish(&self) {
        self.finish.send_replace(true);
    }

    async fn ended(self) -> Vec<Ended> {
        let mut ended = Vec::new();
        for page in self.pages {
            ended.push(soon(page).await.unwrap());
        }
        ended
    }
}

/// The byte at this place of a page's stream.
fn byte(number: usize, place: usize) -> u8 {
    ((place + number) % 251) as u8
}

/// Sends within its credit, and checks each byte that comes back.
async fn work(
    mut page: Page,
    number: usize,
    finish: watch::Receiver<bool>,
    report: mpsc::UnboundedSender<usize>,
) -> Ended {
    let (mut credit, mut sent, mut back) = (WINDOW as usize, 0, 0);
    loop {
        let finishing = *finish.borrow();
        if finishing && sent == back {
            break;
        }
        if !finishing && credit >= PIECE && sent - back < ON_THE_WAY {
            let piece: Vec<u8> = (sent..sent + PIECE).map(|place| byte(number, place)).collect();
            page.send(&piece).await;
            credit -= PIECE;
            sent += PIECE;
            continue;
        }
        match page.hear().await {
            Heard::Bytes(bytes) => {
                let expected = (back..).map(|place| byte(number, place));
                assert!(bytes.iter().copied().eq(expected.take(bytes.len())), "at {back}");
                back += bytes.len();
                if back == bytes.len() {
                    report.send(number).unwrap();
                }
            }
            Heard::Control(FromProxy::Credit(more)) => credit += more as usize,
            Heard::Control(FromProxy::Refused(refused)) => return Ended::Refused(refused.code),
            other => panic!("after {back} of {sent} bytes: {other:?}"),
        }
    }
    page.say(&FromPage::Finish).await;
    loop {
        match page.hear().await {
            Heard::Control(FromProxy::Credit(_)) => {}
            Heard::Control(FromProxy::Finish) => break,
            other => panic!("{other:?} instead of the end"),
        }
    }
    assert_eq!(page.hear().await, Heard::Closed);
    Ended::Complete
}

#[tokio::test]
async fn no_byte_is_lost_of_tunnels_that_finish_in_time() {
    let server = echo().await;
    let proxy = start(
        |config| config.limits.drain = Duration::from_secs(3600),
        |builder| builder.allow(destination(server)),
    )
    .await;
    let addr = proxy.addr;
    let load = Load::start(addr, HOST, server.port()).await;
    let served = proxy.stop();
    draining(addr).await;
    let headers =
        [("origin", format!("http://{addr}")), ("sec-websocket-protocol", "postern.v1".into())];
    assert!(Page::connect_with(addr, &headers).await.is_err(), "a new tunnel");
    assert!(!served.is_finished());
    load.finish();
    assert!(load.ended().await.into_iter().all(|ended| ended == Ended::Complete));
    soon(served).await.unwrap();
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn tunnels_that_do_not_finish_are_told_why_they_end_and_the_proxy_stops_in_time() {
    let server = echo().await;
    let proxy = start(
        |config| config.limits.drain = Duration::from_secs(1),
        |builder| builder.allow(destination(server)),
    )
    .await;
    let addr = proxy.addr;
    let load = Load::start(addr, HOST, server.port()).await;
    soon(proxy.stop()).await.unwrap();
    let ended = load.ended().await;
    let told = |ended: &&Ended| **ended == Ended::Refused(Refusal::ShuttingDown);
    assert_eq!(ended.iter().filter(told).count(), BUSY, "{ended:?}");
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn a_tunnel_that_waits_for_its_server_is_told_as_well() {
    let server = listen(async |stream| {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let proxy = start(
        |config| {
            config.limits.drain = Duration::from_millis(50);
            config.limits.handshake = Duration::from_secs(3600);
        },
        |builder| builder.allow(destination(server)),
    )
    .await;
    let opening = |tls| FromPage::Open(open(HOST, server.port(), tls, 1));
    let mut handshake = Page::connect(proxy.addr).await;
    handshake.say(&opening(TlsMode::Proxy)).await;
    let (mut start_tls, _) = Page::open(proxy.addr, server.port(), TlsMode::ProxyStartTls, 1).await;
    start_tls.say(&FromPage::StartTls).await;
    let served = proxy.stop();
    assert_eq!(handshake.hear_refused().await.code, Refusal::ShuttingDown);
    assert_eq!(start_tls.hear_refused().await.code, Refusal::ShuttingDown);
    soon(served).await.unwrap();
}

#[cfg(unix)]
mod program {
    //! The same with the program, which is told by a signal.

    use std::{
        io::{BufRead, BufReader},
        process::{Child, Command, ExitStatus, Stdio},
    };

    use super::*;

    /// Starts the program with this time to drain; it may reach this port here.
    fn start(port: u16, drain: &str) -> (Child, SocketAddr) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("POSTERN_")) {
            command.env_remove(name);
        }
        let mut child = command
            .args(["--listen", "127.0.0.1:0", "--allow-networks", "127.0.0.1/32"])
            .args(["--ports", &port.to_string(), "--limits-drain-seconds", drain])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit("http://").next().unwrap().trim_end_matches('/');
        (child, address.parse().unwrap())
    }

    fn terminate(child: &Child) {
        let told = Command::new("kill").arg(child.id().to_string()).status().unwrap();
        assert!(told.success());
    }

    async fn exit(mut child: Child) -> ExitStatus {
        soon(tokio::task::spawn_blocking(move || child.wait())).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn it_lets_tunnels_finish_and_ends_well() {
        let server = echo().await;
        let (child, addr) = start(server.port(), "3600");
        let load = Load::start(addr, "127.0.0.1", server.port()).await;
        terminate(&child);
        draining(addr).await;
        load.finish();
        assert!(load.ended().await.into_iter().all(|ended| ended == Ended::Complete));
        assert!(exit(child).await.success());
    }

    #[tokio::test]
    async fn it_tells_those_that_do_not_and_ends_well() {
        let server = echo().await;
        let (child, addr) = start(server.port(), "1");
        let load = Load::start(addr, "127.0.0.1", server.port()).await;
        terminate(&child);
        let ended = load.ended().await;
        let told = |ended: &&Ended| **ended == Ended::Refused(Refusal::ShuttingDown);
        assert_eq!(ended.iter().filter(told).count(), BUSY, "{ended:?}");
        assert!(exit(child).await.success());
    }

    #[tokio::test]
    async fn told_again_it_does_not_wait() {
        let server = echo().await;
        let (child, addr) = start(server.port(), "3600");
        let mut page = Page::connect(addr).await;
        page.say(&FromPage::Open(open("127.0.0.1", server.port(), TlsMode::None, 1))).await;
        assert!(matches!(page.hear().await, Heard::Control(FromProxy::Opened(_))));
        terminate(&child);
        draining(addr).await;
        terminate(&child);
        assert!(exit(child).await.success());
    }
}
