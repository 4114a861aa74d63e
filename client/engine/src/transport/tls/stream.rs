//! A stream secured by TLS.

use std::{
    io::{BufRead, Write},
    sync::Arc,
};

use postern_bridge::{Endpoint, TlsEnd, TlsSession};
use postern_certificate::Refused;
use postern_mail::{Transport, TransportError};
use rustls::{
    AlertDescription, ClientConfig, ClientConnection, Error, ProtocolVersion, pki_types::ServerName,
};

use crate::transport::certificate;

/// A stream secured by TLS.
pub(in crate::transport) struct TlsStream<T> {
    /// The server.
    endpoint: Endpoint,
    pub(super) transport: T,
    pub(super) connection: ClientConnection,
    /// What has arrived and nobody has read yet.
    clear: Vec<u8>,
    /// Whether the server has announced the end of its stream.
    ended: bool,
}

/// Why a handshake came to nothing.
pub(super) struct Failed {
    error: TransportError,
    /// Whether the server gave up before it had chosen a cipher, so that it may want another one
    /// than it was offered.
    pub(super) may_want_others: bool,
}

impl From<TransportError> for Failed {
    fn from(error: TransportError) -> Self {
        Self { error, may_want_others: false }
    }
}

impl From<Failed> for TransportError {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

impl<T: Transport> TlsStream<T> {
    /// Makes a stream secure.
    pub(super) async fn handshake(
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
        endpoint: &Endpoint,
        transport: T,
    ) -> Result<Self, Failed> {
        let connection = ClientConnection::new(config, name).map_err(|_| no_agreement())?;
        let (clear, ended) = (Vec::new(), false);
        let mut stream = Self { endpoint: endpoint.clone(), transport, connection, clear, ended };
        stream.flush().await?;
        while stream.connection.is_handshaking() {
            // Some servers say nothing at all where no cipher is to their liking.
            let arrived = match stream.transport.read().await {
                Ok(arrived) if arrived.is_empty() => return Err(stream.gave_up(hung_up())),
                Err(TransportError::Lost) => return Err(stream.gave_up(TransportError::Lost)),
                arrived => arrived?,
            };
            if let Err(error) = stream.take(&arrived) {
                // The server is owed an alert; but what counts is why.
                let _ = stream.flush().await;
                return Err(match error {
                    Error::AlertReceived(_) => stream.gave_up(stream.failed(&error)),
                    error => stream.failed(&error).into(),
                });
            }
            stream.flush().await?;
        }
        Ok(stream)
    }

    /// The server has given up on the handshake.
    fn gave_up(&self, error: TransportError) -> Failed {
        // Both are known as soon as the server has chosen.
        Failed { error, may_want_others: self.connection.protocol_version().is_none() }
    }

    /// Takes ciphertext.
    fn take(&mut self, mut arrived: &[u8]) -> Result<(), Error> {
        self.clear.reserve(arrived.len());
        while !arrived.is_empty() && !self.ended {
            let taken = self.connection.read_tls(&mut arrived);
            taken.map_err(|error| Error::General(error.to_string()))?;
            self.connection.process_new_packets()?;
            let mut reader = self.connection.reader();
            // An error means only that there is no more for now.
            while let Ok(clear) = reader.fill_buf() {
                let count = clear.len();
                if count == 0 {
                    self.ended = true;
                    break;
                }
                self.clear.extend_from_slice(clear);
                reader.consume(count);
            }
        }
        Ok(())
    }

    /// Sends what TLS has to send.
    async fn flush(&mut self) -> Result<(), TransportError> {
        let mut ciphertext = Vec::new();
        while self.connection.wants_write() {
            self.connection.write_tls(&mut ciphertext).expect("memory takes every write");
        }
        if ciphertext.is_empty() { Ok(()) } else { self.transport.write(ciphertext).await }
    }

    /// What an error of TLS means.
    fn failed(&self, error: &Error) -> TransportError {
        if let Some(refused) = Refused::from_error(error) {
            let refused = certificate::refused_by_us(&self.endpoint, refused);
            return TransportError::Certificate(Box::new(refused));
        }
        // An alert is the server's own word: whatever was changed on the way does not decrypt.
        if !self.connection.is_handshaking() && !matches!(error, Error::AlertReceived(_)) {
            return TransportError::Tls("What the server sent was changed on its way.".into());
        }
        TransportError::Tls(match error {
            Error::InvalidMessage(_) => {
                "The server does not speak TLS on this port, or not from the start.".into()
            }
            Error::AlertReceived(AlertDescription::ProtocolVersion)
            | Error::PeerIncompatible(_) => {
                "The server knows only old kinds of encryption that are not safe any more.".into()
            }
            Error::AlertReceived(alert) => format!("The server gave up on it ({alert:?})."),
            error => format!("The handshake failed ({error})."),
        })
    }
}

fn hung_up() -> TransportError {
    TransportError::Tls("The server hung up instead of agreeing on encryption.".into())
}

fn no_agreement() -> TransportError {
    TransportError::Tls("This browser offers no randomness or no time to TLS.".into())
}

impl<T: Transport> Transport for TlsStream<T> {
    /// Sends nothing, so that it can be dropped: an answer to a key update goes with the next write
    /// (RFC 8446 section 4.6.3).
    async fn read(&mut self) -> Result<Vec<u8>, TransportError> {
        while self.clear.is_empty() && !self.ended {
            let arrived = self.transport.read().await?;
            if arrived.is_empty() {
                // The end, but not the one that TLS demands: something may be missing.
                return Err(TransportError::Lost);
            }
            self.take(&arrived).map_err(|error| self.failed(&error))?;
        }
        Ok(std::mem::take(&mut self.clear))
    }

    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), TransportError> {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let taken = self.connection.writer().write(rest).map_err(|_| TransportError::Lost)?;
            rest = &rest[taken..];
            self.flush().await?;
        }
        Ok(())
    }

    async fn start_tls(&mut self) -> Result<(), TransportError> {
        Err(TransportError::Tls("It is secure already.".into()))
    }

    fn tls(&self) -> Option<TlsSession> {
        let version = match self.connection.protocol_version()? {
            ProtocolVersion::TLSv1_2 => "TLSv1.2",
            _ => "TLSv1.3",
        };
        let cipher = self.connection.negotiated_cipher_suite()?.suite().as_str()?;
        let chain = self.connection.peer_certificates().unwrap_or_default();
        Some(TlsSession {
            version: version.into(),
            cipher: cipher.into(),
            certificate: chain.first().map(|first| certificate::certificate(first)),
            end: TlsEnd::Browser,
        })
    }

    async fn close(&mut self) {
        self.connection.send_close_notify();
        // Nobody is left to tell if this fails.
        let _ = self.flush().await;
        self.transport.close().await;
    }
}
