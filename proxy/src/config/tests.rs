use std::time::Duration;

use super::*;

/// Every setting that can stand beside the others, none of them as it is by default.
const EVERYTHING: &str = r#"
listen = "0.0.0.0:443"
page = "dist"
origins = ["https://mail.example.org"]
trusted_proxies = ["10.0.0.1"]
allow = ["*.example.org", "mail.example.com"]
allow_networks = ["10.0.0.0/8", "fd00::1"]
nat64_prefixes = ["64:ff9b::/96", "2001:db8:64::/48"]
own_addresses = ["203.0.113.0/28", "2001:db8::1"]
ports = [1143]
roots = "ca.pem"
open_relay = true
metrics_listen = "127.0.0.1:9090"
log_format = "json"
log_level = "debug"

[https]
certificate = "fullchain.pem"
key = "key.pem"
reload_seconds = 7
redirect_listen = "0.0.0.0:80"
hsts_seconds = 0

[access]
key = "a-long-enough-secret"
token_keys = ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]

[limits]
connections = 5
connections_per_client = 2
connections_per_minute = 3
connections_per_client_per_minute = 4
destinations_per_hour = 5
destinations_per_client_per_hour = 6
bytes_per_hour = 7
bytes_per_client_per_hour = 8
tokens_per_client_per_minute = 9
request_seconds = 11
open_seconds = 1
connect_seconds = 2
handshake_seconds = 3
idle_seconds = 4
lifetime_seconds = 5
ping_seconds = 6
drain_seconds = 0
notice_seconds = 7
"#;

fn config(toml: &str) -> Result<Config, ConfigErrors> {
    Config::try_from(Settings::from_toml(toml)?)
}

#[test]
fn nothing_set_is_a_proxy_for_this_machine_alone() {
    let config = config("").unwrap();
    assert!(config.listen.ip().is_loopback());
    assert_eq!(config.limits, Limits::default());
}

#[test]
fn every_setting_is_read() {
    let config = config(EVERYTHING).unwrap();
    let https = config.https.unwrap();
    let Identity::Files(files) = https.identity else { panic!("{https:?}") };
    assert_eq!(files.reload, Duration::from_secs(7));
    assert_eq!(https.redirect_listen, Some(([0, 0, 0, 0], 80).into()));
    assert_eq!(https.hsts, Duration::ZERO);
    assert_eq!(config.metrics_listen, Some(([127, 0, 0, 1], 9090).into()));
    assert_eq!(config.log_level, LogLevel::Debug);
    assert_eq!(config.limits.notice, Duration::from_secs(7));
    assert_eq!(config.allow.len(), 2);
    assert_eq!(config.allow_networks.len(), 2);
    assert_eq!(config.nat64_prefixes.len(), 2);
    assert_eq!(config.own_addresses.len(), 2);
    assert_eq!(config.log_format, LogFormat::Json);
    assert_eq!(config.trusted_proxies.len(), 1);
    assert_eq!(config.limits.connections_per_client, 2);
    assert_eq!(config.limits.connections_per_minute, 3);
    assert_eq!(config.limits.connections_per_client_per_minute, 4);
    assert_eq!(config.limits.destinations_per_hour, 5);
    assert_eq!(config.limits.destinations_per_client_per_hour, 6);
    assert_eq!(config.limits.bytes_per_hour, Some(7));
    assert_eq!(config.limits.bytes_per_client_per_hour, 8);
    assert_eq!(config.limits.tokens_per_client_per_minute, 9);
    assert_eq!(config.limits.request, Duration::from_secs(11));
    assert_eq!(config.limits.drain, Duration::ZERO);
    assert!(config.access_key.unwrap().admits("a-long-enough-secret"));
    assert_eq!(config.token_keys.len(), 1);
}

