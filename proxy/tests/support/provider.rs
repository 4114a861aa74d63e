//! A mail provider: web servers with settings, mail servers, entries in the DNS.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex},
};

use futures_util::future::BoxFuture;
use postern::{
    Config, Destination,
    discovery::{Records, Srv},
    policy::{Resolve, ResolveError},
};
use postern_bridge::{Discovery, Service};
use rustls_pki_types::CertificateDer;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};

use super::{
    Running,
    http::{Response, get},
    page::fetch_token,
    server::listen,
    start,
    tls::{Identity, listen_tls},
};

/// What was asked of whom: `host line` for web servers, `host:port` for mail servers.
pub(crate) type Log = Arc<Mutex<Vec<String>>>;

/// A provider, as far as the proxy can see it.
#[derive(Default)]
pub(crate) struct Provider {
    pub(crate) asked: Log,
    pub(crate) names: HashMap<&'static str, Vec<IpAddr>>,
    pub(crate) srv: Vec<(&'static str, Srv)>,
    pub(crate) mx: Vec<(u16, String)>,
    destinations: Vec<Destination>,
    roots: Vec<CertificateDer<'static>>,
}

impl Provider {
    /// A web server whose answers, by path, are whole: status line, headers, body.
    pub(crate) async fn web(&mut self, host: &'static str, answers: &[(&'static str, String)]) {
        let identity = Identity::of(host);
        let answers: Arc<HashMap<_, _>> = Arc::new(answers.iter().cloned().collect());
        let log = self.asked.clone();
        let address = listen_tls(&identity, move |stream| {
            let (answers, log) = (answers.clone(), log.clone());
            async move {
                let mut stream = BufReader::new(stream);
                let mut request = String::new();
                while !request.ends_with("\r\n\r\n") {
                    if stream.read_line(&mut request).await.unwrap_or(0) == 0 {
                        return;
                    }
                }
                let line = request.lines().next().unwrap_or_default();
                let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
                log.lock().unwrap().push(format!("{host} {target}"));
                let path = target.split('?').next().unwrap_or_default();
                let missing = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned();
                let answer = answers.get(path).unwrap_or(&missing);
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        })
        .await;
        self.reach(host, 443, address, &identity);
    }

    /// A mail server with TLS from the first byte, whose certificate is for `name`.
    pub(crate) async fn mail_as(&mut self, service: Service, host: &str, port: u16, name: &str) {
        let identity = Identity::of(name);
        let (log, place) = (self.asked.clone(), format!("{host}:{port}"));
        let address = listen_tls(&identity, move |stream| {
            log.lock().unwrap().push(place.clone());
            async move { drop(converse(service, stream, false).await) }
        })
        .await;
        self.reach(host, port, address, &identity);
    }

    /// A mail server with TLS from the first byte.
    pub(crate) async fn mail(&mut self, service: Service, host: &str, port: u16) {
        self.mail_as(service, host, port, host).await;
    }

    /// A mail server that begins with clear text.
    pub(crate) async fn later(&mut self, service: Service, host: &str, port: u16) {
        let identity = Identity::of(host);
        let acceptor = identity.acceptor();
        let address = listen(move |stream| {
            let acceptor = acceptor.clone();
            async move {
                let Some(stream) = converse(service, stream, true).await else { return };
                if let Ok(stream) = acceptor.accept(stream).await {
                    let mut stream = BufReader::new(stream);
                    answer(service, &mut stream, false).await;
                }
            }
        })
        .await;
        self.reach(host, port, address, &identity);
    }

    /// A server that accepts and never says a word.
    pub(crate) async fn silent(&mut self, host: &str, port: u16) {
        let (log, place) = (self.asked.clone(), format!("{host}:{port}"));
        let address = listen(move |stream| {
            log.lock().unwrap().push(place.clone());
            async move {
                std::future::pending::<()>().await;
                drop(stream);
            }
        })
        .await;
        self.reach(host, port, address, &Identity::of(host));
    }

    fn reach(&mut self, host: &str, port: u16, address: SocketAddr, identity: &Identity) {
        let host = host.to_owned();
        self.destinations.push(Destination { host, port, address, implicit_tls: false });
        self.roots.push(identity.certificate.clone());
    }

    /// Starts a proxy that sees this provider and nobody else.
    pub(crate) async fn start(self, config: impl FnOnce(&mut Config)) -> Running {
        let Self { names, srv, mx, destinations, roots, .. } = self;
        start(config, |mut builder| {
            for destination in destinations {
                builder = builder.allow(destination);
            }
            let dns = Arc::new(Dns { names, srv, mx });
            builder.trust(roots).resolver(dns.clone()).records(dns)
        })
        .await
    }
}

