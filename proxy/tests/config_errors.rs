//! Settings that can't be used: the program says which, wherever they stand, and does not start.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Command, Output},
};

/// The program, without the settings that this environment may have.
fn postern() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("POSTERN_")) {
        command.env_remove(name);
    }
    command
}

/// What a start that must fail says.
fn failure(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    assert!(!output.status.success(), "it starts: {}", text(&output.stdout));
    assert_eq!(text(&output.stdout), "", "nothing is ready");
    let error = text(&output.stderr);
    assert!(!error.contains("panicked"), "{error}");
    error
}

/// Checks that one line begins with each of these keys, and nothing else is wrong.
fn assert_keys(error: &str, keys: &[&str], what: &str) {
    let (_, mistakes) = error.split_once('\n').unwrap_or_else(|| panic!("{what}: {error}"));
    let mut found: Vec<_> = mistakes.lines().map(|line| line.split(": ").next().unwrap()).collect();
    found.sort_unstable();
    assert_eq!(found, keys, "{what}: {error}");
    assert!(mistakes.lines().all(|line| line.split_once(": ").unwrap().1.len() > 5), "{error}");
}

/// A key of the file, and what it may not be.
const WRONG: &[(&str, &str)] = &[
    ("listen", "'here'"),
    ("listen", "'127.0.0.1'"),
    ("listen", "8080"),
    ("page", "1"),
    ("origins", "['mail.example.org']"),
    ("origins", "['https://mail.example.org/path']"),
    ("origins", "['ftp://mail.example.org']"),
    ("origins", "'https://mail.example.org'"),
    ("allow", "['https://example.org']"),
    ("allow", "['*']"),
    ("allow", "['mail.*.org']"),
    ("allow", "['127.1']"),
    ("allow_networks", "['10.0.0.0/33']"),
    ("allow_networks", "['example.org']"),
    ("trusted_proxies", "['10.0.0.0/33']"),
    ("trusted_proxies", "['proxy.example.org']"),
    ("nat64_prefixes", "['64:ff9b::/95']"),
    ("nat64_prefixes", "['10.0.0.0/8']"),
    ("own_addresses", "['mail.example.org']"),
    ("ports", "[25]"),
    ("ports", "[65536]"),
    ("ports", "['993']"),
    ("ports", "[-1]"),
    ("roots", "true"),
    ("open_relay", "'yes'"),
    ("metrics_listen", "'9090'"),
    ("log_format", "'xml'"),
    ("log_level", "'loud'"),
    ("access.key", "'short'"),
    ("access.key", "12345678901234567890"),
    ("access.key_file", "'/nowhere/at/all'"),
    ("access.token_keys", "['c2hvcnQ=']"),
    ("access.token_keys", "['not Base64 at all, but long enough?']"),
    ("access.token_keys", "'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='"),
    ("access.token_keys_file", "'/nowhere/at/all'"),
    ("https.reload_seconds", "0"),
    ("https.redirect_listen", "':80'"),
    ("https.redirect_listen", "'127.0.0.1:80'"),
    ("https.hsts_seconds", "'1y'"),
    ("acme.domains", "['*.example.org']"),
    ("acme.domains", "['192.0.2.1']"),
    ("acme.contact", "'me'"),
    ("acme.directory", "'http://ca.example/'"),
    ("limits.connections", "0"),
    ("limits.connections", "-1"),
    ("limits.connections_per_client", "0"),
    ("limits.connections_per_minute", "0"),
    ("limits.connections_per_client_per_minute", "'many'"),
    ("limits.destinations_per_hour", "0"),
    ("limits.destinations_per_client_per_hour", "0"),
    ("limits.bytes_per_hour", "0"),
    ("limits.bytes_per_client_per_hour", "'20 GB'"),
    ("limits.tokens_per_client_per_minute", "0"),
    ("limits.request_seconds", "0"),
    ("limits.open_seconds", "0"),
    ("limits.connect_seconds", "0"),
    ("limits.handshake_seconds", "0"),
    ("limits.idle_seconds", "0"),
    ("limits.idle_seconds", "1.5"),
    ("limits.idle_seconds", "4294967296"),
    ("limits.lifetime_seconds", "0"),
    ("limits.ping_seconds", "'60'"),
    ("limits.drain_seconds", "-1"),
    ("limits.notice_seconds", "true"),
    ("lisen", "'127.0.0.1:1'"),
    ("limits.idle", "1"),
    ("access.keys", "[]"),
    ("https.cert", "'c.pem'"),
    ("acme.domain", "'a.example'"),
];

#[test]
fn each_key_of_the_file_that_can_not_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("postern.toml");
    for (key, value) in WRONG {
        let toml = format!("{key} = {value}\n");
        fs::write(&file, &toml).unwrap();
        let error = failure(&check(&file));
        assert!(error.lines().next().unwrap().contains("postern.toml"), "{error}");
        assert_keys(&error, &[key], &toml);
    }
}

