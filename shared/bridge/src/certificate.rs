//! Certificates of mail servers, and the TLS sessions that they vouch for.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::TlsEnd;

/// The SHA-256 digest of a certificate in DER, by which a person recognises it.
///
/// Shown, and stored, as pairs of upper-case hexadecimal digits with colons between them, as
/// `openssl x509 -fingerprint -sha256` prints them.
#[derive(Clone, Copy, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(into = "String", try_from = "String")]
pub struct Fingerprint([u8; Self::SIZE]);

impl Fingerprint {
    /// Its size in bytes.
    pub const SIZE: usize = 32;

    /// The digest's bytes.
    pub fn as_bytes(&self) -> &[u8; Self::SIZE] {
        &self.0
    }
}

impl From<[u8; Self::SIZE]> for Fingerprint {
    fn from(digest: [u8; Self::SIZE]) -> Self {
        Self(digest)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, rest @ ..] = &self.0;
        write!(f, "{first:02X}")?;
        rest.iter().try_for_each(|byte| write!(f, ":{byte:02X}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// A text is not a SHA-256 fingerprint.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FingerprintError {
    /// It holds something else than hexadecimal digits and what may stand between them.
    #[error("a fingerprint has only the digits 0 to 9 and A to F, not {0:?}")]
    Character(char),
    /// It is too short or too long; how many digits it has.
    #[error("a SHA-256 fingerprint has 64 digits, not {0}")]
    Length(usize),
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    /// Reads what a person typed or pasted: in upper or lower case, with or without colons, spaces,
    /// hyphens and line breaks, and with what tools print before it (`sha256 Fingerprint=`,
    /// `SHA-256:`).
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let digits = text.rsplit_once('=').map_or(text, |(_, digits)| digits).trim_start();
        let digits = ["sha256", "sha-256"]
            .into_iter()
            .find_map(|name| {
                let (prefix, rest) = digits.split_at_checked(name.len())?;
                prefix.eq_ignore_ascii_case(name).then_some(rest)
            })
            .unwrap_or(digits);
        let mut digest = [0; Self::SIZE];
        let mut count = 0;
        for c in digits.chars().filter(|c| !matches!(c, ':' | '-') && !c.is_whitespace()) {
            let digit = c.to_digit(16).ok_or(FingerprintError::Character(c))?;
            if let Some(byte) = digest.get_mut(count / 2) {
                *byte = *byte << 4 | u8::try_from(digit).expect("a hexadecimal digit is below 16");
            }
            count += 1;
        }
        if count == 2 * Self::SIZE {
            Ok(Self(digest))
        } else {
            Err(FingerprintError::Length(count))
        }
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = FingerprintError;

    fn try_from(text: String) -> Result<Self, FingerprintError> {
        text.parse()
    }
}

/// A mail server's certificate (RFC 5280).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Certificate {
    /// The digest that no other certificate has.
    pub fingerprint: Fingerprint,
    /// What it says; `None` if it can't be read, or if the proxy told its fingerprint alone.
    pub details: Option<CertificateDetails>,
}

/// What a certificate says. None of it is true unless the certificate is trusted.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct CertificateDetails {
    /// Whom it was made out to: a distinguished name as in RFC 4514 (`CN=mail.example.org,O=…`),
    /// may be empty.
    pub subject: String,
    /// Who issued it: a distinguished name as in RFC 4514.
    pub issuer: String,
    /// The DNS names and IP addresses that it is for.
    pub names: Vec<String>,
    /// From when on it is valid, in milliseconds since 1970 (UTC).
    pub not_before: i64,
    /// Until when it is valid, in milliseconds since 1970 (UTC).
    pub not_after: i64,
}

/// A certificate that did not verify: the connection was given up before name and password were
/// sent.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RefusedCertificate {
    /// The host that was to be reached, as in the account's settings.
    pub host: String,
    /// The port that was to be reached.
    pub port: u16,
    /// Who verified it. Only what the browser refuses can be trusted by the person.
    pub verifier: TlsEnd,
    /// What is wrong with it.
    pub problem: CertificateProblem,
    /// The certificate; `None` if the proxy refused it and tells only why.
    pub certificate: Option<Certificate>,
}

impl RefusedCertificate {
    /// The fingerprint that the person may trust from now on, if there is one to trust.
    pub fn trustable(&self) -> Option<Fingerprint> {
        let certificate = self.certificate.as_ref()?;
        let may_be =
            self.verifier == TlsEnd::Browser && self.problem != CertificateProblem::Revoked;
        may_be.then_some(certificate.fingerprint)
    }
}