struct Dns {
    names: HashMap<&'static str, Vec<IpAddr>>,
    srv: Vec<(&'static str, Srv)>,
    mx: Vec<(u16, String)>,
}

impl Resolve for Dns {
    fn addresses<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<IpAddr>, ResolveError>> {
        let answer = self.names.get(name).cloned().ok_or(ResolveError::NotFound);
        Box::pin(async move { answer })
    }
}

impl Records for Dns {
    fn services<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Vec<Srv>> {
        let of = self.srv.iter().filter(|(own, _)| *own == name);
        let answer = of.map(|(_, srv)| srv.clone()).collect();
        Box::pin(async move { answer })
    }

    fn exchanges<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Vec<(u16, String)>> {
        let answer = self.mx.clone();
        Box::pin(async move { answer })
    }
}

/// Asks a proxy as its own page does.
pub(crate) async fn ask(proxy: SocketAddr, address: &str) -> Response {
    ask_as(proxy, address, &[]).await
}

/// The same with further headers.
pub(crate) async fn ask_as(proxy: SocketAddr, address: &str, headers: &[&str]) -> Response {
    let token = format!("Authorization: Bearer {}", fetch_token(proxy, headers).await);
    let path = format!("{}?address={address}", Discovery::PATH);
    get(proxy, &path, &[headers, &[&*token]].concat()).await
}

/// What a proxy finds out about an address, as lines.
pub(crate) async fn found(proxy: SocketAddr, address: &str) -> Vec<String> {
    found_as(proxy, address, &[]).await
}

/// The same with further headers.
pub(crate) async fn found_as(proxy: SocketAddr, address: &str, headers: &[&str]) -> Vec<String> {
    let response = ask_as(proxy, address, headers).await;
    assert_eq!(response.status, 200, "{}", response.text());
    let found: Discovery = serde_json::from_slice(&response.body).unwrap();
    let line = |c: &postern_bridge::Candidate| {
        let answers = if c.offers.is_some() { "answers" } else { "silent" };
        let (service, source) = (c.service, &c.source);
        format!("{service:?} {}:{} {:?} {source:?} {answers}", c.host, c.port, c.protection)
    };
    found.candidates.iter().map(line).collect()
}

/// A mail server's side of a conversation; the stream, if TLS is to begin.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    service: Service,
    stream: S,
    start_tls: bool,
) -> Option<S> {
    let mut stream = BufReader::new(stream);
    let greeting = match service {
        Service::Imap => "* OK ready\r\n",
        Service::Pop3 => "+OK ready\r\n",
        Service::Submission => "220 ready\r\n",
    };
    stream.write_all(greeting.as_bytes()).await.ok()?;
    stream.flush().await.ok()?;
    answer(service, &mut stream, start_tls).await.then(|| stream.into_inner())
}

/// Answers commands; true if TLS is to begin.
async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    service: Service,
    stream: &mut BufReader<S>,
    start_tls: bool,
) -> bool {
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return false;
        }
        let (tag, command) = match service {
            Service::Imap => line.trim().split_once(' ').unwrap_or_default(),
            Service::Pop3 | Service::Submission => ("", line.trim()),
        };
        let tls = matches!(command, "STARTTLS" | "STLS");
        let reply = match (service, command, start_tls) {
            (Service::Imap, "CAPABILITY", true) => {
                format!("* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n{tag} OK\r\n")
            }
            (Service::Imap, "CAPABILITY", false) => {
                format!("* CAPABILITY IMAP4rev1 IDLE AUTH=PLAIN\r\n{tag} OK\r\n")
            }
            (Service::Imap, "STARTTLS", true) => format!("{tag} OK\r\n"),
            (Service::Pop3, "CAPA", true) => "+OK\r\nSTLS\r\n.\r\n".into(),
            (Service::Pop3, "CAPA", false) => "+OK\r\nUSER\r\nUIDL\r\n.\r\n".into(),
            (Service::Pop3, "STLS", true) => "+OK\r\n".into(),
            (Service::Submission, "EHLO [127.0.0.1]", true) => "250-me\r\n250 STARTTLS\r\n".into(),
            (Service::Submission, "EHLO [127.0.0.1]", false) => {
                "250-me\r\n250 AUTH PLAIN\r\n".into()
            }
            (Service::Submission, "STARTTLS", true) => "220 go\r\n".into(),
            _ => return false,
        };
        let said = stream.write_all(reply.as_bytes()).await.is_ok();
        if !said || stream.flush().await.is_err() || tls {
            return said && tls;
        }
    }
}
