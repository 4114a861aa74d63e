//! Requests as they are on the wire, so that tests can send what no library would.

use std::{collections::HashMap, net::SocketAddr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// Sends a request and reads the answer to its end.
pub(crate) async fn request(
    addr: SocketAddr,
    method: &str,
    path: &str,
    headers: &[&str],
) -> Response {
    let mut lines = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|header| header.to_ascii_lowercase().starts_with("host:")) {
        lines += &format!("Host: {addr}\r\n");
    }
    for header in headers {
        lines += &format!("{header}\r\n");
    }
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(format!("{lines}\r\n").as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    super::soon(stream.read_to_end(&mut bytes)).await.unwrap();
    parse(&bytes)
}

pub(crate) async fn get(addr: SocketAddr, path: &str, headers: &[&str]) -> Response {
    request(addr, "GET", path, headers).await
}

/// Waits until the proxy says that it is about to stop. A connection that it had accepted right
/// before that may end without an answer.
pub(crate) async fn draining(addr: SocketAddr) {
    let request = format!("GET /readyz HTTP/1.1\r\nConnection: close\r\nHost: {addr}\r\n\r\n");
    let stops = async {
        let mut answer = Vec::new();
        while !answer.starts_with(b"HTTP/1.1 503 ") {
            answer.clear();
            let mut stream = TcpStream::connect(addr).await.unwrap();
            let _ = stream.write_all(request.as_bytes()).await;
            let _ = stream.read_to_end(&mut answer).await;
        }
    };
    super::soon(stops).await;
}

pub(crate) fn parse(bytes: &[u8]) -> Response {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_ascii_lowercase(), value.to_owned())
    });
    Response { status, headers: headers.collect(), body: bytes[end + 4..].to_vec() }
}
