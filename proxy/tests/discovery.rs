//! Which servers an address has, and what is done to find out.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use postern::{demo, discovery::Srv, limits::DISCOVERIES_PER_MINUTE};
use postern_bridge::{
    Discovery,
    Service::{Imap, Pop3, Submission},
};
use support::{
    http::get,
    provider::{Provider, ask, ask_as, found, found_as},
    start,
};
use tokio::net::TcpListener;

const ADDRESS: &str = "ada@example.org";

/// The usual path of a provider's own settings, and the well-known one.
const OWN: &str = "/mail/config-v1.1.xml";
const WELL_KNOWN: &str = "/.well-known/autoconfig/mail/config-v1.1.xml";

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn redirect(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n")
}

/// Settings that name an IMAP and a submission server.
fn settings(imap: &str, smtp: &str) -> String {
    format!(
        "<clientConfig version=\"1.1\"><emailProvider id=\"x\">\
         <incomingServer type=\"imap\"><hostname>{imap}</hostname><port>993</port>\
         <socketType>SSL</socketType></incomingServer>\
         <incomingServer type=\"imap\"><hostname>{imap}</hostname><port>143</port>\
         <socketType>plain</socketType></incomingServer>\
         <outgoingServer type=\"smtp\"><hostname>{smtp}</hostname><port>465</port>\
         <socketType>SSL</socketType></outgoingServer></emailProvider></clientConfig>"
    )
}

async fn with_servers() -> Provider {
    let mut provider = Provider::default();
    provider.mail(Imap, "imap.example.org", 993).await;
    provider.mail(Submission, "smtp.example.org", 465).await;
    provider
}

const BY_AUTOCONFIG: [&str; 2] = [
    "Imap imap.example.org:993 Tls Autoconfig answers",
    "Submission smtp.example.org:465 Tls Autoconfig answers",
];
const BY_PROBE: [&str; 2] = [
    "Imap imap.example.org:993 Tls Probe answers",
    "Submission smtp.example.org:465 Tls Probe answers",
];

#[tokio::test]
async fn a_provider_publishes_its_settings_and_is_told_the_address() {
    let mut provider = with_servers().await;
    let file = ok(&settings("imap.example.org", "smtp.example.org"));
    provider.web("autoconfig.example.org", &[(OWN, file)]).await;
    let asked = provider.asked.clone();
    let proxy = provider.start(|_| {}).await;
    assert_eq!(found(proxy.addr, "a%2Bb@example.org").await, BY_AUTOCONFIG);
    let asked = asked.lock().unwrap().clone();
    let web = "autoconfig.example.org /mail/config-v1.1.xml?emailaddress=a%2Bb@example.org";
    assert_eq!(asked.iter().filter(|line| *line == web).count(), 1, "{asked:?}");
    assert_eq!(asked.len(), 3, "{asked:?}");
}

#[tokio::test]
async fn the_well_known_place_is_asked_as_well_without_the_address() {
    let mut provider = with_servers().await;
    let file = ok(&settings("imap.example.org", "smtp.example.org"));
    provider.web("example.org", &[(WELL_KNOWN, file)]).await;
    let asked = provider.asked.clone();
    let proxy = provider.start(|_| {}).await;
    assert_eq!(found(proxy.addr, ADDRESS).await, BY_AUTOCONFIG);
    assert!(asked.lock().unwrap().contains(&format!("example.org {WELL_KNOWN}")));
}

#[tokio::test]
async fn a_redirect_is_followed_and_the_address_stays_within_the_domain() {
    let mut provider = with_servers().await;
    let file = ok(&settings("imap.example.org", "smtp.example.org"));
    let away = redirect("https://settings.example.net/x?emailaddress=ada@example.org");
    provider
        .web("autoconfig.example.org", &[(OWN, redirect("/moved?a=ada")), ("/moved", away)])
        .await;
    provider.web("settings.example.net", &[("/x", file)]).await;
    let asked = provider.asked.clone();
    let proxy = provider.start(|_| {}).await;
    assert_eq!(found(proxy.addr, ADDRESS).await, BY_AUTOCONFIG);
    let asked = asked.lock().unwrap();
    assert!(asked.contains(&"autoconfig.example.org /moved?a=ada".into()), "{asked:?}");
    assert!(asked.contains(&"settings.example.net /x".into()), "{asked:?}");
}