fn check(file: &Path) -> Output {
    postern().arg("--config").arg(file).arg("check-config").output().unwrap()
}

#[test]
fn all_of_them_are_named_at_once_by_a_start_as_by_a_check() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("postern.toml");
    fs::write(&file, "port = 1\nlog_level = 'loud'\n[limits]\nopen_seconds = 0\nx = 1\n").unwrap();
    let mut start = postern();
    start.arg("--config").arg(&file).args(["--allow", "*"]).env("POSTERN_LISTEN", "here");
    let keys = ["allow", "limits.open_seconds", "limits.x", "listen", "log_level", "port"];
    let started = failure(&start.output().unwrap());
    assert_keys(&started, &keys, "start");
    assert_eq!(failure(&start.arg("check-config").output().unwrap()), started);
}

#[test]
fn a_file_that_is_none_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("postern.toml");
    for (toml, words) in [
        ("listen = '127.0.0.1:1'\nports = [993", "ports: line 2"),
        ("listen = '127.0.0.1:1'\nlisten = '127.0.0.1:2'\n", "listen: line 2"),
        ("[limits\n", "config: line 1"),
    ] {
        fs::write(&file, toml).unwrap();
        let error = failure(&check(&file));
        assert!(error.contains("postern.toml") && error.contains(words), "{toml}: {error}");
    }
    let error = failure(&check(&folder.path().join("missing.toml")));
    assert!(error.contains("config: ") && error.contains("missing.toml"), "{error}");
    let error = failure(&check(folder.path()));
    assert!(error.contains("config: "), "{error}");
}

#[test]
fn flags_and_variables_that_can_not_be_used_are_named() {
    let wrong_flags: [(&[&str], &str); 6] = [
        (&["--listen", "here"], "listen: "),
        (&["--allow-networks", "10.0.0.0/33"], "allow_networks: "),
        (&["--access-key", "short"], "access.key: "),
        (&["--ports", "imap"], "--ports"),
        (&["--limits-idle-seconds", "soon"], "--limits-idle-seconds"),
        (&["--port", "1"], "--port"),
    ];
    for (flags, words) in wrong_flags {
        let error = failure(&postern().args(flags).arg("check-config").output().unwrap());
        assert!(error.contains(words), "{flags:?}: {error}");
    }
    for (variable, value, words) in [
        ("POSTERN_LISTEN", "here", "listen: "),
        ("POSTERN_ORIGINS", "mail.example.org", "origins: "),
        ("POSTERN_LOG_LEVEL", "loud", "log_level: "),
        ("POSTERN_ACCESS_TOKEN_KEYS", "short", "access.token_keys: "),
        ("POSTERN_PORTS", "imap", "--ports"),
        ("POSTERN_LIMITS_IDLE_SECONDS", "soon", "--limits-idle-seconds"),
        ("POSTERN_CONFIG", "/nowhere/at/all", "config: "),
    ] {
        let output = postern().env(variable, value).arg("check-config").output().unwrap();
        let error = failure(&output);
        assert!(error.contains(words), "{variable}: {error}");
    }
}

#[test]
fn settings_that_need_or_forbid_each_other_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("postern.toml");
    for (toml, key) in [
        ("https.certificate = 'c.pem'", "https.key"),
        ("https.key = 'k.pem'", "https.certificate"),
        ("acme.domains = ['a.example']", "acme.cache"),
        ("access.key = 'a-long-enough-secret'\naccess.key_file = 'k'", "access.key_file"),
        ("listen = '0.0.0.0:80'", "listen"),
        ("origins = ['https://mail.example.org']", "origins"),
        ("listen = '127.0.0.1:8080'\nmetrics_listen = '127.0.0.1:8080'", "metrics_listen"),
    ] {
        fs::write(&file, toml).unwrap();
        assert_keys(&failure(&check(&file)), &[key], toml);
    }
}

#[test]
fn an_address_that_is_taken_is_named_with_its_key() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (key, flags) in [
        ("listen", vec!["--listen", &address]),
        ("metrics_listen", vec!["--listen", "127.0.0.1:0", "--metrics-listen", &address]),
    ] {
        let error = failure(&postern().args(&flags).output().unwrap());
        assert!(error.contains(&format!("{key}: {address}: ")), "{error}");
    }
}

#[test]
fn no_secret_is_quoted_in_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("postern.toml");
    for toml in [
        "access.key = 'hush'",
        "access.key = 'hush-hush-hush-hush' x",
        "access.token_keys = ['hush-hush-hush-hush-hush-hush-hush-hush']",
        "[access]\nkey = \"hush-hush-hush-hush",
    ] {
        fs::write(&file, toml).unwrap();
        let error = failure(&check(&file));
        assert!(!error.contains("hush"), "{toml}: {error}");
    }
    for variable in ["POSTERN_ACCESS_KEY", "POSTERN_ACCESS_TOKEN_KEYS"] {
        let error = failure(&postern().env(variable, "hush").output().unwrap());
        assert!(!error.contains("hush"), "{error}");
    }
}
