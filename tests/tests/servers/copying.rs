//! Local folders of a POP3 account, copied to an IMAP account on a real Dovecot.

use std::time::Duration;

use anyhow::{Result, ensure};
use postern_bridge::{
    AccountChange, AccountDraft, Change, CopyState, Delta, Extent, Intent, MailboxView, Mark,
    Protocol, Retention, Role, Selection,
};
use postern_mail::{
    Host, Secret, Store,
    imap::ImapClient,
    migrate::{Copied, copy, plans},
};
use postern_tests::{letters, pages::Page};
use tokio::task::LocalSet;

use super::{Servers, run};

#[test]
fn local_folders_are_copied_once_with_their_flags_and_compared() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        servers.dovecot.deliver_all("ben", letters::many(20))?;
        let mut pop3 = servers.draft(Protocol::Pop3);
        pop3.retention = Retention::DeleteAfterDownload;
        let mut page = Page::open(servers.host()).await?;
        let from = page.add(pop3).await?;
        let inbox = page.mailbox(|mailbox| mailbox.role == Some(Role::Inbox)).await?;
        page.wait_until_online(from).await?;
        let rows = page.list(inbox.id, 20).await?;
        let name = "Kept letters".to_owned();
        let made = page.change(Change::CreateMailbox { account: from, parent: None, name }).await?;
        let folder = made.mailbox.expect("a made folder is told");
        let some = |range: std::ops::Range<usize>| {
            Selection::Messages(rows[range].iter().map(|row| row.id).collect())
        };
        page.change(Change::Mark { messages: some(0..3), mark: Mark::Flagged, set: true }).await?;
        page.change(Change::Move { messages: some(0..5), to: folder }).await?;
        assert_eq!(servers.dovecot.count("ben")?, 0);

        let to = page.add(of_another_mailbox(&servers)).await?;
        for (copied, present) in [(20, 0), (0, 20)] {
            page.say(Intent::CopyToImap { from, to });
            let done = CopyState::Done { copied, present, missing: 0 };
            assert_eq!(ended(&mut page).await?, done);
        }
        let there =
            page.mailbox(|mailbox| mailbox.account == to && mailbox.name == "Kept letters").await?;
        let rows = page.list(there.id, 5).await?;
        assert_eq!(rows.iter().filter(|row| row.flags.flagged).count(), 3);
        let inbox =
            |mailbox: &MailboxView| mailbox.account == to && mailbox.role == Some(Role::Inbox);
        let inbox = page.mailbox(inbox).await?;
        page.list(inbox.id, 15).await.map(drop)
    })
}

#[test]
fn what_a_pop3_account_empties_is_no_place_to_copy_to() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        servers.dovecot.deliver_all("ben", letters::many(6))?;
        let mut pop3 = servers.draft(Protocol::Pop3);
        pop3.retention = Retention::DeleteAfterDownload;
        let mut page = Page::open(servers.host()).await?;
        let from = page.add(pop3.clone()).await?;
        page.wait_until_online(from).await?;
        let to = page.add(servers.draft(Protocol::Imap)).await?;
        page.wait_until_online(to).await?;
        page.say(Intent::CopyToImap { from, to });
        let CopyState::Failed(why) = ended(&mut page).await? else { panic!("it was copied") };
        assert!(why.contains("leave mail on the server first"), "{why}");
        assert_eq!(servers.dovecot.count("ben")?, 0);

        // As the sentence says.
        let change = AccountChange {
            name: pop3.identity.name,
            incoming: pop3.incoming,
            outgoing: pop3.outgoing,
            password: None,
            proof: pop3.proof,
            retention: Retention::Keep,
            extent: Extent::Whole,
        };
        let request = page.request();
        page.say(Intent::ChangeAccount { request, account: from, change });
        let changed = page.wait(|delta| match delta {
            Delta::AccountChanged { result, .. } => Some(result),
            _ => None,
        });
        assert_eq!(changed.await?, Ok(()));
        page.say(Intent::CopyToImap { from, to });
        let done = CopyState::Done { copied: 6, present: 0, missing: 0 };
        assert_eq!(ended(&mut page).await?, done);
        assert_eq!(servers.dovecot.count("ben")?, 6);
        Ok(())
    })
}

