//! A certificate that nobody vouches for is refused, unless the person trusts it where it is shown.

use anyhow::{Context, Result, ensure};
use postern_bridge::{Connection, ServerRole, TlsEnd};

use super::{
    super::run,
    scene::{Scene, certificate_of},
};

#[test]
fn what_nobody_vouches_for_is_refused_before_anything_is_said() -> Result<()> {
    run(async || {
        let mut scene = Scene::set().await?;
        let refused = scene.add(scene.draft()).await?.err().context("it was not refused")?;
        let refused = certificate_of(refused)?;
        let endpoint = &scene.incoming.login.endpoint;
        assert_eq!((refused.host.as_str(), refused.port), ("localhost", endpoint.port));
        assert_eq!(refused.trustable(), Some(scene.incoming.fingerprint()));
        scene.nothing_was_said()
    })
}

#[test]
fn an_account_that_trusts_its_certificates_connects_and_shows_how() -> Result<()> {
    run(async || {
        let mut scene = Scene::set().await?;
        let id = scene.add(scene.trusting()).await?.expect("both are trusted");
        let account = scene.account(id, |account| account.connection == Connection::Online).await?;
        for (role, server) in
            [(ServerRole::Incoming, &scene.incoming), (ServerRole::Outgoing, &scene.outgoing)]
        {
            let session = account.server_state(role).session.clone().context("no session")?;
            assert_eq!(session.certificate.map(|c| c.fingerprint), Some(server.fingerprint()));
            assert_eq!((session.version.as_str(), session.end), ("TLSv1.3", TlsEnd::Browser));
        }
        Ok(())
    })
}

#[test]
fn trust_in_one_account_is_none_in_another() -> Result<()> {
    run(async || {
        let mut scene = Scene::set().await?;
        scene.add(scene.trusting()).await?.expect("both are trusted");
        let said = scene.incoming.heard().len();
        let refused = scene.add(scene.draft()).await?.err().context("it was not refused")?;
        assert_eq!(certificate_of(refused)?.trustable(), Some(scene.incoming.fingerprint()));
        assert_eq!(scene.incoming.heard().len(), said);
        Ok(())
    })
}

#[test]
fn a_trusted_certificate_is_none_for_the_other_server_that_shows_its_own() -> Result<()> {
    run(async || {
        let mut scene = Scene::set().await?;
        let mut draft = scene.trusting();
        draft.outgoing.endpoint.trusted = None;
        let refused = scene.add(draft).await?.err().context("it was not refused")?;
        assert_eq!(certificate_of(refused)?.trustable(), Some(scene.outgoing.fingerprint()));
        ensure!(scene.outgoing.heard().is_empty(), "{}", scene.outgoing.heard());
        Ok(())
    })
}

#[test]
fn the_same_certificate_on_the_same_host_is_not_asked_for_twice() -> Result<()> {
    run(async || {
        let mut scene = Scene::set().await?;
        scene.share_certificate();
        let fingerprint = scene.incoming.fingerprint();
        let mut draft = scene.trusting();
        draft.outgoing.endpoint.trusted = None;
        let id = scene.add(draft).await?.expect("the person has confirmed this certificate");
        let account = scene.account(id, |_| true).await?;
        assert_eq!(account.outgoing.endpoint.trusted, Some(fingerprint));
        Ok(())
    })
}
