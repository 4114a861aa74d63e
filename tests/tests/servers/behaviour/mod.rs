//! What the whole client does, in steps that are the same on every kind of mail server.

mod asking;
mod changes;
mod elsewhere;
mod folders;
mod idling;
mod imap;
mod offered;
mod pop3;
mod search;
mod threads;
mod watching;

use std::io::Write;

use anyhow::{Context, Result, ensure};
use futures_util::future::LocalBoxFuture;
use postern::demo::{self, Demo};
use postern_bridge::{
    AccountDraft, Extent, Identity, MailboxView, Proof, Protocol, Retention, Role, Security,
    ServerLogin,
};
use postern_tests::{
    cyrus::Cyrus,
    dovecot::PASSWORD,
    native::{NativeHost, endpoint},
    other_client::OtherClient,
    pages::Page,
    servers::{Kind, Server},
    wiretap::Wiretap,
};

use super::run;

#[test]
fn dovecot_behaves() -> Result<()> {
    behaves(Kind::Dovecot)
}

#[test]
fn cyrus_behaves() -> Result<()> {
    behaves(Kind::Cyrus)
}

#[test]
fn courier_behaves() -> Result<()> {
    behaves(Kind::Courier)
}

/// Something that must be so on every server.
struct Step {
    /// What, as a sentence.
    behaviour: &'static str,
    check: for<'a> fn(&'a Scene<'a>) -> LocalBoxFuture<'a, Result<()>>,
}

/// Steps that are not for every kind of server: which, for which, and why.
const NOT_FOR: &[(&str, Kind, &str)] = &[
    (
        watching::INBOX_ITSELF,
        Kind::Courier,
        "it tells of new messages late, and not with the answer to another command",
    ),
    (offered::ROOM, Kind::Dovecot, "it limits nothing here, and is full in a test of its own"),
    (offered::ROOM, Kind::Courier, "it limits nothing here"),
];

/// Has Cyrus never compress.
const PLAIN: &str = "suppress_capabilities: COMPRESS=DEFLATE\n";

/// Where a step takes place.
struct Scene<'a> {
    server: &'a Server,
    /// The demo server, to send through.
    demo: &'a Demo,
    /// A user that no other step has.
    user: &'a str,
}

/// Runs every step, also past those that fail, and tells them all.
fn behaves(kind: Kind) -> Result<()> {
    let all = [
        imap::STEPS,
        watching::STEPS,
        idling::STEPS,
        changes::STEPS,
        folders::STEPS,
        elsewhere::STEPS,
        search::STEPS,
        threads::STEPS,
        offered::STEPS,
        pop3::STEPS,
    ];
    let steps: Vec<&Step> = all.into_iter().flatten().collect();
    for (behaviour, ..) in NOT_FOR {
        let is_there = steps.iter().any(|step| step.behaviour == *behaviour);
        ensure!(is_there, "there is no step \"{behaviour}\"");
    }
    let users: Vec<String> = (1..=steps.len()).map(|number| format!("ben{number}")).collect();
    let names: Vec<&str> = users.iter().map(String::as_str).collect();
    run(async || {
        let server = match kind {
            // A log-in that takes long has it asked to compress: nothing could be held back then.
            Kind::Cyrus => Server::Cyrus(Cyrus::start_with(PLAIN, &names)?),
            _ => Server::start(kind, &names)?,
        };
        let demo = start_demo().await?;
        let mut failures = Vec::new();
        for (step, user) in steps.into_iter().zip(names) {
            let left_out = NOT_FOR
                .iter()
                .find(|(behaviour, not_for, _)| *behaviour == step.behaviour && *not_for == kind);
            if let Some((behaviour, _, why)) = left_out {
                // Past what the test harness captures.
                writeln!(std::io::stderr(), "SKIPPED: {kind:?}: {behaviour}: {why}")?;
                continue;
            }
            let start = std::time::Instant::now();
            let scene = Scene { server: &server, demo: &demo, user };
            let result = (step.check)(&scene).await;
            println!("{kind:?}: {}: {:.1} s", step.behaviour, start.elapsed().as_secs_f64());
            if let Err(error) = result {
                let home = server.home(user);
                failures.push(format!("{}: {error:#}\n{home}", step.behaviour));
            }
        }
        let (failed, log) = (failures.join("\n"), server.log());
        ensure!(failures.is_empty(), "on {kind:?} it is not so:\n{failed}\nits log:\n{log}");
        Ok(())
    })
}

async fn start_demo() -> Result<Demo> {
    let options = demo::Options { password: PASSWORD.into(), ..demo::Options::default() };
    Ok(demo::start(options).await?)
}

/// Runs one check on a server that is set up in a way of its own.
fn on(server: Server, user: &str, check: impl AsyncFnOnce(&Scene<'_>) -> Result<()>) -> Result<()> {
    run(async || {
        let demo = start_demo().await?;
        let checked = check(&Scene { server: &server, demo: &demo, user }).await;
        checked.with_context(|| format!("its log:\n{}", server.log()))
    })
}

impl Scene<'_> {
    /// The surroundings of a client that trusts the servers.
    fn host(&self) -> NativeHost {
        NativeHost::trusting([self.server.authority().root(), self.demo.certificate.clone()])
    }

    fn draft(&self, protocol: Protocol) -> AccountDraft {
        let addresses = self.server.addresses();
        let incoming = match protocol {
            Protocol::Imap => addresses.imaps,
            Protocol::Pop3 => addresses.pop3s,
        };
        AccountDraft {
            identity: Identity { name: "Ben Hollis".into(), address: self.demo.address.clone() },
            protocol,
            incoming: ServerLogin {
                endpoint: endpoint(incoming, Security::Tls),
                username: self.user.into(),
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

    /// Another client of the same user, with the usual folders made.
    async fn other_client(&self) -> Result<OtherClient> {
        let mut other = self.another().await?;
        if self.server.kind() == Kind::Courier {
            // The others make them when somebody logs in.
            for name in ["Drafts", "Sent", "Trash"] {
                other.ask(&format!("CREATE {}", self.server.folder(name))).await?;
            }
        }
        Ok(other)
    }

    /// The same without.
    async fn another(&self) -> Result<OtherClient> {
        OtherClient::log_in(self.server, self.user).await
    }

    /// A page with the user's account, and its inbox.
    async fn page(&self, protocol: Protocol) -> Result<(Page, MailboxView)> {
        self.page_with(self.draft(protocol)).await
    }

    /// A page whose connections, in clear text, are listened to.
    async fn tapped_page(&self) -> Result<(Wiretap, Page, MailboxView)> {
        let wiretap = Wiretap::start(self.server.addresses().imap).await?;
        let mut draft = self.draft(Protocol::Imap);
        draft.incoming.endpoint = endpoint(wiretap.address, Security::Plain);
        let (page, inbox) = self.page_with(draft).await?;
        Ok((wiretap, page, inbox))
    }

    async fn page_with(&self, draft: AccountDraft) -> Result<(Page, MailboxView)> {
        let mut page = Page::open(self.host()).await?;
        page.add(draft).await?;
        let inbox = role(&mut page, Role::Inbox).await?;
        Ok((page, inbox))
    }
}

/// The mailbox with this role.
async fn role(page: &mut Page, role: Role) -> Result<MailboxView> {
    page.mailbox(|mailbox| mailbox.role == Some(role)).await
}