#[test]
fn what_a_mailbox_has_is_not_copied_into_it_once_more_whatever_it_can_be_known_by() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        let unnamed = |date: &str| {
            let head = format!("From: scanner@example.org\r\nSubject: Page\r\n{date}\r\n");
            format!("{head}A page.\r\n").into_bytes()
        };
        let dated = unnamed("Date: Sat, 01 Mar 2025 10:00:00 +0000\r\n");
        servers.dovecot.deliver_all("ben", [letters::plain(0), dated, unnamed("")])?;
        let host = servers.host();
        // They are downloaded later than they were delivered.
        host.advance(Duration::from_secs(3600));
        let mut page = Page::open(host).await?;
        let from = page.add(servers.draft(Protocol::Pop3)).await?;
        page.wait_until_online(from).await?;
        let to = page.add(servers.draft(Protocol::Imap)).await?;
        page.wait_until_online(to).await?;
        for round in 0..2 {
            page.say(Intent::CopyToImap { from, to });
            let done = CopyState::Done { copied: 0, present: 2, missing: 1 };
            ensure!(ended(&mut page).await? == done, "in round {round}");
            ensure!(servers.dovecot.count("ben")? == 3, "in round {round}");
        }
        Ok(())
    })
}

#[test]
fn letters_without_a_message_id_are_copied_once_however_they_are_written() -> Result<()> {
    let heads = [
        &b"From: =?utf-8?Q?Zo=C3=AB?= <zoe@example.org>\r\n\
           Subject: =?utf-8?Q?Pl=C3=A4ne?=\r\n =?iso-8859-1?Q?_f=FCr?= May\r\n"[..],
        b"From: zoe@example.org (Zo\xEB)\r\nSubject: Pl\xE4ne\r\n",
        b"From: Zo\xC3\xAB <zoe@Example.org>\r\nSubject: Pl\xC3\xA4ne, \"all\" of \\ them\r\n",
        b"From: \"Ann, the first\" <ann@example.org>, ben@example.org\r\nSubject:\r\n",
        b"From: Friends: ann@example.org, ben@example.org;\r\nSubject: From all of us\r\n",
        b"From: ann@example.org\r\n",
        b"Subject: From nobody\r\n",
        // To this one the server gives a domain.
        b"From: root\r\nSubject: From the machine\r\n",
    ];
    run(async || {
        let servers = Servers::start().await?;
        let letter = |head: &&[u8]| {
            let date = b"Date: Sat, 01 Mar 2025 10:00:00 +0000\r\n\r\nA letter.\r\n";
            [*head, date].concat()
        };
        servers.dovecot.deliver_all("ben", heads.iter().map(letter))?;
        let mut page = Page::open(servers.host()).await?;
        let from = page.add(servers.draft(Protocol::Pop3)).await?;
        page.wait_until_online(from).await?;
        let to = page.add(of_another_mailbox(&servers)).await?;
        for (copied, present) in [(7, 0), (0, 7)] {
            page.say(Intent::CopyToImap { from, to });
            let state = ended(&mut page).await?;
            ensure!(state == CopyState::Done { copied, present, missing: 1 }, "{state:?}");
            ensure!(servers.dovecot.count("archive")? == heads.len());
        }
        Ok(())
    })
}

#[test]
fn a_message_in_two_folders_that_are_one_on_the_server_is_there_twice() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        servers.dovecot.deliver_all("ben", letters::many(3))?;
        let mut page = Page::open(servers.host()).await?;
        let from = page.add(servers.draft(Protocol::Pop3)).await?;
        page.wait_until_online(from).await?;
        let inbox = |account| {
            move |own: &MailboxView| own.account == account && own.role == Some(Role::Inbox)
        };
        let rows = page.mailbox(inbox(from)).await?;
        let rows = page.list(rows.id, 3).await?;
        // On a server there is one inbox, however its name is written.
        let name = "INBOX".to_owned();
        let change = Change::CreateMailbox { account: from, parent: None, name };
        let folder = page.change(change).await?.mailbox.expect("a made folder is told");
        let messages = Selection::Messages(rows.iter().map(|row| row.id).collect());
        page.change(Change::Copy { messages, to: folder }).await?;
        let to = page.add(of_another_mailbox(&servers)).await?;
        for (copied, present) in [(6, 0), (0, 6)] {
            page.say(Intent::CopyToImap { from, to });
            let done = CopyState::Done { copied, present, missing: 0 };
            assert_eq!(ended(&mut page).await?, done);
        }
        assert_eq!(servers.dovecot.count("archive")?, 6);
        Ok(())
    })
}

