//! POP3 against Dovecot.

use anyhow::Result;
use postern_bridge::{BodyView, DeletionHold, Delta, Intent, Protocol, Retention, Role, Security};
use postern_tests::{letters, native::endpoint, pages::Page};

use super::{Servers, run};

#[test]
fn mail_is_downloaded_once_left_on_the_server_and_read_offline() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        servers.dovecot.deliver_all("ben", letters::many(200))?;
        let host = servers.host();
        let mut page = Page::open(host.clone()).await?;
        let account = page.add(servers.draft(Protocol::Pop3)).await?;
        let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        page.list(inbox.id, 200).await?;
        page.say(Intent::Refresh { account });
        page.wait_until_online(account).await?;
        let rows = page.list(inbox.id, 200).await?;
        assert_eq!(servers.dovecot.count("ben")?, 200);
        drop(servers);

        let mut later = Page::open(host).await?;
        later.say(Intent::Network { online: false });
        let view = later.read(rows[17].id).await?;
        let BodyView::Text(text) = view.body else { panic!("a plain message is shown as text") };
        assert!(text.contains("\n.a line that begins with a dot"), "{text}");
        Ok(())
    })
}

#[test]
fn with_the_policy_to_delete_messages_leave_the_server_and_stay_here() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        servers.dovecot.deliver_all("ben", letters::many(30))?;
        let mut draft = servers.draft(Protocol::Pop3);
        draft.retention = Retention::DeleteAfterDownload;
        let mut page = Page::open(servers.host()).await?;
        let account = page.add(draft).await?;
        let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        page.wait_until_online(account).await?;
        let rows = page.list(inbox.id, 30).await?;
        assert_eq!(servers.dovecot.count("ben")?, 0);
        for row in rows {
            assert_eq!(page.read(row.id).await?.subject, row.subject);
        }
        Ok(())
    })
}

#[test]
fn on_a_public_computer_nothing_leaves_the_server_until_it_is_none() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        servers.dovecot.deliver_all("ben", letters::many(3))?;
        let mut draft = servers.draft(Protocol::Pop3);
        draft.retention = Retention::DeleteAfterDownload;
        let mut page = Page::open(servers.host()).await?;
        page.say(Intent::PublicComputer(true));
        page.wait(|delta| match delta {
            Delta::Storage(view) if view.public_computer => Some(()),
            _ => None,
        })
        .await?;
        let account = page.add(draft).await?;
        let held = |delta| match delta {
            Delta::Accounts(accounts) => accounts.iter().find_map(|own| own.pop3.as_ref()?.hold),
            _ => None,
        };
        assert_eq!(page.wait(held).await?, DeletionHold::PublicComputer);
        assert_eq!(servers.dovecot.count("ben")?, 3);
        page.say(Intent::PublicComputer(false));
        page.say(Intent::Refresh { account });
        page.wait(|delta| match delta {
            Delta::Accounts(accounts) => {
                let view = accounts.into_iter().find_map(|own| own.pop3)?;
                view.hold.is_none().then_some(())
            }
            _ => None,
        })
        .await?;
        assert_eq!(servers.dovecot.count("ben")?, 0);
        Ok(())
    })
}

#[test]
fn stls_protects_a_connection_that_began_in_clear_text() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        servers.dovecot.deliver("ben", &letters::plain(7))?;
        let mut draft = servers.draft(Protocol::Pop3);
        draft.incoming.endpoint = endpoint(servers.dovecot.pop3, Security::StartTls);
        let mut page = Page::open(servers.host()).await?;
        page.add(draft).await?;
        let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        assert_eq!(page.list(inbox.id, 1).await?[0].subject, "Letter 7");
        Ok(())
    })
}

#[test]
fn a_wrong_password_is_a_sentence() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        let mut page = Page::open(servers.host()).await?;
        let mut draft = servers.draft(Protocol::Pop3);
        draft.password = "wrong".into();
        let request = page.request();
        page.say(Intent::TestAccount { request, draft });
        let problem = page.wait(|delta| match delta {
            Delta::AccountTested { result, .. } => result.err(),
            _ => None,
        });
        let sentence = problem.await?.sentence;
        assert!(sentence.contains("did not accept the user name or the password"), "{sentence}");
        Ok(())
    })
}