#[tokio::test]
async fn files_that_can_not_be_used_lead_to_the_usual_names() {
    let good = settings("evil.example.net", "evil.example.net");
    let huge = good
        .replace("</clientConfig>", &format!("<!--{}--></clientConfig>", "x".repeat(64 * 1024)));
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{huge}");
    let bomb = format!("<!DOCTYPE c [<!ENTITY a \"a\">]>{good}");
    for answer in [
        ok("<html>welcome</html>"),
        ok(&good[..good.len() - 4]),
        ok(&huge),
        ok(&bomb),
        endless,
        "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n".into(),
        "nonsense\r\n\r\n".into(),
        redirect("http://autoconfig.example.org/plain"),
        redirect("https://autoconfig.example.org:8443/port"),
        redirect(OWN),
    ] {
        let mut provider = with_servers().await;
        let plain = ok(&good);
        let answers = [(OWN, answer.clone()), ("/plain", plain.clone()), ("/port", plain)];
        provider.web("autoconfig.example.org", &answers).await;
        let proxy = provider.start(|_| {}).await;
        assert_eq!(
            found(proxy.addr, ADDRESS).await,
            BY_PROBE,
            "{}",
            &answer[..answer.len().min(80)]
        );
    }
}

#[tokio::test]
async fn a_file_of_exactly_the_longest_length_is_read() {
    let mut provider = with_servers().await;
    let file = settings("imap.example.org", "smtp.example.org");
    let fill = 64 * 1024 - file.len();
    provider.web("autoconfig.example.org", &[(OWN, ok(&(file + &" ".repeat(fill))))]).await;
    let proxy = provider.start(|_| {}).await;
    assert_eq!(found(proxy.addr, ADDRESS).await, BY_AUTOCONFIG);
}

#[tokio::test]
async fn srv_records_name_servers_in_their_order_and_deny_others() {
    let mut provider = Provider::default();
    provider.mail(Imap, "second.example.net", 1993).await;
    provider.mail(Imap, "first.example.net", 993).await;
    provider.mail(Pop3, "pop.example.org", 995).await;
    provider.later(Submission, "out.example.net", 587).await;
    let srv =
        |priority, port, target: &str| Srv { priority, weight: 0, port, target: target.into() };
    provider.srv = vec![
        ("_imaps._tcp.example.org", srv(20, 1993, "second.example.net.")),
        ("_imaps._tcp.example.org", srv(10, 993, "first.example.net.")),
        ("_pop3s._tcp.example.org", srv(0, 0, ".")),
        ("_submission._tcp.example.org", srv(0, 587, "out.example.net.")),
        ("_submission._tcp.example.org", srv(1, 25, "relay.example.net.")),
    ];
    let asked = provider.asked.clone();
    let proxy = provider.start(|_| {}).await;
    assert_eq!(
        found(proxy.addr, ADDRESS).await,
        [
            "Imap first.example.net:993 Tls Dns answers",
            "Imap second.example.net:1993 Tls Dns answers",
            "Submission out.example.net:587 StartTls Dns answers",
        ]
    );
    assert!(!asked.lock().unwrap().contains(&"pop.example.org:995".into()));
}

