//! Changes on real servers: made here at once, and seen by another browser.

use anyhow::{Context, Result};
use postern_bridge::{
    AccountDraft, Address, Change, Delta, Done, Intent, MailboxView, Mark, MessageId,
    OutgoingMessage, Protocol, Role, Row, SavedDraft, ServerLogin,
};
use postern_tests::{letters, native::endpoint, pages::Page};

use super::{Servers, run};

/// One browser that changes mail, and the account that others look at as well.
struct Scene {
    servers: Servers,
    draft: AccountDraft,
    page: Page,
}

impl Scene {
    /// Dovecot with three letters.
    async fn dovecot() -> Result<Self> {
        let servers = Servers::start().await?;
        servers.dovecot.deliver_all("ben", letters::many(3))?;
        let draft = servers.draft(Protocol::Imap);
        Self::open(servers, draft).await
    }

    /// The demo server with its mail.
    async fn demo() -> Result<Self> {
        let servers = Servers::start().await?;
        let mut draft = servers.draft(Protocol::Imap);
        draft.incoming = ServerLogin {
            endpoint: endpoint(servers.demo.imap, postern_bridge::Security::Tls),
            username: servers.demo.address.clone(),
        };
        Self::open(servers, draft).await
    }

    async fn open(servers: Servers, draft: AccountDraft) -> Result<Self> {
        let mut page = Page::open(servers.host()).await?;
        page.add(draft.clone()).await?;
        Ok(Self { servers, draft, page })
    }

    async fn inbox(&mut self) -> Result<(MailboxView, Vec<Row>)> {
        inbox(&mut self.page).await
    }

    /// Waits until the server has been told everything.
    async fn told(&mut self) -> Result<()> {
        self.page.say(Intent::Hello);
        let told = |delta| matches!(delta, Delta::Pending { changes: 0, .. }).then_some(());
        self.page.wait(told).await.context("changes are left")
    }

    /// What another browser sees in a mailbox: the subjects.
    async fn seen_elsewhere(&self, pick: impl Fn(&MailboxView) -> bool) -> Result<Vec<String>> {
        let mut page = Page::open(self.servers.host()).await?;
        page.add(self.draft.clone()).await?;
        let mailbox = page.mailbox(pick).await?;
        let rows = page.rows(mailbox.id).await?;
        Ok(rows.into_iter().map(|row| row.subject).collect())
    }
}

async fn inbox(page: &mut Page) -> Result<(MailboxView, Vec<Row>)> {
    let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
    let rows = page.rows(inbox.id).await?;
    Ok((inbox, rows))
}

fn of(role: Role) -> impl Fn(&MailboxView) -> bool {
    move |mailbox| mailbox.role == Some(role)
}

fn named(name: &str) -> impl Fn(&MailboxView) -> bool {
    move |mailbox| mailbox.name == name
}

#[test]
fn messages_are_moved_and_moved_back() -> Result<()> {
    run(async || {
        for mut scene in [Scene::dovecot().await?, Scene::demo().await?] {
            let (_, rows) = scene.inbox().await?;
            let messages = rows[0].id.into();
            let Done { change, sentence, can_undo, .. } =
                scene.page.change(Change::Archive { messages }).await?;
            assert_eq!((&*sentence, can_undo), ("1 message moved to Archive", true));
            scene.told().await?;
            let archived = scene.seen_elsewhere(of(Role::Archive)).await?;
            assert!(archived.contains(&rows[0].subject), "{archived:?}");

            let sentence = scene.page.undo(change).await?;
            assert!(sentence.starts_with("1 message moved back to "), "{sentence}");
            scene.told().await?;
            let back = scene.seen_elsewhere(of(Role::Inbox)).await?;
            assert!(back.contains(&rows[0].subject), "{back:?}");
        }
        Ok(())
    })
}

