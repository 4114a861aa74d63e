//! The same inbox comes into IndexedDB in a real Chromium, through the real proxy, with TLS in the
//! page.

use std::time::Duration;

use anyhow::Result;
use postern_tests::{
    dovecot::{Dovecot, PASSWORD},
    measuring::{self, Measured},
};

use crate::Inbox;

/// How long one inbox or body may take.
const PATIENCE: Duration = Duration::from_secs(180);

/// A page whose engine can be asked to measure.
pub(crate) struct Page {
    /// None without `--page`.
    open: Option<measuring::Page>,
    /// The server, and where TLS ends.
    server: String,
}

impl Page {
    pub(crate) async fn open(dovecot: &Dovecot) -> Result<Self> {
        let server = format!("localhost,{},{}", dovecot.imaps.port(), dovecot.fingerprint);
        Ok(Self { open: measuring::Page::open(vec![dovecot.imaps]).await?, server })
    }

    /// Seconds in which an inbox comes into an empty database, over a connection that is logged in;
    /// `None` if there is no page.
    pub(crate) async fn sync(&self, inbox: Inbox) -> Result<Option<f64>> {
        let Inbox { user, messages, .. } = inbox;
        let asked = format!("measure-sync={},{user},{PASSWORD},{messages}", self.server);
        Ok(self.measure(&asked).await?.map(|measured| measured.took.as_secs_f64()))
    }

    /// Bytes by which memory has grown when a part of a message is stored; `None` if there is no
    /// page.
    pub(crate) async fn growth(&self, user: &str, section: &str) -> Result<Option<f64>> {
        let asked = format!("measure-part={},{user},{PASSWORD},{section}", self.server);
        Ok(self.measure(&asked).await?.map(|measured| measured.memory - measured.idle))
    }

    async fn measure(&self, asked: &str) -> Result<Option<Measured>> {
        let Some(page) = &self.open else { return Ok(None) };
        Ok(Some(page.measure(asked, PATIENCE).await?))
    }

    pub(crate) async fn close(self) -> Result<()> {
        match self.open {
            Some(page) => page.close().await,
            None => Ok(()),
        }
    }
}