#[test]
fn a_copy_that_is_cut_anywhere_goes_on_without_sending_anything_twice() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        servers.dovecot.deliver_all("ben", letters::many(4))?;
        // Two without a Message-ID, of which the server tells one otherwise than it is.
        for head in
            ["From: ann@example.org\r\nSubject: Figs\r\n", "From: root\r\nSubject: Disk\r\n"]
        {
            servers.dovecot.deliver("ben", format!("{head}\r\nA letter.\r\n").as_bytes())?;
        }
        let mut pop3 = servers.draft(Protocol::Pop3);
        pop3.retention = Retention::DeleteAfterDownload;
        let host = servers.host();
        let mut page = Page::open(host.clone()).await?;
        let from = page.add(pop3).await?;
        page.wait_until_online(from).await?;
        let draft = servers.draft(Protocol::Imap);
        let to = page.add(draft.clone()).await?;
        page.wait_until_online(to).await?;
        drop(page);
        let password = Secret::new(draft.password.clone());
        let mut cut = 0;
        loop {
            cut += 61;
            let host = host.clone().breaking_after(cut);
            // The page before has gone.
            host.store().take_lead().await?;
            let copied = async {
                let mut imap = ImapClient::connect(&host, &draft.incoming, &password).await?;
                copy(&host, from, to, &mut imap, &mut |_| {}).await
            };
            if let Ok(copied) = copied.await {
                let Copied { missing, .. } = copied;
                assert_eq!(missing, 1);
                break;
            }
            assert!(servers.dovecot.count("ben")? <= 6, "cut after {cut} bytes");
            assert!(cut < 100_000, "the copy never ends");
        }
        assert_eq!(servers.dovecot.count("ben")?, 6);
        Ok(())
    })
}

/// How many bytes a connection carries until it breaks: one large letter, and half of another.
const ONE_AND_A_HALF: usize = 1_500_000;

#[test]
fn a_copy_that_broke_off_goes_on_at_the_next_start_without_a_word() -> Result<()> {
    run(async || {
        let servers = Servers::start().await?;
        // Each is more than goes to a server together with others.
        servers.dovecot.deliver_all("ben", (0..3).map(letters::large))?;
        let host = servers.host();
        // With a set of tasks, all that the client does ends, as with the browser.
        let added = async {
            let mut page = Page::open(host.clone()).await?;
            let from = page.add(servers.draft(Protocol::Pop3)).await?;
            page.wait_until_online(from).await?;
            let to = page.add(of_another_mailbox(&servers)).await?;
            page.wait_until_online(to).await?;
            anyhow::Ok((from, to))
        };
        let (from, to) = LocalSet::new().run_until(added).await?;
        let broken_off = async {
            let mut page = Page::open(host.restarted().breaking_after(ONE_AND_A_HALF)).await?;
            page.say(Intent::CopyToImap { from, to });
            let state = ended(&mut page).await?;
            ensure!(matches!(state, CopyState::Waiting(_)), "{state:?}");
            anyhow::Ok(())
        };
        LocalSet::new().run_until(broken_off).await?;
        assert_eq!(servers.dovecot.count("archive")?, 1);

        let host = host.restarted();
        let mut page = Page::open(host.clone()).await?;
        let done = CopyState::Done { copied: 2, present: 1, missing: 0 };
        assert_eq!(ended(&mut page).await?, done);
        // A maildir has other line ends.
        let sorted = |mut letters: Vec<Vec<u8>>| {
            letters.iter_mut().for_each(|letter| letter.retain(|byte| *byte != b'\r'));
            letters.sort_unstable();
            letters
        };
        let there = sorted(servers.dovecot.messages("archive")?);
        let letters = sorted((0..3).map(letters::large).collect());
        ensure!(there == letters, "{} letters are there, or others", there.len());
        assert_eq!(plans(host.store()).await?, [], "it would begin at each start");
        Ok(())
    })
}

/// An IMAP account of a mailbox that no POP3 account downloads from.
fn of_another_mailbox(servers: &Servers) -> AccountDraft {
    let mut draft = servers.draft(Protocol::Imap);
    draft.identity.address = "archive@example.org".into();
    draft.incoming.username = "archive".into();
    draft
}

/// How a copy ends.
async fn ended(page: &mut Page) -> Result<CopyState> {
    page.wait(|delta| match delta {
        Delta::Copying { state: Some(CopyState::Running(_)), .. } => None,
        Delta::Copying { state, .. } => state,
        _ => None,
    })
    .await
}
