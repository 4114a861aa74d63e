//! Bytes from the server that were not read yet.

/// What has come, and how much of it was read.
#[derive(Debug, Default)]
pub(super) struct Input {
    bytes: Vec<u8>,
    read: usize,
}

impl Input {
    /// More has come.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.read);
        self.read = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// What is to be read.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.read..]
    }

    /// All but the last `rest` bytes were read.
    pub(super) fn keep(&mut self, rest: usize) {
        self.read = self.bytes.len() - rest;
    }

    /// The place for what comes, when all was read.
    pub(super) fn refill(&mut self) -> &mut Vec<u8> {
        self.read = 0;
        &mut self.bytes
    }
}
