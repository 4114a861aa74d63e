//! New settings of an account whose certificates are trusted.

use anyhow::{Context, Result};
use postern_bridge::{
    AccountChange, Delta, Extent, Intent, ProblemKind, Retention, ServerLogin, ServerRole,
};

use super::{super::run, scene::Scene};

#[test]
fn new_settings_are_kept_only_if_they_work() -> Result<()> {
    run(async || {
        let mut scene = Scene::set().await?;
        let id = scene.add(scene.trusting()).await?.expect("both are trusted");
        let draft = scene.trusting();
        let change = |outgoing: ServerLogin| AccountChange {
            name: "Ada".into(),
            incoming: draft.incoming.clone(),
            outgoing,
            password: None,
            proof: draft.proof,
            retention: Retention::DeleteAfterDays(3),
            extent: Extent::Whole,
        };
        let mut distrusting = draft.outgoing.clone();
        distrusting.endpoint.trusted = None;
        for (outgoing, works) in [(distrusting, false), (draft.outgoing.clone(), true)] {
            let number = scene.page.request();
            let change = change(outgoing);
            scene.page.say(Intent::ChangeAccount { request: number, account: id, change });
            let result = scene.page.wait(|delta| match delta {
                Delta::AccountChanged { request, result } if request == number => Some(result),
                _ => None,
            });
            assert_eq!(result.await?.is_ok(), works);
            let account = scene.account(id, |_| true).await?;
            assert_eq!(account.identity.name == "Ada", works);
            assert_eq!(account.retention == Retention::DeleteAfterDays(3), works);
            assert_eq!(account.outgoing, draft.outgoing);
        }
        Ok(())
    })
}

#[test]
fn new_settings_do_not_undo_what_was_decided_while_they_were_tested() -> Result<()> {
    run(async || {
        let mut scene = Scene::set().await?;
        let id = scene.add(scene.trusting()).await?.expect("both are trusted");
        let draft = scene.trusting();
        let change = AccountChange {
            name: "Ada".into(),
            incoming: ServerLogin { username: "countess".into(), ..draft.incoming },
            outgoing: draft.outgoing,
            password: None,
            proof: draft.proof,
            retention: Retention::Keep,
            extent: Extent::Whole,
        };
        let number = scene.page.request();
        scene.page.say(Intent::ChangeAccount { request: number, account: id, change });
        scene.trust(id, ServerRole::Incoming, None);
        let result = scene.page.wait(|delta| match delta {
            Delta::AccountChanged { request, result } if request == number => Some(result),
            _ => None,
        });
        let problem = result.await?.err().context("the decision was undone")?;
        assert_eq!(problem.kind, ProblemKind::Input);
        let account = scene.account(id, |_| true).await?;
        assert_eq!(account.incoming.endpoint.trusted, None);
        assert_eq!(account.incoming.username, scene.incoming.login.username);
        Ok(())
    })
}
