//! The demo mailbox that a proxy may offer.

use postern_bridge::{
    AccountDraft, Endpoint, Extent, Fingerprint, Identity, Proof, Protocol, Retention, Security,
    ServerLogin, TlsEnd,
};

use crate::text;

/// Where the demo's servers are and how to log in; published by the proxy, so no secret.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Demo {
    /// The mail address, and the user name.
    pub(crate) address: String,
    /// The password.
    pub(crate) password: String,
    /// Host and port.
    pub(crate) imap: (String, u16),
    /// Host and port.
    pub(crate) pop3: (String, u16),
    /// Host and port.
    pub(crate) submission: (String, u16),
    /// The certificate of all three, for which no public authority vouches.
    pub(crate) fingerprint: Fingerprint,
}

impl Demo {
    /// The settings of a demo account.
    pub(crate) fn draft(&self, protocol: Protocol) -> AccountDraft {
        let login = |(host, port): &(String, u16)| ServerLogin {
            endpoint: Endpoint {
                host: host.clone(),
                port: *port,
                security: Security::Tls,
                tls_end: TlsEnd::Browser,
                trusted: Some(self.fingerprint),
            },
            username: self.address.clone(),
        };
        AccountDraft {
            identity: Identity {
                name: text::setup::DEMO_NAME.into(),
                address: self.address.clone(),
            },
            protocol,
            incoming: login(match protocol {
                Protocol::Imap => &self.imap,
                Protocol::Pop3 => &self.pop3,
            }),
            outgoing: login(&self.submission),
            password: self.password.clone(),
            proof: Proof::Password,
            retention: Retention::Keep,
            extent: Extent::Whole,
        }
    }
}