#[tokio::test]
async fn the_provider_behind_the_mx_is_asked_about_the_domain_and_not_told_the_address() {
    let mut provider = Provider::default();
    provider.mail(Imap, "imap.hoster.co.uk", 993).await;
    provider.mail(Submission, "smtp.hoster.co.uk", 465).await;
    provider.mx = vec![(10, "mx1.hoster.co.uk.".into())];
    let file = ok(&settings("imap.hoster.co.uk", "smtp.hoster.co.uk"));
    provider.web("autoconfig.hoster.co.uk", &[(OWN, file.clone())]).await;
    provider.web("autoconfig.co.uk", &[(OWN, file)]).await;
    let asked = provider.asked.clone();
    let proxy = provider.start(|_| {}).await;
    let provider = "Provider(\"hoster.co.uk\")";
    assert_eq!(
        found(proxy.addr, ADDRESS).await,
        [
            format!("Imap imap.hoster.co.uk:993 Tls {provider} answers"),
            format!("Submission smtp.hoster.co.uk:465 Tls {provider} answers"),
        ]
    );
    let asked = asked.lock().unwrap();
    assert!(asked.contains(&format!("autoconfig.hoster.co.uk {OWN}")), "{asked:?}");
    assert!(!asked.iter().any(|line| line.contains("autoconfig.co.uk")), "{asked:?}");
    assert!(!asked.iter().any(|line| line.contains("ada")), "{asked:?}");
}

#[tokio::test]
async fn usual_names_are_tried_and_only_what_verifies_and_takes_log_ins_is_found() {
    let mut provider = Provider::default();
    // A certificate for another name.
    provider.mail_as(Imap, "imap.example.org", 993, "other.example.org").await;
    provider.later(Imap, "mail.example.org", 143).await;
    provider.mail(Pop3, "pop3.example.org", 995).await;
    // Another protocol than the port's.
    provider.mail(Imap, "smtp.example.org", 465).await;
    provider.later(Submission, "example.org", 587).await;
    let proxy = provider.start(|_| {}).await;
    assert_eq!(
        found(proxy.addr, ADDRESS).await,
        [
            "Imap mail.example.org:143 StartTls Probe answers",
            "Pop3 pop3.example.org:995 Tls Probe answers",
            "Submission example.org:587 StartTls Probe answers",
        ]
    );
}

#[tokio::test]
async fn a_published_server_that_does_not_answer_is_named_after_one_that_does() {
    let mut provider = with_servers().await;
    provider.silent("slow.example.org", 993).await;
    let file = ok(&settings("slow.example.org", "smtp.example.org"));
    provider.web("autoconfig.example.org", &[(OWN, file)]).await;
    let proxy = provider.start(|_| {}).await;
    assert_eq!(
        found(proxy.addr, ADDRESS).await,
        [
            "Imap imap.example.org:993 Tls Probe answers",
            "Imap slow.example.org:993 Tls Autoconfig silent",
            "Submission smtp.example.org:465 Tls Autoconfig answers",
        ]
    );
}

#[tokio::test]
async fn nothing_found_is_an_answer() {
    let proxy = Provider::default().start(|_| {}).await;
    assert!(found(proxy.addr, ADDRESS).await.is_empty());
}

#[tokio::test]
async fn what_was_found_a_moment_ago_is_not_asked_again_and_neither_is_what_was_not() {
    let mut provider = with_servers().await;
    provider.web("autoconfig.example.org", &[]).await;
    let asked = provider.asked.clone();
    let proxy = provider.start(|_| {}).await;
    assert_eq!(found(proxy.addr, ADDRESS).await, BY_PROBE);
    let before = asked.lock().unwrap().len();
    assert!(before >= 3);
    assert_eq!(found(proxy.addr, ADDRESS).await, BY_PROBE);
    assert_eq!(asked.lock().unwrap().len(), before);
    // Another address is another question to its own domain, and none to the mail servers.
    assert_eq!(found(proxy.addr, "bea@example.org").await, BY_PROBE);
    assert_eq!(asked.lock().unwrap().len(), before + 1);
}

