//! Nothing that is not allowed is ever dialled: a listener counts the connections.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use hickory_resolver::proto::{op::ResponseCode, rr::RecordType};
use postern::{Config, policy::SystemResolver};
use postern_tunnel::{Open, Refusal, TlsMode};
use support::{
    HOST, Running,
    name_server::{self, Answer, NameServer, addresses, alias, failure},
    page::{PLENTY, Page, open},
    server::{closed, echo_on},
    start,
};
use tokio::net::{TcpListener, UdpSocket};

/// A port on which connections to any address of this machine are counted.
struct Trap {
    port: u16,
    connections: Arc<AtomicUsize>,
}

impl Trap {
    async fn set() -> Self {
        let connections = Arc::new(AtomicUsize::new(0));
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        Self::watch(listener, connections.clone());
        // Not every machine has IPv6.
        if let Ok(listener) = TcpListener::bind(("::1", port)).await {
            Self::watch(listener, connections.clone());
        }
        Self { port, connections }
    }

    fn watch(listener: TcpListener, connections: Arc<AtomicUsize>) {
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(echo_on(stream));
            }
        });
    }

    fn sprung(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// A proxy that may use the port and asks the name server.
async fn proxy(port: u16, names: &NameServer, config: impl FnOnce(&mut Config)) -> Running {
    proxy_asking(port, names.addr, config).await
}

/// A proxy that may use the port and asks whoever is at this address.
async fn proxy_asking(port: u16, names: SocketAddr, config: impl FnOnce(&mut Config)) -> Running {
    let resolver = Arc::new(SystemResolver::asking(names));
    start(
        |settings| {
            settings.ports = vec![port];
            config(settings);
        },
        |builder| builder.resolver(resolver),
    )
    .await
}

fn to(host: &str, port: u16) -> Open {
    open(host, port, TlsMode::None, PLENTY)
}

#[tokio::test]
async fn no_spelling_of_a_forbidden_address_leads_there() {
    let trap = Trap::set().await;
    // Whoever takes one of them for a name, and asks, hears of this machine.
    let names = name_server::start(|_| addresses(&["127.0.0.1"])).await;
    let proxy = proxy(trap.port, &names, |_| {}).await;
    for host in [
        // This machine, straight and odd.
        "127.0.0.1",
        "127.0.0.53",
        "127.255.255.254",
        "127.1",
        "127.0.1",
        "0x7f.1",
        "0x7f.0.0.1",
        "0x7f000001",
        "0X7F000001",
        "2130706433",
        "017700000001",
        "0177.0.0.1",
        "0177.0.0.0x1",
        "127.0.0.01",
        "127.0.0.1.",
        "127.000.000.001",
        "127.0.0.1:993",
        "127.0.0.1%00",
        "127%2e0%2e0%2e1",
        "%31%32%37.0.0.1",
        "１２７.０.０.１",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "127.0.0.１",
        "0.0.0.0",
        "0",
        "0.1",
        "::",
        "::1",
        "0:0:0:0:0:0:0:1",
        "0000::0001",
        "[::1]",
        "[127.0.0.1]",
        "::1%lo",
        "::1%251",
        "localhost",
        "localhost.",
        "LocalHost",
        "mail.localhost",
        "ｌｏｃａｌｈｏｓｔ",
        "local\u{ad}host",
        // Inside of another address.
        "::ffff:127.0.0.1",
        "::ffff:7f00:1",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1",
        "2002:7f00:1::1",
        "2001:0:7f00:1::1",
        "2001::80ff:fffe",
        "2a00:1450::5efe:7f00:1",
        "2a00:1450::200:5efe:7f00:1",
        // Networks that are not the public Internet.
        "10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "100::1",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        // No hosts at all.
        "",
        ".",
        "mail.example.org:993",
        "mail.example.org\r\n",
        "mail.example.org\0.evil.example",
        "user@mail.example.org",
        "mail.example.org/",
        "mail example.org",
        "*.example.org",
    ] {
        let refused = Page::refused(proxy.addr, to(host, trap.port)).await;
        assert_eq!(refused.code, Refusal::NotAllowed, "{host:?}: {}", refused.message);
    }
    assert_eq!(trap.sprung(), 0);
    assert_eq!(*names.asked.lock().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn no_answer_of_a_name_server_leads_to_a_forbidden_address() {
    let many: Vec<String> = (1..=33).map(|last| format!("9.9.9.{last}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let table = [
        ("own.example.org.", addresses(&["127.0.0.1"]), Refusal::NotAllowed),
        ("own6.example.org.", addresses(&["::1"]), Refusal::NotAllowed),
        ("private.example.org.", addresses(&["10.0.0.1"]), Refusal::NotAllowed),
        ("mapped.example.org.", addresses(&["::ffff:127.0.0.1"]), Refusal::NotAllowed),
        ("nat64.example.org.", addresses(&["64:ff9b::7f00:1"]), Refusal::NotAllowed),
        ("6to4.example.org.", addresses(&["2002:7f00:1::1"]), Refusal::NotAllowed),
        ("mixed.example.org.", addresses(&["9.9.9.9", "127.0.0.1"]), Refusal::NotAllowed),
        ("last.example.org.", addresses(&["9.9.9.9", "1.1.1.1", "127.0.0.1"]), Refusal::NotAllowed),
        ("families.example.org.", addresses(&["9.9.9.9", "::1"]), Refusal::NotAllowed),
        ("families4.example.org.", addresses(&["2620:fe::9", "127.0.0.1"]), Refusal::NotAllowed),
        ("alias.example.org.", alias("inside.example.net.", &["127.0.0.1"]), Refusal::NotAllowed),
        ("aliases.example.org.", alias("own.example.org.", &[]), Refusal::NotAllowed),
        ("localhost-alias.example.org.", alias("localhost.", &[]), Refusal::NotAllowed),
        ("many.example.org.", addresses(&many), Refusal::NotAllowed),
        (
            "cut.example.org.",
            Answer { truncated: true, ..addresses(&["9.9.9.9"]) },
            Refusal::NotAllowed,
        ),
        ("127.0.0.1.rebind.example.", addresses(&["127.0.0.1"]), Refusal::NotAllowed),
        ("intranet.", addresses(&["127.0.0.1"]), Refusal::NotAllowed),
        ("xn--bcher-kva.example.", addresses(&["127.0.0.1"]), Refusal::NotAllowed),
        ("empty.example.org.", addresses(&[]), Refusal::UnknownHost),
        ("missing.example.org.", failure(ResponseCode::NXDomain), Refusal::UnknownHost),
        ("broken.example.org.", failure(ResponseCode::ServFail), Refusal::LookupFailed),
        ("refused.example.org.", failure(ResponseCode::Refused), Refusal::LookupFailed),
        (
            "half.example.org.",
            Answer { unable: Some(RecordType::A), ..addresses(&[]) },
            Refusal::LookupFailed,
        ),
        (
            "half6.example.org.",
            Answer { unable: Some(RecordType::AAAA), ..addresses(&[]) },
            Refusal::LookupFailed,
        ),
        ("loop.example.org.", alias("loop.example.org.", &[]), Refusal::UnknownHost),
    ];
    let trap = Trap::set().await;
    let answers = table.clone();
    let names = name_server::start(move |asked| {
        let known = answers.iter().find(|(name, ..)| *name == asked);
        known.map_or(failure(ResponseCode::NXDomain), |(_, answer, _)| answer.clone())
    })
    .await;
    let proxy = proxy(trap.port, &names, |_| {}).await;
    for (name, _, code) in table {
        for host in [name, name.trim_end_matches('.')] {
            let refused = Page::refused(proxy.addr, to(host, trap.port)).await;
            assert_eq!(refused.code, code, "{host}: {}", refused.message);
        }
    }
    let refused = Page::refused(proxy.addr, to("bücher.example", trap.port)).await;
    assert_eq!(refused.code, Refusal::NotAllowed);
    assert_eq!(trap.sprung(), 0);
}

#[tokio::test]
async fn a_name_server_that_does_not_answer_says_nothing_about_a_name() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let gone = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for names in [silent.local_addr().unwrap(), gone] {
        let proxy = proxy_asking(143, names, |_| {}).await;
        let refused = Page::refused(proxy.addr, to(HOST, 143)).await;
        assert_eq!(refused.code, Refusal::LookupFailed, "{}", refused.message);
        assert!(refused.message.contains("can't be looked up at the moment"));
    }
}

#[tokio::test]
async fn a_name_that_changes_its_mind_is_vetted_each_time_and_looked_up_once() {
    let trap = Trap::set().await;
    let turn = AtomicUsize::new(0);
    let names = name_server::start(move |_| {
        // Each look-up asks for both families.
        let first = turn.fetch_add(1, Ordering::SeqCst) < 2;
        addresses(&[if first { "127.0.0.2" } else { "127.0.0.1" }])
    })
    .await;
    let proxy = proxy(trap.port, &names, |config| {
        config.allow_networks = vec!["127.0.0.2/32".parse().unwrap()];
    })
    .await;
    let (mut page, opened) = Page::open(proxy.addr, trap.port, TlsMode::None, PLENTY).await;
    assert_eq!(opened.peer.parse::<SocketAddr>().unwrap().ip().to_string(), "127.0.0.2");
    page.send(b"x").await;
    assert_eq!(page.hear_bytes(1).await, b"x");
    assert_eq!(*names.asked.lock().unwrap(), [format!("{HOST}."), format!("{HOST}.")]);
    assert_eq!(trap.sprung(), 1);

    for _ in 0..3 {
        let refused = Page::refused(proxy.addr, to(HOST, trap.port)).await;
        assert_eq!(refused.code, Refusal::NotAllowed, "{}", refused.message);
    }
    assert_eq!(trap.sprung(), 1);
}

#[tokio::test]
async fn a_name_is_asked_for_as_it_is_and_with_nothing_after_it() {
    let trap = Trap::set().await;
    let names = name_server::start(|_| failure(ResponseCode::NXDomain)).await;
    let proxy = proxy(trap.port, &names, |_| {}).await;
    for host in ["intranet", "Mail.Example.ORG", "mail.example.org."] {
        let refused = Page::refused(proxy.addr, to(host, trap.port)).await;
        assert_eq!(refused.code, Refusal::UnknownHost);
    }
    let asked = names.asked.lock().unwrap();
    assert!(
        asked.iter().all(|name| name == "intranet." || name == "mail.example.org."),
        "{asked:?}"
    );
}

#[tokio::test]
async fn whom_the_list_leaves_out_is_not_even_looked_up() {
    let trap = Trap::set().await;
    let names = name_server::start(|_| addresses(&["127.0.0.1"])).await;
    let proxy = proxy(trap.port, &names, |config| {
        config.allow = vec!["*.example.com".parse().unwrap()];
        config.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    for host in [HOST, "example.com", "evilexample.com", "127.0.0.1"] {
        let refused = Page::refused(proxy.addr, to(host, trap.port)).await;
        assert_eq!(refused.code, Refusal::NotAllowed, "{host}");
    }
    for port in [25, 22, 80, 443] {
        let refused = Page::refused(proxy.addr, to("mail.example.com", port)).await;
        assert_eq!(refused.code, Refusal::NotAllowed, "{port}");
    }
    assert_eq!(*names.asked.lock().unwrap(), Vec::<String>::new());
    assert_eq!(trap.sprung(), 0);
}

#[tokio::test]
async fn the_proxy_itself_is_not_reached_even_where_its_machine_may_be() {
    let names = name_server::start(|_| addresses(&["127.0.0.1"])).await;
    let own = closed().await;
    let proxy = proxy(own.port(), &names, |config| {
        config.listen = own;
        config.allow_networks = ["127.0.0.0/8", "::/0"].map(|net| net.parse().unwrap()).to_vec();
    })
    .await;
    for host in [HOST, "127.0.0.1", "127.0.0.2", "localhost", "::ffff:127.0.0.1"] {
        let refused = Page::refused(proxy.addr, to(host, own.port())).await;
        assert_eq!(refused.code, Refusal::NotAllowed, "{host}: {}", refused.message);
        assert!(refused.message.contains("this proxy itself"), "{}", refused.message);
    }
}

#[tokio::test]
async fn what_is_named_as_its_own_or_as_nat64_is_refused_as_what_it_is() {
    let trap = Trap::set().await;
    let names = name_server::start(|_| addresses(&["127.0.0.2"])).await;
    let proxy = proxy(trap.port, &names, |config| {
        config.allow_networks = vec!["127.0.0.0/8".parse().unwrap()];
        config.own_addresses = vec!["127.0.0.2/32".parse().unwrap()];
        config.nat64_prefixes = vec!["2a00:64::/96".parse().unwrap()];
    })
    .await;
    for host in [HOST, "127.0.0.2", "2a00:64::127.0.0.2", "2a00:64::10.0.0.1"] {
        let refused = Page::refused(proxy.addr, to(host, trap.port)).await;
        assert_eq!(refused.code, Refusal::NotAllowed, "{host}: {}", refused.message);
    }
    assert_eq!(trap.sprung(), 0);
}
