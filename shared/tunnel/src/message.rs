//! Control messages.

use postern_certificate::{Details, Problem};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The longest control message, in bytes; a longer one is a violation.
pub const MAX_CONTROL: usize = 4096;

/// What the page says.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FromPage {
    /// Connect; must be the first message, unless it came with the request of the WebSocket, and the
    /// only one of its kind.
    Open(Open),
    /// The proxy may send this many more stream bytes.
    Credit(u32),
    /// Upgrade to TLS now; only with [`TlsMode::ProxyStartTls`], and only once.
    StartTls,
    /// The page will send no more stream bytes; the other direction goes on.
    Finish,
    /// The page gives back this much of what it was granted: an answer to
    /// [`FromProxy::Reclaim`].
    Return(u32),
}

/// What the proxy says.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FromProxy {
    /// The way to the server is open.
    Opened(Opened),
    /// It is not, or no longer: the last message before the WebSocket closes.
    Refused(Refused),
    /// The page may send this many more stream bytes.
    Credit(u32),
    /// TLS is up, after `StartTls`.
    Secured(TlsInfo),
    /// The server ended its stream in good order (on TLS: with close_notify).
    Finish,
    /// The page should keep credit for so many bytes at most, and [`FromPage::Return`] the rest: it
    /// has not sent anything for some time.
    Reclaim(u32),
}

/// Where to connect. `Debug` leaves the token out.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Open {
    /// A DNS name or an IP address, without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// Who does TLS, and when.
    pub tls: TlsMode,
    /// Stream bytes that the proxy may send at first.
    pub credit: u32,
    /// A token of [`TOKEN_PATH`](crate::TOKEN_PATH), which the proxy gave to pages of this origin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("tls", &self.tls)
            .field("credit", &self.credit)
            .finish_non_exhaustive()
    }
}

/// Who does TLS with the mail server, and when.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsMode {
    /// The page: the proxy carries ciphertext.
    EndToEnd,
    /// The proxy, from the first byte.
    Proxy,
    /// The proxy, when the page asks with [`FromPage::StartTls`]; clear text until then.
    ProxyStartTls,
    /// Nobody.
    None,
}

/// The tunnel is open.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Opened {
    /// The address that was dialled, as `ip:port`.
    pub peer: String,
    /// What TLS the proxy agreed on; none if it did not do TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsInfo>,
    /// Stream bytes that the page may send at first.
    pub credit: u32,
}

/// The TLS session between proxy and server.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TlsInfo {
    /// Such as `TLSv1.3`.
    pub version: String,
    /// The cipher suite.
    pub cipher: String,
    /// The server's certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<CertificateInfo>,
}

/// A certificate that the proxy has seen.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CertificateInfo {
    /// SHA-256 of the certificate in DER, in lower-case hexadecimal.
    pub fingerprint: String,
    /// What it says, if it can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Details>,
}

impl CertificateInfo {
    /// What there is to tell of a certificate in DER.
    pub fn of(certificate: &[u8]) -> Self {
        let digest = postern_certificate::fingerprint(certificate);
        Self {
            fingerprint: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            details: Details::read(certificate),
        }
    }
}

/// The tunnel is not open, or no longer.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Refused {
    /// Why, for the program.
    pub code: Refusal,
    /// Why, for a person: one sentence without secrets.
    pub message: String,
    /// The certificate, with [`Refusal::BadCertificate`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Box<RefusedCertificate>>,
}

/// A certificate that does not verify.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RefusedCertificate {
    /// Why not.
    pub problem: Problem,
    /// The certificate.
    pub certificate: CertificateInfo,
}

/// Why the tunnel is not open, or no longer.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The page broke the tunnel's rules.
    BadRequest,
    /// The page's token is missing, too old, or of another proxy or origin. Nothing has been looked
    /// up or dialled: the page may fetch a new token and try once more.
    AccessDenied,
    /// The proxy does not connect to this host, address or port.
    NotAllowed,
    /// A limit of the proxy is reached.
    TooMany,
    /// The proxy is about to stop.
    ShuttingDown,
    /// The host name has no address.
    UnknownHost,
    /// Whether the host name has an address can't be found out at the moment. A page that does not know
    /// this code takes it for a connection that was lost, and tries again as well.
    LookupFailed,
    /// The server does not accept the connection.
    ConnectFailed,
    /// The server did not accept the connection in time.
    ConnectTimedOut,
    /// The server's certificate does not verify.
    BadCertificate,
    /// TLS could not be agreed on.
    TlsFailed,
    /// The connection broke, or ended without the end that TLS demands.
    Lost,
    /// Nothing was sent or received for too long.
    Idle,
}