#[tokio::test]
async fn private_addresses_are_never_dialled_whoever_names_them() {
    // Ports that a wrong step would reach, on an address of this machine that nobody else uses.
    let trap = "127.44.3.1";
    let mut traps = Vec::new();
    for port in [443, 993, 995, 465, 143, 110, 587] {
        // Where the system keeps these ports for others there is nothing to reach either.
        traps.extend(TcpListener::bind((trap, port)).await.ok());
    }
    let open = TcpListener::bind((trap, 0)).await.unwrap();
    let port = open.local_addr().unwrap().port();
    traps.push(open);
    let mut provider = Provider::default();
    let ip = |ip: &str| ip.parse().unwrap();
    for name in ["autoconfig.example.org", "example.org", "imap.example.org", "in.example.org"] {
        provider.names.insert(name, vec![ip(trap)]);
    }
    provider.names.insert("smtp.example.org", vec![ip("9.9.9.9"), ip(trap)]);
    provider.names.insert("autoconfig.example.net", vec![ip("::ffff:127.44.3.1")]);
    provider.mx = vec![(0, "mx.example.net".into())];
    let srv = |port, target: &str| Srv { priority: 0, weight: 0, port, target: target.into() };
    provider.srv = vec![
        ("_imaps._tcp.example.org", srv(port, "in.example.org")),
        ("_imaps._tcp.example.org", srv(port, trap)),
        ("_submissions._tcp.example.org", srv(port, "localhost")),
    ];
    let asked = provider.asked.clone();
    let file = ok(&settings("in.example.org", "localhost"));
    provider.web("example.com", &[(WELL_KNOWN, file)]).await;
    let proxy = provider.start(|config| config.ports = vec![port]).await;
    for address in [ADDRESS, "ada@example.com"] {
        let found = found(proxy.addr, address).await;
        assert!(found.iter().all(|line| line.ends_with("silent")), "{found:?}");
    }
    assert_eq!(asked.lock().unwrap().len(), 1);
    for trap in traps {
        let accepted = tokio::time::timeout(std::time::Duration::ZERO, trap.accept()).await;
        assert!(accepted.is_err(), "{:?} was dialled", trap.local_addr());
    }
}

#[tokio::test]
async fn networks_that_are_permitted_for_mail_are_not_for_published_settings() {
    let mut provider = Provider::default();
    let Ok(trap) = TcpListener::bind("127.44.3.2:443").await else { return };
    provider.names.insert("autoconfig.example.org", vec!["127.44.3.2".parse().unwrap()]);
    let networks = vec!["127.0.0.0/8".parse().unwrap()];
    let proxy = provider.start(|config| config.allow_networks = networks).await;
    assert!(found(proxy.addr, ADDRESS).await.is_empty());
    let accepted = tokio::time::timeout(std::time::Duration::ZERO, trap.accept()).await;
    assert!(accepted.is_err());
}

#[tokio::test]
async fn servers_that_tunnels_could_not_reach_are_not_named() {
    let mut provider = Provider::default();
    provider.srv = vec![(
        "_imaps._tcp.example.org",
        Srv { priority: 0, weight: 0, port: 993, target: "imap.example.net".into() },
    )];
    let allow = vec!["*.example.org".parse().unwrap()];
    let proxy = provider.start(|config| config.allow = allow).await;
    assert!(found(proxy.addr, ADDRESS).await.is_empty());
}

#[tokio::test]
async fn a_client_has_so_many_questions_at_a_time() {
    let mut provider = Provider::default();
    provider.silent("autoconfig.example.org", 443).await;
    let asked = provider.asked.clone();
    let proxy = provider.start(|_| {}).await;
    let addr = proxy.addr;
    let waiting: Vec<_> = ["a", "b"]
        .map(|name| tokio::spawn(async move { ask(addr, &format!("{name}@example.org")).await }))
        .into();
    while asked.lock().unwrap().len() < 2 {
        tokio::task::yield_now().await;
    }
    let refused = ask(addr, "c@example.org").await;
    assert_eq!(refused.status, 429, "{}", refused.text());
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap().status, 200);
    }
    assert_eq!(ask(addr, "a@example.org").await.status, 200);
}