#[test]
fn each_error_names_its_key() {
    for (toml, key) in [
        ("listen = 'here'", "listen"),
        ("origins = ['mail.example.org']", "origins"),
        ("origins = ['https://mail.example.org/x']", "origins"),
        ("allow = ['https://example.org']", "allow"),
        ("allow = ['127.1']", "allow"),
        ("allow_networks = ['10.0.0.0/33']", "allow_networks"),
        ("nat64_prefixes = ['64:ff9b::/95']", "nat64_prefixes"),
        ("own_addresses = ['10.0.0.0/33']", "own_addresses"),
        ("ports = [25]", "ports"),
        ("ports = [70000]", "ports"),
        ("access.key = 'short'", "access.key"),
        ("access.key_file = '/nowhere/at/all'", "access.key_file"),
        ("access.token_keys = ['c2hvcnQ=']", "access.token_keys"),
        ("access.token_keys_file = '/nowhere/at/all'", "access.token_keys_file"),
        ("access.kee = ''", "access.kee"),
        ("log_format = 'xml'", "log_format"),
        ("limits.connections = 0", "limits.connections"),
        ("limits.connections_per_minute = 0", "limits.connections_per_minute"),
        (
            "limits.connections_per_client_per_minute = 0",
            "limits.connections_per_client_per_minute",
        ),
        ("limits.destinations_per_hour = 0", "limits.destinations_per_hour"),
        ("limits.bytes_per_hour = 0", "limits.bytes_per_hour"),
        ("limits.bytes_per_client_per_hour = 0", "limits.bytes_per_client_per_hour"),
        ("limits.tokens_per_client_per_minute = 0", "limits.tokens_per_client_per_minute"),
        ("trusted_proxies = ['10.0.0.0/33']", "trusted_proxies"),
        ("limits.request_seconds = 0", "limits.request_seconds"),
        ("limits.idle_seconds = 0", "limits.idle_seconds"),
        ("limits.idle_seconds = -1", "limits.idle_seconds"),
        ("lisen = '[::]:80'", "lisen"),
        ("limits.connection = 1", "limits.connection"),
        ("limits = 1", "limits"),
        ("metrics_listen = '9090'", "metrics_listen"),
        ("log_level = 'loud'", "log_level"),
        ("https.certificate = 'c.pem'", "https.key"),
        ("https.key = 'k.pem'", "https.certificate"),
        ("https.reload_seconds = 0", "https.reload_seconds"),
        ("https.redirect_listen = ':80'", "https.redirect_listen"),
        ("https.redirect_listen = '[::]:80'", "https.redirect_listen"),
        ("https.hsts_seconds = '1y'", "https.hsts_seconds"),
        ("https.certificat = 'c.pem'", "https.certificat"),
        ("acme.domains = ['a.example']", "acme.cache"),
        ("acme.domains = ['*.example.org']", "acme.domains"),
        ("acme.domains = ['192.0.2.1']", "acme.domains"),
        ("acme.domains = ['localhost']", "acme.domains"),
        ("acme.contact = 'me'", "acme.contact"),
        ("acme.directory = 'http://ca.example/'", "acme.directory"),
        (
            "acme = { cache = 'c', domains = ['a.example'] }\nhttps = { certificate = 'c', key = 'k' }",
            "acme.domains",
        ),
    ] {
        let errors = config(toml).unwrap_err();
        let keys: Vec<_> = errors.iter().map(|error| error.key.as_str()).collect();
        assert_eq!(keys, [key], "{toml}: {errors}");
    }
}

#[test]
fn all_errors_are_told_at_once() {
    let errors = Config::load(
        Settings { log_level: Some("loud".into()), ..Settings::default() },
        Some("listen = 'here'\nport = 1\nports = [25]\nlimits = { idle_seconds = 0, x = 1 }"),
    );
    let errors = errors.unwrap_err();
    let mut keys: Vec<_> = errors.iter().map(|error| error.key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["limits.idle_seconds", "limits.x", "listen", "log_level", "port", "ports"]);
}

#[test]
fn a_certificate_comes_by_acme_from_lets_encrypt_unless_another_is_named() {
    let toml = "domains = ['Mail.Example.org']\ncache = 'c'\ncontact = 'me@example.org'";
    let https = config(&format!("[acme]\n{toml}")).unwrap().https.unwrap();
    let Identity::Acme(acme) = https.identity else { panic!("{https:?}") };
    assert_eq!(acme.domains, ["mail.example.org"]);
    assert_eq!(acme.contact.as_deref(), Some("mailto:me@example.org"));
    assert!(acme.directory.contains("letsencrypt.org"));
    let other = format!("[acme]\n{toml}\ndirectory = 'https://ca.example/directory'");
    let https = config(&other).unwrap().https.unwrap();
    assert!(format!("{https:?}").contains("https://ca.example/directory"));
}

#[test]
fn a_public_proxy_needs_a_list_or_a_key_or_a_clear_word() {
    for (toml, accepted) in [
        ("listen = '0.0.0.0:80'", false),
        ("listen = '[::]:80'", false),
        ("listen = '192.168.1.1:80'", false),
        ("listen = '[::1]:80'", true),
        ("listen = '127.0.0.2:80'", true),
        ("origins = ['https://mail.example.org']", false),
        ("trusted_proxies = ['127.0.0.1']", false),
        ("origins = ['https://mail.example.org']\nallow = ['*.example.org']", true),
        ("listen = '[::]:80'\nallow = ['*.example.org']", true),
        ("listen = '[::]:80'\naccess.key = 'a-long-enough-secret'", true),
        ("origins = ['https://x.example']\naccess.key = 'a-long-enough-secret'", true),
        ("listen = '[::]:80'\nopen_relay = true", true),
    ] {
        let config = config(toml);
        assert_eq!(config.is_ok(), accepted, "{toml}");
        if let Err(error) = config {
            let error = error.to_string();
            assert!(error.contains("`allow`") && error.contains("`access.key`"), "{error}");
        }
    }
}

#[test]
fn what_is_shown_reads_as_the_same_but_for_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let key_file = file("key", "a-long-enough-secret");
    let token_keys_file = file("keys", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    let files =
        format!("access = {{ key_file = {key_file:?}, token_keys_file = {token_keys_file:?} }}");
    let acme = "acme = { domains = ['a.example', 'b.example'], cache = 'c', contact = 'a@b.c' }";
    for toml in [EVERYTHING, "", &files, acme] {
        let mut written = config(toml).unwrap();
        let shown = written.to_toml();
        assert!(!shown.contains("a-long-enough-secret") && !shown.contains("AAAA"), "{shown}");
        if written.access_key_file.is_none() {
            let is_told = shown.contains("# `access.key` is set");
            assert_eq!(is_told, written.access_key.is_some(), "{shown}");
            (written.access_key, written.token_keys) = (None, Vec::new());
        }
        let read = config(&shown).unwrap();
        assert_eq!(format!("{read:#?}"), format!("{written:#?}"), "{shown}");
    }
}