/// A control message that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum Decode {
    /// It is longer than [`MAX_CONTROL`].
    #[error("control message of {0} bytes")]
    TooLong(usize),
    /// It came as a subprotocol, and is no base64url.
    #[error("control message: {0}")]
    Base64(#[from] base64::DecodeError),
    /// It is not one.
    #[error("control message: {0}")]
    Json(#[from] serde_json::Error),
}

macro_rules! as_text {
    ($type:ty) => {
        impl $type {
            /// The text frame.
            ///
            /// # Panics
            ///
            /// Never: every message can be written as JSON.
            pub fn to_text(&self) -> String {
                serde_json::to_string(self).expect("control messages can be encoded")
            }

            /// Reads a text frame.
            ///
            /// # Errors
            ///
            /// If it is too long or not a message.
            pub fn from_text(text: &str) -> Result<Self, Decode> {
                if text.len() > MAX_CONTROL {
                    return Err(Decode::TooLong(text.len()));
                }
                Ok(serde_json::from_str(text)?)
            }
        }
    };
}

as_text!(FromPage);
as_text!(FromProxy);

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> Open {
        Open {
            host: "imap.example.org".into(),
            port: 993,
            tls: TlsMode::ProxyStartTls,
            credit: 65536,
            token: None,
        }
    }

    #[test]
    fn messages_survive_the_way() {
        for message in [
            FromPage::Open(open()),
            FromPage::Credit(u32::MAX),
            FromPage::StartTls,
            FromPage::Finish,
            FromPage::Return(7),
        ] {
            assert_eq!(FromPage::from_text(&message.to_text()).unwrap(), message);
        }
        let refused = FromProxy::Refused(Refused {
            code: Refusal::UnknownHost,
            message: "No.".into(),
            certificate: None,
        });
        assert_eq!(FromProxy::from_text(&refused.to_text()).unwrap(), refused);
    }

    /// A certificate of which as much is told as can be, of characters that need the most room.
    fn most() -> CertificateInfo {
        use postern_certificate::limits::{DISTINGUISHED_NAME, NAME, NAMES};
        let details = Details {
            subject: "\"".repeat(DISTINGUISHED_NAME),
            issuer: "\\".repeat(DISTINGUISHED_NAME),
            names: vec!["\u{fffd}".repeat(NAME / 3); NAMES],
            not_before: u64::MAX,
            not_after: u64::MAX,
        };
        CertificateInfo { fingerprint: "f".repeat(64), details: Some(details) }
    }

    #[test]
    fn all_that_can_be_told_of_a_certificate_fits_into_a_message() {
        let name = "a".repeat(253);
        let refused = FromProxy::Refused(Refused {
            code: Refusal::BadCertificate,
            message: format!("The certificate of {name} is not valid for this name, but others."),
            certificate: Some(Box::new(RefusedCertificate {
                problem: Problem::Other("x".repeat(100)),
                certificate: most(),
            })),
        });
        assert_eq!(FromProxy::from_text(&refused.to_text()).unwrap(), refused);
        let opened = FromProxy::Opened(Opened {
            peer: format!("[{}]:65535", "ffff:".repeat(8)),
            tls: Some(TlsInfo {
                version: "TLSv1.2".into(),
                cipher: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256".into(),
                certificate: Some(most()),
            }),
            credit: u32::MAX,
        });
        assert_eq!(FromProxy::from_text(&opened.to_text()).unwrap(), opened);
    }

    #[test]
    fn what_an_earlier_proxy_says_is_still_understood() {
        let refused = FromProxy::from_text(
            r#"{"refused":{"code":"bad-certificate","message":"It has expired."}}"#,
        );
        assert!(matches!(refused, Ok(FromProxy::Refused(Refused { certificate: None, .. }))));
        let secured = FromProxy::from_text(
            r#"{"secured":{"version":"TLSv1.3","cipher":"C","fingerprint":"0f"}}"#,
        );
        assert!(matches!(secured, Ok(FromProxy::Secured(TlsInfo { certificate: None, .. }))));
    }

    #[test]
    fn a_token_is_sent_but_never_shown() {
        let message = FromPage::Open(Open { token: Some("hush".into()), ..open() });
        assert!(message.to_text().contains(r#""token":"hush""#));
        assert!(!format!("{message:?}").contains("hush"));
    }

    #[test]
    fn the_wire_format_is_fixed() {
        assert_eq!(
            FromPage::Open(open()).to_text(),
            r#"{"open":{"host":"imap.example.org","port":993,"tls":"proxy-start-tls","credit":65536}}"#
        );
        assert_eq!(FromPage::StartTls.to_text(), r#""start-tls""#);
        assert_eq!(FromPage::Return(7).to_text(), r#"{"return":7}"#);
        assert_eq!(FromProxy::Credit(7).to_text(), r#"{"credit":7}"#);
        assert_eq!(FromProxy::Reclaim(7).to_text(), r#"{"reclaim":7}"#);
    }

    #[test]
    fn the_longest_message_is_read_and_one_byte_more_is_not() {
        let mut open = open();
        let rest = FromPage::Open(open.clone()).to_text().len() - open.host.len();
        open.host = "a".repeat(MAX_CONTROL - rest);
        assert!(FromPage::from_text(&FromPage::Open(open.clone()).to_text()).is_ok());
        open.host.push('a');
        let error = FromPage::from_text(&FromPage::Open(open).to_text());
        assert!(matches!(error, Err(Decode::TooLong(length)) if length == MAX_CONTROL + 1));
    }
}
