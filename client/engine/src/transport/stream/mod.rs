//! The tunnel's rules as the page keeps them: frames in, bytes and credit out.

use std::collections::VecDeque;

use postern_bridge::TlsSession;
use postern_mail::TransportError;
use postern_tunnel::{
    FromProxy, Refusal, Refused,
    credit::{Allowance, Budget, Window},
};

use super::certificate;
use crate::limits::{WIDEST_WINDOW, WINDOW};

/// The state of a tunnel, without its socket.
pub(super) struct Stream {
    /// The server at the other end.
    host: String,
    port: u16,
    /// Whether the proxy has opened the way to the server.
    open: bool,
    upgrade: Upgrade,
    /// The proxy's TLS session with the server, if it has one.
    tls: Option<TlsSession>,
    window: Window,
    allowance: Allowance,
    /// Stream bytes that nobody has read yet, in order.
    arrived: VecDeque<Vec<u8>>,
    /// How the server's stream ended.
    end: Option<Result<(), TransportError>>,
    /// Whether the socket is gone, so that nothing more can be sent.
    closed: bool,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Upgrade {
    NotAsked,
    Asked,
    Done,
}

impl Stream {
    /// A tunnel to this server that is not open yet. Its window grows within the budget.
    pub(super) fn new(host: &str, port: u16, windows: &Budget) -> Self {
        Self {
            host: host.to_owned(),
            port,
            open: false,
            upgrade: Upgrade::NotAsked,
            tls: None,
            window: Window::new(WINDOW, WIDEST_WINDOW, windows),
            allowance: Allowance::new(0),
            arrived: VecDeque::new(),
            end: None,
            closed: false,
        }
    }

    /// Takes a control message; returns how much credit the proxy shall have back.
    pub(super) fn text(&mut self, text: &str) -> Option<u32> {
        match FromProxy::from_text(text) {
            Ok(FromProxy::Opened(opened)) if !self.open => {
                self.open = true;
                self.allowance = Allowance::new(opened.credit);
                self.tls = opened.tls.map(certificate::session_of_proxy);
            }
            Ok(FromProxy::Credit(credit)) if self.open => {
                if self.allowance.grant(credit).is_err() {
                    self.fail(TransportError::Lost);
                }
            }
            Ok(FromProxy::Secured(info)) if self.upgrade == Upgrade::Asked => {
                self.upgrade = Upgrade::Done;
                self.tls = Some(certificate::session_of_proxy(info));
            }
            Ok(FromProxy::Finish) if self.open => self.finish(),
            Ok(FromProxy::Reclaim(keep)) if self.open => {
                return Some(self.allowance.give_back(keep)).filter(|credit| *credit > 0);
            }
            Ok(FromProxy::Refused(refused)) => self.fail(self.transport_error(refused)),
            // The proxy broke the rules; nothing that it says after that can be trusted.
            Ok(_) | Err(_) => self.fail(TransportError::Lost),
        }
        None
    }

    /// Takes stream bytes.
    pub(super) fn binary(&mut self, bytes: Vec<u8>) {
        if self.upgrade == Upgrade::Asked {
            self.fail(early_bytes());
        } else if !self.open || self.end.is_some() || self.window.arrived(bytes.len()).is_err() {
            self.fail(TransportError::Lost);
        } else if !bytes.is_empty() {
            self.arrived.push_back(bytes);
        }
    }

    /// Notes that the socket is gone.
    pub(super) fn closed(&mut self) {
        self.closed = true;
        // Without a word from the proxy: it could not be reached, or the way to it broke.
        self.fail(if self.open { TransportError::Lost } else { TransportError::Offline });
    }

    fn finish(&mut self) {
        self.end.get_or_insert(Ok(()));
    }

    fn fail(&mut self, error: TransportError) {
        self.end.get_or_insert(Err(error));
    }

    /// Whether the proxy has opened the way to the server.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Whether TLS is up after it was asked for.
    pub(super) fn is_secured(&self) -> bool {
        self.upgrade == Upgrade::Done
    }

    /// The TLS session that the proxy has with the server.
    pub(super) fn tls(&self) -> Option<&TlsSession> {
        self.tls.as_ref()
    }

    /// The next bytes, and how much to grant the proxy now that they are taken.
    pub(super) fn take(&mut self) -> Option<(Vec<u8>, Option<u32>)> {
        let bytes = self.arrived.pop_front()?;
        let grant = self.window.consumed(bytes.len());
        Some((bytes, grant))
    }

    /// Whether the server has ended its stream in good order; or why it broke.
    pub(super) fn is_finished(&self) -> Result<bool, TransportError> {
        match &self.end {
            None => Ok(false),
            Some(Ok(())) => Ok(true),
            Some(Err(error)) => Err(error.clone()),
        }
    }

    /// Why nothing can be sent any more, if so.
    pub(super) fn check(&self) -> Result<(), TransportError> {
        self.is_finished()?;
        if self.closed { Err(TransportError::Lost) } else { Ok(()) }
    }

    /// Spends credit for up to `wanted` bytes; returns for how many.
    pub(super) fn spend(&mut self, wanted: usize) -> usize {
        self.allowance.take(wanted)
    }

    /// Checks that every byte has been read, as it must be where TLS begins.
    pub(super) fn check_quiet(&self) -> Result<(), TransportError> {
        self.check()?;
        if self.arrived.is_empty() { Ok(()) } else { Err(early_bytes()) }
    }

    /// From here until the proxy says that TLS is up no byte may arrive.
    pub(super) fn begin_tls(&mut self) -> Result<(), TransportError> {
        self.check_quiet()?;
        self.upgrade = Upgrade::Asked;
        Ok(())
    }

    /// What a refusal means for the client's logic.
    fn transport_error(&self, refused: Refused) -> TransportError {
        match refused.code {
            Refusal::AccessDenied => TransportError::Denied(refused.message),
            Refusal::BadRequest | Refusal::NotAllowed => {
                TransportError::NotAllowed(refused.message)
            }
            Refusal::TooMany | Refusal::ShuttingDown => TransportError::Busy(refused.message),
            Refusal::UnknownHost => TransportError::UnknownHost,
            Refusal::LookupFailed => TransportError::LookupFailed,
            Refusal::ConnectFailed => TransportError::ConnectFailed,
            Refusal::ConnectTimedOut => TransportError::TimedOut,
            Refusal::BadCertificate => TransportError::Certificate(Box::new(
                certificate::refused_by_proxy(&self.host, self.port, refused),
            )),
            Refusal::TlsFailed => TransportError::Tls(refused.message),
            Refusal::Lost | Refusal::Idle => TransportError::Lost,
        }
    }
}

/// Clear text that came where TLS should begin may be an attacker's (RFC 3207 section 6).
fn early_bytes() -> TransportError {
    TransportError::Tls("The server sent clear text where encryption should begin.".into())
}

#[cfg(test)]
mod tests;
