//! The check of a page's first bytes when TLS ends in the page.
//!
//! On ports where TLS starts at once, the proxy demands a ClientHello that names the host that the
//! page asked for. So it can't be used to speak anything but TLS, nor to anyone but that host.

use std::io::Cursor;

use postern_tunnel::Refused;
use rustls::server::Acceptor;

use super::refusal::bad_request;
use crate::policy::Host;

/// Holds a page's first bytes back until they are known to be what they should.
pub(super) struct ClientHelloGate {
    host: Host,
    acceptor: Acceptor,
}

/// What the gate thinks of the bytes so far.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    /// They may be a ClientHello, which is not complete.
    Undecided,
    /// They are the one for the host.
    Passed,
}

impl ClientHelloGate {
    pub(super) fn new(host: Host) -> Self {
        Self { host, acceptor: Acceptor::default() }
    }

    /// Looks at the next bytes.
    ///
    /// # Errors
    ///
    /// If they are not a ClientHello, or one for another host.
    pub(super) fn inspect(&mut self, bytes: &[u8]) -> Result<Verdict, Refused> {
        let mut bytes = Cursor::new(bytes);
        while bytes.position() < bytes.get_ref().len() as u64 {
            let read = self.acceptor.read_tls(&mut bytes);
            if !read.is_ok_and(|read| read > 0) {
                return Err(bad_request("The page must begin with TLS."));
            }
            match self.acceptor.accept() {
                Ok(None) => {}
                Ok(Some(accepted)) if self.is_for_host(accepted.client_hello().server_name()) => {
                    return Ok(Verdict::Passed);
                }
                Ok(Some(_)) => {
                    return Err(bad_request("The page began TLS with another host than it named."));
                }
                Err(_) => return Err(bad_request("The page must begin with TLS.")),
            }
        }
        Ok(Verdict::Undecided)
    }

    /// Addresses are not named in a ClientHello (RFC 6066, section 3).
    fn is_for_host(&self, name: Option<&str>) -> bool {
        match (&self.host, name) {
            (Host::Name(host), Some(name)) => host.eq_ignore_ascii_case(name),
            (Host::Address(_), None) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::{ClientConfig, ClientConnection, RootCertStore, crypto::ring};

    use super::*;

    fn client_hello(host: &str) -> Vec<u8> {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        let name = host.to_owned().try_into().unwrap();
        let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).unwrap();
        bytes
    }

    fn gate(host: &str) -> ClientHelloGate {
        ClientHelloGate::new(host.parse().unwrap())
    }

    #[test]
    fn the_hosts_own_client_hello_passes_wherever_it_is_split() {
        for (host, named) in [("mail.example.org", "MAIL.example.org"), ("192.0.2.1", "192.0.2.1")]
        {
            let hello = client_hello(named);
            assert_eq!(gate(host).inspect(&hello), Ok(Verdict::Passed));
            for split in 1..hello.len() {
                let mut gate = gate(host);
                let (head, tail) = hello.split_at(split);
                assert_eq!(gate.inspect(head), Ok(Verdict::Undecided), "{split}");
                assert_eq!(gate.inspect(tail), Ok(Verdict::Passed), "{split}");
            }
        }
    }

    #[test]
    fn a_client_hello_for_another_host_does_not() {
        for (host, named) in [
            ("mail.example.org", "evil.example.org"),
            ("mail.example.org", "192.0.2.1"),
            ("192.0.2.1", "mail.example.org"),
        ] {
            assert!(gate(host).inspect(&client_hello(named)).is_err(), "{host}, {named}");
        }
    }

    #[test]
    fn what_is_not_tls_does_not() {
        for bytes in [&b"A1 LOGIN user secret\r\n"[..], b"USER x\r\n", &[0; 64], &[0xff; 20_000]] {
            assert!(gate("mail.example.org").inspect(bytes).is_err());
        }
    }

    #[test]
    fn a_client_hello_without_end_does_not() {
        // A handshake message of 16 MB, in records of the greatest length.
        let mut gate = gate("mail.example.org");
        let mut record = vec![0x16, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff];
        record.resize(5 + 0x4000, 0);
        assert!((0..10).any(|_| gate.inspect(&record).is_err()));
    }
}
