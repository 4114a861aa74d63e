//! TLS to the mail server, when the proxy does it.

use std::{io, sync::Arc, time::Duration};

use postern_tunnel::{Refusal, Refused, TlsInfo};
use rustls::{
    CertificateError, ClientConfig, CommonState, Error, ProtocolVersion, RootCertStore,
    client::UnbufferedClientConnection, crypto::ring,
};
use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use tokio::{net::TcpStream, time::timeout};

use super::refusal::refuse;
use crate::{policy::Host, tls::TlsStream};

/// Names of a certificate that a sentence quotes.
const QUOTED_NAMES: usize = 3;

/// Ends TLS with mail servers.
pub(crate) struct TlsConnector(Arc<ClientConfig>);

impl TlsConnector {
    /// Trusts the public authorities, and these.
    ///
    /// # Errors
    ///
    /// If one of these is not a certificate.
    pub(crate) fn new(roots: Vec<CertificateDer<'static>>) -> Result<Self, Error> {
        let mut trusted = RootCertStore::empty();
        trusted.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        roots.into_iter().try_for_each(|root| trusted.add(root))?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(trusted)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }

    /// Does the handshake.
    ///
    /// # Errors
    ///
    /// If the certificate does not verify, the handshake fails, or it takes too long.
    pub(super) async fn connect(
        &self,
        tcp: TcpStream,
        host: &Host,
        most: Duration,
    ) -> Result<(TlsStream<TcpStream, UnbufferedClientConnection>, TlsInfo), Refused> {
        let handshake = timeout(most, TlsStream::connect(tcp, self.0.clone(), host.server_name()));
        let stream = match handshake.await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(failed(host, &error)),
            Err(_) => {
                let message = format!("{host} does not answer to TLS.");
                return Err(refuse(Refusal::ConnectTimedOut, message));
            }
        };
        let info = describe(stream.state());
        Ok((stream, info))
    }
}

fn describe(connection: &CommonState) -> TlsInfo {
    let version = match connection.protocol_version() {
        Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
        Some(ProtocolVersion::TLSv1_3) => "TLSv1.3",
        _ => "",
    };
    let suite = connection.negotiated_cipher_suite().map(|suite| suite.suite());
    let certificate = connection.peer_certificates().and_then(|chain| chain.first());
    let fingerprint = certificate.map(Sha256::digest).unwrap_or_default();
    TlsInfo {
        version: version.to_owned(),
        cipher: suite.and_then(|suite| suite.as_str()).unwrap_or_default().to_owned(),
        fingerprint: fingerprint.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

fn failed(host: &Host, error: &io::Error) -> Refused {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<Error>());
    match cause {
        Some(Error::InvalidCertificate(error)) => {
            refuse(Refusal::BadCertificate, certificate_sentence(host, error))
        }
        Some(Error::InvalidMessage(_)) => refuse(
            Refusal::TlsFailed,
            format!("{host} does not speak TLS on this port, or not from the start."),
        ),
        Some(error) => refuse(Refusal::TlsFailed, format!("TLS with {host} failed: {error}.")),
        None => refuse(
            Refusal::TlsFailed,
            format!("{host} ended the connection instead of agreeing on TLS."),
        ),
    }
}

fn certificate_sentence(host: &Host, error: &CertificateError) -> String {
    use CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet,
        NotValidYetContext, Revoked, UnknownIssuer,
    };
    let what = match error {
        Expired | ExpiredContext { .. } => "has expired".to_owned(),
        NotValidYet | NotValidYetContext { .. } => "is not valid yet".to_owned(),
        NotValidForName => "is not valid for this name".to_owned(),
        NotValidForNameContext { presented, .. } => {
            let names = presented.iter().take(QUOTED_NAMES).map(|name| quoted(name));
            match names.collect::<Vec<_>>() {
                names if names.is_empty() => "is not valid for this name".to_owned(),
                names => format!("is not valid for this name, but for {}", names.join(", ")),
            }
        }
        UnknownIssuer => "comes from an issuer that this proxy does not trust".to_owned(),
        Revoked => "was revoked by its issuer".to_owned(),
        _ => "does not verify".to_owned(),
    };
    format!("The certificate of {host} {what}.")
}

/// A name from a certificate, which may hold anything; rustls wraps it as `DnsName("…")`.
fn quoted(name: &str) -> String {
    let bare = name.split('"').nth(1).unwrap_or(name);
    bare.chars().filter(char::is_ascii_graphic).take(64).collect()
}
