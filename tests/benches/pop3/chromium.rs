//! The same mail comes into IndexedDB in a real Chromium, through the real proxy, with TLS in the
//! page: stored durably, read back and compared.

use std::time::Duration;

use anyhow::Result;
use postern_tests::{
    dovecot::{Dovecot, PASSWORD},
    measuring::{self, Measured},
};

use crate::{Mail, USER};

/// How long one download may take.
const PATIENCE: Duration = Duration::from_secs(180);

/// A page whose engine can be asked to measure.
pub(crate) struct Page {
    page: measuring::Page,
    /// The server, and where TLS ends.
    server: String,
}

/// What one download has shown.
pub(crate) struct Received {
    pub(crate) seconds: f64,
    /// Megabytes that WebAssembly has in the end.
    pub(crate) memory: f64,
    /// Milliseconds for which the page was kept from answering.
    pub(crate) longest_task: f64,
}

impl Page {
    /// `None` without `--page`.
    pub(crate) async fn open(dovecot: &Dovecot) -> Result<Option<Self>> {
        let server = format!("localhost,{},{}", dovecot.pop3s.port(), dovecot.fingerprint);
        let page = measuring::Page::open(vec![dovecot.pop3s]).await?;
        Ok(page.map(|page| Self { page, server }))
    }

    /// Downloads everything into an empty database.
    pub(crate) async fn receive(&self, mail: Mail) -> Result<Received> {
        let asked = format!("measure-receive={},{USER},{PASSWORD},{}", self.server, mail.messages);
        self.page.forget_tasks().await?;
        let Measured { took, memory, .. } = self.page.measure(&asked, PATIENCE).await?;
        let longest_task = self.page.longest_task().await?;
        Ok(Received { seconds: took.as_secs_f64(), memory: memory / 1e6, longest_task })
    }

    pub(crate) async fn close(self) -> Result<()> {
        self.page.close().await
    }
}
