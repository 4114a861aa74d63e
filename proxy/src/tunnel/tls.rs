//! TLS to the mail server, when the proxy does it.

use std::{io, sync::Arc, time::Duration};

use postern_certificate::{Problem, Verifier, Why};
use postern_tunnel::{CertificateInfo, Refusal, Refused, RefusedCertificate, TlsInfo};
use rustls::{
    AlertDescription, ClientConfig, CommonState, Error, PeerIncompatible, ProtocolVersion,
    RootCertStore, client::UnbufferedClientConnection, crypto::ring,
};
use rustls_pki_types::CertificateDer;
use tokio::{net::TcpStream, time::timeout};

use super::refusal::refuse;
use crate::{policy::Host, tls::TlsStream};

/// TLS with a mail server.
pub(crate) type ServerTls = TlsStream<TcpStream, UnbufferedClientConnection>;

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
        let provider = Arc::new(ring::default_provider());
        let verifier = Verifier::new(trusted.into(), Arc::clone(&provider))
            .expect("there are always the public roots");
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }

    /// Does the handshake.
    ///
    /// # Errors
    ///
    /// If the certificate does not verify, the handshake fails, or it takes too long.
    pub(crate) async fn connect(
        &self,
        tcp: TcpStream,
        host: &Host,
        most: Duration,
    ) -> Result<(ServerTls, TlsInfo), Refused> {
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
    TlsInfo {
        version: version.to_owned(),
        cipher: suite.and_then(|suite| suite.as_str()).unwrap_or_default().to_owned(),
        certificate: certificate.map(|certificate| CertificateInfo::of(certificate)),
    }
}

fn failed(host: &Host, error: &io::Error) -> Refused {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<Error>());
    let Some(error) = cause else {
        return refuse(
            Refusal::TlsFailed,
            format!("{host} ended the connection instead of agreeing on TLS."),
        );
    };
    match postern_certificate::Refused::from_error(error) {
        Some(postern_certificate::Refused { why: Why::Invalid(problem), certificate }) => {
            bad_certificate(host, problem, certificate)
        }
        _ if matches!(error, Error::InvalidMessage(_)) => refuse(
            Refusal::TlsFailed,
            format!("{host} does not speak TLS on this port, or not from the start."),
        ),
        _ if is_too_old(error) => refuse(
            Refusal::TlsFailed,
            format!("{host} speaks no version of TLS that is safe: it needs 1.2 or 1.3."),
        ),
        _ => refuse(Refusal::TlsFailed, format!("TLS with {host} failed: {error}.")),
    }
}

/// Whether the server insists on a version before 1.2.
fn is_too_old(error: &Error) -> bool {
    matches!(
        error,
        Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13)
            | Error::AlertReceived(AlertDescription::ProtocolVersion)
    )
}

fn bad_certificate(host: &Host, problem: &Problem, certificate: &[u8]) -> Refused {
    let info = CertificateInfo::of(certificate);
    let names = info.details.iter().flat_map(|details| &details.names).take(QUOTED_NAMES);
    let names: Vec<_> = names.map(String::as_str).collect();
    let what = match problem {
        Problem::Expired => "has expired",
        Problem::NotYetValid => "is not valid yet",
        Problem::OtherHost if names.is_empty() => "is not valid for this name",
        Problem::OtherHost => &format!("is not valid for this name, but for {}", names.join(", ")),
        Problem::UnknownIssuer => "comes from an issuer that this proxy does not trust",
        Problem::SelfSigned => "was issued by the server itself; this proxy does not trust it",
        Problem::Revoked => "was revoked by its issuer",
        Problem::Other(_) => "does not verify",
    };
    let refused = refuse(Refusal::BadCertificate, format!("The certificate of {host} {what}."));
    let certificate = RefusedCertificate { problem: problem.clone(), certificate: info };
    Refused { certificate: Some(Box::new(certificate)), ..refused }
}
