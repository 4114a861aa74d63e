//! What is wrong with a certificate.

use rustls::{CertificateError, Error};
use serde::{Deserialize, Serialize};

use crate::details::is_self_issued;

/// Why a certificate does not verify.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// It has expired.
    Expired,
    /// It is not valid yet.
    NotYetValid,
    /// It is for other hosts than the one that was to be reached.
    OtherHost,
    /// It was issued by nobody who is trusted.
    UnknownIssuer,
    /// The server issued it to itself.
    SelfSigned,
    /// Its issuer has revoked it.
    Revoked,
    /// Something else, as a sentence.
    Other(String),
}

impl Problem {
    /// What an error of the verification means for this certificate.
    pub(crate) fn of(error: &Error, certificate: &[u8]) -> Self {
        use CertificateError as E;
        let Error::InvalidCertificate(error) = error else {
            return Self::Other("The certificate can't be verified.".into());
        };
        match error {
            E::Expired | E::ExpiredContext { .. } => Self::Expired,
            E::NotValidYet | E::NotValidYetContext { .. } => Self::NotYetValid,
            E::NotValidForName | E::NotValidForNameContext { .. } => Self::OtherHost,
            E::Revoked => Self::Revoked,
            // Such a certificate is often one of an authority, and refused as that first.
            E::UnknownIssuer | E::Other(_) if is_self_issued(certificate) => Self::SelfSigned,
            E::UnknownIssuer => Self::UnknownIssuer,
            E::BadEncoding => Self::Other("The certificate can't be read.".into()),
            E::BadSignature => {
                Self::Other("The certificate's signature, or the server's own, is wrong.".into())
            }
            E::InvalidPurpose | E::InvalidPurposeContext { .. } => Self::Other(
                "The certificate was issued for another purpose than to identify a server.".into(),
            ),
            E::UnsupportedSignatureAlgorithmContext { .. }
            | E::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
                Self::Other("The certificate uses cryptography that is too old, or too new.".into())
            }
            E::UnhandledCriticalExtension => {
                Self::Other("The certificate sets conditions that are not understood.".into())
            }
            _ => Self::Other("The certificate can't be verified.".into()),
        }
    }
}