#[test]
fn what_is_deleted_goes_to_the_trash_and_from_there_for_good() -> Result<()> {
    run(async || {
        for mut scene in [Scene::dovecot().await?, Scene::demo().await?] {
            let (_, rows) = scene.inbox().await?;
            scene.page.change(Change::Delete { messages: rows[0].id.into() }).await?;
            scene.told().await?;
            let trashed = scene.seen_elsewhere(of(Role::Trash)).await?;
            assert!(trashed.contains(&rows[0].subject));

            let trash = scene.page.mailbox(of(Role::Trash)).await?;
            let done = scene.page.change(Change::Empty { mailbox: trash.id }).await?;
            assert!(!done.can_undo && done.messages >= 1, "{done:?}");
            scene.told().await?;
            assert!(scene.seen_elsewhere(of(Role::Trash)).await?.is_empty());
        }
        Ok(())
    })
}

#[test]
fn what_is_done_without_a_network_is_told_when_it_is_back() -> Result<()> {
    run(async || {
        let mut scene = Scene::dovecot().await?;
        let (inbox, rows) = scene.inbox().await?;
        scene.page.say(Intent::Network { online: false });
        let made = Change::CreateMailbox {
            account: inbox.account,
            parent: None,
            name: "Größe & Gewicht".into(),
        };
        let folder = scene.page.change(made).await?.mailbox.context("no folder was made")?;
        let moved = Change::Move { messages: rows[1].id.into(), to: folder };
        scene.page.change(moved).await?;
        let flagged = scene.page.rows_now(folder, 1).await?;
        let mark = Change::Mark { messages: flagged[0].id.into(), mark: Mark::Flagged, set: true };
        scene.page.change(mark).await?;
        scene.page.say(Intent::Network { online: true });
        scene.told().await?;

        let mut page = Page::open(scene.servers.host()).await?;
        page.add(scene.draft.clone()).await?;
        let folder = page.mailbox(named("Größe & Gewicht")).await?;
        let rows = page.rows(folder.id).await?;
        assert_eq!(rows.len(), 1);
        assert!(rows[0].flags.flagged);
        Ok(())
    })
}

#[test]
fn folders_are_made_renamed_and_deleted() -> Result<()> {
    run(async || {
        for mut scene in [Scene::dovecot().await?, Scene::demo().await?] {
            let (inbox, _) = scene.inbox().await?;
            let made = Change::CreateMailbox {
                account: inbox.account,
                parent: None,
                name: "Trips".into(),
            };
            let trips = scene.page.change(made).await?.mailbox.context("no folder was made")?;
            let nested = Change::CreateMailbox {
                account: inbox.account,
                parent: Some(trips),
                name: "Japan".into(),
            };
            let japan = scene.page.change(nested).await?.mailbox.context("no folder was made")?;
            let name = "Japan 2024".into();
            scene.page.change(Change::MoveMailbox { mailbox: japan, parent: None, name }).await?;
            scene.page.change(Change::DeleteMailbox { mailbox: trips }).await?;
            scene.told().await?;
            let mut page = Page::open(scene.servers.host()).await?;
            page.add(scene.draft.clone()).await?;
            let japan = page.mailbox(named("Japan 2024")).await?;
            assert_eq!((japan.depth, japan.subscribed), (0, true));
            assert!(japan.may.be_deleted && !japan.local);
        }
        Ok(())
    })
}

#[test]
fn tags_reach_another_browser_and_refused_changes_are_told() -> Result<()> {
    run(async || {
        let mut scene = Scene::dovecot().await?;
        let (inbox, rows) = scene.inbox().await?;
        let mark = Mark::Keyword("$Later".into());
        let messages = rows[0].id.into();
        scene.page.change(Change::Mark { messages, mark, set: true }).await?;
        scene.told().await?;
        let mut page = Page::open(scene.servers.host()).await?;
        page.add(scene.draft.clone()).await?;
        let (_, seen) = self::inbox(&mut page).await?;
        assert_eq!(seen[0].keywords, ["$Later"]);

        // The other browser makes a folder that this one does not know of.
        let same = |account| Change::CreateMailbox { account, parent: None, name: "x".into() };
        scene.page.say(Intent::Network { online: false });
        scene.page.change(same(inbox.account)).await?;
        scene.page.say(Intent::Network { online: true });
        scene.told().await?;
        assert!(scene.seen_elsewhere(named("x")).await?.is_empty());
        Ok(())
    })
}

