//! The client's logic, natively, against real servers and the demo server's submission; and what
//! somebody on the way to them could read.

mod behaviour;
mod blind;
mod changes;
mod connections;
mod copying;
mod exporting;
mod imap;
mod mending;
mod pop3;
mod pop3_cut;
mod pop3_log_in;
mod restoring;
mod resync;
mod room;
mod sending;
mod tokens;
mod traces;
mod trust;

use anyhow::Result;
use postern::demo::{self, Demo};
use postern_bridge::{
    AccountDraft, Extent, Identity, Proof, Protocol, Retention, Security, ServerLogin,
};
use postern_tests::{
    dovecot::{Dovecot, PASSWORD},
    native::{NativeHost, endpoint},
};
use tokio::task::LocalSet;

/// A Dovecot to read from, and the demo server to send through.
struct Servers {
    dovecot: Dovecot,
    demo: Demo,
}

impl Servers {
    async fn start() -> Result<Self> {
        let options = demo::Options { password: PASSWORD.into(), ..demo::Options::default() };
        Ok(Self { dovecot: Dovecot::start()?, demo: demo::start(options).await? })
    }

    fn host(&self) -> NativeHost {
        NativeHost::trusting([self.dovecot.authority.root(), self.demo.certificate.clone()])
    }

    fn draft(&self, protocol: Protocol) -> AccountDraft {
        let incoming = match protocol {
            Protocol::Imap => self.dovecot.imaps,
            Protocol::Pop3 => self.dovecot.pop3s,
        };
        AccountDraft {
            identity: Identity { name: "Ben Hollis".into(), address: self.demo.address.clone() },
            protocol,
            incoming: ServerLogin {
                endpoint: endpoint(incoming, Security::Tls),
                username: "ben".into(),
            },
            outgoing: ServerLogin {
                endpoint: endpoint(self.demo.submission, Security::Tls),
                username: self.demo.address.clone(),
            },
            password: PASSWORD.into(),
            proof: Proof::Password,
            retention: Retention::Keep,
            extent: Extent::Whole,
        }
    }
}

/// Runs a test on this thread alone, as the page's worker does.
fn run(test: impl AsyncFnOnce() -> Result<()>) -> Result<()> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    LocalSet::new().block_on(&runtime, test())
}
