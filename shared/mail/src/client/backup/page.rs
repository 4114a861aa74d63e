//! A page's file, as it is written and read.

use futures_channel::mpsc;
use futures_util::StreamExt;
use postern_bridge::{ClientId, Delta, Progress};
use serde_bytes::ByteBuf;

use super::{Client, Input};
use crate::{
    Host, MailError,
    backup::{Sink, Source, limits},
};

/// How many bytes of a file may be on their way to the page.
pub(super) const WINDOW: u64 = 4 << 20;
/// How long nothing is told of progress after something was, in milliseconds.
const PAUSE: i64 = 100;

/// The way between a transfer and its page.
pub(super) struct Link<H: Host> {
    client: Client<H>,
    page: ClientId,
    request: u32,
    heard: mpsc::UnboundedReceiver<Input>,
    /// When something was last told of progress.
    told: i64,
}

impl<H: Host> Link<H> {
    pub(super) fn new(
        client: Client<H>,
        (page, request): (ClientId, u32),
        heard: mpsc::UnboundedReceiver<Input>,
    ) -> Self {
        Self { client, page, request, heard, told: 0 }
    }

    fn say(&self, delta: Delta) {
        self.client.tell(Some(self.page), delta);
    }

    async fn hear(&mut self) -> Result<Input, MailError> {
        self.heard.next().await.ok_or(MailError::Gone("page"))
    }

    fn progress(&mut self, progress: Progress) {
        let now = self.client.inner.host.now();
        if (now - self.told).abs() >= PAUSE {
            self.told = now;
            self.say(Delta::TransferProgress { request: self.request, progress });
        }
    }
}

/// A file that the page writes.
pub(super) struct PageSink<H: Host> {
    link: Link<H>,
    waiting: Vec<u8>,
    /// How many bytes were sent.
    offset: u64,
    /// How many are written.
    taken: u64,
}

impl<H: Host> PageSink<H> {
    pub(super) fn new(link: Link<H>) -> Self {
        Self { link, waiting: Vec::new(), offset: 0, taken: 0 }
    }

    async fn send(&mut self) -> Result<(), MailError> {
        let bytes = ByteBuf::from(std::mem::take(&mut self.waiting));
        let (request, offset) = (self.link.request, self.offset);
        self.offset += bytes.len() as u64;
        self.link.say(Delta::ExportData { request, offset, bytes });
        while self.offset - self.taken > WINDOW {
            if let Input::Taken(taken) = self.link.hear().await? {
                self.taken = taken.clamp(self.taken, self.offset);
            }
        }
        Ok(())
    }

    /// The file's end; returns when the page has saved it.
    pub(super) async fn finish(mut self) -> Result<(), MailError> {
        if !self.waiting.is_empty() {
            self.send().await?;
        }
        self.send().await?;
        while !matches!(self.link.hear().await?, Input::Saved) {}
        Ok(())
    }
}

impl<H: Host> Sink for PageSink<H> {
    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), MailError> {
        self.waiting.extend(bytes);
        if self.waiting.len() >= limits::PIECE as usize { self.send().await } else { Ok(()) }
    }

    fn progress(&mut self, progress: Progress) {
        self.link.progress(progress);
    }
}

/// A file that the page reads.
pub(super) struct PageSource<H: Host> {
    link: Link<H>,
    name: String,
    size: u64,
}

impl<H: Host> PageSource<H> {
    pub(super) fn new(link: Link<H>, name: String, size: u64) -> Self {
        Self { link, name, size }
    }
}

impl<H: Host> Source for PageSource<H> {
    fn name(&self) -> &str {
        &self.name
    }

    fn size(&self) -> u64 {
        self.size
    }

    async fn read(&mut self, offset: u64, length: u32) -> Result<Vec<u8>, MailError> {
        let request = self.link.request;
        self.link.say(Delta::ImportWants { request, offset, length });
        loop {
            // An earlier piece that comes late is of no use.
            if let Input::Data { offset: at, bytes } = self.link.hear().await?
                && at == offset
            {
                let unreadable = || MailError::Input("The file can't be read any more.".into());
                let mut bytes = bytes.ok_or_else(unreadable)?;
                bytes.truncate(length as usize);
                return Ok(bytes);
            }
        }
    }

    fn progress(&mut self, progress: Progress) {
        self.link.progress(progress);
    }
}
