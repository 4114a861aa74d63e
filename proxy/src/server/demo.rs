//! The demo mail server, offered to the page.

use std::net::SocketAddr;

use super::Builder;
use crate::{
    demo::{DOMAIN, Demo},
    page::{DemoAccount, Endpoint},
    policy::Destination,
};

impl Builder {
    /// Offers the demo server's account to the page, and lets tunnels reach the demo server.
    ///
    /// The page knows it by a name and the usual ports, wherever it listens this time: so an account
    /// that a browser has kept goes on to work with the next start.
    #[must_use]
    pub fn demo_server(self, demo: &Demo) -> Self {
        let endpoint = |port| Endpoint { host: DOMAIN.into(), port };
        let account = DemoAccount {
            address: demo.address.clone(),
            password: demo.password.clone(),
            imap: endpoint(993),
            pop3: endpoint(995),
            submission: endpoint(465),
            fingerprint: demo.fingerprint.map(|byte| format!("{byte:02X}")).join(":"),
        };
        self.trust([demo.certificate.clone()])
            .allow(destination(&account.imap, demo.imap))
            .allow(destination(&account.pop3, demo.pop3))
            .allow(destination(&account.submission, demo.submission))
            .demo(account)
    }
}

fn destination(known_as: &Endpoint, address: SocketAddr) -> Destination {
    let Endpoint { host, port } = known_as.clone();
    Destination { host, port, address, implicit_tls: true }
}
