//! One connection of a client: lines in, answers out, and the faults that are to be played.

use std::{io, sync::Arc};

use bytes::{Buf, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

use super::{Protocol, Shared, faults::Fault, limits, transcript::Direction};

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    /// The client has gone, or a fault dropped the connection.
    #[error("the connection has ended")]
    Closed,
    /// The client sent a line that is too long to be read on.
    #[error("the client sent a line that is too long")]
    LineTooLong,
    /// The socket failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A connection with buffers on both sides.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    encrypted: bool,
    shared: Arc<Shared>,
    protocol: Protocol,
    /// The number of the connection, from 1.
    number: usize,
    received: BytesMut,
    answer: Vec<u8>,
    counts: Counts,
}

/// What the faults count, since the faults of `generation` were set.
#[derive(Default)]
struct Counts {
    generation: u64,
    sent: u64,
    received: u64,
    commands: usize,
}

impl Wire {
    pub(super) fn new(
        stream: TcpStream,
        shared: Arc<Shared>,
        protocol: Protocol,
        number: usize,
    ) -> Self {
        let counts = Counts { generation: shared.faults.borrow().0, ..Counts::default() };
        Self {
            stream: Box::new(stream),
            encrypted: false,
            shared,
            protocol,
            number,
            received: BytesMut::new(),
            answer: Vec::new(),
            counts,
        }
    }

    /// Whether TLS protects the connection.
    pub(super) fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Whether STARTTLS may be offered now.
    pub(super) fn can_start_tls(&self) -> bool {
        !self.encrypted && self.shared.security == super::Security::StartTls
    }

    /// Does the TLS handshake. What the client sent in clear text before is thrown away, so that
    /// nothing injected before TLS counts as said inside it.
    pub(super) async fn start_tls(self) -> Result<Self, WireError> {
        let Self { stream, shared, protocol, number, counts, .. } = self;
        let stream = shared.acceptor.accept(stream).await?;
        Ok(Self {
            stream: Box::new(stream),
            encrypted: true,
            shared,
            protocol,
            number,
            received: BytesMut::new(),
            answer: Vec::new(),
            counts,
        })
    }

    /// Adds to the answer, which [`flush`](Self::flush) sends.
    pub(super) fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.answer.extend_from_slice(bytes.as_ref());
    }

    /// Sends the answer once it is large, so that memory stays bounded.
    pub(super) async fn flush_if_large(&mut self) -> Result<(), WireError> {
        if self.answer.len() >= limits::ANSWER_BUFFER { self.flush().await } else { Ok(()) }
    }

    /// Sends what was written.
    pub(super) async fn flush(&mut self) -> Result<(), WireError> {
        let mut answer = std::mem::take(&mut self.answer);
        let limit = self.fault().and_then(|fault| fault.drop_after_sent);
        let left = limit.map(|limit| limit.saturating_sub(self.counts.sent));
        let dropped = left.is_some_and(|left| answer.len() as u64 >= left);
        if dropped {
            answer.truncate(left.unwrap_or_default() as usize);
        }
        self.counts.sent += answer.len() as u64;
        self.record(Direction::ToClient, &answer);
        self.stream.write_all(&answer).await?;
        self.stream.flush().await?;
        if dropped {
            return Err(WireError::Closed);
        }
        answer.clear();
        self.answer = answer;
        Ok(())
    }

    /// Says goodbye to the transport: everything is sent, then the stream is shut down.
    pub(super) async fn close(mut self) -> Result<(), WireError> {
        self.flush().await?;
        self.stream.shutdown().await?;
        Ok(())
    }

    /// Counts a command (the greeting has the empty name) and plays the faults that are due:
    /// waits, never returns, or returns the answer to give instead of executing the command.
    pub(super) async fn begin(&mut self, command: &str) -> Result<Option<Vec<u8>>, WireError> {
        let Some(fault) = self.fault() else { return Ok(None) };
        if !command.is_empty() {
            self.counts.commands += 1;
        }
        if fault.hang_from.is_some_and(|from| self.counts.commands >= from) {
            loop {
                self.received.clear();
                self.fill().await?;
            }
        }
        if !fault.delay.is_zero() {
            tokio::time::sleep(fault.delay).await;
        }
        Ok(fault.wrong_answer(command).map(<[u8]>::to_vec))
    }

    /// Reads a line, without its CRLF (or bare LF). Cancel-safe.
    pub(super) async fn read_line(&mut self) -> Result<Vec<u8>, WireError> {
        let mut searched = 0;
        loop {
            let end = self.received[searched..].iter().position(|byte| *byte == b'\n');
            if let Some(end) = end.map(|end| end + searched) {
                let mut line = self.received.split_to(end + 1).to_vec();
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                if line.len() > limits::LINE {
                    return Err(WireError::LineTooLong);
                }
                return Ok(line);
            }
            searched = self.received.len();
            if searched > limits::LINE + 1 {
                return Err(WireError::LineTooLong);
            }
            self.fill().await?;
        }
    }

    /// Reads exactly `length` bytes to the end of `target`.
    pub(super) async fn read_exact(
        &mut self,
        mut length: usize,
        target: &mut Vec<u8>,
    ) -> Result<(), WireError> {
        while length > 0 {
            if self.received.is_empty() {
                self.fill().await?;
            }
            let taken = length.min(self.received.len());
            target.extend_from_slice(&self.received[..taken]);
            self.received.advance(taken);
            length -= taken;
        }
        Ok(())
    }

    async fn fill(&mut self) -> Result<(), WireError> {
        self.received.reserve(8 * 1024);
        let before = self.received.len();
        let count = self.stream.read_buf(&mut self.received).await?;
        if count == 0 {
            return Err(WireError::Closed);
        }
        let fault = self.fault();
        self.counts.received += count as u64;
        let bytes = self.received[before..].to_vec();
        self.record(Direction::FromClient, &bytes);
        match fault.and_then(|fault| fault.drop_after_received) {
            Some(limit) if self.counts.received >= limit => Err(WireError::Closed),
            _ => Ok(()),
        }
    }

    /// The fault that strikes this connection now, if any.
    fn fault(&mut self) -> Option<Fault> {
        let current = self.shared.faults.borrow();
        let (generation, faults) = &*current;
        if *generation != self.counts.generation {
            self.counts = Counts { generation: *generation, ..Counts::default() };
        }
        let fault = self.protocol.fault(faults);
        fault.strikes(self.number).then(|| fault.clone())
    }

    fn record(&self, direction: Direction, bytes: &[u8]) {
        if let Some(transcript) = &self.shared.transcript {
            transcript.record(self.protocol, self.number, direction, bytes);
        }
    }
}
