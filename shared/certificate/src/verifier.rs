//! Who is accepted as the server.

use std::{fmt, sync::Arc};

use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
    client::{
        VerifierBuilderError, WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use crate::{Problem, fingerprint};

/// Accepts a server by its certificate: one that a root vouches for or, if a person trusts one
/// certificate, that one alone.
///
/// Whichever it is, the server must prove with its signature in the handshake that it has the
/// certificate's key. What is refused is told by [`Refused`].
#[derive(Clone, Debug)]
pub struct Verifier {
    roots: Arc<WebPkiServerVerifier>,
    trusted: Option<[u8; 32]>,
}

impl Verifier {
    /// Accepts what one of the roots vouches for.
    ///
    /// # Errors
    ///
    /// If there are no roots.
    pub fn new(
        roots: Arc<RootCertStore>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, VerifierBuilderError> {
        let roots = WebPkiServerVerifier::builder_with_provider(roots, provider).build()?;
        Ok(Self { roots, trusted: None })
    }

    /// Accepts the certificate with this SHA-256 fingerprint and no other, whatever the roots say.
    ///
    /// A person has confirmed it for one host: the verifier must serve no other.
    pub fn trusting_only(&self, fingerprint: [u8; 32]) -> Self {
        Self { roots: Arc::clone(&self.roots), trusted: Some(fingerprint) }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let by_roots =
            || self.roots.verify_server_cert(certificate, intermediates, host, ocsp_response, now);
        match self.trusted {
            None => by_roots().map_err(|error| invalid(&error, certificate)),
            Some(trusted) if trusted == fingerprint(certificate) => {
                Ok(ServerCertVerified::assertion())
            }
            Some(_) => Err(refused(Why::Changed { verifies: by_roots().is_ok() }, certificate)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = self.roots.verify_tls12_signature(message, certificate, signed);
        verified.map_err(|error| invalid_if_certificate(error, certificate))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = self.roots.verify_tls13_signature(message, certificate, signed);
        verified.map_err(|error| invalid_if_certificate(error, certificate))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.roots.supported_verify_schemes()
    }
}

/// A certificate that was refused, as the cause of a handshake's error.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused {
    /// Why.
    pub why: Why,
    /// The certificate.
    pub certificate: CertificateDer<'static>,
}

/// Why a certificate was refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Why {
    /// It does not verify.
    Invalid(Problem),
    /// It is not the one that the person trusts.
    Changed {
        /// Whether a root vouches for it.
        verifies: bool,
    },
}

impl Refused {
    /// The refusal that a handshake's error tells of, if it is one.
    pub fn from_error(error: &Error) -> Option<&Self> {
        match error {
            Error::InvalidCertificate(CertificateError::Other(OtherError(cause))) => {
                cause.downcast_ref()
            }
            _ => None,
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the certificate was refused: {:?}", self.why)
    }
}

impl std::error::Error for Refused {}

fn invalid(error: &Error, certificate: &CertificateDer<'_>) -> Error {
    refused(Why::Invalid(Problem::of(error, certificate)), certificate)
}

/// Not everything that is wrong with a signature is wrong with the certificate.
fn invalid_if_certificate(error: Error, certificate: &CertificateDer<'_>) -> Error {
    match error {
        Error::InvalidCertificate(_) => invalid(&error, certificate),
        error => error,
    }
}

fn refused(why: Why, certificate: &CertificateDer<'_>) -> Error {
    let refused = Refused { why, certificate: certificate.clone().into_owned() };
    CertificateError::Other(OtherError(Arc::new(refused))).into()
}
