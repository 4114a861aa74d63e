//! TLS over a byte stream, for either side, without buffers of its own.
//!
//! rustls does the protocol, by its unbuffered interface; this is the reading and writing. A
//! [`TlsStream`] that carries nothing keeps the session and no more: ciphertext arrives in a place
//! that all connections of a thread share, many records at once, and is made in another. Only the
//! beginning of a record, and what the other side did not take, is kept until the rest comes or
//! goes.

mod session;
mod stream;
#[cfg(test)]
mod tests;

pub(crate) use stream::TlsStream;
