//! The page's files, as a browser gets them.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::{fs, path::Path};

use postern::limits::HTTP_CONNECTIONS_PER_CLIENT;
use support::{
    Running,
    http::{get, request},
    soon, start,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'";

/// A build in a folder, and beside the folder a file that is nobody's business.
fn build() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let dist = folder.path().join("dist");
    fs::create_dir_all(dist.join("assets")).unwrap();
    let write = |path: &Path, body: &str| fs::write(path, body).unwrap();
    write(&folder.path().join("secret.txt"), "secret");
    for (name, body) in [
        ("index.html", "<!doctype html>"),
        ("index.html.br", "brotli of index"),
        ("index.html.gz", "gzip of index"),
        ("sw.js", "worker"),
        ("manifest.webmanifest", "{}"),
        ("icon.svg", "<svg/>"),
        ("assets/app-0123456789abcdef.js", "script"),
        ("assets/engine-0123456789abcdef.wasm", "wasm"),
        ("assets/engine-0123456789abcdef.wasm.br", "brotli of wasm"),
        ("assets/plain.css", "a{}"),
        (".hidden", "hidden"),
    ] {
        write(&dist.join(name), body);
    }
    let headers = format!(r#"{{"content-security-policy": "{CSP}"}}"#);
    write(&dist.join("headers.json"), &headers);
    folder
}

async fn serve(folder: &tempfile::TempDir) -> Running {
    let dist = folder.path().join("dist");
    start(|config| config.page = Some(dist), |builder| builder).await
}

#[tokio::test]
async fn files_come_with_their_type_and_lifetime() {
    let folder = build();
    let proxy = serve(&folder).await;
    let forever = "public, max-age=31536000, immutable";
    for (path, content_type, caching, body) in [
        ("/", "text/html; charset=utf-8", "no-cache", "<!doctype html>"),
        ("/index.html", "text/html; charset=utf-8", "no-cache", "<!doctype html>"),
        ("/sw.js", "text/javascript; charset=utf-8", "no-cache", "worker"),
        ("/manifest.webmanifest", "application/manifest+json", "no-cache", "{}"),
        ("/icon.svg", "image/svg+xml", "no-cache", "<svg/>"),
        ("/assets/app-0123456789abcdef.js", "text/javascript; charset=utf-8", forever, "script"),
        ("/assets/engine-0123456789abcdef.wasm", "application/wasm", forever, "wasm"),
        ("/assets/plain.css", "text/css; charset=utf-8", "no-cache", "a{}"),
    ] {
        let response = get(proxy.addr, path, &[]).await;
        assert_eq!(response.status, 200, "{path}");
        assert_eq!(response.header("content-type"), Some(content_type), "{path}");
        assert_eq!(response.header("cache-control"), Some(caching), "{path}");
        assert_eq!(response.text(), body, "{path}");
        assert!(response.header("etag").is_some(), "{path}");
    }
}

#[tokio::test]
async fn every_answer_has_the_headers_that_make_browsers_careful() {
    let folder = build();
    let proxy = serve(&folder).await;
    let policy = format!("{CSP}; frame-ancestors 'none'");
    for path in [
        "/",
        "/sw.js",
        "/assets/app-0123456789abcdef.js",
        "/missing.js",
        "/api/config",
        "/healthz",
        "/tunnel",
    ] {
        let response = get(proxy.addr, path, &[]).await;
        for (name, value) in [
            ("content-security-policy", policy.as_str()),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(response.header(name), Some(value), "{path}: {name}");
        }
        assert!(response.header("permissions-policy").unwrap().contains("camera=()"));
    }
}

#[tokio::test]
async fn routes_of_the_page_answer_with_its_entry_and_unknown_files_do_not() {
    let folder = build();
    let proxy = serve(&folder).await;
    for path in ["/settings", "/mail/INBOX/42", "/mail/", "/a.b/c"] {
        let response = get(proxy.addr, path, &[]).await;
        assert_eq!((response.status, response.text()), (200, "<!doctype html>"), "{path}");
    }
    for path in ["/missing.js", "/assets/app-fedcba9876543210.js", "/api/unknown", "/headers.json"]
    {
        assert_eq!(get(proxy.addr, path, &[]).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn no_path_leads_out_of_the_folder() {
    let folder = build();
    let proxy = serve(&folder).await;
    for path in [
        "/../secret.txt",
        "/assets/../../secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "/%2e%2e%2fsecret.txt",
        "/..\\secret.txt",
        "//secret.txt",
        "/./../secret.txt",
        "/.hidden",
        "/assets/../.hidden",
        "/etc/passwd",
        "//etc/passwd",
    ] {
        let response = get(proxy.addr, path, &[]).await;
        assert!(
            !response.text().contains("secret") && !response.text().contains("hidden"),
            "{path}"
        );
        assert!(!response.text().contains("root:"), "{path}");
    }
}

#[tokio::test]
async fn a_browser_gets_the_smallest_form_that_it_takes() {
    let folder = build();
    let proxy = serve(&folder).await;
    for (accept, path, coding, body) in [
        ("gzip, deflate, br", "/", Some("br"), "brotli of index"),
        ("gzip", "/", Some("gzip"), "gzip of index"),
        ("br;q=0.2, gzip;q=0.9", "/", Some("gzip"), "gzip of index"),
        ("br;q=0, gzip;q=0", "/", None, "<!doctype html>"),
        ("", "/settings", None, "<!doctype html>"),
        ("gzip", "/assets/engine-0123456789abcdef.wasm", None, "wasm"),
        ("br", "/assets/engine-0123456789abcdef.wasm", Some("br"), "brotli of wasm"),
    ] {
        let response = get(proxy.addr, path, &[&format!("Accept-Encoding: {accept}")]).await;
        assert_eq!(response.header("content-encoding"), coding, "{accept}: {path}");
        assert_eq!(response.text(), body, "{accept}: {path}");
        assert_eq!(response.header("vary"), Some("accept-encoding"));
    }
}

#[tokio::test]
async fn what_a_browser_has_is_not_sent_again() {
    let folder = build();
    let proxy = serve(&folder).await;
    let first = get(proxy.addr, "/", &["Accept-Encoding: br"]).await;
    let etag = first.header("etag").unwrap();
    for known in [etag.to_owned(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".to_owned()] {
        let known = format!("If-None-Match: {known}");
        let again = get(proxy.addr, "/", &["Accept-Encoding: br", &known]).await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{known}");
        assert_eq!(again.header("etag"), Some(etag));
        assert_eq!(again.header("cache-control"), Some("no-cache"));
    }
    // Another form of the same file is another thing.
    let known = format!("If-None-Match: {etag}");
    assert_eq!(get(proxy.addr, "/", &["Accept-Encoding: gzip", &known]).await.status, 200);
}

#[tokio::test]
async fn head_is_get_without_the_body_and_nothing_else_is_allowed() {
    let folder = build();
    let proxy = serve(&folder).await;
    let head = request(proxy.addr, "HEAD", "/sw.js", &[]).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some("6"));
    let post = request(proxy.addr, "POST", "/sw.js", &["Content-Length: 0"]).await;
    assert_eq!((post.status, post.header("allow")), (405, Some("GET, HEAD")));
}

#[tokio::test]
async fn one_client_has_a_share_of_the_places_and_gets_one_back() {
    let proxy = start(|_| {}, |builder| builder).await;
    let mut held = Vec::new();
    for _ in 0..HTTP_CONNECTIONS_PER_CLIENT {
        held.push(TcpStream::connect(proxy.addr).await.unwrap());
    }
    let mut one_too_many = TcpStream::connect(proxy.addr).await.unwrap();
    let ended = soon(one_too_many.read(&mut [0; 1])).await;
    assert!(!matches!(ended, Ok(1..)), "{ended:?}");
    // The proxy needs a moment to see that they are gone.
    drop(held);
    soon(async {
        loop {
            let mut stream = TcpStream::connect(proxy.addr).await.unwrap();
            let asked = stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").await;
            if asked.is_ok() && matches!(stream.read(&mut [0; 1]).await, Ok(1)) {
                return;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_page_learns_about_its_proxy() {
    use postern::{DemoAccount, Endpoint};
    let endpoint = |port| Endpoint { host: "localhost".into(), port };
    let demo = DemoAccount {
        address: "demo@example.org".into(),
        password: "demo".into(),
        imap: endpoint(1),
        pop3: endpoint(2),
        submission: endpoint(3),
        fingerprint: "AB:CD".into(),
    };
    let proxy = start(
        |config| config.access_key = Some("a-long-enough-secret".parse().unwrap()),
        |builder| builder.demo(demo),
    )
    .await;
    let response = get(proxy.addr, "/api/config", &[]).await;
    assert_eq!(response.header("content-type"), Some("application/json"));
    let answer: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(answer["access_required"], true);
    assert_eq!(answer["demo"]["imap"]["port"], 1);
    assert_eq!(answer["demo"]["submission"]["host"], "localhost");
    assert_eq!(answer["demo"]["fingerprint"], "AB:CD");
    assert!(!response.text().contains("secret"));

    let plain = start(|_| {}, |builder| builder).await;
    let response = get(plain.addr, "/api/config", &[]).await;
    let answer: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(answer["demo"], serde_json::Value::Null);
    assert_eq!(answer["access_required"], false);
    assert_eq!(get(plain.addr, "/healthz", &[]).await.text(), "ok\n");
}

#[tokio::test]
async fn a_folder_without_a_page_is_an_error_that_names_the_setting() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().to_owned(), folder.path().join("missing")] {
        let config = postern::Config { page: Some(path), ..postern::Config::default() };
        let error = postern::Proxy::builder(config).bind().await.err().unwrap();
        assert!(error.to_string().starts_with("page: "), "{error}");
    }
}
