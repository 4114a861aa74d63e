//! COMPRESS=DEFLATE (RFC 4978): raw deflate in both directions, beneath everything else.

use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status};

/// Bytes that are inflated at a time: a few bytes can become a thousand times as many, and what is
/// behind them is inflated only when these were dealt with.
const CHUNK: usize = 16 << 10;

/// What the server sent can't be inflated.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CompressionError {
    /// It is no deflated stream.
    #[error("the server's compressed data is damaged")]
    Damaged,
    /// The stream came to its end, but the connection goes on.
    #[error("the server's compressed data ends before the connection does")]
    Ended,
}

/// Both directions of a compressed connection.
#[derive(Debug)]
pub(crate) struct Compression {
    inflater: Decompress,
    deflater: Compress,
    /// What came and is not inflated yet, from `read` on.
    pending: Vec<u8>,
    read: usize,
    /// The inflater had more to give than there was room.
    has_more: bool,
}

impl Compression {
    pub(crate) fn new() -> Self {
        Self {
            inflater: Decompress::new(false),
            // What a client says is short and repeats itself.
            deflater: Compress::new(flate2::Compression::fast(), false),
            pending: Vec::new(),
            read: 0,
            has_more: false,
        }
    }

    /// Deflates what is to be sent, in such a way that the server can read all of it at once.
    pub(crate) fn deflate(&mut self, bytes: &[u8]) -> Vec<u8> {
        let before = self.deflater.total_in();
        let mut deflated = Vec::with_capacity(bytes.len() / 2 + 64);
        loop {
            let taken = usize::try_from(self.deflater.total_in() - before).unwrap_or(usize::MAX);
            let rest = bytes.get(taken..).unwrap_or_default();
            self.deflater
                .compress_vec(rest, &mut deflated, FlushCompress::Sync)
                .expect("a deflater without a dictionary takes any bytes");
            // As zlib has it: room that is left means that nothing is held back.
            if deflated.len() < deflated.capacity() {
                return deflated;
            }
            deflated.reserve(deflated.len());
        }
    }

    /// Takes what the server sent.
    pub(crate) fn receive(&mut self, bytes: &[u8]) {
        self.pending.drain(..self.read);
        self.read = 0;
        self.pending.extend_from_slice(bytes);
    }

    /// Inflates some of what was received into `chunk`, which is empty when there is nothing more.
    pub(crate) fn inflate(&mut self, chunk: &mut Vec<u8>) -> Result<(), CompressionError> {
        chunk.clear();
        chunk.reserve_exact(CHUNK);
        let input = &self.pending[self.read..];
        if input.is_empty() && !self.has_more {
            return Ok(());
        }
        let before = self.inflater.total_in();
        let status = self
            .inflater
            .decompress_vec(input, chunk, FlushDecompress::None)
            .map_err(|_| CompressionError::Damaged)?;
        let taken = self.inflater.total_in() - before;
        self.read += usize::try_from(taken).unwrap_or(usize::MAX);
        self.has_more = chunk.len() == chunk.capacity();
        if status == Status::StreamEnd && chunk.is_empty() {
            return Err(CompressionError::Ended);
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The other side of a compressed connection.
    pub(crate) fn server_deflates(bytes: &[u8]) -> Vec<u8> {
        Compression::new().deflate(bytes)
    }

    /// All that can be inflated of what was received, and the sizes of its chunks.
    pub(crate) fn inflate_all(
        own: &mut Compression,
    ) -> Result<(Vec<u8>, Vec<usize>), CompressionError> {
        let (mut all, mut sizes, mut chunk) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            own.inflate(&mut chunk)?;
            if chunk.is_empty() {
                return Ok((all, sizes));
            }
            all.extend_from_slice(&chunk);
            sizes.push(chunk.len());
        }
    }

    #[test]
    fn what_was_deflated_can_be_inflated_at_once_and_at_any_split() {
        let (mut one, mut other) = (Compression::new(), Compression::new());
        let noise: Vec<u8> =
            (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for text in [&b"A1 NOOP\r\n"[..], b"", b"A2 NOOP\r\n", &noise, &[b'x'; 100_000]] {
            let deflated = one.deflate(text);
            let mut all = Vec::new();
            for piece in deflated.chunks(deflated.len().div_ceil(7).max(1)) {
                other.receive(piece);
                all.extend(inflate_all(&mut other).unwrap().0);
            }
            assert!(all == text, "{} bytes became {}", text.len(), all.len());
        }
    }

    #[test]
    fn a_bomb_comes_out_in_chunks_of_one_size() {
        let bomb = server_deflates(&vec![0; 20 << 20]);
        assert!(bomb.len() < 1 << 20);
        let mut own = Compression::new();
        own.receive(&bomb);
        let (all, sizes) = inflate_all(&mut own).unwrap();
        assert_eq!(all.len(), 20 << 20);
        assert!(sizes.iter().all(|size| *size <= CHUNK));
    }

    #[test]
    fn damage_and_an_early_end_are_told() {
        let mut own = Compression::new();
        own.receive(&[0xff; 32]);
        assert_eq!(inflate_all(&mut own), Err(CompressionError::Damaged));
        let mut ended = Vec::with_capacity(64);
        let mut deflater = Compress::new(flate2::Compression::fast(), false);
        deflater.compress_vec(b"* OK\r\n", &mut ended, FlushCompress::Finish).unwrap();
        let mut own = Compression::new();
        own.receive(&ended);
        let mut chunk = Vec::new();
        own.inflate(&mut chunk).unwrap();
        assert_eq!(chunk, b"* OK\r\n");
        own.receive(b"x");
        assert_eq!(own.inflate(&mut chunk), Err(CompressionError::Ended));
    }
}
