use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rcgen::{CertificateParams, KeyPair};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion,
    client::UnbufferedClientConnection, crypto::ring, server::UnbufferedServerConnection, version,
};
use rustls_pki_types::PrivateKeyDer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex, split},
    time::timeout,
};

use super::TlsStream;

const HOST: &str = "mail.example.org";

type Client = TlsStream<DuplexStream, UnbufferedClientConnection>;
type Server = TlsStream<DuplexStream, UnbufferedServerConnection>;

fn configs(version: &'static SupportedProtocolVersion) -> (Arc<ClientConfig>, Arc<ServerConfig>) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![HOST.to_owned()]).unwrap().self_signed(&key);
    let certificate = certificate.unwrap().der().clone();
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let client = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let server = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    (Arc::new(client), Arc::new(server))
}

/// Both ends, over a stream that takes so many bytes at once.
async fn pair(version: &'static SupportedProtocolVersion, room: usize) -> (Client, Server) {
    let (client, server) = configs(version);
    let (near, far) = duplex(room);
    let (client, server) = soon(async {
        tokio::join!(
            Client::connect(near, client, HOST.try_into().unwrap()),
            Server::accept(far, server)
        )
    })
    .await;
    (client.unwrap(), server.unwrap())
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(60), future).await.unwrap()
}

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|position| (position % 251) as u8).collect()
}

#[tokio::test]
async fn bytes_go_both_ways_at_once_whatever_the_stream_takes() {
    for version in [&version::TLS12, &version::TLS13] {
        for room in [1_000, 5_000, 100_000] {
            let bytes = pattern(200_000);
            let (client, server) = pair(version, room).await;
            let (mut from_server, mut to_server) = split(client);
            let (mut from_client, mut to_client) = split(server);
            let send = async {
                to_server.write_all(&bytes).await.unwrap();
                to_server.shutdown().await.unwrap();
            };
            let echo = async {
                tokio::io::copy(&mut from_client, &mut to_client).await.unwrap();
                to_client.shutdown().await.unwrap();
            };
            let mut back = Vec::new();
            let receive = from_server.read_to_end(&mut back);
            let ((), (), count) = soon(async { tokio::join!(send, echo, receive) }).await;
            assert_eq!(count.unwrap(), bytes.len());
            assert!(back == bytes, "{version:?}, {room}");
        }
    }
}

#[tokio::test]
async fn one_side_can_end_while_the_other_goes_on() {
    let (mut client, mut server) = pair(&version::TLS13, 10_000).await;
    client.shutdown().await.unwrap();
    let mut all = Vec::new();
    assert_eq!(soon(server.read_to_end(&mut all)).await.unwrap(), 0);
    server.write_all(b"still here").await.unwrap();
    server.shutdown().await.unwrap();
    soon(client.read_to_end(&mut all)).await.unwrap();
    assert_eq!(all, b"still here");
}

#[tokio::test]
async fn an_end_that_was_not_announced_is_an_error() {
    let (mut client, mut server) = pair(&version::TLS13, 10_000).await;
    server.write_all(b"half a mess").await.unwrap();
    server.flush().await.unwrap();
    drop(server);
    let mut all = Vec::new();
    let error = soon(client.read_to_end(&mut all)).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof);
    assert_eq!(all, b"half a mess");
}

#[tokio::test]
async fn what_was_tampered_with_is_an_error() {
    let (client, server) = configs(&version::TLS13);
    let (near, far) = duplex(100_000);
    let (middle, server_end) = duplex(100_000);
    // Turns one bit of what the server sends, once it is told to.
    let begun = Arc::new(AtomicBool::new(false));
    let begin = begun.clone();
    let tamper = async move {
        let (mut from_client, mut to_client) = split(far);
        let (mut from_server, mut to_server) = split(middle);
        let up = tokio::io::copy(&mut from_client, &mut to_server);
        let down = async {
            let mut bytes = vec![0; 20_000];
            while let Ok(count @ 1..) = from_server.read(&mut bytes).await {
                if begun.load(Ordering::Relaxed) {
                    bytes[count / 2] ^= 1;
                }
                if to_client.write_all(&bytes[..count]).await.is_err() {
                    break;
                }
            }
        };
        let _ = tokio::join!(up, down);
    };
    tokio::spawn(tamper);
    let (client, server) = soon(async {
        tokio::join!(
            Client::connect(near, client, HOST.try_into().unwrap()),
            Server::accept(server_end, server)
        )
    })
    .await;
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    begin.store(true, Ordering::Relaxed);
    server.write_all(&[7; 1000]).await.unwrap();
    let error = soon(client.read(&mut [0; 2000])).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
}

#[tokio::test]
async fn a_handshake_that_fails_tells_both_sides_why() {
    let (client, server) = configs(&version::TLS13);
    let (near, far) = duplex(10_000);
    let other = "other.example.org".try_into().unwrap();
    let (client, server) = soon(async {
        tokio::join!(Client::connect(near, client, other), Server::accept(far, server))
    })
    .await;
    let cause = |error: std::io::Error| *error.into_inner().unwrap().downcast().unwrap();
    assert!(matches!(cause(client.err().unwrap()), rustls::Error::InvalidCertificate(_)));
    assert!(matches!(cause(server.err().unwrap()), rustls::Error::AlertReceived(_)));
}

#[tokio::test]
async fn small_reads_get_everything_in_order() {
    let (mut client, mut server) = pair(&version::TLS13, 100_000).await;
    let bytes = pattern(50_000);
    server.write_all(&bytes).await.unwrap();
    server.shutdown().await.unwrap();
    let mut back = Vec::new();
    let mut piece = [0; 7];
    while let count @ 1.. = soon(client.read(&mut piece)).await.unwrap() {
        back.extend_from_slice(&piece[..count]);
    }
    assert!(back == bytes);
}