/// What is wrong with a certificate.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum CertificateProblem {
    /// It has expired.
    Expired,
    /// It is not valid yet.
    NotYetValid,
    /// It is for other hosts than this one.
    OtherHost,
    /// It was issued by nobody whom browsers trust.
    UnknownIssuer,
    /// The server issued it to itself.
    SelfSigned,
    /// Its issuer has revoked it.
    Revoked,
    /// It is not the one that the person trusted for this host.
    Changed {
        /// The one that the person trusted.
        trusted: Fingerprint,
        /// Whether the new one would do if none had been trusted: a public authority vouches for it.
        verifies: bool,
    },
    /// Something else, as a sentence.
    Other(String),
}

/// What protects a connection to a mail server.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct TlsSession {
    /// The protocol's version: `TLSv1.3` or `TLSv1.2`.
    pub version: String,
    /// The cipher suite, by its name in the IANA's registry (`TLS13_CHACHA20_POLY1305_SHA256`).
    pub cipher: String,
    /// The server's certificate.
    pub certificate: Option<Certificate>,
    /// Where the session ends.
    pub end: TlsEnd,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: &str = "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:\
                         0F:1E:2D:3C:4B:5A:69:78:87:96:A5:B4:C3:D2:E1:F0";

    #[test]
    fn a_fingerprint_is_shown_in_pairs_and_read_again() {
        let fingerprint: Fingerprint = SHOWN.parse().unwrap();
        assert_eq!(fingerprint.to_string(), SHOWN);
        assert_eq!(fingerprint.as_bytes()[..3], [0x00, 0x11, 0x22]);
        assert_eq!(Fingerprint::from(*fingerprint.as_bytes()), fingerprint);
    }

    #[test]
    fn a_fingerprint_is_read_however_it_was_typed() {
        let fingerprint: Fingerprint = SHOWN.parse().unwrap();
        for typed in [
            SHOWN.to_lowercase(),
            SHOWN.replace(':', ""),
            SHOWN.replace(':', " "),
            SHOWN.replace(':', "-"),
            format!("  {}\n{}  ", &SHOWN[..47], &SHOWN[48..]),
            format!("sha256 Fingerprint={SHOWN}\n"),
            format!("SHA256:{SHOWN}"),
            format!("sha-256 {}", SHOWN.to_lowercase()),
        ] {
            assert_eq!(typed.parse(), Ok(fingerprint), "{typed}");
        }
    }

    #[test]
    fn what_is_no_fingerprint_is_refused_and_the_reason_is_told() {
        let digit_more = format!("{SHOWN}0");
        for (typed, error) in [
            ("", FingerprintError::Length(0)),
            (&SHOWN[1..], FingerprintError::Length(63)),
            (&digit_more, FingerprintError::Length(65)),
            (&SHOWN[..59], FingerprintError::Length(40)),
            (&SHOWN.replace('F', "G"), FingerprintError::Character('G')),
            ("ﬀ", FingerprintError::Character('ﬀ')),
            ("sha25é", FingerprintError::Character('s')),
        ] {
            assert_eq!(typed.parse::<Fingerprint>(), Err(error), "{typed}");
        }
    }

    #[test]
    fn a_fingerprint_is_stored_as_it_is_shown() {
        let fingerprint: Fingerprint = SHOWN.parse().unwrap();
        let stored = crate::to_bytes(&fingerprint);
        assert_eq!(stored, crate::to_bytes(&SHOWN));
        assert_eq!(crate::from_bytes::<Fingerprint>(&stored).unwrap(), fingerprint);
        assert!(crate::from_bytes::<Fingerprint>(&crate::to_bytes(&"AB")).is_err());
    }

    #[test]
    fn only_what_the_browser_refused_and_nobody_revoked_can_be_trusted() {
        let fingerprint: Fingerprint = SHOWN.parse().unwrap();
        let refused = RefusedCertificate {
            host: "mail.example.org".into(),
            port: 993,
            verifier: TlsEnd::Browser,
            problem: CertificateProblem::SelfSigned,
            certificate: Some(Certificate { fingerprint, details: None }),
        };
        assert_eq!(refused.trustable(), Some(fingerprint));
        let by_proxy = RefusedCertificate { verifier: TlsEnd::Proxy, ..refused.clone() };
        assert_eq!(by_proxy.trustable(), None);
        let revoked =
            RefusedCertificate { problem: CertificateProblem::Revoked, ..refused.clone() };
        assert_eq!(revoked.trustable(), None);
        assert_eq!(RefusedCertificate { certificate: None, ..refused }.trustable(), None);
    }
}
