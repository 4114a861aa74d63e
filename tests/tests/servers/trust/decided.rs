//! What the person decides about an account's certificates, and what follows from it.

use anyhow::{Context, Result};
use postern_bridge::{
    AccountId, Address, CertificateProblem, Connection, Delta, Intent, OutgoingMessage,
    ProblemKind, SendState, ServerRole,
};
use postern_tests::{certificate::Authority, native::NativeHost, pages::Page};

use super::{super::run, scene::Scene};

#[test]
fn a_trusted_certificate_that_changes_stops_everything_until_the_person_decides() -> Result<()> {
    run(async || {
        let mut scene = Scene::set().await?;
        let id = scene.add(scene.trusting()).await?.expect("both are trusted");
        scene.account(id, |account| account.connection == Connection::Online).await?;
        let trusted = scene.incoming.fingerprint();
        let said = scene.incoming.heard();
        scene.incoming.renew(&scene.authority)?;
        scene.page.say(Intent::Refresh { account: id });
        let account = scene.account(id, |a| a.incoming_state.refused.is_some()).await?;
        let refused = account.incoming_state.refused.context("it was not refused")?;
        assert_eq!(refused.problem, CertificateProblem::Changed { trusted, verifies: false });
        assert_eq!(refused.trustable(), Some(scene.incoming.fingerprint()));
        // The one that was trusted is still known, to be shown beside the new one.
        let before = account.incoming_state.session.and_then(|session| session.certificate);
        assert_eq!(before.map(|certificate| certificate.fingerprint), Some(trusted));
        assert_eq!(scene.incoming.heard(), said);

        let trusted = Some(scene.incoming.fingerprint());
        scene.trust(id, ServerRole::Incoming, trusted);
        let account = scene
            .account(id, |a| {
                let session = a.incoming_state.session.as_ref();
                let shown = session.and_then(|session| session.certificate.as_ref());
                shown.map(|certificate| certificate.fingerprint) == trusted
            })
            .await?;
        assert_eq!(account.incoming_state.refused, None);
        assert_eq!(account.incoming.endpoint.trusted, trusted);
        Ok(())
    })
}

#[test]
fn what_is_trusted_no_more_is_refused_again() -> Result<()> {
    run(async || {
        let mut scene = Scene::set().await?;
        let id = scene.add(scene.trusting()).await?.expect("both are trusted");
        scene.account(id, |account| account.connection == Connection::Online).await?;
        scene.trust(id, ServerRole::Incoming, None);
        let account = scene.account(id, |a| a.incoming_state.refused.is_some()).await?;
        assert_eq!(account.incoming.endpoint.trusted, None);
        // What vouched for the last session does not count any more.
        assert_eq!(account.incoming_state.session, None);
        // The other server shows a certificate of its own.
        assert_eq!(account.outgoing.endpoint.trusted, Some(scene.outgoing.fingerprint()));
        assert!(account.outgoing_state.session.is_some());
        Ok(())
    })
}

#[test]
fn a_shared_certificate_that_is_trusted_no_more_is_trusted_nowhere() -> Result<()> {
    run(async || {
        let mut scene = Scene::set().await?;
        scene.share_certificate();
        let id = scene.add(scene.trusting()).await?.expect("both are trusted");
        scene.account(id, |account| account.connection == Connection::Online).await?;
        let said = scene.incoming.heard();
        scene.trust(id, ServerRole::Incoming, None);
        let account = scene.account(id, |a| a.incoming_state.refused.is_some()).await?;
        assert_eq!(account.incoming.endpoint.trusted, None);
        assert_eq!(account.outgoing.endpoint.trusted, None);
        assert_eq!(account.outgoing_state.session, None);
        assert_eq!(scene.incoming.heard(), said);
        Ok(())
    })
}

#[test]
fn a_decision_about_another_host_or_port_changes_nothing() -> Result<()> {
    run(async || {
        let mut scene = Scene::set().await?;
        let id = scene.add(scene.trusting()).await?.expect("both are trusted");
        let (incoming, outgoing) =
            (scene.incoming.login.endpoint.clone(), scene.outgoing.login.endpoint.clone());
        for (host, port) in
            [("other.example.org".into(), incoming.port), (incoming.host, outgoing.port)]
        {
            let server = ServerRole::Incoming;
            let trusted = None;
            let trust = Intent::TrustCertificate { account: id, server, host, port, trusted };
            scene.page.say(trust);
            let told = |delta| match delta {
                Delta::Problem(problem) => Some(problem),
                _ => None,
            };
            assert_eq!(scene.page.wait(told).await?.kind, ProblemKind::Input);
            let account = scene.account(id, |_| true).await?;
            assert_eq!(account.incoming.endpoint.trusted, Some(scene.incoming.fingerprint()));
        }
        Ok(())
    })
}

#[test]
fn an_outgoing_server_that_was_refused_is_tried_again_when_asked() -> Result<()> {
    run(async || {
        let mut scene = Scene::set().await?;
        let id = scene.add(scene.trusting()).await?.expect("both are trusted");
        scene.account(id, |account| account.connection == Connection::Online).await?;
        let good = scene.outgoing.certificate.borrow().clone();
        scene.outgoing.renew(&scene.authority)?;
        let number = scene.page.request();
        scene.page.say(Intent::Send { request: number, message: message(id), draft: None });
        let queued = |delta| match delta {
            Delta::Queued { request, result } if request == number => Some(result),
            _ => None,
        };
        let outbox = scene.page.wait(queued).await?.expect("it was stored");
        scene.account(id, |a| a.outgoing_state.refused.is_some()).await?;
        // With nothing to send, nothing but the person's wish makes it connect.
        scene.page.say(Intent::DiscardSend { outbox });
        let discarded = |delta| match delta {
            Delta::Outbox { state: SendState::Discarded, .. } => Some(()),
            _ => None,
        };
        scene.page.wait(discarded).await?;
        *scene.outgoing.certificate.borrow_mut() = good;
        scene.page.say(Intent::Refresh { account: id });
        scene.account(id, |a| a.outgoing_state.refused.is_none()).await?;
        Ok(())
    })
}

#[test]
fn trust_and_what_was_seen_are_there_after_a_restart() -> Result<()> {
    run(async || {
        let host = NativeHost::trusting([Authority::new().root()]);
        let mut scene = Scene::with(host.clone()).await?;
        let id = scene.add(scene.trusting()).await?.expect("both are trusted");
        let before = scene.account(id, |a| a.outgoing_state.session.is_some()).await?;
        scene.page = Page::open(host).await?;
        let after = scene.account(id, |_| true).await?;
        assert_eq!(after.incoming, before.incoming);
        assert_eq!(after.outgoing_state, before.outgoing_state);
        Ok(())
    })
}

fn message(account: AccountId) -> OutgoingMessage {
    OutgoingMessage {
        account,
        to: vec![Address { name: String::new(), address: "carol@example.org".into() }],
        cc: Vec::new(),
        bcc: Vec::new(),
        subject: "Seeds".into(),
        text: "Hello Carol".into(),
        in_reply_to: None,
        references: Vec::new(),
        attachments: Vec::new(),
    }
}