#[tokio::test]
async fn a_client_may_ask_so_many_questions_a_minute() {
    let proxy = Provider::default().start(|_| {}).await;
    let mut answered = 0;
    let refused = loop {
        // The same question again costs nobody but the proxy.
        let response = ask(proxy.addr, ADDRESS).await;
        if response.status != 200 {
            break response;
        }
        answered += 1;
        // Now and then there is a place for one more.
        assert!(answered < 3 * DISCOVERIES_PER_MINUTE, "there is no limit");
    };
    assert!(answered >= DISCOVERIES_PER_MINUTE, "{answered}");
    assert_eq!(refused.status, 429);
    assert!(refused.text().contains("within a minute"), "{}", refused.text());
}

#[tokio::test]
async fn hosts_that_are_asked_count_as_the_clients_destinations_and_others_still_find_theirs() {
    let provider = with_servers().await;
    let asked = provider.asked.clone();
    let proxy = provider
        .start(|config| {
            // As many as a domain without anything has.
            config.limits.destinations_per_client_per_hour = 7;
            config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
            config.open_relay = true;
        })
        .await;
    let first = "X-Forwarded-For: 192.0.2.1";
    let second = "X-Forwarded-For: 192.0.2.2";
    assert_eq!(ask_as(proxy.addr, "ada@example.com", &[first]).await.status, 200);
    let refused = ask_as(proxy.addr, ADDRESS, &[first]).await;
    assert_eq!(refused.status, 429, "{}", refused.text());
    assert!(refused.text().contains("mail servers within an hour"), "{}", refused.text());
    assert_eq!(*asked.lock().unwrap(), Vec::<String>::new());
    // What one client could not find out is not taken for what there is.
    assert_eq!(found_as(proxy.addr, ADDRESS, &[second]).await, BY_PROBE);
}

#[tokio::test]
async fn what_is_wrong_with_a_question_is_named() {
    let proxy = Provider::default().start(|_| {}).await;
    for (address, words) in [
        ("", "name@example.org"),
        ("ada", "name@example.org"),
        ("@example.org", "name@example.org"),
        ("ada@", "name@example.org"),
        ("ada%0d%0a@example.org", "name@example.org"),
        ("ada@localhost", "domain"),
        ("ada@127.0.0.1", "domain"),
        ("ada@[::1]", "domain"),
        ("ada@0x7f.1", "domain"),
        ("%ff@example.org", "missing"),
    ] {
        let response = ask(proxy.addr, address).await;
        assert_eq!(response.status, 400, "{address}");
        assert!(response.text().contains(words), "{address}: {}", response.text());
    }
}

#[tokio::test]
async fn only_pages_with_a_token_may_ask() {
    let proxy = Provider::default().start(|_| {}).await;
    let token = support::page::fetch_token(proxy.addr, &[]).await;
    let path = format!("{}?address={ADDRESS}", Discovery::PATH);
    let token = format!("Authorization: Bearer {token}");
    let own = format!("Origin: http://{}", proxy.addr);
    for (headers, status) in [
        (vec![], 401),
        (vec!["Authorization: Bearer nonsense"], 401),
        (vec![&*token], 200),
        (vec![&*token, &*own], 200),
        (vec![&*token, "Sec-Fetch-Site: same-origin"], 200),
        (vec![&*token, "Sec-Fetch-Site: cross-site"], 403),
        (vec![&*token, "Origin: https://evil.example"], 403),
    ] {
        let response = get(proxy.addr, &path, &headers).await;
        assert_eq!(response.status, status, "{headers:?}");
    }
}

#[tokio::test]
async fn the_demo_is_found_like_any_other_provider() {
    let demo = demo::start(demo::Options::default()).await.unwrap();
    let proxy = start(|_| {}, |builder| builder.demo_server(&demo)).await;
    assert_eq!(
        found(proxy.addr, "robin@DEMO.postern.example").await,
        [
            "Imap demo.postern.example:993 Tls Proxy answers",
            "Pop3 demo.postern.example:995 Tls Proxy answers",
            "Submission demo.postern.example:465 Tls Proxy answers",
        ]
    );
}
