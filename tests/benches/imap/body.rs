//! Memory while a large body streams into the store.

use std::fs;

use anyhow::{Context, Result};
use postern_bridge::MessageId;
use postern_mail::{
    Host, Store,
    store::{KeyRange, Order, Table},
};
use postern_tests::{
    contest::{Contest, Goal},
    dovecot::Dovecot,
    report::{Unit, scaled},
};
use serde_json::Value;

use crate::{STREAMING, chromium::Page, native};

const USER: &str = "zoe";

/// The attachment's part.
const SECTION: &str = "2";

/// How much memory 100 MB of an attachment take on their way, natively and in Chromium.
pub(crate) async fn measure() -> Result<Vec<Value>> {
    let dovecot = Dovecot::start()?;
    dovecot.deliver(USER, &message(scaled(100_000_000)))?;
    let page = Page::open(&dovecot).await?;
    let in_chromium = page.growth(USER, SECTION).await?;
    page.close().await?;
    let natively = natively(&dovecot).await?;
    let figure = |name: &str, growth: f64| {
        Contest {
            name: format!("imap/memory while a body of 100 MB streams, {name}"),
            unit: Unit::Kilobytes,
            goal: Goal::AtMost(STREAMING / 1e3),
            ours: vec![growth.max(0.0) / 1e3],
            peers: Vec::new(),
        }
        .figure()
    };
    let in_chromium = in_chromium.map(|growth| figure("in Chromium, of its Wasm", growth));
    Ok([Some(figure("natively", natively)), in_chromium].into_iter().flatten().collect())
}

fn message(size: usize) -> Vec<u8> {
    let header = "From: Ada Marsh <ada@example.org>\r\nSubject: Beans\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nThe beans, filmed.\r\n\
         --b\r\nContent-Type: video/mp4; name=\"beans.mp4\"\r\n\
         Content-Disposition: attachment; filename=\"beans.mp4\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n";
    let line = "VGhlIGJlYW5zIGFyZSB1cCwgYW5kIHNvIGFyZSB0aGUgc25haWxzOyBub2JvZHkgaGFzIHRvbGQ=\r\n";
    let body = line.repeat(size / line.len());
    [header, &body, "--b--\r\n"].concat().into_bytes()
}

/// Bytes of memory at most, beyond what was there before and what the store keeps of the body.
async fn natively(dovecot: &Dovecot) -> Result<f64> {
    let host = native::host(dovecot).await?;
    let (mut client, mailbox) = native::open(&host, dovecot, USER).await?;
    native::sync_inbox(&mut client, &host, mailbox).await?;
    // From now on the kernel notes the most that is in use.
    fs::write("/proc/self/clear_refs", "5").context("the kernel does not measure memory")?;
    let before = memory("VmRSS:")?;
    let message = MessageId { mailbox, uid: 1 };
    client.fetch_part(&host, message, SECTION).await?;
    let most = memory("VmHWM:")?;
    client.logout(&host).await;
    let whole = KeyRange::all();
    let all = host.store().scan(Table::Bodies, &whole, Order::Ascending, usize::MAX).await?;
    let kept: usize = all.iter().map(|(_, value)| value.len()).sum();
    Ok(most - before - kept as f64)
}

/// A count of this process's memory, in bytes.
fn memory(field: &str) -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kilobytes: f64 = kilobytes.context("the kernel does not tell memory")?.parse()?;
    Ok(kilobytes * 1024.0)
}
