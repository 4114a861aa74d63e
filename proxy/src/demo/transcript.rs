//! What was said on the connections, kept only when a test asks for it.

use std::sync::{Mutex, PoisonError};

use super::Protocol;

/// Who spoke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The server to the client.
    ToClient,
    /// The client to the server.
    FromClient,
}

/// Bytes that were sent in one go. Those of a client hold its password.
#[derive(Clone, Debug)]
pub struct Spoken {
    /// The server that spoke or was spoken to.
    pub protocol: Protocol,
    /// The number of the connection, per protocol, from 1.
    pub connection: usize,
    /// Who spoke.
    pub direction: Direction,
    /// What was said, inside TLS.
    pub bytes: Vec<u8>,
}

#[derive(Default)]
pub(super) struct Transcript(Mutex<Vec<Spoken>>);

impl Transcript {
    pub(super) fn record(
        &self,
        protocol: Protocol,
        connection: usize,
        direction: Direction,
        bytes: &[u8],
    ) {
        let spoken = Spoken { protocol, connection, direction, bytes: bytes.to_vec() };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(spoken);
    }

    pub(super) fn so_far(&self) -> Vec<Spoken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
