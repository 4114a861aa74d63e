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
mod tests {
    use postern_bridge::{
        Certificate, CertificateDetails, CertificateProblem, RefusedCertificate, TlsEnd,
    };
    use postern_certificate::{Details, Problem};
    use postern_tunnel::{CertificateInfo, Opened, RefusedCertificate as ByProxy, TlsInfo};

    use super::*;

    fn stream() -> Stream {
        Stream::new("imap.example.org", 993, &Budget::new(0))
    }

    fn opened() -> Stream {
        let mut stream = stream();
        let opened = Opened { peer: "192.0.2.1:143".into(), tls: None, credit: 10 };
        stream.text(&FromProxy::Opened(opened).to_text());
        stream
    }

    fn info() -> TlsInfo {
        let (version, cipher) = ("TLSv1.3".into(), "TLS13_AES_128_GCM_SHA256".into());
        TlsInfo { version, cipher, certificate: Some(certificate_info()) }
    }

    fn certificate_info() -> CertificateInfo {
        let details = Details {
            subject: "CN=imap.example.org".into(),
            issuer: "CN=Example".into(),
            names: vec!["imap.example.org".into()],
            not_before: 1,
            not_after: 2,
        };
        CertificateInfo { fingerprint: "0f".repeat(32), details: Some(details) }
    }

    /// The same as the page tells it.
    fn certificate() -> Certificate {
        let details = CertificateDetails {
            subject: "CN=imap.example.org".into(),
            issuer: "CN=Example".into(),
            names: vec!["imap.example.org".into()],
            not_before: 1000,
            not_after: 2000,
        };
        Certificate { fingerprint: [0x0f; 32].into(), details: Some(details) }
    }

    fn secured() -> String {
        FromProxy::Secured(info()).to_text()
    }

    fn refused(code: Refusal) -> String {
        FromProxy::Refused(Refused { code, message: "Why.".into(), certificate: None }).to_text()
    }

    #[test]
    fn bytes_come_in_order_and_then_the_end() {
        let mut stream = opened();
        stream.binary(b"one".to_vec());
        stream.binary(b"two".to_vec());
        stream.text(&FromProxy::Finish.to_text());
        stream.closed();
        assert_eq!(stream.take(), Some((b"one".to_vec(), None)));
        assert_eq!(stream.take(), Some((b"two".to_vec(), None)));
        assert_eq!(stream.take(), None);
        assert_eq!(stream.is_finished(), Ok(true));
        assert_eq!(stream.check(), Err(TransportError::Lost));
    }

    #[test]
    fn a_full_window_is_fine_and_one_byte_more_breaks_the_stream() {
        let mut stream = opened();
        stream.binary(vec![0; WINDOW as usize]);
        assert_eq!(stream.is_finished(), Ok(false));
        stream.binary(vec![0; 1]);
        assert_eq!(stream.is_finished(), Err(TransportError::Lost));
    }

    #[test]
    fn what_is_read_is_granted_again() {
        let mut stream = opened();
        stream.binary(vec![0; WINDOW as usize / 2]);
        assert_eq!(stream.take().and_then(|(_, grant)| grant), Some(WINDOW / 2));
    }

    #[test]
    fn a_window_that_the_proxy_uses_up_grows_within_the_budget() {
        let mut stream = Stream::new("imap.example.org", 993, &Budget::new(WINDOW));
        let opened = Opened { peer: "192.0.2.1:143".into(), tls: None, credit: 10 };
        stream.text(&FromProxy::Opened(opened).to_text());
        stream.binary(vec![0; WINDOW as usize]);
        assert_eq!(stream.take().and_then(|(_, grant)| grant), Some(2 * WINDOW));
        stream.binary(vec![0; 2 * WINDOW as usize]);
        assert_eq!(stream.take().and_then(|(_, grant)| grant), Some(2 * WINDOW));
    }

    #[test]
    fn credit_that_the_proxy_reclaims_is_returned_and_not_spent() {
        let mut stream = opened();
        assert_eq!(stream.text(&FromProxy::Reclaim(4).to_text()), Some(6));
        assert_eq!(stream.text(&FromProxy::Reclaim(4).to_text()), None);
        assert_eq!(stream.spend(7), 4);
    }

    #[test]
    fn no_more_is_spent_than_was_granted() {
        let mut stream = opened();
        assert_eq!(stream.spend(7), 7);
        assert_eq!(stream.spend(7), 3);
        assert_eq!(stream.spend(7), 0);
        stream.text(&FromProxy::Credit(5).to_text());
        assert_eq!(stream.spend(7), 5);
        stream.text(&FromProxy::Credit(u32::MAX).to_text());
        stream.text(&FromProxy::Credit(1).to_text());
        assert_eq!(stream.check(), Err(TransportError::Lost));
    }