#[test]
fn a_draft_is_saved_replaced_opened_elsewhere_and_gone_when_it_is_sent() -> Result<()> {
    run(async || {
        let mut scene = Scene::dovecot().await?;
        let (inbox, _) = scene.inbox().await?;
        let who = |address: &str| vec![Address { name: String::new(), address: address.into() }];
        let message = |text: &str| OutgoingMessage {
            account: inbox.account,
            to: who("ada@example.org"),
            cc: who("half an addr"),
            bcc: who("eve@example.org"),
            subject: "Plans".into(),
            text: text.into(),
            in_reply_to: None,
            references: vec!["1@example.org".into()],
            attachments: Vec::new(),
        };
        let first = scene.page.save_draft(message("One"), None).await?;
        scene.told().await?;
        let second = scene.page.save_draft(message("One and two"), Some(first)).await?;
        scene.told().await?;
        assert_eq!(scene.seen_elsewhere(of(Role::Drafts)).await?, ["Plans"]);

        let SavedDraft { message: opened, .. } = scene.page.open_draft(second).await?;
        assert_eq!(opened.text.trim_end(), "One and two");
        assert_eq!(opened.references, ["1@example.org"]);
        assert_eq!([&opened.cc, &opened.bcc], [&who("half an addr"), &who("eve@example.org")]);

        let request = scene.page.request();
        let sent = OutgoingMessage { cc: Vec::new(), ..opened };
        scene.page.say(Intent::Send { request, message: sent, draft: Some(second) });
        let queued = |delta| matches!(delta, Delta::Queued { result: Ok(_), .. }).then_some(());
        scene.page.wait(queued).await?;
        scene.told().await?;
        assert!(scene.seen_elsewhere(of(Role::Drafts)).await?.is_empty());
        Ok(())
    })
}

#[test]
fn a_draft_that_goes_to_another_account_is_kept_there_alone() -> Result<()> {
    run(async || {
        let mut scene = Scene::dovecot().await?;
        let (inbox, _) = scene.inbox().await?;
        let mut draft = scene.servers.draft(Protocol::Imap);
        draft.incoming.username = "eve".into();
        draft.identity.address = "eve@example.org".into();
        let other = scene.page.add(draft.clone()).await?;
        let message = |account| OutgoingMessage {
            account,
            to: Vec::new(),
            cc: Vec::new(),
            bcc: Vec::new(),
            subject: "Plans".into(),
            text: "One".into(),
            in_reply_to: None,
            references: Vec::new(),
            attachments: Vec::new(),
        };
        let first = scene.page.save_draft(message(inbox.account), None).await?;
        scene.told().await?;
        scene.page.save_draft(message(other), Some(first)).await?;
        // Both accounts are told about, in either order.
        scene.told().await?;
        for _ in 0..200 {
            let left = scene.seen_elsewhere(of(Role::Drafts)).await?;
            if left.is_empty() {
                let mut page = Page::open(scene.servers.host()).await?;
                page.add(draft).await?;
                let drafts = page.mailbox(of(Role::Drafts)).await?;
                let rows = page.list(drafts.id, 1).await?;
                assert_eq!(rows[0].subject, "Plans");
                return Ok(());
            }
        }
        anyhow::bail!("it is in both accounts")
    })
}

#[test]
fn local_folders_of_a_pop3_account_do_what_those_on_a_server_do() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        servers.dovecot.deliver_all("ben", letters::many(3))?;
        let draft = servers.draft(Protocol::Pop3);
        let mut scene = Scene::open(servers, draft).await?;
        let inbox = scene.page.mailbox(of(Role::Inbox)).await?;
        let rows = scene.page.list(inbox.id, 3).await?;
        let made =
            Change::CreateMailbox { account: inbox.account, parent: None, name: "Trips".into() };
        let trips = scene.page.change(made).await?.mailbox.context("no folder was made")?;
        let ids: Vec<MessageId> = rows.iter().map(|row| row.id).collect();
        let messages = postern_bridge::Selection::Between(ids[0], ids[1]);
        let done = scene.page.change(Change::Move { messages, to: trips }).await?;
        assert_eq!(done.sentence, "2 messages moved to Trips");
        let moved = scene.page.list(trips, 2).await?;
        assert_eq!(scene.page.read(moved[0].id).await?.subject, rows[0].subject);
        scene.page.undo(done.change).await?;
        scene.page.list(inbox.id, 3).await?;
        Ok(())
    })
}