    #[test]
    fn a_socket_that_closes_before_the_way_is_open_means_offline() {
        let mut stream = stream();
        stream.closed();
        assert_eq!(stream.check(), Err(TransportError::Offline));
        let mut stream = opened();
        stream.closed();
        assert_eq!(stream.check(), Err(TransportError::Lost));
    }

    #[test]
    fn each_refusal_tells_what_is_wrong() {
        let why = || "Why.".to_owned();
        for (code, error) in [
            (Refusal::BadRequest, TransportError::NotAllowed(why())),
            (Refusal::AccessDenied, TransportError::Denied(why())),
            (Refusal::NotAllowed, TransportError::NotAllowed(why())),
            (Refusal::TooMany, TransportError::Busy(why())),
            (Refusal::ShuttingDown, TransportError::Busy(why())),
            (Refusal::UnknownHost, TransportError::UnknownHost),
            (Refusal::ConnectFailed, TransportError::ConnectFailed),
            (Refusal::ConnectTimedOut, TransportError::TimedOut),
            (
                Refusal::BadCertificate,
                TransportError::Certificate(Box::new(RefusedCertificate {
                    host: "imap.example.org".into(),
                    port: 993,
                    verifier: TlsEnd::Proxy,
                    problem: CertificateProblem::Other(why()),
                    certificate: None,
                })),
            ),
            (Refusal::TlsFailed, TransportError::Tls(why())),
            (Refusal::Lost, TransportError::Lost),
            (Refusal::Idle, TransportError::Lost),
        ] {
            let mut stream = stream();
            stream.text(&refused(code));
            stream.closed();
            assert_eq!(stream.check(), Err(error));
        }
    }

    #[test]
    fn a_certificate_that_the_proxy_refused_is_told_but_can_not_be_trusted() {
        let mut stream = stream();
        let by_proxy = ByProxy { problem: Problem::Expired, certificate: certificate_info() };
        let refused = Refused {
            code: Refusal::BadCertificate,
            message: "Why.".into(),
            certificate: Some(Box::new(by_proxy)),
        };
        stream.text(&FromProxy::Refused(refused).to_text());
        let Err(TransportError::Certificate(refused)) = stream.check() else { panic!("no reason") };
        assert_eq!(refused.problem, CertificateProblem::Expired);
        assert_eq!(refused.certificate, Some(certificate()));
        assert_eq!(refused.trustable(), None);
    }

    #[test]
    fn clear_text_where_tls_should_begin_is_refused() {
        let mut stream = opened();
        stream.binary(b"a".to_vec());
        assert_eq!(stream.begin_tls(), Err(early_bytes()));

        let mut stream = opened();
        assert_eq!(stream.begin_tls(), Ok(()));
        stream.binary(b"a".to_vec());
        assert_eq!(stream.check(), Err(early_bytes()));
        assert_eq!(stream.take(), None);

        let mut stream = opened();
        assert_eq!(stream.begin_tls(), Ok(()));
        assert_eq!(stream.tls(), None);
        stream.text(&secured());
        stream.binary(b"a".to_vec());
        assert!(stream.is_secured());
        assert!(stream.tls().is_some());
        assert_eq!(stream.take(), Some((b"a".to_vec(), None)));
    }

    #[test]
    fn what_the_proxy_tells_of_its_session_is_kept() {
        let mut stream = stream();
        let opened = Opened { peer: "192.0.2.1:993".into(), tls: Some(info()), credit: 10 };
        stream.text(&FromProxy::Opened(opened).to_text());
        let expected = TlsSession {
            version: "TLSv1.3".into(),
            cipher: "TLS13_AES_128_GCM_SHA256".into(),
            certificate: Some(certificate()),
            end: TlsEnd::Proxy,
        };
        assert_eq!(stream.tls(), Some(&expected));
    }

    #[test]
    fn a_proxy_that_breaks_the_rules_is_not_listened_to() {
        for text in [secured(), FromProxy::Credit(1).to_text(), "{".into()] {
            let mut stream = stream();
            stream.text(&text);
            assert_eq!(stream.check(), Err(TransportError::Lost));
        }
        let mut stream = stream();
        stream.binary(b"a".to_vec());
        assert_eq!(stream.check(), Err(TransportError::Lost));
    }
}
